/* SPDX-License-Identifier: MPL-2.0 */
/* What the configuration means for an account: where its tokens come from, and whether it may have any. */
#include "core/settings.h"

#include "core_support.h"

#define CUSTOM                                                                                               \
    "\"cloud\":\"custom\",\"custom\":{\"authority\":\"https://login.test\",\"resources\":{\"outlook\":"      \
    "\"https://mail.test\",\"graph\":\"https://graph.test\"},\"imap\":\"a:1\",\"smtp\":\"a:2\"}"

static void begin(struct settings *settings)
{
    assert_int_equal(settings_init(settings), 0);
}

static void apply(struct settings *settings, enum settings_source source, const char *json)
{
    json_t *object = json_loads(json, JSON_DECODE_ANY, NULL);

    assert_non_null(object);
    settings_apply(settings, object, source, source == SETTINGS_ADMIN ? "policy.json" : "config.json");
    json_decref(object);
}

static void the_entry_for_an_address_wins_over_its_domain_and_the_wish(void **state)
{
    static const struct {
        const char *account, *sign_in_as, *tenant;
    } rows[] = {{"Team@Example.org", "boss@example.org", "a.test"},
                {"other@EXAMPLE.org", "wished@x", "b.test"},
                {"other@sub.example.org", "wished@x", "wished.test"},
                {"someone@else.org", "wished@x", "wished.test"}};
    const struct account_wish wish = {.sign_in_as = "Wished@X", .tenant = "wished.test"}, nothing = {0};
    struct settings settings;
    struct account_target target;
    size_t i;

    (void)state;
    begin(&settings);
    apply(&settings, SETTINGS_ADMIN,
          "{\"clientId\":\"c\",\"tenant\":\"d.test\",\"accounts\":{\"*@example.org\":{\"tenant\":\"b.test\"},"
          "\"team@EXAMPLE.org\":{\"signInAs\":\"Boss@example.org\",\"tenant\":\"a.test\"}}}");
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        settings_target(&settings, rows[i].account, &wish, &target);
        assert_string_equal(target.key.sign_in_as, rows[i].sign_in_as);
        assert_string_equal(target.key.tenant, rows[i].tenant);
    }
    settings_target(&settings, "Someone@Else.org", &nothing, &target);
    assert_string_equal(target.key.sign_in_as, "someone@else.org");
    assert_string_equal(target.key.tenant, "d.test");
    assert_string_equal(target.key.client_id, "c");
    assert_string_equal(target.key.authority, "https://login.microsoftonline.com");
    assert_string_equal(target.outlook, OUTLOOK);
    assert_string_equal(target.graph, GRAPH);
    settings_clear(&settings);
}

static void ask_leaves_the_sign_in_name_to_the_user(void **state)
{
    static const struct {
        const char *account, *wish, *sign_in_as;
        bool ask;
    } rows[] = {{"Team@Example.org", "", "team@example.org", true},
                {"team@example.org", "TEAM@example.org", "team@example.org", true},
                {"team@example.org", "Boss@Example.org", "boss@example.org", false},
                {"team@example.org", "ask", "team@example.org", true},
                {"other@mail.test", "", "other@mail.test", true},
                {"other@mail.test", "boss@example.org", "boss@example.org", false},
                {"fixed@mail.test", "", "boss@mail.test", false},
                {"fixed@mail.test", "other@mail.test", "boss@mail.test", false},
                {"boss@mail.test", "", "boss@mail.test", false},
                {"open@mail.test", "other@mail.test", "other@mail.test", false},
                {"nobody@else.test", "", "nobody@else.test", false}};
    struct settings settings;
    size_t i;

    (void)state;
    begin(&settings);
    apply(&settings, SETTINGS_ADMIN,
          "{\"clientId\":\"c\",\"accounts\":{\"*@mail.test\":{\"signInAs\":\"ask\"},"
          "\"team@example.org\":{\"signInAs\":\"ask\"},\"fixed@mail.test\":{\"signInAs\":"
          "\"boss@mail.test\"},\"boss@mail.test\":{\"signInAs\":\"boss@mail.test\"},\"open@mail.test\":{}}}");
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct account_wish wish = {0};
        struct account_target target;
        struct problem problem;
        strcpy(wish.sign_in_as, rows[i].wish);
        settings_target(&settings, rows[i].account, &wish, &target);
        assert_string_equal(target.key.sign_in_as, rows[i].sign_in_as);
        assert_int_equal(target.ask, rows[i].ask);
        assert_true(settings_can_sign_in(&settings, &target, &problem));
    }
    settings_clear(&settings);
}

