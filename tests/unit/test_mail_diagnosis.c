/* SPDX-License-Identifier: MPL-2.0 */
/* What each of Exchange Online's lines means, and how what is known of the token decides among the causes. */
#include "core/mail_diagnosis.h"

#include "core_support.h"

#include "core/check.h"
#include "core/mail_rules.h"

#define NOW 1795000000 /* 18 November 2026 */

static const struct mail_circumstances nothing_known = {.now = NOW, .user = USER};
static const struct mail_circumstances good_token = {
    .now = NOW,
    .user = USER,
    .token_user = "Lena@Example.org",
    .token_audience = OUTLOOK "/",
    .token_scopes = "IMAP.AccessAsUser.All POP.AccessAsUser.All SMTP.Send",
    .token_expires = NOW + 3000,
    .audience = OUTLOOK,
};

static json_t *diagnose(enum mail_protocol protocol, enum mail_stage stage, const char *line,
                        const struct mail_circumstances *known)
{
    struct mail_result result = {
        .protocol = protocol, .stage = stage, .failure = MAIL_REFUSED, .family = 4, .address = "192.0.2.1"};
    json_t *check = check_new(mail_protocol_name(protocol), USER, CHECK_OK, "Mail server");

    snprintf(result.line, sizeof result.line, "%s", line);
    mail_diagnose(check, &result, known);
    return check;
}

static const char *text(const json_t *check, const char *name)
{
    const char *value = json_string_value(json_object_get(check, name));

    return value == NULL ? "" : value;
}

static const char *cause(const json_t *check, size_t index)
{
    const char *value = json_string_value(json_array_get(json_object_get(check, "causes"), index));

    return value == NULL ? "" : value;
}

static bool has_cause(const json_t *check, const char *id)
{
    for (size_t i = 0; cause(check, i)[0] != '\0'; i++)
        if (strcmp(cause(check, i), id) == 0)
            return true;
    return false;
}

