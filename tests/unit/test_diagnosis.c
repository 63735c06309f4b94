/* SPDX-License-Identifier: MPL-2.0 */
/* What an answer of the identity provider means for the refresh token, and in what words it is told. */
#include "core/diagnosis.h"

#include "core_support.h"

#define GUID "0123abcd-ef01-2345-6789-abcdefABCDEF"

static enum token_failure diagnose(long status, const char *error, const char *suberror, int aadsts,
                                   struct problem *problem)
{
    const struct oauth_error answer = {
        .status = status, .error = error, .suberror = suberror, .aadsts = aadsts};
    enum token_failure failure = diagnose_token_error(&answer, problem);

    assert_true(problem->kind != PROBLEM_NONE);
    assert_true(problem->cause[0] != '\0');
    assert_true(problem->remedy[0] != '\0');
    assert_int_equal(problem->aadsts, aadsts);
    return failure;
}

static void errors_are_sorted_as_the_contract_says(void **state)
{
    static const struct {
        long status;
        const char *error, *suberror;
        enum token_failure failure;
        enum problem_kind kind;
    } rows[] = {
        {400, "invalid_grant", "bad_token", TOKEN_FAILURE_DEAD, PROBLEM_SIGN_IN_REQUIRED},
        {400, "invalid_grant", "token_expired", TOKEN_FAILURE_DEAD, PROBLEM_SIGN_IN_REQUIRED},
        {400, "interaction_required", "bad_token", TOKEN_FAILURE_DEAD, PROBLEM_SIGN_IN_REQUIRED},
        {400, "invalid_grant", "consent_required", TOKEN_FAILURE_SUSPENDED, PROBLEM_CONSENT_REQUIRED},
        {400, "invalid_grant", "basic_action", TOKEN_FAILURE_SUSPENDED, PROBLEM_INTERACTION_REQUIRED},
        {400, "invalid_grant", "additional_action", TOKEN_FAILURE_SUSPENDED, PROBLEM_INTERACTION_REQUIRED},
        {400, "invalid_grant", "message_only", TOKEN_FAILURE_SUSPENDED, PROBLEM_INTERACTION_REQUIRED},
        {400, "invalid_grant", "user_password_expired", TOKEN_FAILURE_SUSPENDED, PROBLEM_SIGN_IN_REQUIRED},
        {400, "invalid_grant", "BAD_TOKEN", TOKEN_FAILURE_SUSPENDED, PROBLEM_SIGN_IN_REQUIRED},
        {400, "invalid_grant", NULL, TOKEN_FAILURE_SUSPENDED, PROBLEM_SIGN_IN_REQUIRED},
        {400, "login_required", NULL, TOKEN_FAILURE_SUSPENDED, PROBLEM_SIGN_IN_REQUIRED},
        {400, "interaction_required", NULL, TOKEN_FAILURE_SUSPENDED, PROBLEM_INTERACTION_REQUIRED},
        {400, "consent_required", NULL, TOKEN_FAILURE_SUSPENDED, PROBLEM_CONSENT_REQUIRED},
        {401, "invalid_client", NULL, TOKEN_FAILURE_SUSPENDED, PROBLEM_MISCONFIGURED},
        {400, "unauthorized_client", NULL, TOKEN_FAILURE_SUSPENDED, PROBLEM_MISCONFIGURED},
        {400, "invalid_resource", NULL, TOKEN_FAILURE_SUSPENDED, PROBLEM_MISCONFIGURED},
        {400, "invalid_scope", NULL, TOKEN_FAILURE_SUSPENDED, PROBLEM_MISCONFIGURED},
        {400, "invalid_request", NULL, TOKEN_FAILURE_SUSPENDED, PROBLEM_MISCONFIGURED},
        {400, "unsupported_grant_type", NULL, TOKEN_FAILURE_SUSPENDED, PROBLEM_MISCONFIGURED},
        {400, "never heard of", NULL, TOKEN_FAILURE_SUSPENDED, PROBLEM_MISCONFIGURED},
        {400, "", "", TOKEN_FAILURE_SUSPENDED, PROBLEM_MISCONFIGURED},
        {400, "access_denied", NULL, TOKEN_FAILURE_SUSPENDED, PROBLEM_CANCELLED},
        {400, "authorization_declined", NULL, TOKEN_FAILURE_SUSPENDED, PROBLEM_CANCELLED},
        {400, "expired_token", NULL, TOKEN_FAILURE_SUSPENDED, PROBLEM_SIGN_IN_REQUIRED},
        {400, "code_expired", NULL, TOKEN_FAILURE_SUSPENDED, PROBLEM_SIGN_IN_REQUIRED},
        {400, "bad_verification_code", NULL, TOKEN_FAILURE_SUSPENDED, PROBLEM_SIGN_IN_REQUIRED},
        {400, "authorization_pending", NULL, TOKEN_FAILURE_TRANSIENT, PROBLEM_IDENTITY_PROVIDER},
        {400, "slow_down", NULL, TOKEN_FAILURE_TRANSIENT, PROBLEM_THROTTLED},
        {400, "temporarily_unavailable", "bad_token", TOKEN_FAILURE_TRANSIENT, PROBLEM_IDENTITY_PROVIDER},
        {400, "invalid_grant", "client_mismatch", TOKEN_FAILURE_SUSPENDED, PROBLEM_SIGN_IN_REQUIRED},
        {400, "unauthorized_client", "protection_policy_required", TOKEN_FAILURE_SUSPENDED,
         PROBLEM_MISCONFIGURED},
        {400, "temporarily_unavailable", NULL, TOKEN_FAILURE_TRANSIENT, PROBLEM_IDENTITY_PROVIDER},
        {400, "server_error", NULL, TOKEN_FAILURE_TRANSIENT, PROBLEM_IDENTITY_PROVIDER},
        {408, "invalid_grant", "bad_token", TOKEN_FAILURE_TRANSIENT, PROBLEM_IDENTITY_PROVIDER},
        {429, "invalid_grant", "bad_token", TOKEN_FAILURE_TRANSIENT, PROBLEM_THROTTLED},
        {500, "invalid_grant", "bad_token", TOKEN_FAILURE_TRANSIENT, PROBLEM_IDENTITY_PROVIDER},
        {503, "invalid_grant", "bad_token", TOKEN_FAILURE_TRANSIENT, PROBLEM_THROTTLED},
        {504, "invalid_client", NULL, TOKEN_FAILURE_TRANSIENT, PROBLEM_IDENTITY_PROVIDER},
        {599, "x", NULL, TOKEN_FAILURE_TRANSIENT, PROBLEM_IDENTITY_PROVIDER},
    };
    struct problem problem;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(diagnose(rows[i].status, rows[i].error, rows[i].suberror, 0, &problem),
                         rows[i].failure);
        assert_string_equal(problem_kind_name(problem.kind), problem_kind_name(rows[i].kind));
    }
}

