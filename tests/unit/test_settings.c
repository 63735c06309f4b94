/* SPDX-License-Identifier: MPL-2.0 */
/* Every key of the configuration takes right values and refuses wrong ones with the pointer to the fault. */
#include "core/settings.h"

#include "core_support.h"

#define CUSTOM                                                                                               \
    "{\"authority\":\"https://login.test:8443\",\"resources\":{\"outlook\":\"https://mail.test\","           \
    "\"graph\":\"https://graph.test/v1\"},\"imap\":\"mail.test:993\",\"smtp\":\"mail.test:587/starttls\"}"
#define CUSTOM_WITHOUT_IMAP                                                                                  \
    "\"authority\":\"https://login.test\",\"resources\":{\"outlook\":\"https://a.test\","                    \
    "\"graph\":\"https://b.test\"},\"smtp\":\"a.test:1\""
#define CUSTOM_WITHOUT_RESOURCES                                                                             \
    "\"authority\":\"https://a.test\",\"imap\":\"a.test:1\",\"smtp\":\"a.test:1\""
#define GUID "00112233-4455-6677-8899-aabbccddeeff"
#define KEY32 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

/* A file with one key: applied as the admin's, so that nothing but the value decides. */
static void apply_one(struct settings *settings, const char *key, const char *json)
{
    json_t *value = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    json_t *object = json_pack("{s:o}", key, value);

    assert_non_null(object);
    assert_int_equal(settings_init(settings), 0);
    settings_apply(settings, object, SETTINGS_ADMIN, "policy.json");
    json_decref(object);
}

static void assert_taken(const char *key, const char *json)
{
    struct settings settings;
    json_t *expected = json_loads(json, JSON_DECODE_ANY, NULL);

    apply_one(&settings, key, json);
    if (settings.broken.kind != PROBLEM_NONE)
        fail_msg("%s: %s: %s", key, json, settings.broken.cause);
    assert_true(json_equal(json_object_get(settings.values, key), expected));
    assert_string_equal(json_string_value(json_object_get(settings.sources, key)), "admin");
    json_decref(expected);
    settings_clear(&settings);
}

static void assert_refused(const char *key, const char *json, const char *pointer)
{
    struct settings settings, defaults;
    char expected[128];

    apply_one(&settings, key, json);
    assert_int_equal(settings_init(&defaults), 0);
    snprintf(expected, sizeof expected, "policy.json cannot be used: %s must be ", pointer);
    if (strncmp(settings.broken.cause, expected, strlen(expected)) != 0)
        fail_msg("%s: %s: \"%s\" instead of \"%s…\"", key, json, settings.broken.cause, expected);
    assert_int_equal(settings.broken.kind, PROBLEM_MISCONFIGURED);
    assert_int_equal(json_array_size(settings.warnings), 1);
    assert_true(json_equal(settings.values, defaults.values));
    settings_clear(&settings);
    settings_clear(&defaults);
}

