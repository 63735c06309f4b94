/* SPDX-License-Identifier: MPL-2.0 */
/* DESIGN 3, rules 8 and 9: whose grant it is, and where it may go. */
#include "other_process.h"
#include "service/service_parts.h"

#define FIRST "{\"clientId\":\"c1\",\"tenant\":\"a.test\"}"
#define TID "0f0f0f0f-1234-5678-9abc-def012345678"

/* The answer to a code as it comes over the wire, with this id token. */
static void answer_id(struct bench *bench, const char *claims)
{
    char payload[1024], encoded[2048], body[4096];

    snprintf(payload, sizeof payload, "{\"aud\":\"" CLIENT "\",\"nonce\":\"" NONCE "\",%s}", claims);
    sodium_bin2base64(encoded, sizeof encoded, (const unsigned char *)payload, strlen(payload),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    snprintf(body, sizeof body,
             "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"access_token\":\"a\",\"refresh_token\":\"r\","
             "\"id_token\":\"e30.%s.c2ln\"}",
             encoded);
    redirect_code(bench, "code");
    answer_http(bench, 200, 0, body);
}

static void rule_8_at_first_the_sign_in_name_decides(void **state)
{
    static const struct {
        const char *claims;
        bool right;
    } answers[] = {{"\"preferred_username\":\"LENA@Example.ORG\",\"oid\":\"o\",\"tid\":\"t\"", true},
                   {"\"upn\":\"lena@example.org\"", true},
                   {"\"preferred_username\":\"x@example.org\",\"upn\":\"lena@example.org\"", true},
                   {"\"preferred_username\":\"mallory@example.org\"", false},
                   {"\"email\":\"lena@example.org\"", false},
                   {"\"email\":\"lena@example.org\",\"preferred_username\":\"mallory@example.org\"", false},
                   {"\"preferred_username\":\"lena@example.org.evil.test\"", false},
                   {"\"oid\":\"o\",\"tid\":\"t\"", false}};
    struct bench bench;
    uint64_t id;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        bench_open(&bench);
        id = start_sign_in(&bench, ALL_SCOPES);
        answer_id(&bench, answers[i].claims);
        if (answers[i].right)
            finished_with(&bench, id, PROBLEM_NONE);
        else
            retried_with(&bench, id, PROBLEM_WRONG_ACCOUNT);
        assert_refresh_token(&bench, answers[i].right ? "r" : "");
        assert_int_equal(count_seen(&bench, EFFECT_SAVE), answers[i].right ? 1 : 0);
        bench_close(&bench);
    }
}

static void rule_8_a_known_person_is_known_by_oid_and_tid(void **state)
{
    static const struct {
        const char *claims;
        bool right;
    } answers[] = {
        {"\"preferred_username\":\"x@y\",\"oid\":\"oid-lena\",\"tid\":\"tid-example\"", true},
        {"\"preferred_username\":\"lena@example.org\",\"oid\":\"o\",\"tid\":\"tid-example\"", false},
        {"\"preferred_username\":\"lena@example.org\",\"oid\":\"oid-lena\",\"tid\":\"t\"", false},
        {"\"preferred_username\":\"lena@example.org\"", false}};
    struct bench bench;
    size_t i;
    int dead;

    (void)state;
    for (i = 0; i < 2 * sizeof answers / sizeof answers[0]; i++) {
        dead = i % 2;
        signed_in_long_ago(&bench);
        if (dead) { /* who it was is known all the same */
            want(&bench, OUTLOOK);
            fail_with(&bench, TOKEN_FAILURE_DEAD, PROBLEM_SIGN_IN_REQUIRED, 0);
        }
        start_sign_in(&bench, ALL_SCOPES);
        answer_id(&bench, answers[i / 2].claims);
        assert_refresh_token(&bench, answers[i / 2].right ? "r" : dead ? "" : "refresh-1");
        bench_close(&bench);
    }
}

static void rule_8_the_remedy_offers_the_name_that_signed_in(void **state)
{
    const struct problem *problem;
    struct bench bench;
    uint64_t id;

    (void)state;
    bench_open(&bench);
    id = start_sign_in(&bench, ALL_SCOPES);
    answer_id(&bench, "\"preferred_username\":\"l.adams@example.org\"");
    problem = retried_with(&bench, id, PROBLEM_WRONG_ACCOUNT);
    assert_string_equal(problem->signed_in_as, "l.adams@example.org");
    assert_non_null(strstr(problem->remedy, "l.adams@example.org is your sign-in name for this mailbox"));
    assert_true(bench.identity.choose_account); /* the next page must not take the same user again */
    answer_id(&bench, "\"preferred_username\":\"lena@example.org\"");
    finished_with(&bench, id, PROBLEM_NONE);
    assert_false(bench.identity.choose_account);
    bench_close(&bench);
}