static void numbers_of_passing_trouble_make_an_answer_transient(void **state)
{
    static const int passing[] = {50033, 50087, 50088, 70012, 80001, 80002, 80005,
                                  80014, 90006, 90012, 90024, 90033, 90090};
    struct problem problem;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof passing / sizeof passing[0]; i++) {
        assert_int_equal(diagnose(400, "invalid_grant", NULL, passing[i], &problem), TOKEN_FAILURE_TRANSIENT);
        assert_int_equal(problem.kind, PROBLEM_IDENTITY_PROVIDER);
    }
    assert_int_equal(diagnose(400, "invalid_grant", NULL, 50196, &problem), TOKEN_FAILURE_TRANSIENT);
    assert_int_equal(problem.kind, PROBLEM_THROTTLED);
    assert_int_equal(problem.retry_after, RETRY_AFTER_DEFAULT);
    assert_int_equal(diagnose(400, "invalid_grant", NULL, 90055, &problem), TOKEN_FAILURE_TRANSIENT);
    assert_int_equal(problem.kind, PROBLEM_THROTTLED);
}

static void no_number_deletes_a_refresh_token(void **state)
{
    struct problem problem;
    int number;

    (void)state;
    for (number = 1; number < 1000000; number += number < 100000 ? 1 : 997)
        assert_int_not_equal(diagnose(400, "invalid_grant", NULL, number, &problem), TOKEN_FAILURE_DEAD);
    assert_int_equal(diagnose(400, "invalid_grant", "bad_token", 50196, &problem), TOKEN_FAILURE_DEAD);
}