static const struct {
    const char *key, *json;
} right[] = {
    {"cloud", "\"worldwide\""},
    {"cloud", "\"usgov\""},
    {"cloud", "\"usgov-dod\""},
    {"cloud", "\"china\""},
    {"cloud", "\"custom\""},
    {"custom", CUSTOM},
    {"custom", "{" CUSTOM_WITHOUT_IMAP ",\"imap\":\"a:65535\"}"},
    {"custom",
     "{" CUSTOM_WITHOUT_IMAP ",\"imap\":\"a:1\",\"pop3\":\"a.test:995\",\"graph\":\"https://g.test/v1\"}"},
    {"tenant", "\"common\""},
    {"tenant", "\"organizations\""},
    {"tenant", "\"consumers\""},
    {"tenant", "\"" GUID "\""},
    {"tenant", "\"00112233-4455-6677-8899-AABBCCDDEEFF\""},
    {"tenant", "\"Contoso.Example\""},
    {"tenant", "\"xn--bcher-kva.example\""},
    {"tenant", "\"example.onmicrosoft.com\""},
    {"clientId", "\"" GUID "\""},
    {"clientId", "\"any-visible_text\""},
    {"redirectHost", "\"localhost\""},
    {"redirectHost", "\"127.0.0.1\""},
    {"flows", "[\"browser\"]"},
    {"flows", "[\"device\",\"browser\"]"},
    {"allowedDomains", "[]"},
    {"allowedDomains", "[\"example.org\",\"Sub.Example.org\"]"},
    {"accounts", "{}"},
    {"accounts", "{\"a@b.c\":{}}"},
    {"accounts", "{\"*@b.c\":{\"signInAs\":\"ask\",\"tenant\":\"b.c\",\"cloud\":\"china\"},\"a@b.c\":{"
                 "\"signInAs\":\"x@y\"}}"},
    {"keystore", "\"auto\""},
    {"keystore", "\"secret-service\""},
    {"keystore", "\"file\""},
    {"keystore", "\"passphrase\""},
    {"recoveryPublicKey", "\"" KEY32 "\""},
    {"caFile", "\"/etc/ssl/ca.pem\""},
    {"proxy", "\"http://proxy.test:3128\""},
    {"proxy", "\"socks5h://u:p@proxy.test\""},
    {"audit", "{\"enabled\":false,\"retentionDays\":1}"},
    {"audit", "{\"enabled\":true,\"retentionDays\":36500}"},
    {"renewAhead", "false"},
    {"manage", "\"listed\""},
    {"manage", "\"domains\""},
    {"manage", "\"all\""},
    {"migrate", "\"off\""},
    {"migrate", "\"offer\""},
    {"migrate", "\"auto\""},
    {"fallback", "\"thunderbird\""},
    {"fallback", "\"none\""},
    {"welcome", "false"},
    {"locale", "\"de-CH\""},
};