static void a_wildcard_reaches_the_longest_domain(void **state)
{
    char account[ACCOUNT_NAME_SIZE], json[600];
    struct settings settings;
    struct account_wish wish = {0};
    struct account_target target;

    (void)state;
    memset(account, 'd', sizeof account);
    memcpy(account, "a@", 2);
    account[ACCOUNT_NAME_SIZE - 1] = '\0';
    snprintf(json, sizeof json, "{\"accounts\":{\"*@%s\":{\"tenant\":\"t.test\"}}}", account + 2);
    begin(&settings);
    apply(&settings, SETTINGS_ADMIN, json);
    settings_target(&settings, account, &wish, &target);
    assert_string_equal(target.key.tenant, "t.test");
    account[ACCOUNT_NAME_SIZE - 2] = '\0';
    settings_target(&settings, account, &wish, &target);
    assert_string_equal(target.key.tenant, "organizations");
    settings_clear(&settings);
}

static void a_custom_cloud_brings_its_own_hosts(void **state)
{
    struct settings settings;
    struct account_wish wish = {0}, custom = {.cloud = "custom"};
    struct account_target target;
    struct problem problem;

    (void)state;
    begin(&settings);
    apply(&settings, SETTINGS_ADMIN, "{\"clientId\":\"c\"," CUSTOM "}");
    settings_target(&settings, USER, &wish, &target);
    assert_string_equal(target.key.authority, "https://login.test");
    assert_string_equal(target.outlook, "https://mail.test");
    assert_string_equal(target.graph, "https://graph.test");
    assert_true(settings_can_sign_in(&settings, &target, &problem));
    settings_clear(&settings);
    begin(&settings);
    apply(&settings, SETTINGS_ADMIN, "{\"clientId\":\"c\"}");
    settings_target(&settings, USER, &custom, &target);
    assert_null(target.outlook);
    assert_false(settings_can_sign_in(&settings, &target, &problem));
    assert_int_equal(problem.kind, PROBLEM_MISCONFIGURED);
    settings_clear(&settings);
}

static void each_cloud_asks_its_own_authority_for_its_own_resources(void **state)
{
    static const struct {
        const char *cloud, *authority, *outlook, *graph, *portal;
    } rows[] = {{"worldwide", "https://login.microsoftonline.com", OUTLOOK, GRAPH, "(portal.azure.com)"},
                {"usgov", "https://login.microsoftonline.us", "https://outlook.office365.us",
                 "https://graph.microsoft.us", "(portal.azure.us)"},
                {"usgov-dod", "https://login.microsoftonline.us", "https://outlook.office365.us",
                 "https://dod-graph.microsoft.us", "(portal.azure.us)"},
                {"china", "https://login.partner.microsoftonline.cn", "https://partner.outlook.cn",
                 "https://microsoftgraph.chinacloudapi.cn", "(portal.azure.cn)"}};
    struct problem problem;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct account_wish wish = {0};
        struct account_target target;
        struct settings settings;
        begin(&settings);
        strcpy(wish.cloud, rows[i].cloud);
        settings_target(&settings, USER, &wish, &target);
        assert_string_equal(target.cloud, rows[i].cloud);
        assert_string_equal(target.key.authority, rows[i].authority);
        assert_string_equal(target.outlook, rows[i].outlook);
        assert_string_equal(target.graph, rows[i].graph);
        assert_false(settings_can_sign_in(&settings, &target, &problem));
        assert_non_null(strstr(problem.admin_remedy, rows[i].portal));
        apply(&settings, SETTINGS_USER, "{\"clientId\":\"c\"}");
        settings_target(&settings, USER, &wish, &target);
        assert_true(settings_can_sign_in(&settings, &target, &problem));
        settings_clear(&settings);
    }
}

static void mail_servers_come_from_the_cloud_or_the_configuration(void **state)
{
    const struct account_wish national = {.cloud = "usgov-dod"}, custom = {.cloud = "custom"};
    struct account_target target;
    struct mail_server server;
    struct settings settings;

    (void)state;
    begin(&settings);
    settings_target(&settings, USER, &custom, &target);
    assert_false(settings_mail_server(&settings, &target, MAIL_IMAP, &server));
    apply(&settings, SETTINGS_USER,
          "{\"custom\":{\"authority\":\"https://login.test\",\"resources\":{\"outlook\":"
          "\"https://mail.test\",\"graph\":\"https://graph.test\"},\"imap\":\"in.test:143/starttls\","
          "\"smtp\":\"out.test:65535\"}}");
    settings_target(&settings, USER, &custom, &target);
    assert_true(settings_mail_server(&settings, &target, MAIL_IMAP, &server));
    assert_string_equal(server.host, "in.test");
    assert_int_equal(server.port, 143);
    assert_int_equal(server.security, MAIL_STARTTLS);
    assert_true(settings_mail_server(&settings, &target, MAIL_SMTP, &server));
    assert_string_equal(server.host, "out.test");
    assert_int_equal(server.port, 65535);
    assert_int_equal(server.security, MAIL_TLS);
    assert_false(settings_mail_server(&settings, &target, MAIL_POP3, &server));
    settings_target(&settings, USER, &national, &target);
    assert_true(settings_mail_server(&settings, &target, MAIL_IMAP, &server));
    assert_string_equal(server.host, "outlook-dod.office365.us");
    assert_int_equal(server.port, 993);
    settings_clear(&settings);
}