static void suberror_decides_before_the_number_and_passing_trouble_before_both(void **state)
{
    struct problem problem, of_the_kind;

    (void)state;
    diagnose(400, "invalid_grant", "message_only", 53003, &problem);
    assert_int_equal(problem.kind, PROBLEM_INTERACTION_REQUIRED);
    diagnose_kind(PROBLEM_INTERACTION_REQUIRED, &of_the_kind);
    assert_non_null(strstr(problem.remedy, "Sign in again"));
    assert_non_null(strstr(problem.remedy, "ask your administrator"));
    assert_string_not_equal(problem.cause, of_the_kind.cause);
    assert_string_not_equal(problem.admin_remedy, of_the_kind.admin_remedy);
    diagnose(400, "invalid_grant", "consent_required", 50173, &problem);
    assert_int_equal(problem.kind, PROBLEM_CONSENT_REQUIRED);
    diagnose_kind(PROBLEM_CONSENT_REQUIRED, &of_the_kind);
    assert_string_equal(problem.remedy, of_the_kind.remedy);
    diagnose(400, "invalid_grant", NULL, 53003, &problem);
    assert_int_equal(problem.kind, PROBLEM_BLOCKED);
    assert_int_equal(diagnose(400, "interaction_required", "basic_action", 50196, &problem),
                     TOKEN_FAILURE_TRANSIENT);
    assert_int_equal(problem.kind, PROBLEM_THROTTLED);
    /* Where the trouble passes, the number of something lasting says nothing. */
    diagnose(503, "invalid_grant", NULL, 65001, &problem);
    diagnose_kind(PROBLEM_THROTTLED, &of_the_kind);
    assert_string_equal(problem.cause, of_the_kind.cause);
    assert_string_equal(problem.admin_remedy, "");
}

static void claims_send_the_user_to_the_browser(void **state)
{
    static const struct {
        const char *error, *suberror;
        int aadsts;
        enum token_failure failure;
        enum problem_kind kind;
    } rows[] = {
        {"invalid_grant", NULL, 0, TOKEN_FAILURE_SUSPENDED, PROBLEM_INTERACTION_REQUIRED},
        {"interaction_required", NULL, 0, TOKEN_FAILURE_SUSPENDED, PROBLEM_INTERACTION_REQUIRED},
        {"invalid_grant", NULL, 53003, TOKEN_FAILURE_SUSPENDED, PROBLEM_INTERACTION_REQUIRED},
        {"invalid_grant", "user_password_expired", 0, TOKEN_FAILURE_SUSPENDED, PROBLEM_INTERACTION_REQUIRED},
        {"invalid_grant", "consent_required", 0, TOKEN_FAILURE_SUSPENDED, PROBLEM_CONSENT_REQUIRED},
        {"invalid_grant", "bad_token", 0, TOKEN_FAILURE_DEAD, PROBLEM_SIGN_IN_REQUIRED},
        {"invalid_grant", NULL, 50196, TOKEN_FAILURE_TRANSIENT, PROBLEM_THROTTLED},
        {"invalid_client", NULL, 0, TOKEN_FAILURE_SUSPENDED, PROBLEM_MISCONFIGURED},
        {"server_error", NULL, 0, TOKEN_FAILURE_TRANSIENT, PROBLEM_IDENTITY_PROVIDER},
    };
    struct problem problem;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct oauth_error error = {.status = 400,
                                          .error = rows[i].error,
                                          .suberror = rows[i].suberror,
                                          .aadsts = rows[i].aadsts,
                                          .has_claims = true};
        assert_int_equal(diagnose_token_error(&error, &problem), rows[i].failure);
        assert_string_equal(problem_kind_name(problem.kind), problem_kind_name(rows[i].kind));
    }
}