static const struct {
    const char *key, *json, *pointer;
} wrong[] = {
    {"cloud", "\"Worldwide\"", "/cloud"},
    {"cloud", "\"worldwide\\u0000\"", "/cloud"},
    {"cloud", "1", "/cloud"},
    {"custom", "[]", "/custom"},
    {"custom", "{}", "/custom"},
    {"custom", "{" CUSTOM_WITHOUT_IMAP "}", "/custom"},
    {"custom", "{" CUSTOM_WITHOUT_IMAP ",\"imap\":\"a.test\"}", "/custom/imap"},
    {"custom", "{" CUSTOM_WITHOUT_IMAP ",\"imap\":\"a.test:0\"}", "/custom/imap"},
    {"custom", "{" CUSTOM_WITHOUT_IMAP ",\"imap\":\"a.test:65536\"}", "/custom/imap"},
    {"custom", "{" CUSTOM_WITHOUT_IMAP ",\"imap\":\"a.test:+1\"}", "/custom/imap"},
    {"custom", "{" CUSTOM_WITHOUT_IMAP ",\"imap\":\"a.test:99999999999999999999\"}", "/custom/imap"},
    {"custom", "{" CUSTOM_WITHOUT_IMAP ",\"imap\":\"a.test:1/tls\"}", "/custom/imap"},
    {"custom", "{" CUSTOM_WITHOUT_IMAP ",\"imap\":\"a_b:1\"}", "/custom/imap"},
    {"custom", "{" CUSTOM_WITHOUT_IMAP ",\"imap\":\":1\"}", "/custom/imap"},
    {"custom", "{" CUSTOM_WITHOUT_IMAP ",\"imap\":1}", "/custom/imap"},
    {"custom", "{" CUSTOM_WITHOUT_IMAP ",\"imap\":\"a:1\",\"pop3\":\"b\"}", "/custom/pop3"},
    {"custom", "{" CUSTOM_WITHOUT_IMAP ",\"imap\":\"a:1\",\"graph\":\"http://b\"}", "/custom/graph"},
    {"custom", "{" CUSTOM_WITHOUT_IMAP ",\"imap\":\"a:1\",\"authority\":\"http://a.test\"}",
     "/custom/authority"},
    {"custom", "{" CUSTOM_WITHOUT_IMAP ",\"imap\":\"a:1\",\"authority\":\"https://a.test/common\"}",
     "/custom/authority"},
    {"custom", "{" CUSTOM_WITHOUT_IMAP ",\"imap\":\"a:1\",\"authority\":\"https://u@a.test\"}",
     "/custom/authority"},
    {"custom", "{" CUSTOM_WITHOUT_IMAP ",\"imap\":\"a:1\",\"authority\":\"https://a.test:443x\"}",
     "/custom/authority"},
    {"custom", "{" CUSTOM_WITHOUT_RESOURCES ",\"resources\":[]}", "/custom/resources"},
    {"custom", "{" CUSTOM_WITHOUT_RESOURCES ",\"resources\":{\"outlook\":\"https://a\"}}",
     "/custom/resources"},
    {"custom",
     "{" CUSTOM_WITHOUT_RESOURCES ",\"resources\":{\"outlook\":\"https://a\",\"graph\":\"https://b/\"}}",
     "/custom/resources/graph"},
    {"custom", "{" CUSTOM_WITHOUT_RESOURCES ",\"resources\":{\"outlook\":\"a\",\"graph\":\"https://b\"}}",
     "/custom/resources/outlook"},
    {"custom",
     "{" CUSTOM_WITHOUT_RESOURCES ",\"resources\":{\"outlook\":\"https://a b\",\"graph\":\"https://b\"}}",
     "/custom/resources/outlook"},
    {"tenant", "\"everyone\"", "/tenant"},
    {"tenant", "\"\"", "/tenant"},
    {"tenant", "\"a.b/../c\"", "/tenant"},
    {"tenant", "\"a.b?x\"", "/tenant"},
    {"tenant", "\"00112233-4455-6677-8899-aabbccddeef\"", "/tenant"},
    {"tenant", "\"00112233-4455-6677-8899-aabbccddeefff\"", "/tenant"},
    {"tenant", "\"-a.b\"", "/tenant"},
    {"tenant", "\"..\"", "/tenant"},
    {"tenant", "\"../common\"", "/tenant"},
    {"tenant", "\"a..b\"", "/tenant"},
    {"tenant", "\"a.b.\"", "/tenant"},
    {"tenant", "\".a.b\"", "/tenant"},
    {"tenant", "\"a.b/\"", "/tenant"},
    {"tenant", "\"a.b%2fcommon\"", "/tenant"},
    {"tenant", "\"a.b#\"", "/tenant"},
    {"tenant", "\"a.b\\\\c\"", "/tenant"},
    {"tenant", "\"a.b@evil.test\"", "/tenant"},
    {"tenant", "\"a.b:443\"", "/tenant"},
    {"tenant", "\"a.b \"", "/tenant"},
    {"tenant", "\"a.b\\u0000\"", "/tenant"},
    {"tenant", "\"a.\u00e4\"", "/tenant"},
    {"tenant", "\"Common\"", "/tenant"},
    {"tenant", "\"{" GUID "}\"", "/tenant"},
    {"tenant", "\"0011223344556677-8899-aabb-ccddeeff00\"", "/tenant"},
    {"clientId", "\"\"", "/clientId"},
    {"clientId", "\"a b\"", "/clientId"},
    {"clientId", "null", "/clientId"},
    {"redirectHost", "\"example.org\"", "/redirectHost"},
    {"redirectHost", "\"::1\"", "/redirectHost"},
    {"flows", "[]", "/flows"},
    {"flows", "\"browser\"", "/flows"},
    {"flows", "[\"browser\",\"password\"]", "/flows/1"},
    {"allowedDomains", "\"example.org\"", "/allowedDomains"},
    {"allowedDomains", "[\"example.org\",\"nodot\"]", "/allowedDomains/1"},
    {"allowedDomains", "[7]", "/allowedDomains/0"},
    {"allowedDomains", "[\"example.org.\"]", "/allowedDomains/0"},
    {"allowedDomains", "[\"@example.org\"]", "/allowedDomains/0"},
    {"accounts", "[]", "/accounts"},
    {"accounts", "{\"nobody\":{}}", "/accounts/nobody"},
    {"accounts", "{\"a/b~c\":{}}", "/accounts/a~1b~0c"},
    {"accounts", "{\"a@b\":1}", "/accounts/a@b"},
    {"accounts", "{\"a@b\":{},\"c@d\":{\"signInAs\":\"nobody\"}}", "/accounts/c@d/signInAs"},
    {"accounts", "{\"a@b\":{\"tenant\":\"x\"}}", "/accounts/a@b/tenant"},
    {"accounts", "{\"a@b\":{\"cloud\":\"x\"}}", "/accounts/a@b/cloud"},
    {"keystore", "\"none\"", "/keystore"},
    {"recoveryPublicKey", "\"AAEC\"", "/recoveryPublicKey"},
    {"recoveryPublicKey", "\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==\"", "/recoveryPublicKey"},
    {"recoveryPublicKey", "\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g\"", "/recoveryPublicKey"},
    {"recoveryPublicKey", "\"" KEY32 "x\"", "/recoveryPublicKey"},
    {"recoveryPublicKey", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"", "/recoveryPublicKey"},
    {"recoveryPublicKey", "7", "/recoveryPublicKey"},
    {"caFile", "\"ca.pem\"", "/caFile"},
    {"caFile", "\"\"", "/caFile"},
    {"caFile", "\"/a\\u0000b\"", "/caFile"},
    {"proxy", "\"proxy:3128\"", "/proxy"},
    {"proxy", "\"http://a b\"", "/proxy"},
    {"audit", "true", "/audit"},
    {"audit", "{\"enabled\":1}", "/audit/enabled"},
    {"audit", "{\"retentionDays\":0}", "/audit/retentionDays"},
    {"audit", "{\"retentionDays\":36501}", "/audit/retentionDays"},
    {"audit", "{\"retentionDays\":1.5}", "/audit/retentionDays"},
    {"renewAhead", "1", "/renewAhead"},
    {"manage", "\"none\"", "/manage"},
    {"migrate", "true", "/migrate"},
    {"fallback", "\"ask\"", "/fallback"},
    {"welcome", "\"yes\"", "/welcome"},
    {"locale", "\"de_DE.UTF-8\"", "/locale"},
    {"locale", "\"\"", "/locale"},
};