/* FACTS 5.2, row by row: with nothing known of the token, and with a good one. */
static const struct {
    enum mail_protocol protocol;
    enum mail_stage stage;
    const char *line;
    const char *first, *first_with_good_token;
    const char *admin_remedy; /* a part of it, with the good token */
    const char *status;
} rows[] = {
    {MAIL_IMAP, MAIL_STAGE_AUTH, "A01 NO AUTHENTICATE failed.", "token-expired", "imap-disabled",
     "Set-CASMailbox -Identity " USER " -ImapEnabled $true", "fail"},
    {MAIL_IMAP, MAIL_STAGE_AUTH, "A01 NO LOGIN failed.", "password-used", "password-used", "", "fail"},
    {MAIL_IMAP, MAIL_STAGE_COMMAND, "A02 BAD User is authenticated but not connected.", "no-permission",
     "no-mailbox", "Get-Mailbox " USER, "fail"},
    {MAIL_IMAP, MAIL_STAGE_COMMAND, "* BYE Connection closed. 14", "no-permission", "no-mailbox",
     "Get-Mailbox", "fail"},
    {MAIL_IMAP, MAIL_STAGE_COMMAND,
     "A02 NO Request is throttled. Suggested Backoff Time: 299961 milliseconds", "throttled", "throttled",
     "polls", "warn"},
    {MAIL_IMAP, MAIL_STAGE_AUTH, "A02 BAD Request is throttled. Suggested Backoff Time: 1 milliseconds",
     "throttled", "throttled", "polls", "warn"},
    {MAIL_POP3, MAIL_STAGE_AUTH, "-ERR Authentication failure: unknown user name or bad password.",
     "token-expired", "pop-disabled", "Set-CASMailbox -Identity " USER " -PopEnabled $true", "fail"},
    {MAIL_POP3, MAIL_STAGE_AUTH, "-ERR Logon failure: unknown user name or bad password.", "token-expired",
     "pop-disabled", "-PopEnabled $true", "fail"},
    {MAIL_SMTP, MAIL_STAGE_AUTH, "535 5.7.3 Authentication unsuccessful [X.prod.outlook.com]",
     "token-expired", "smtp-auth-disabled-mailbox", "-SmtpClientAuthenticationDisabled $false", "fail"},
    {MAIL_SMTP, MAIL_STAGE_AUTH,
     "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit "
     "https://aka.ms/smtp_auth_disabled for more information.",
     "smtp-auth-disabled-tenant", "smtp-auth-disabled-tenant",
     "Set-TransportConfig -SmtpClientAuthenticationDisabled $false", "fail"},
    {MAIL_SMTP, MAIL_STAGE_AUTH,
     "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. Visit "
     "https://aka.ms/smtp_auth_disabled for more information.",
     "smtp-auth-disabled-mailbox", "smtp-auth-disabled-mailbox",
     "Set-CASMailbox -Identity " USER " -SmtpClientAuthenticationDisabled $false", "fail"},
    {MAIL_SMTP, MAIL_STAGE_AUTH,
     "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults "
     "policy. "
     "Contact your administrator.",
     "security-defaults", "security-defaults", "Security defaults", "fail"},
    {MAIL_SMTP, MAIL_STAGE_AUTH,
     "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated "
     "successfully. Contact your administrator.",
     "access-policy", "access-policy", "sign-in log", "fail"},
    {MAIL_SMTP, MAIL_STAGE_AUTH,
     "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.", "token-expired",
     "password-used", "", "fail"},
    {MAIL_SMTP, MAIL_STAGE_AUTH, "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
     "basic-disabled", "basic-disabled", "Get-User " USER, "fail"},
    {MAIL_SMTP, MAIL_STAGE_AUTH, "550 5.7.30 Basic authentication is not supported for Client Submission.",
     "basic-retired", "basic-retired", "December 2026", "fail"},
    {MAIL_SMTP, MAIL_STAGE_COMMAND, "530 5.7.57 SMTP; Client not authenticated to send mail.",
     "not-authenticated", "not-authenticated", "587", "fail"},
    {MAIL_SMTP, MAIL_STAGE_COMMAND,
     "530 Client was not authenticated to send anonymous mail during MAIL FROM", "not-authenticated",
     "not-authenticated", "587", "fail"},
    {MAIL_SMTP, MAIL_STAGE_COMMAND,
     "550 5.7.60 SMTP; Client does not have permissions to send as this sender", "send-as", "send-as",
     "Add-RecipientPermission", "fail"},
    {MAIL_SMTP, MAIL_STAGE_COMMAND, "554 5.2.0 SendAsDenied; not allowed", "send-as", "send-as",
     "-AccessRights SendAs", "fail"},
    {MAIL_SMTP, MAIL_STAGE_COMMAND, "554 5.2.252 not allowed", "send-as", "send-as", "-AccessRights SendAs",
     "fail"},
    {MAIL_SMTP, MAIL_STAGE_COMMAND, "501 5.1.8 Access denied, bad outbound sender", "sender-blocked",
     "sender-blocked", "Restricted entities", "fail"},
    {MAIL_SMTP, MAIL_STAGE_GREETING, "432 4.3.2 Concurrent connections limit exceeded",
     "too-many-connections", "too-many-connections", "three", "warn"},
    {MAIL_SMTP, MAIL_STAGE_AUTH, "451 4.7.0 Temporary server error. Please try again later", "server-busy",
     "server-busy", "service health", "warn"},
    {MAIL_SMTP, MAIL_STAGE_GREETING, "421 4.3.2 Service not active", "server-busy", "server-busy",
     "service health", "warn"},
    {MAIL_SMTP, MAIL_STAGE_GREETING, "421 4.7.66 TLS 1.0 and 1.1 are not supported.", "old-tls", "old-tls",
     "TLS 1.2", "fail"},
    {MAIL_SMTP, MAIL_STAGE_AUTH, "501 5.5.124 Invalid XOAUTH2 auth data - User address provided is not valid",
     "sasl-malformed", "sasl-malformed", "mail proxy", "fail"},
};