static void a_client_that_polls_learns_what_to_do(void **state)
{
    static const struct {
        const char *error;
        enum device_poll poll;
    } rows[] = {{"authorization_pending", DEVICE_POLL_PENDING},
                {"slow_down", DEVICE_POLL_SLOW_DOWN},
                {"authorization_declined", DEVICE_POLL_DECLINED},
                {"access_denied", DEVICE_POLL_DECLINED},
                {"expired_token", DEVICE_POLL_EXPIRED},
                {"code_expired", DEVICE_POLL_EXPIRED},
                {"bad_verification_code", DEVICE_POLL_EXPIRED},
                {"invalid_grant", DEVICE_POLL_NONE},
                {"server_error", DEVICE_POLL_NONE},
                {"", DEVICE_POLL_NONE},
                {NULL, DEVICE_POLL_NONE}};
    struct problem problem;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(diagnose_device_poll(rows[i].error), rows[i].poll);
    diagnose(400, "expired_token", NULL, 0, &problem);
    assert_non_null(strstr(problem.remedy, "Start the sign-in again"));
    diagnose(400, "authorization_declined", NULL, 65004, &problem);
    assert_int_equal(problem.kind, PROBLEM_CANCELLED);
    assert_non_null(strstr(problem.cause, "declined"));
    diagnose(400, "access_denied", NULL, 50105, &problem);
    assert_int_equal(problem.kind, PROBLEM_BLOCKED);
    diagnose(400, "slow_down", NULL, 0, &problem);
    assert_int_equal(problem.retry_after, RETRY_AFTER_DEFAULT);
}

static void retry_after_is_believed_up_to_an_hour(void **state)
{
    static const struct {
        long status;
        int given, taken;
    } rows[] = {{429, 0, RETRY_AFTER_DEFAULT},
                {429, -5, RETRY_AFTER_DEFAULT},
                {429, 1, 1},
                {503, RETRY_AFTER_MAX, RETRY_AFTER_MAX},
                {503, RETRY_AFTER_MAX + 1, RETRY_AFTER_MAX},
                {500, 0, 0},
                {500, 30, 30},
                {408, 1000000, RETRY_AFTER_MAX}};
    struct problem problem;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        diagnose_strange_answer(rows[i].status, rows[i].given, &problem);
        assert_int_equal(problem.retry_after, rows[i].taken);
    }
    {
        const struct oauth_error error = {
            .status = 400, .error = "temporarily_unavailable", .retry_after = 30};
        assert_int_equal(diagnose_token_error(&error, &problem), TOKEN_FAILURE_TRANSIENT);
        assert_int_equal(problem.retry_after, 30);
    }
}

static void only_guids_are_shown_as_correlation_ids(void **state)
{
    static const char *const refused[] = {"",
                                          "x",
                                          "0123abcd-ef01-2345-6789-abcdefABCDE",
                                          GUID "0",
                                          "0123abcd-ef01-2345-6789-abcdefABCD\n\n",
                                          "<script>alert(1)</script>-0123456789"};
    struct oauth_error error = {.status = 400, .error = "invalid_grant"};
    struct problem problem;
    size_t i;

    (void)state;
    strcpy(error.correlation_id, GUID);
    strcpy(error.trace_id, GUID);
    diagnose_token_error(&error, &problem);
    assert_string_equal(problem.correlation_id, GUID);
    assert_string_equal(problem.trace_id, GUID);
    for (i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        snprintf(error.correlation_id, sizeof error.correlation_id, "%s", refused[i]);
        snprintf(error.trace_id, sizeof error.trace_id, "%s", refused[i]);
        diagnose_token_error(&error, &problem);
        assert_string_equal(problem.correlation_id, "");
        assert_string_equal(problem.trace_id, "");
    }
}

static void no_text_of_the_server_reaches_the_user(void **state)
{
    struct problem problem;

    (void)state;
    diagnose(400, "call 0900-EVIL now", "call 0900-EVIL now", 0, &problem);
    assert_null(strstr(problem.cause, "EVIL"));
    assert_null(strstr(problem.remedy, "EVIL"));
    diagnose_authorization_error("call 0900-EVIL now", 0, false, &problem);
    assert_null(strstr(problem.cause, "EVIL"));
    assert_int_equal(problem.kind, PROBLEM_MISCONFIGURED);
}