static void right_values_are_taken(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof right / sizeof right[0]; i++)
        assert_taken(right[i].key, right[i].json);
}

static void wrong_values_are_refused_with_their_pointer(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_refused(wrong[i].key, wrong[i].json, wrong[i].pointer);
}

static void every_key_is_tried_both_ways(void **state)
{
    size_t count, i, k;
    const struct settings_key *keys = settings_keys(&count);

    (void)state;
    for (i = 0; i < count; i++) {
        bool taken = false, refused = false;
        for (k = 0; k < sizeof right / sizeof right[0]; k++)
            taken = taken || strcmp(right[k].key, keys[i].name) == 0;
        for (k = 0; k < sizeof wrong / sizeof wrong[0]; k++)
            refused = refused || strcmp(wrong[k].key, keys[i].name) == 0;
        if (!taken || !refused)
            fail_msg("%s is not tried", keys[i].name);
    }
}

static void no_fault(void *context, const struct settings_fault *fault)
{
    (void)context;
    fail_msg("%s must be %s", fault->pointer, fault->expected);
}

static void every_default_passes_its_own_check(void **state)
{
    size_t count, i;
    const struct settings_key *keys = settings_keys(&count);

    (void)state;
    for (i = 0; i < count; i++) {
        struct settings_faults faults = {.tell = no_fault};
        json_t *value;
        if (keys[i].default_json == NULL)
            continue;
        value = json_loads(keys[i].default_json, JSON_DECODE_ANY, NULL);
        assert_non_null(value);
        settings_check_value(&keys[i], value, &faults);
        json_decref(value);
    }
}