static void personal_accounts_live_worldwide_only(void **state)
{
    static const struct {
        const char *cloud, *tenant;
        bool asked;
    } rows[] = {{"usgov", "consumers", false},
                {"usgov-dod", "consumers", false},
                {"china", "consumers", false},
                {"china", "9188040D-6c67-4c5b-b112-36a304b66dad", false},
                {"china", "9188040d-6c67-4c5b-b112-36a304b66dae", true},
                {"usgov", "common", true},
                {"usgov", "organizations", true},
                {"usgov", "agency.test", true},
                {"custom", "consumers", true},
                {"worldwide", "consumers", true},
                {"worldwide", "9188040d-6c67-4c5b-b112-36a304b66dad", true}};
    struct settings settings;
    size_t i;

    (void)state;
    begin(&settings);
    apply(&settings, SETTINGS_ADMIN, "{\"clientId\":\"c\"," CUSTOM "}");
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct account_wish wish = {0};
        struct account_target target;
        struct problem problem = {0};
        strcpy(wish.cloud, rows[i].cloud);
        strcpy(wish.tenant, rows[i].tenant);
        settings_target(&settings, USER, &wish, &target);
        if (settings_can_sign_in(&settings, &target, &problem) != rows[i].asked)
            fail_msg("%s in %s: %s", rows[i].tenant, rows[i].cloud, problem.cause);
        if (rows[i].asked)
            continue;
        assert_int_equal(problem.kind, PROBLEM_MISCONFIGURED);
        assert_non_null(strstr(problem.cause, rows[i].cloud));
        assert_non_null(strstr(problem.remedy, "organizations"));
    }
    settings_clear(&settings);
}

static void sign_in_needs_a_client_id(void **state)
{
    struct settings settings;
    struct account_wish wish = {0};
    struct account_target target;
    struct problem problem = {0};

    (void)state;
    begin(&settings);
    settings_target(&settings, USER, &wish, &target);
    assert_false(settings_can_sign_in(&settings, &target, &problem));
    assert_int_equal(problem.kind, PROBLEM_MISCONFIGURED);
    assert_true(problem.remedy[0] != '\0' && problem.admin_remedy[0] != '\0');
    apply(&settings, SETTINGS_USER, "{\"clientId\":\"c\"}");
    settings_target(&settings, USER, &wish, &target);
    assert_true(settings_can_sign_in(&settings, &target, &problem));
    settings_clear(&settings);
}

static void allowed_domains_hold_for_account_and_sign_in_name(void **state)
{
    static const struct {
        const char *account, *sign_in_as;
        bool allowed;
    } rows[] = {
        {"a@example.org", "b@Example.ORG", true},      {"a@EXAMPLE.org", "a@example.org", true},
        {"a@example.org", "b@other.org", false},       {"a@other.org", "b@example.org", false},
        {"a@sub.example.org", "a@example.org", false}, {"a@example.org.evil", "a@example.org", false}};
    struct settings settings;
    struct problem problem;
    size_t i;

    (void)state;
    begin(&settings);
    assert_true(settings_allow(&settings, "a@anything", "b@else", &problem));
    apply(&settings, SETTINGS_ADMIN, "{\"allowedDomains\":[\"first.org\",\"example.org\"]}");
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memset(&problem, 0, sizeof problem);
        assert_int_equal(settings_allow(&settings, rows[i].account, rows[i].sign_in_as, &problem),
                         rows[i].allowed);
        assert_int_equal(problem.kind, rows[i].allowed ? PROBLEM_NONE : PROBLEM_POLICY_DENIED);
    }
    settings_clear(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_entry_for_an_address_wins_over_its_domain_and_the_wish),
        cmocka_unit_test(ask_leaves_the_sign_in_name_to_the_user),
        cmocka_unit_test(a_wildcard_reaches_the_longest_domain),
        cmocka_unit_test(a_custom_cloud_brings_its_own_hosts),
        cmocka_unit_test(each_cloud_asks_its_own_authority_for_its_own_resources),
        cmocka_unit_test(mail_servers_come_from_the_cloud_or_the_configuration),
        cmocka_unit_test(personal_accounts_live_worldwide_only),
        cmocka_unit_test(sign_in_needs_a_client_id),
        cmocka_unit_test(allowed_domains_hold_for_account_and_sign_in_name),
    };

    return CORE_TESTS(tests);
}
