/* SPDX-License-Identifier: MPL-2.0 */
/* Whose word counts: admin, Thunderbird, user, default. */
#include "core/settings.h"

#include "core_support.h"

#define KEY32 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
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

static void assert_setting(const struct settings *settings, const char *key, const char *json,
                           const char *source)
{
    json_t *expected = json == NULL ? NULL : json_loads(json, JSON_DECODE_ANY, NULL);

    assert_true(json == NULL ? json_object_get(settings->values, key) == NULL
                             : json_equal(json_object_get(settings->values, key), expected));
    if (source == NULL)
        assert_null(json_object_get(settings->sources, key));
    else
        assert_string_equal(json_string_value(json_object_get(settings->sources, key)), source);
    json_decref(expected);
}

/* The only warning, whose cause contains these words. */
static void assert_warning(const struct settings *settings, const char *words)
{
    const json_t *warning = json_array_get(settings->warnings, 0);

    assert_int_equal(json_array_size(settings->warnings), 1);
    assert_non_null(strstr(json_string_value(json_object_get(warning, "cause")), words));
    assert_non_null(json_object_get(warning, "remedy"));
}

static void defaults_are_those_of_the_contract(void **state)
{
    static const struct {
        const char *key, *json;
    } defaults[] = {{"cloud", "\"worldwide\""},
                    {"tenant", "\"organizations\""},
                    {"redirectHost", "\"localhost\""},
                    {"flows", "[\"browser\"]"},
                    {"allowedDomains", "[]"},
                    {"accounts", "{}"},
                    {"keystore", "\"auto\""},
                    {"audit", "{\"enabled\":true,\"retentionDays\":365}"},
                    {"renewAhead", "true"},
                    {"manage", "\"listed\""},
                    {"migrate", "\"offer\""},
                    {"fallback", "\"thunderbird\""},
                    {"welcome", "true"}};
    static const char *const none[] = {"custom", "clientId", "recoveryPublicKey",
                                       "caFile", "proxy",    "locale"};
    struct settings settings;
    size_t i;

    (void)state;
    begin(&settings);
    for (i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
        assert_setting(&settings, defaults[i].key, defaults[i].json, "default");
    for (i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_setting(&settings, none[i], NULL, NULL);
    assert_int_equal(json_object_size(settings.values), sizeof defaults / sizeof defaults[0]);
    assert_int_equal(json_array_size(settings.warnings), 0);
    settings_clear(&settings);
}

static void the_higher_rank_wins_in_whatever_order_files_are_read(void **state)
{
    static const char *const file[] = {
        [SETTINGS_USER] = "{\"fallback\":\"thunderbird\",\"clientId\":\"user\",\"proxy\":\"http://user\"}",
        [SETTINGS_THUNDERBIRD] = "{\"fallback\":\"thunderbird\",\"manage\":\"domains\"}",
        [SETTINGS_ADMIN] = "{\"fallback\":\"none\",\"clientId\":\"admin\"}"};
    static const enum settings_source orders[][3] = {{SETTINGS_USER, SETTINGS_THUNDERBIRD, SETTINGS_ADMIN},
                                                     {SETTINGS_ADMIN, SETTINGS_THUNDERBIRD, SETTINGS_USER},
                                                     {SETTINGS_THUNDERBIRD, SETTINGS_ADMIN, SETTINGS_USER}};
    size_t order, i;

    (void)state;
    for (order = 0; order < 3; order++) {
        struct settings settings;
        begin(&settings);
        for (i = 0; i < 3; i++)
            apply(&settings, orders[order][i], file[orders[order][i]]);
        assert_setting(&settings, "fallback", "\"none\"", "admin");
        assert_setting(&settings, "clientId", "\"admin\"", "admin");
        assert_setting(&settings, "manage", "\"domains\"", "thunderbird");
        assert_setting(&settings, "proxy", "\"http://user\"", "user");
        assert_setting(&settings, "welcome", "true", "default");
        settings_clear(&settings);
    }
}

static void thunderbird_sets_the_keys_of_the_add_on_only(void **state)
{
    size_t count, i;
    const struct settings_key *keys = settings_keys(&count);
    static const char *const for_extension[] = {"manage", "migrate", "fallback", "welcome", "locale"};
    struct settings settings;

    (void)state;
    for (i = 0; i < count; i++) {
        bool expected = false;
        size_t k;
        for (k = 0; k < sizeof for_extension / sizeof for_extension[0]; k++)
            expected = expected || strcmp(for_extension[k], keys[i].name) == 0;
        assert_int_equal(keys[i].for_extension, expected);
    }
    begin(&settings);
    apply(&settings, SETTINGS_THUNDERBIRD, "{\"clientId\":\"x\"}");
    assert_warning(&settings, "/clientId");
    assert_setting(&settings, "clientId", NULL, NULL);
    settings_clear(&settings);
    begin(&settings);
    apply(&settings, SETTINGS_THUNDERBIRD, "{\"manage\":7}");
    assert_warning(&settings, "/manage");
    assert_int_equal(settings.broken.kind, PROBLEM_NONE);
    settings_clear(&settings);
}

static void an_unknown_key_is_only_a_warning(void **state)
{
    struct settings settings;
    char json[3000] = "{\"manage\":\"all\",\"";
    size_t i;

    (void)state;
    begin(&settings);
    apply(&settings, SETTINGS_USER, "{\"clientID\":\"x\",\"manage\":\"all\"}");
    assert_warning(&settings, "config.json, /clientID:");
    assert_int_equal(settings.broken.kind, PROBLEM_NONE);
    assert_setting(&settings, "manage", "\"all\"", "user");
    settings_clear(&settings);
    for (i = 0; i < 1000; i++)
        strcat(json, "\xc3\xa9");
    strcat(json, "\":1}");
    begin(&settings);
    apply(&settings, SETTINGS_USER, json);
    assert_warning(&settings, "not known");
    settings_clear(&settings);
}

static void a_file_with_one_wrong_value_counts_as_absent(void **state)
{
    static const char *const files[] = {"[]", "\"x\"", "{\"clientId\":\"x\",\"manage\":7}",
                                        "{\"caFile\":7," CUSTOM "}"};
    struct account_wish wish = {0};
    struct account_target target;
    struct problem problem;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct settings settings;
        begin(&settings);
        apply(&settings, SETTINGS_ADMIN, "{\"clientId\":\"good\"}");
        apply(&settings, SETTINGS_USER, files[i]);
        assert_warning(&settings, "config.json");
        assert_setting(&settings, "clientId", "\"good\"", "admin");
        settings_target(&settings, USER, &wish, &target);
        assert_false(settings_can_sign_in(&settings, &target, &problem));
        assert_int_equal(problem.kind, PROBLEM_MISCONFIGURED);
        assert_string_equal(problem.cause, settings.broken.cause);
        settings_clear(&settings);
    }
}

static void the_first_broken_file_is_the_one_shown(void **state)
{
    struct settings settings;

    (void)state;
    begin(&settings);
    settings_break(&settings, "/etc/policy.json", "others may write it");
    settings_break(&settings, "config.json", "it is not JSON");
    assert_string_equal(settings.broken.cause, "/etc/policy.json cannot be used: others may write it.");
    assert_int_equal(json_array_size(settings.warnings), 2);
    settings_clear(&settings);
}

static void the_recovery_key_is_the_admins_alone(void **state)
{
    struct settings settings;

    (void)state;
    begin(&settings);
    apply(&settings, SETTINGS_USER, "{\"recoveryPublicKey\":\"" KEY32 "\"}");
    assert_warning(&settings, "/recoveryPublicKey");
    assert_setting(&settings, "recoveryPublicKey", NULL, NULL);
    apply(&settings, SETTINGS_ADMIN, "{\"recoveryPublicKey\":\"" KEY32 "\"}");
    assert_setting(&settings, "recoveryPublicKey", "\"" KEY32 "\"", "admin");
    settings_clear(&settings);
}

static void the_users_ca_file_counts_only_with_a_custom_cloud(void **state)
{
    struct settings settings;

    (void)state;
    begin(&settings);
    apply(&settings, SETTINGS_USER, "{\"caFile\":\"/ca.pem\"}");
    assert_warning(&settings, "/caFile");
    assert_setting(&settings, "caFile", NULL, NULL);
    settings_clear(&settings);

    begin(&settings);
    apply(&settings, SETTINGS_USER, "{\"caFile\":\"/ca.pem\"," CUSTOM "}");
    assert_setting(&settings, "caFile", "\"/ca.pem\"", "user");
    settings_clear(&settings);

    begin(&settings);
    apply(&settings, SETTINGS_ADMIN, "{\"cloud\":\"worldwide\"}");
    apply(&settings, SETTINGS_USER, "{\"caFile\":\"/ca.pem\"," CUSTOM "}");
    assert_warning(&settings, "/caFile");
    assert_setting(&settings, "caFile", NULL, NULL);
    settings_clear(&settings);

    begin(&settings);
    apply(&settings, SETTINGS_ADMIN, "{" CUSTOM "}");
    apply(&settings, SETTINGS_USER, "{\"caFile\":\"/ca.pem\"}");
    assert_setting(&settings, "caFile", "\"/ca.pem\"", "user");
    settings_clear(&settings);

    begin(&settings);
    apply(&settings, SETTINGS_ADMIN, "{\"caFile\":\"/ca.pem\"}");
    assert_setting(&settings, "caFile", "\"/ca.pem\"", "admin");
    settings_clear(&settings);
}

static void what_is_ignored_may_be_wrong_and_the_rest_counts(void **state)
{
    static const struct {
        enum settings_source source;
        const char *json, *pointer;
    } files[] = {
        {SETTINGS_USER, "{\"recoveryPublicKey\":7,\"manage\":\"all\"}", "/recoveryPublicKey"},
        {SETTINGS_USER, "{\"caFile\":7,\"manage\":\"all\"}", "/caFile"},
        {SETTINGS_THUNDERBIRD, "{\"recoveryPublicKey\":7,\"manage\":\"all\"}", "/recoveryPublicKey"},
        {SETTINGS_THUNDERBIRD, "{\"cloud\":7,\"manage\":\"all\"}", "/cloud"},
        {SETTINGS_THUNDERBIRD, "{\"welcome\":7,\"manage\":\"all\"}", "/welcome"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct settings settings;
        begin(&settings);
        apply(&settings, files[i].source, files[i].json);
        assert_int_equal(settings.broken.kind, PROBLEM_NONE);
        assert_warning(&settings, files[i].pointer);
        assert_setting(&settings, "manage", "\"all\"",
                       files[i].source == SETTINGS_USER ? "user" : "thunderbird");
        assert_setting(&settings, "welcome", "true", "default");
        settings_clear(&settings);
    }
}

/* A custom cloud on Microsoft's own host, however it is written, is Microsoft's all the same. */
static void the_users_ca_file_never_vouches_for_a_built_in_cloud(void **state)
{
    static const char *const built_in[] = {"https://login.microsoftonline.com",
                                           "https://login.microsoftonline.us",
                                           "https://login.partner.microsoftonline.cn",
                                           "https://LOGIN.microsoftonline.us",
                                           "https://login.microsoftonline.com:443",
                                           "https://login.microsoftonline.com.",
                                           "https://login.chinacloudapi.cn"};
    enum settings_source source;
    size_t i;

    (void)state;
    for (source = SETTINGS_USER; source <= SETTINGS_ADMIN; source += SETTINGS_ADMIN - SETTINGS_USER) {
        struct settings settings;
        begin(&settings);
        apply(&settings, source, "{\"caFile\":\"/ca.pem\"," CUSTOM "}");
        assert_string_equal(settings_ca_file_for(&settings, "https://login.test"), "/ca.pem");
        for (i = 0; i < sizeof built_in / sizeof built_in[0]; i++) {
            const char *file = settings_ca_file_for(&settings, built_in[i]);
            if ((file == NULL) != (source == SETTINGS_USER))
                fail_msg("%s: %s", built_in[i], file == NULL ? "none" : file);
        }
        settings_clear(&settings);
    }
}

static void the_users_file_names_no_other_servers_for_microsofts_sign_in(void **state)
{
    static const char users[] =
        "{\"cloud\":\"custom\",\"custom\":{\"authority\":\"https://Login.microsoftonline.com\","
        "\"resources\":{\"outlook\":\"https://a.test\",\"graph\":\"https://b.test\"},"
        "\"imap\":\"a:1\",\"smtp\":\"a:2\"},\"manage\":\"all\"}";
    struct settings settings;

    (void)state;
    begin(&settings);
    apply(&settings, SETTINGS_USER, users);
    assert_int_equal(settings.broken.kind, PROBLEM_NONE);
    assert_warning(&settings, "/custom");
    assert_setting(&settings, "custom", NULL, NULL);
    assert_setting(&settings, "manage", "\"all\"", "user");
    settings_clear(&settings);

    begin(&settings);
    apply(&settings, SETTINGS_ADMIN, users);
    assert_non_null(json_object_get(settings.values, "custom"));
    assert_int_equal(json_array_size(settings.warnings), 0);
    settings_clear(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_contract),
        cmocka_unit_test(the_higher_rank_wins_in_whatever_order_files_are_read),
        cmocka_unit_test(thunderbird_sets_the_keys_of_the_add_on_only),
        cmocka_unit_test(an_unknown_key_is_only_a_warning),
        cmocka_unit_test(a_file_with_one_wrong_value_counts_as_absent),
        cmocka_unit_test(the_first_broken_file_is_the_one_shown),
        cmocka_unit_test(the_recovery_key_is_the_admins_alone),
        cmocka_unit_test(the_users_file_names_no_other_servers_for_microsofts_sign_in),
        cmocka_unit_test(the_users_ca_file_counts_only_with_a_custom_cloud),
        cmocka_unit_test(what_is_ignored_may_be_wrong_and_the_rest_counts),
        cmocka_unit_test(the_users_ca_file_never_vouches_for_a_built_in_cloud),
    };

    return CORE_TESTS(tests);
}