static void what_an_object_leaves_out_is_as_by_default(void **state)
{
    static const char *const cases[][2] = {
        {"{}", "{\"enabled\":true,\"retentionDays\":365}"},
        {"{\"enabled\":false}", "{\"enabled\":false,\"retentionDays\":365}"},
        {"{\"retentionDays\":1}", "{\"enabled\":true,\"retentionDays\":1}"}};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct settings settings;
        json_t *expected = json_loads(cases[i][1], 0, NULL);
        apply_one(&settings, "audit", cases[i][0]);
        assert_true(json_equal(json_object_get(settings.values, "audit"), expected));
        json_decref(expected);
        settings_clear(&settings);
    }
}

#define CUSTOM_RESOURCES "\"outlook\":\"https://a\",\"graph\":\"https://b\""

static const struct {
    const char *key, *json, *pointer, *taken;
} unknown_members[] = {
    {"audit", "{\"keep\":1,\"enabled\":false}", "/audit/keep", "{\"enabled\":false,\"retentionDays\":365}"},
    {"custom", "{" CUSTOM_WITHOUT_IMAP ",\"imap\":\"a:1\",\"ews\":\"x\"}", "/custom/ews",
     "{" CUSTOM_WITHOUT_IMAP ",\"imap\":\"a:1\"}"},
    {"custom", "{" CUSTOM_WITHOUT_RESOURCES ",\"resources\":{" CUSTOM_RESOURCES ",\"x/y\":1}}",
     "/custom/resources/x~1y", "{" CUSTOM_WITHOUT_RESOURCES ",\"resources\":{" CUSTOM_RESOURCES "}}"},
    {"accounts", "{\"a@b.c\":{\"signinas\":\"x@y\"}}", "/accounts/a@b.c/signinas", "{\"a@b.c\":{}}"},
};

static void a_member_that_is_not_known_is_a_warning_and_the_rest_counts(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof unknown_members / sizeof unknown_members[0]; i++) {
        struct settings settings;
        json_t *taken = json_loads(unknown_members[i].taken, 0, NULL);
        char expected[128];
        const char *cause;
        apply_one(&settings, unknown_members[i].key, unknown_members[i].json);
        assert_int_equal(settings.broken.kind, PROBLEM_NONE);
        assert_true(json_equal(json_object_get(settings.values, unknown_members[i].key), taken));
        json_decref(taken);
        assert_int_equal(json_array_size(settings.warnings), 1);
        cause = json_string_value(json_object_get(json_array_get(settings.warnings, 0), "cause"));
        snprintf(expected, sizeof expected, "policy.json, %s: the key is not known and has no effect.",
                 unknown_members[i].pointer);
        assert_string_equal(cause, expected);
        settings_clear(&settings);
    }
}

struct told {
    char text[1024]; /* one fault a line */
};

static void tell(void *context, const struct settings_fault *fault)
{
    struct told *told = context;
    size_t used = strlen(told->text);

    snprintf(told->text + used, sizeof told->text - used, "%s %s %s\n", fault->pointer,
             fault->expected == NULL ? "unknown" : "wrong", fault->near == NULL ? "-" : fault->near);
}

static void all_faults_are_told_in_their_order(void **state)
{
    static const char json[] =
        "{\"cloud\":1,\"clientID\":\"x\",\"allowedDomains\":[1,\"a.b\",\"c\"],"
        "\"accounts\":{\"x\":{\"tenant\":1,\"signinAs\":1},\"a@b\":{\"cloud\":2}},\"flows\":[\"x\",\"y\"],"
        "\"custom\":{\"authority\":1,\"resources\":{\"graph\":1},\"imap\":2,\"jmap\":3},"
        "\"audit\":{\"enabled\":1,\"retentionDays\":0},\"entirelyelse\":0}";
    struct told told = {""};
    struct settings_faults faults = {.tell = tell, .context = &told};
    json_t *object = json_loads(json, 0, NULL);

    (void)state;
    settings_check(object, SETTINGS_ADMIN, false, &faults);
    json_decref(object);
    assert_string_equal(told.text,
                        "/cloud wrong -\n/clientID unknown clientId\n/allowedDomains/0 wrong -\n"
                        "/allowedDomains/2 wrong -\n/accounts/x wrong -\n/accounts/x/tenant wrong -\n"
                        "/accounts/x/signinAs unknown signInAs\n/accounts/a@b/cloud wrong -\n"
                        "/flows/0 wrong -\n/flows/1 wrong -\n/custom wrong -\n/custom/authority wrong -\n"
                        "/custom/resources wrong -\n/custom/resources/graph wrong -\n/custom/imap wrong -\n"
                        "/custom/jmap unknown imap\n/audit/enabled wrong -\n/audit/retentionDays wrong -\n"
                        "/entirelyelse unknown -\n");
}