static void rule_8_a_renewal_is_checked_by_client_info_where_it_is_sent(void **state)
{
    static const struct {
        const char *client_info;
        bool right;
    } answers[] = {{"{\"uid\":\"uid-lena\",\"utid\":\"utid-example\"}", true},
                   {"{\"uid\":\"uid-mallory\",\"utid\":\"utid-example\"}", false},
                   {"{\"uid\":\"uid-lena\",\"utid\":\"utid-other\"}", false},
                   {"{}", true}};
    char encoded[256], body[1024];
    struct bench bench;
    uint64_t request;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        signed_in_long_ago(&bench);
        request = want(&bench, OUTLOOK);
        sodium_bin2base64(encoded, sizeof encoded, (const unsigned char *)answers[i].client_info,
                          strlen(answers[i].client_info), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        snprintf(body, sizeof body,
                 "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"access_token\":\"outlook-2\","
                 "\"client_info\":\"%s\"}",
                 encoded);
        answer_http(&bench, 200, 0, body);
        if (answers[i].right)
            assert_token(&bench, request, "outlook-2", true);
        else
            assert_problem(&bench, request, PROBLEM_IDENTITY_PROVIDER);
        assert_refresh_token(&bench, "refresh-1");
        bench_close(&bench);
    }
}

static void rule_9_a_renewal_goes_to_the_users_tenant_only_when_a_general_one_is_configured(void **state)
{
    static const struct {
        const char *tenant, *tid, *renews_at;
    } rows[] = {{"common", TID, TID},
                {"organizations", TID, TID},
                {"consumers", TID, "consumers"},
                {"example.org", TID, "example.org"},
                {"99999999-1234-5678-9abc-def012345678", TID, "99999999-1234-5678-9abc-def012345678"},
                {"common", "", "common"},
                {"common", "../evil", "common"},
                {"common", "0f0f0f0f/1234/5678/9abc/def012345678", "common"}};
    struct bench bench;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        signed_in_long_ago(&bench);
        strcpy(bench.identity.key.tenant, rows[i].tenant);
        strcpy(bench.identity.grant.tid, rows[i].tid);
        want(&bench, OUTLOOK);
        assert_string_equal(identity_token_tenant(&bench.identity), rows[i].renews_at);
        renew_with(&bench, "outlook-2", NULL);
        start_sign_in(&bench, ALL_SCOPES);
        redirect_code(&bench, "code"); /* it is redeemed where it came from */
        assert_int_equal(bench.on_the_wire, 1);
        assert_string_equal(identity_token_tenant(&bench.identity), rows[i].tenant);
        bench_close(&bench);
    }
}

static void configure(struct settings *settings, const char *json)
{
    json_t *object = json_loads(json, 0, NULL);

    settings_clear(settings);
    assert_int_equal(settings_init(settings), 0);
    settings_apply(settings, object, SETTINGS_ADMIN, "policy.json");
    assert_int_equal(settings->broken.kind, PROBLEM_NONE);
    json_decref(object);
}

static void rule_9_a_grant_serves_only_the_configuration_that_it_came_from(void **state)
{
    static const char *const others[] = {"{\"clientId\":\"c2\",\"tenant\":\"a.test\"}",
                                         "{\"clientId\":\"c1\",\"tenant\":\"b.test\"}",
                                         "{\"clientId\":\"c1\",\"tenant\":\"a.test\",\"cloud\":\"china\"}",
                                         "{\"clientId\":\"c1\",\"tenant\":\"a.test\",\"accounts\":{\"" USER
                                         "\":{\"signInAs\":\"x@y.test\"}}}"};
    static const struct account_wish nothing;
    struct service service = {.watch_fd = -1};
    struct account_target target;
    struct problem problem = {0};
    struct entry *entry;
    size_t i;

    (void)state;
    configure(&service.settings, FIRST);
    settings_target(&service.settings, USER, &nothing, &target);
    entry = entry_make(&service, &target.key);
    assert_int_equal(entry_add_address(entry, USER), 0);
    entry->identity.grant.serial = 1;
    put_secret(&entry->identity.grant.refresh_token, "refresh-1");
    assert_true(entry_may_serve(entry, USER, &problem));
    for (i = 0; i < sizeof others / sizeof others[0]; i++) {
        configure(&service.settings, others[i]);
        assert_false(entry_may_serve(entry, USER, &problem));
        assert_int_equal(problem.kind, PROBLEM_SIGN_IN_REQUIRED);
        assert_string_equal(secret_expose(&entry->identity.grant.refresh_token), "refresh-1");
    }
    configure(&service.settings, FIRST);
    assert_true(entry_may_serve(entry, USER, &problem));
    entries_free(&service);
    settings_clear(&service.settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_8_at_first_the_sign_in_name_decides),
        cmocka_unit_test(rule_8_a_known_person_is_known_by_oid_and_tid),
        cmocka_unit_test(rule_8_the_remedy_offers_the_name_that_signed_in),
        cmocka_unit_test(rule_8_a_renewal_is_checked_by_client_info_where_it_is_sent),
        cmocka_unit_test(rule_9_a_renewal_goes_to_the_users_tenant_only_when_a_general_one_is_configured),
        cmocka_unit_test(rule_9_a_grant_serves_only_the_configuration_that_it_came_from),
    };

    return CORE_TESTS(tests);
}