static void what_the_redirect_brings_is_told(void **state)
{
    static const struct {
        const char *error;
        int aadsts;
        bool refused;
        enum problem_kind kind;
    } rows[] = {
        {"access_denied", 0, true, PROBLEM_CANCELLED},
        {"access_denied", 65004, true, PROBLEM_CANCELLED},
        {"access_denied", 50126, true, PROBLEM_CANCELLED},
        {"access_denied", 90094, true, PROBLEM_CONSENT_REQUIRED},
        {"access_denied", 90094, false, PROBLEM_CONSENT_REQUIRED},
        {"access_denied", 50105, true, PROBLEM_BLOCKED},
        {"access_denied", 53003, false, PROBLEM_BLOCKED},
        {"consent_required", 0, false, PROBLEM_CONSENT_REQUIRED},
        {"login_required", 50058, false, PROBLEM_SIGN_IN_REQUIRED},
        {"interaction_required", 50076, false, PROBLEM_INTERACTION_REQUIRED},
        {"invalid_request", 50011, false, PROBLEM_MISCONFIGURED},
        {"invalid_request", 50020, false, PROBLEM_SIGN_IN_REQUIRED},
        {"unauthorized_client", 700016, false, PROBLEM_MISCONFIGURED},
        {"unsupported_response_type", 0, false, PROBLEM_MISCONFIGURED},
        {"invalid_answer", 0, false, PROBLEM_MISCONFIGURED},
        {"temporarily_unavailable", 0, false, PROBLEM_IDENTITY_PROVIDER},
        {"server_error", 90033, false, PROBLEM_IDENTITY_PROVIDER},
        {"server_error", 50196, false, PROBLEM_THROTTLED},
        {"invalid_request", 90055, false, PROBLEM_THROTTLED},
    };
    struct problem problem;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        diagnose_authorization_error(rows[i].error, rows[i].aadsts, rows[i].refused, &problem);
        assert_string_equal(problem_kind_name(problem.kind), problem_kind_name(rows[i].kind));
        assert_int_equal(problem.aadsts, rows[i].aadsts);
        assert_true(problem.cause[0] != '\0' && problem.remedy[0] != '\0');
        assert_true((problem.kind == PROBLEM_THROTTLED) == (problem.retry_after > 0));
    }
    diagnose_authorization_error("access_denied", 65004, true, &problem);
    assert_non_null(strstr(problem.cause, "declined"));
}

static void each_stage_of_the_network_has_words_of_its_own(void **state)
{
    static const char *const stages[] = {"dns", "connect", "tls", "proxy", "timeout", "http"};
    struct problem problems[6];
    size_t i, k;

    (void)state;
    for (i = 0; i < 6; i++) {
        diagnose_transport(stages[i], &problems[i]);
        assert_int_equal(problems[i].kind, PROBLEM_NETWORK);
        assert_string_equal(problems[i].stage, stages[i]);
        for (k = 0; k < i; k++)
            assert_string_not_equal(problems[i].cause, problems[k].cause);
    }
    diagnose_transport("some other", &problems[0]);
    assert_string_equal(problems[0].stage, "http");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_sorted_as_the_contract_says),
        cmocka_unit_test(numbers_of_passing_trouble_make_an_answer_transient),
        cmocka_unit_test(no_number_deletes_a_refresh_token),
        cmocka_unit_test(suberror_decides_before_the_number_and_passing_trouble_before_both),
        cmocka_unit_test(claims_send_the_user_to_the_browser),
        cmocka_unit_test(a_client_that_polls_learns_what_to_do),
        cmocka_unit_test(retry_after_is_believed_up_to_an_hour),
        cmocka_unit_test(only_guids_are_shown_as_correlation_ids),
        cmocka_unit_test(no_text_of_the_server_reaches_the_user),
        cmocka_unit_test(what_the_redirect_brings_is_told),
        cmocka_unit_test(each_stage_of_the_network_has_words_of_its_own),
    };

    return CORE_TESTS(tests);
}
