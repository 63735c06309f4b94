/* SPDX-License-Identifier: MPL-2.0 */
/* DESIGN 3, rules 5, 6 and 11: what Entra demands of the next sign-in, and what we never offer. */
#include "core/authorization.h"
#include "other_process.h"

#define CLAIMS "{\"access_token\":{\"acrs\":{\"essential\":true,\"value\":\"c1\"}}}"
#define ENCODED_CLAIMS                                                                                       \
    "%7B%22access_token%22%3A%7B%22acrs%22%3A%7B%22essential%22%3Atrue%2C%22value%22%3A%22c1%22%7D%7D%7D"

/* A renewal for the resource is refused with this demand ("": with none). */
static void demand(struct bench *bench, const char *resource, const char *claims)
{
    struct token_answer answer = {.failure = TOKEN_FAILURE_SUSPENDED};

    want(bench, resource);
    problem_set(&answer.problem, PROBLEM_INTERACTION_REQUIRED, "It failed.", "Do something.");
    strcpy(answer.claims, claims);
    give(bench, &answer);
}

/* The URL of the sign-in under way, as the shell makes it. */
static const char *url_of(const struct bench *bench)
{
    static char url[AUTHORIZATION_URL_MAX];
    const struct identity *identity = &bench->identity;
    const struct authorization_request request = {
        .authority = identity->key.authority,
        .tenant = identity->key.tenant,
        .client_id = identity->key.client_id,
        .redirect_uri = identity->sign_in.redirect_uri,
        .scopes = identity->sign_in.scopes,
        .login_hint = identity->choose_account ? NULL : identity->key.sign_in_as,
        .claims = identity->claims,
        .state = &identity->sign_in.state,
        .nonce = &identity->sign_in.nonce,
        .verifier = &identity->sign_in.verifier};

    assert_int_equal(authorization_url(url, &request), 0);
    return url;
}

static void rule_6_a_demand_goes_into_the_next_url_and_is_gone_after_the_sign_in(void **state)
{
    struct token_answer answer;
    struct bench bench, started;

    (void)state;
    signed_in_long_ago(&bench);
    demand(&bench, OUTLOOK, CLAIMS);
    open_other(&started, &bench); /* it is kept on disk */
    start_sign_in(&started, ALL_SCOPES);
    assert_non_null(strstr(url_of(&started), "&claims=" ENCODED_CLAIMS));
    good_code_answer(&answer, "outlook-2", "refresh-2");
    try_with(&started, &answer);
    start_sign_in(&started, ALL_SCOPES);
    assert_null(strstr(url_of(&started), "claims="));
    take_over(&bench, &started);
    start_sign_in(&bench, ALL_SCOPES);
    assert_null(strstr(url_of(&bench), "claims="));
    bench_close(&bench);
    bench_close(&started);
}

static void rule_6_a_demand_outlasts_failures_that_make_none(void **state)
{
    struct token_answer answer;
    struct bench bench;
    uint64_t id;

    (void)state;
    signed_in_long_ago(&bench);
    demand(&bench, OUTLOOK, CLAIMS);
    demand(&bench, GRAPH, "");
    assert_string_equal(bench.identity.claims, CLAIMS);
    id = start_sign_in(&bench, ALL_SCOPES);
    good_code_answer(&answer, "x", "y");
    strcpy(answer.id.oid, "oid-mallory");
    try_with(&bench, &answer);
    retried_with(&bench, id, PROBLEM_WRONG_ACCOUNT);
    assert_string_equal(bench.identity.claims, CLAIMS);
    problem_set(&bench.save_problem, PROBLEM_STORAGE, "The disk is full.", "Make room.");
    good_code_answer(&answer, "outlook-2", "refresh-2");
    try_with(&bench, &answer);
    assert_string_equal(bench.identity.claims, CLAIMS);
    bench_close(&bench);
}

static void rule_6_a_demand_reaches_the_other_processes(void **state)
{
    struct bench bench, other;

    (void)state;
    signed_in_long_ago(&bench);
    open_other(&other, &bench);
    demand(&bench, OUTLOOK, CLAIMS);
    take_over(&other, &bench);
    start_sign_in(&other, ALL_SCOPES);
    assert_non_null(strstr(url_of(&other), "&claims=" ENCODED_CLAIMS));
    happens(&other, EVENT_SIGN_OUT);
    assert_string_equal(other.identity.claims, "");
    bench_close(&bench);
    bench_close(&other);
}

static void rule_8_after_a_wrong_account_the_user_chooses_and_nothing_is_hinted(void **state)
{
    struct token_answer answer;
    struct bench bench;

    (void)state;
    bench_open(&bench);
    start_sign_in(&bench, ALL_SCOPES);
    assert_non_null(strstr(url_of(&bench), "&login_hint=lena%40example.org"));
    assert_null(strstr(url_of(&bench), "prompt="));
    good_code_answer(&answer, "x", "y");
    strcpy(answer.id.preferred_username, "mallory@example.org");
    try_with(&bench, &answer);
    start_sign_in(&bench, ALL_SCOPES);
    assert_non_null(strstr(url_of(&bench), "&prompt=select_account"));
    assert_null(strstr(url_of(&bench), "login_hint="));
    good_code_answer(&answer, "outlook-1", "refresh-1");
    try_with(&bench, &answer);
    start_sign_in(&bench, ALL_SCOPES);
    assert_null(strstr(url_of(&bench), "prompt="));
    bench_close(&bench);
}

static void assert_offers_nothing(const char *text)
{
    assert_null(strstr(text, "cp1"));
    assert_null(strstr(text, "CP1"));
    assert_null(strstr(text, "xms_cc"));
}

static void rule_11_cp1_is_never_declared(void **state)
{
    struct secret text = {0}, form = {0};
    const struct token_request by_code = {.client_id = CLIENT,
                                          .scopes = ALL_SCOPES,
                                          .code = &text,
                                          .redirect_uri = "http://localhost",
                                          .verifier = &text};
    const struct token_request by_refresh_token = {
        .client_id = CLIENT, .scopes = ALL_SCOPES, .refresh_token = &text};
    const struct token_request by_device_code = {
        .client_id = CLIENT, .scopes = ALL_SCOPES, .device_code = &text};
    struct bench bench;

    (void)state;
    put_secret(&text, "text");
    bench_open(&bench);
    start_sign_in(&bench, ALL_SCOPES);
    assert_offers_nothing(url_of(&bench));
    assert_null(strstr(url_of(&bench), "claims"));
    assert_int_equal(token_request_form(&form, &by_code), 0);
    assert_offers_nothing(secret_expose(&form));
    assert_int_equal(token_request_form(&form, &by_refresh_token), 0);
    assert_offers_nothing(secret_expose(&form));
    assert_int_equal(token_request_form(&form, &by_device_code), 0);
    assert_offers_nothing(secret_expose(&form));
    assert_int_equal(device_code_form(&form, CLIENT, ALL_SCOPES), 0);
    assert_offers_nothing(secret_expose(&form));
    secret_wipe(&form);
    secret_wipe(&text);
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_6_a_demand_goes_into_the_next_url_and_is_gone_after_the_sign_in),
        cmocka_unit_test(rule_6_a_demand_outlasts_failures_that_make_none),
        cmocka_unit_test(rule_6_a_demand_reaches_the_other_processes),
        cmocka_unit_test(rule_8_after_a_wrong_account_the_user_chooses_and_nothing_is_hinted),
        cmocka_unit_test(rule_11_cp1_is_never_declared),
    };

    return CORE_TESTS(tests);
}