/* A text of the key's longest length passes, one byte more does not. */
static void assert_longest(const char *key, const char *prefix, const char *suffix, size_t longest)
{
    size_t room = longest + 8, filled = longest - strlen(prefix) - strlen(suffix);
    char *json = malloc(room), *text = malloc(room);

    memset(text, 'a', filled + 1);
    text[filled] = '\0';
    snprintf(json, room, "\"%s%s%s\"", prefix, text, suffix);
    assert_taken(key, json);
    text[filled] = 'a';
    text[filled + 1] = '\0';
    snprintf(json, room, "\"%s%s%s\"", prefix, text, suffix);
    snprintf(text, room, "/%s", key);
    assert_refused(key, json, text);
    free(text);
    free(json);
}

static void lengths_are_bounded(void **state)
{
    (void)state;
    assert_longest("clientId", "", "", CLIENT_ID_SIZE - 1);
    assert_longest("tenant", "a.", "", 253);
    assert_longest("caFile", "/", "", 4095);
    assert_longest("proxy", "http://", "", 255);
    assert_longest("locale", "", "", 35);
}

static void a_fault_in_an_endless_name_is_still_told(void **state)
{
    char json[3000] = "{\"";
    struct settings settings;
    size_t shift, i;

    (void)state;
    for (shift = 0; shift < 2; shift++) {
        strcpy(json + 2, shift ? "a" : "");
        for (i = 0; i < 700; i++)
            strcat(json, i % 7 == 0 ? "/" : "\xc3\xa9");
        strcat(json, "@b\":1}");
        apply_one(&settings, "accounts", json);
        assert_int_equal(settings.broken.kind, PROBLEM_MISCONFIGURED);
        assert_int_equal(json_array_size(settings.warnings), 1);
        settings_clear(&settings);
    }
}

/* A scope is the resource and a permission, and must fit its field. */
static void a_resource_leaves_room_for_its_permissions(void **state)
{
    static const char *const permission = "/MailboxFolder.ReadWrite";
    char url[300], json[1024];
    size_t length;

    (void)state;
    for (length = 20; length < 250; length++) {
        struct settings settings;
        memset(url, 'a', sizeof url);
        memcpy(url, "https://x/", 10);
        url[length] = '\0';
        snprintf(json, sizeof json,
                 "{" CUSTOM_WITHOUT_RESOURCES ",\"resources\":{\"outlook\":\"%s\",\"graph\":\"%s\"}}", url,
                 url);
        apply_one(&settings, "custom", json);
        strcpy(url + length, permission);
        if (settings.broken.kind == PROBLEM_NONE)
            assert_true(scope_valid(url));
        else
            assert_true(length > 100);
        settings_clear(&settings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_values_are_taken),
        cmocka_unit_test(wrong_values_are_refused_with_their_pointer),
        cmocka_unit_test(every_key_is_tried_both_ways),
        cmocka_unit_test(a_member_that_is_not_known_is_a_warning_and_the_rest_counts),
        cmocka_unit_test(what_an_object_leaves_out_is_as_by_default),
        cmocka_unit_test(every_default_passes_its_own_check),
        cmocka_unit_test(all_faults_are_told_in_their_order),
        cmocka_unit_test(lengths_are_bounded),
        cmocka_unit_test(a_fault_in_an_endless_name_is_still_told),
        cmocka_unit_test(a_resource_leaves_room_for_its_permissions),
    };

    return CORE_TESTS(tests);
}