static void each_line_has_its_cause_and_remedies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *unknown = diagnose(rows[i].protocol, rows[i].stage, rows[i].line, &nothing_known);
        json_t *good = diagnose(rows[i].protocol, rows[i].stage, rows[i].line, &good_token);

        assert_string_equal(cause(unknown, 0), rows[i].first);
        assert_string_equal(cause(good, 0), rows[i].first_with_good_token);
        assert_string_equal(text(unknown, "status"), rows[i].status);
        assert_non_null(strstr(text(unknown, "detail"), rows[i].line));
        assert_true(strlen(text(unknown, "remedy")) > 10);
        assert_non_null(strstr(text(good, "adminRemedy"), rows[i].admin_remedy));
        json_decref(unknown);
        json_decref(good);
    }
}

static void lines_are_found_in_any_letter_case(void **state)
{
    json_t *check = diagnose(MAIL_IMAP, MAIL_STAGE_AUTH, "a no authenticate FAILED", &good_token);

    (void)state;
    assert_string_equal(cause(check, 0), "imap-disabled");
    json_decref(check);
}

static void what_is_shown_comes_first_and_what_is_excluded_goes(void **state)
{
    static const char line[] = "A01 NO AUTHENTICATE failed.";
    static const struct {
        const char *audience, *scopes, *user;
        long long expires;
        const char *first;
    } facts[] = {
        {OUTLOOK, "IMAP.AccessAsUser.All", USER, NOW, "token-expired"},
        {GRAPH, "IMAP.AccessAsUser.All", USER, NOW + 1, "wrong-audience"},
        {"https://outlook.office365.com", "IMAP.AccessAsUser.All", USER, NOW + 1, "imap-disabled"},
        {"00000002-0000-0ff1-ce00-000000000000", "IMAP.AccessAsUser.All", USER, NOW + 1, "imap-disabled"},
        {OUTLOOK, "SMTP.Send XIMAP.AccessAsUser.All", USER, NOW + 1, "scope-missing"},
        {OUTLOOK, "", USER, NOW + 1, "scope-missing"},
        {OUTLOOK, IMAP_SCOPE, USER, NOW + 1, "imap-disabled"},
        {OUTLOOK, "IMAP.AccessAsUser.All", "ben@example.org", NOW + 1, "no-permission"},
        {GRAPH, "User.Read", "ben@example.org", NOW - 1, "token-expired"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        struct mail_circumstances known = good_token;
        json_t *check;

        known.token_audience = facts[i].audience;
        known.token_scopes = facts[i].scopes;
        known.token_user = facts[i].user;
        known.token_expires = facts[i].expires;
        check = diagnose(MAIL_IMAP, MAIL_STAGE_AUTH, line, &known);
        assert_string_equal(cause(check, 0), facts[i].first);
        assert_true(has_cause(check, "token-expired") == (facts[i].expires <= NOW));
        json_decref(check);
    }
}

static void an_unknown_line_is_shown_with_its_stage_s_advice(void **state)
{
    static const struct {
        enum mail_protocol protocol;
        enum mail_stage stage;
        const char *line, *first, *status;
    } unknown[] = {
        {MAIL_IMAP, MAIL_STAGE_AUTH, "d NO The moon is full", "imap-disabled", "fail"},
        {MAIL_POP3, MAIL_STAGE_AUTH, "-ERR The moon is full", "pop-disabled", "fail"},
        {MAIL_SMTP, MAIL_STAGE_AUTH, "535 The moon is full", "smtp-auth-disabled-mailbox", "fail"},
        {MAIL_SMTP, MAIL_STAGE_AUTH, "454 The moon is full", "server-busy", "warn"},
        {MAIL_IMAP, MAIL_STAGE_COMMAND, "e NO The moon is full", "no-mailbox", "fail"},
        {MAIL_POP3, MAIL_STAGE_GREETING, "-ERR The moon is full", "server-refuses", "fail"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        json_t *check = diagnose(unknown[i].protocol, unknown[i].stage, unknown[i].line, &good_token);
        assert_string_equal(cause(check, 0), unknown[i].first);
        assert_string_equal(text(check, "status"), unknown[i].status);
        assert_non_null(strstr(text(check, "detail"), unknown[i].line));
        json_decref(check);
    }
}

static void a_failed_renewal_explains_a_refusal_in_entra_s_words(void **state)
{
    struct mail_circumstances known = good_token;
    json_t *check;

    (void)state;
    known.aadsts = 50173; /* revoked: the living token may be too */
    check = diagnose(MAIL_IMAP, MAIL_STAGE_AUTH, "d NO AUTHENTICATE failed.", &known);
    assert_string_equal(cause(check, 0), "sign-in");
    assert_non_null(strstr(text(check, "detail"), "withdrawn"));
    json_decref(check);
    known.aadsts = 50076; /* a second factor is wanted, but the token in hand is good */
    check = diagnose(MAIL_IMAP, MAIL_STAGE_AUTH, "d NO AUTHENTICATE failed.", &known);
    assert_string_equal(cause(check, 0), "imap-disabled");
    assert_true(has_cause(check, "sign-in"));
    json_decref(check);
    known.token_expires = NOW - 1;
    check = diagnose(MAIL_IMAP, MAIL_STAGE_AUTH, "d NO AUTHENTICATE failed.", &known);
    assert_string_equal(cause(check, 0), "sign-in");
    assert_string_equal(cause(check, 1), "token-expired");
    json_decref(check);
}

static void a_personal_account_has_its_own_switch_and_no_administrator(void **state)
{
    struct mail_circumstances known = good_token;
    json_t *check;

    (void)state;
    known.personal = true;
    check = diagnose(MAIL_IMAP, MAIL_STAGE_AUTH, "d NO AUTHENTICATE failed.", &known);
    assert_string_equal(cause(check, 0), "personal-switch");
    assert_false(has_cause(check, "imap-disabled"));
    assert_null(json_object_get(check, "adminRemedy"));
    json_decref(check);
    check = diagnose(MAIL_IMAP, MAIL_STAGE_AUTH, "d NO AUTHENTICATE failed.", &good_token);
    assert_false(has_cause(check, "personal-switch"));
    json_decref(check);
}

static void a_name_that_could_be_a_command_stays_out_of_commands(void **state)
{
    static const char *const names[] = {
        "x'; Remove-Mailbox y@z.org", "-Force@z.org", "a b@c.org", "$(x)@z.org", "", NULL};
    struct mail_circumstances known = good_token;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        json_t *check;
        known.user = known.token_user = names[i];
        check = diagnose(MAIL_SMTP, MAIL_STAGE_AUTH, rows[10].line, &known);
        assert_non_null(strstr(text(check, "adminRemedy"), "-Identity <user> "));
        json_decref(check);
    }
}

static void throttling_tells_how_long(void **state)
{
    json_t *check = diagnose(MAIL_IMAP, MAIL_STAGE_COMMAND, rows[4].line, &good_token);

    (void)state;
    assert_int_equal(json_integer_value(json_object_get(json_object_get(check, "evidence"), "waitMs")),
                     299961);
    json_decref(check);
}

static void ipv6_is_suspected_only_where_it_was_used(void **state)
{
    struct mail_result result = {.stage = MAIL_STAGE_COMMAND, .failure = MAIL_REFUSED, .family = 6};
    json_t *check = check_new("imap", USER, CHECK_OK, "IMAP");

    (void)state;
    strcpy(result.line, "e BAD User is authenticated but not connected.");
    mail_diagnose(check, &result, &good_token);
    assert_true(has_cause(check, "ipv6-path"));
    json_decref(check);
    check = check_new("imap", USER, CHECK_OK, "IMAP");
    result.family = 4;
    mail_diagnose(check, &result, &good_token);
    assert_false(has_cause(check, "ipv6-path"));
    json_decref(check);
    check = check_new("imap", USER, CHECK_OK, "IMAP");
    strcpy(result.line_before, result.line);
    result = (struct mail_result){.stage = MAIL_STAGE_DONE, .family = 4, .retried_over_ipv4 = true};
    mail_diagnose(check, &result, &good_token);
    assert_string_equal(cause(check, 0), "ipv6-path");
    assert_string_equal(text(check, "status"), "warn");
    assert_non_null(strstr(text(check, "remedy"), "network.dns.disableIPv6"));
    json_decref(check);
}

/* Every failure at every stage has words and a next step. */
static void nothing_is_left_without_words(void **state)
{
    (void)state;
    for (int failure = MAIL_FINE + 1; failure < MAIL_FAILURES; failure++) {
        for (int stage = 0; stage < MAIL_STAGE_DONE; stage++) {
            for (int fault = MAIL_CERTIFICATE_GOOD; fault <= MAIL_CERTIFICATE_OTHER; fault++) {
                struct mail_result result = {.protocol = (enum mail_protocol)(stage % MAIL_PROTOCOLS),
                                             .failure = (enum mail_failure)failure,
                                             .stage = (enum mail_stage)stage,
                                             .certificate.fault = (enum mail_certificate_fault)fault};
                json_t *check = check_new("imap", USER, CHECK_OK, "IMAP");
                mail_diagnose(check, &result, &nothing_known);
                assert_true(cause(check, 0)[0] != '\0');
                assert_true(strlen(text(check, "detail")) > 10);
                assert_true(strlen(text(check, "remedy")) > 10);
                assert_string_not_equal(text(check, "status"), "ok");
                json_decref(check);
            }
        }
    }
    for (int id = MAIL_CAUSE_NONE + 1; id < MAIL_CAUSES; id++) {
        assert_non_null(mail_cause_text((enum mail_cause)id)->id);
        assert_true(strlen(mail_cause_text((enum mail_cause)id)->cause) > 10);
        assert_true(strlen(mail_cause_text((enum mail_cause)id)->remedy) > 10);
    }
}

static void web_services_are_told_by_status_and_date(void **state)
{
    static const struct {
        enum mail_web_service service;
        long status;
        long long now;
        const char *code, *message, *first, *result;
    } answers[] = {
        {MAIL_GRAPH, 200, NOW, NULL, NULL, "", "ok"},
        {MAIL_GRAPH, 401, NOW, "InvalidAuthenticationToken",
         "Access token validation failure. Invalid audience.", "wrong-audience", "fail"},
        {MAIL_GRAPH, 401, NOW, "InvalidAuthenticationToken",
         "Lifetime validation failed, the token is expired.", "token-expired", "fail"},
        {MAIL_GRAPH, 403, NOW, "ErrorAccessDenied", "Access is denied.", "scope-missing", "fail"},
        {MAIL_GRAPH, 404, NOW, "ResourceNotFound", "Invalid.", "no-mailbox", "fail"},
        {MAIL_GRAPH, 429, NOW, "TooManyRequests", NULL, "throttled", "warn"},
        {MAIL_GRAPH, 503, NOW, NULL, NULL, "server-busy", "warn"},
        {MAIL_GRAPH, 302, NOW, NULL, NULL, "other-server", "fail"},
        {MAIL_EWS, 403, 1790812799, NULL, NULL, "ews-not-allowed", "fail"},
        {MAIL_EWS, 403, 1790812800, NULL, NULL, "ews-blocked", "fail"},
        {MAIL_EWS, 403, 1806537600, NULL, NULL, "ews-retired", "fail"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct mail_circumstances known = {.now = answers[i].now, .user = USER};
        json_t *check = check_new("graph", USER, CHECK_OK, "Graph");
        mail_diagnose_web(check, answers[i].service, answers[i].status, answers[i].code, answers[i].message,
                          &known);
        assert_string_equal(cause(check, 0), answers[i].first);
        assert_string_equal(text(check, "status"), answers[i].result);
        json_decref(check);
    }
}

static void a_refusal_without_reason_is_worth_a_renewal(void **state)
{
    struct mail_circumstances other_user = good_token, old = good_token;
    struct mail_result result = {.protocol = MAIL_IMAP,
                                 .stage = MAIL_STAGE_AUTH,
                                 .failure = MAIL_REFUSED,
                                 .line = "d NO AUTHENTICATE failed."};

    (void)state;
    other_user.token_user = "ben@example.org";
    old.token_expires = NOW - 1;
    assert_true(mail_refusal_is_vague(&result, &good_token));
    assert_true(mail_refusal_is_vague(&result, &nothing_known));
    assert_false(mail_refusal_is_vague(&result, &other_user));
    assert_false(mail_refusal_is_vague(&result, &old));
    snprintf(result.line, sizeof result.line, "d NO LOGIN failed.");
    assert_false(mail_refusal_is_vague(&result, &good_token));
    snprintf(result.line, sizeof result.line, "d NO The moon is full.");
    assert_true(mail_refusal_is_vague(&result, &good_token));
    result.stage = MAIL_STAGE_COMMAND;
    assert_false(mail_refusal_is_vague(&result, &good_token));
    result = (struct mail_result){.stage = MAIL_STAGE_AUTH, .failure = MAIL_CLOSED};
    assert_false(mail_refusal_is_vague(&result, &good_token));
    result = (struct mail_result){.stage = MAIL_STAGE_DONE};
    assert_false(mail_refusal_is_vague(&result, &good_token));
}

static void a_server_whose_clock_says_expired_is_believed(void **state)
{
    json_t *check = check_new("graph", USER, CHECK_OK, "Graph");

    (void)state;
    mail_diagnose_web(check, MAIL_GRAPH, 401, "InvalidAuthenticationToken",
                      "Lifetime validation failed, the token is expired.", &good_token);
    assert_string_equal(cause(check, 0), "token-expired");
    json_decref(check);
}

/* Entra writes Graph's audience as a URL, with a slash at its end, or as Graph's application id. */
static void a_token_for_graph_by_any_of_its_names_is_for_graph(void **state)
{
    static const struct {
        const char *audience, *first;
    } tokens[] = {{GRAPH, "access-policy"},
                  {GRAPH "/", "access-policy"},
                  {"00000003-0000-0000-c000-000000000000", "access-policy"},
                  {"00000002-0000-0ff1-ce00-000000000000", "wrong-audience"},
                  {OUTLOOK, "wrong-audience"}};

    (void)state;
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        struct mail_circumstances known = good_token;
        json_t *check = check_new("graph", USER, CHECK_OK, "Graph");
        known.token_audience = tokens[i].audience;
        known.audience = GRAPH;
        known.graph = true;
        mail_diagnose_web(check, MAIL_GRAPH, 401, "InvalidAuthenticationToken", "Unauthorized.", &known);
        assert_string_equal(cause(check, 0), tokens[i].first);
        json_decref(check);
    }
}

static void no_memory_for_the_check_is_harmless(void **state)
{
    struct mail_result result = {.failure = MAIL_REFUSED, .stage = MAIL_STAGE_AUTH};

    (void)state;
    mail_diagnose(NULL, &result, &nothing_known);
    mail_diagnose_web(NULL, MAIL_EWS, 403, NULL, NULL, &nothing_known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_has_its_cause_and_remedies),
        cmocka_unit_test(lines_are_found_in_any_letter_case),
        cmocka_unit_test(what_is_shown_comes_first_and_what_is_excluded_goes),
        cmocka_unit_test(an_unknown_line_is_shown_with_its_stage_s_advice),
        cmocka_unit_test(a_failed_renewal_explains_a_refusal_in_entra_s_words),
        cmocka_unit_test(a_personal_account_has_its_own_switch_and_no_administrator),
        cmocka_unit_test(a_name_that_could_be_a_command_stays_out_of_commands),
        cmocka_unit_test(throttling_tells_how_long),
        cmocka_unit_test(ipv6_is_suspected_only_where_it_was_used),
        cmocka_unit_test(nothing_is_left_without_words),
        cmocka_unit_test(web_services_are_told_by_status_and_date),
        cmocka_unit_test(a_refusal_without_reason_is_worth_a_renewal),
        cmocka_unit_test(a_server_whose_clock_says_expired_is_believed),
        cmocka_unit_test(a_token_for_graph_by_any_of_its_names_is_for_graph),
        cmocka_unit_test(no_memory_for_the_check_is_harmless),
    };

    return CORE_TESTS(tests);
}
