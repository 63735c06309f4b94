/* SPDX-License-Identifier: MPL-2.0 */
/* What is kept of an identity comes back as it was, and nothing else is taken for one. */
#include "core/identity_record.h"
#include "identity_events.h"

#define HEADER                                                                                               \
    "{\"version\":1,\"addresses\":[\"Lena@example.org\",\"team@example.org\"],\"signInAs\":\"lena@example."  \
    "org\","                                                                                                 \
    "\"authority\":\"https://login.microsoftonline.com\",\"tenant\":\"organizations\",\"clientId\":\"c\"}"
#define ACCESS "{\"resource\":\"" OUTLOOK "\",\"accessToken\":\"outlook-1\",\"issuedAt\":10,\"expiresAt\":20}"
#define PAYLOAD                                                                                              \
    "{\"version\":1,\"serial\":7,\"refreshToken\":\"refresh-1\",\"obtainedAt\":3,\"lastUsedAt\":4,\"oid\":"  \
    "\"o\","                                                                                                 \
    "\"tid\":\"t\",\"homeAccountId\":\"h\",\"scopes\":\"" IMAP_SCOPE "\",\"access\":[" ACCESS "]}"

static int read_header(const json_t *header, struct record_header *extra)
{
    struct identity identity = {0};

    memset(extra, 0, sizeof *extra);
    return identity_header_read(header, &identity, extra);
}

static int read_payload(const char *text, struct identity *identity)
{
    struct secret payload = {0};
    int result;

    memset(identity, 0, sizeof *identity);
    put_secret(&payload, text);
    result = identity_payload_read(&payload, identity);
    secret_wipe(&payload);
    return result;
}

static void a_record_comes_back_as_it_was(void **state)
{
    struct bench bench;
    struct identity back = {0};
    struct record_header extra = {.tenant = "example.org", .cloud = "china"}, extra_back = {0};
    struct secret payload = {0};
    json_t *header;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    want(&bench, GRAPH);
    renew_with(&bench, "graph-1", "refresh-2");
    extra.addresses = json_pack("[s, s]", "Lena@Example.org", "team@example.org");
    header = identity_header_write(&bench.identity, &extra);
    assert_int_equal(identity_payload_write(&bench.identity, &payload), 0);
    assert_int_equal(identity_header_read(header, &back, &extra_back), 0);
    assert_int_equal(identity_payload_read(&payload, &back), 0);
    assert_memory_equal(&back.key, &bench.identity.key, sizeof back.key);
    assert_true(json_equal(extra.addresses, extra_back.addresses));
    assert_string_equal(extra_back.tenant, "example.org");
    assert_string_equal(extra_back.cloud, "china");
    assert_string_equal(secret_expose(&back.grant.refresh_token), "refresh-2");
    assert_int_equal(back.grant.serial, bench.identity.grant.serial);
    assert_int_equal(back.serial, back.grant.serial);
    assert_int_equal(back.grant.obtained_at, START);
    assert_string_equal(back.grant.oid, "oid-lena");
    assert_string_equal(back.grant.tid, "tid-example");
    assert_string_equal(back.grant.home_account_id, "uid-lena.utid-example");
    assert_string_equal(back.grant.scopes, bench.identity.grant.scopes);
    assert_string_equal(secret_expose(&identity_find_access(&back, OUTLOOK)->access_token), "outlook-1");
    assert_string_equal(secret_expose(&identity_find_access(&back, GRAPH)->access_token), "graph-1");
    assert_int_equal(identity_find_access(&back, GRAPH)->expires_at, START + LIFETIME);
    assert_int_equal(back.dead.kind, PROBLEM_NONE);
    json_decref(header);
    json_decref(extra.addresses);
    json_decref(extra_back.addresses);
    secret_wipe(&payload);
    identity_clear(&back);
    bench_close(&bench);
}

static void the_header_holds_no_secret(void **state)
{
    struct bench bench;
    struct record_header extra = {0};
    json_t *header;
    char *text;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    extra.addresses = json_array();
    header = identity_header_write(&bench.identity, &extra);
    text = json_dumps(header, 0);
    assert_null(strstr(text, "outlook-1"));
    assert_null(strstr(text, "refresh-1"));
    free(text);
    json_decref(header);
    json_decref(extra.addresses);
    bench_close(&bench);
}

static void a_dead_or_signed_out_record_says_so(void **state)
{
    struct bench bench;
    struct identity back = {0};
    struct secret payload = {0};

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    want(&bench, GRAPH);
    fail_with(&bench, TOKEN_FAILURE_DEAD, PROBLEM_SIGN_IN_REQUIRED, 0);
    assert_int_equal(identity_payload_write(&bench.identity, &payload), 0);
    assert_int_equal(identity_payload_read(&payload, &back), 0);
    assert_int_equal(back.dead.kind, PROBLEM_SIGN_IN_REQUIRED);
    assert_string_equal(back.grant.oid, "oid-lena");
    identity_clear(&back);
    happens(&bench, EVENT_SIGN_OUT);
    assert_int_equal(identity_payload_write(&bench.identity, &payload), 0);
    assert_int_equal(identity_payload_read(&payload, &back), 0);
    assert_int_equal(back.dead.kind, PROBLEM_NONE);
    assert_int_equal(back.grant.serial, 0);
    secret_wipe(&payload);
    identity_clear(&back);
    bench_close(&bench);
}

/* Every member in turn: absent, of another type, too long. */
static void a_header_with_a_wrong_field_is_refused(void **state)
{
    static const struct {
        const char *name;
        size_t longest;
    } members[] = {{"version", 0},
                   {"addresses", 0},
                   {"signInAs", 254},
                   {"authority", AUTHORITY_SIZE - 1},
                   {"tenant", TENANT_SIZE - 1},
                   {"clientId", CLIENT_ID_SIZE - 1}};
    struct record_header extra;
    json_t *good = json_loads(HEADER, 0, NULL), *bad;
    char text[300];
    size_t i;

    (void)state;
    assert_int_equal(read_header(good, &extra), 0);
    json_decref(extra.addresses);
    for (i = 0; i < sizeof members / sizeof members[0]; i++) {
        bad = json_deep_copy(good);
        json_object_del(bad, members[i].name);
        assert_int_equal(read_header(bad, &extra), -1);
        json_object_set_new(bad, members[i].name, json_pack("{s:n}", "x"));
        assert_int_equal(read_header(bad, &extra), -1);
        assert_null(extra.addresses);
        if (members[i].longest != 0) {
            memset(text, 'a', sizeof text);
            text[1] = '@';
            text[members[i].longest] = '\0';
            json_object_set_new(bad, members[i].name, json_string(text));
            assert_int_equal(read_header(bad, &extra), 0);
            json_decref(extra.addresses);
            text[members[i].longest] = 'a';
            text[members[i].longest + 1] = '\0';
            json_object_set_new(bad, members[i].name, json_string(text));
            assert_int_equal(read_header(bad, &extra), -1);
        }
        json_decref(bad);
    }
    json_decref(good);
    assert_int_equal(read_header(NULL, &extra), -1);
}

static void a_header_with_a_wrong_value_is_refused(void **state)
{
    static const struct {
        const char *name, *value;
    } wrong[] = {{"version", "2"},
                 {"version", "\"1\""},
                 {"addresses", "[1]"},
                 {"addresses", "[\"no-at\"]"},
                 {"addresses", "[\"a@b\\u0000c\"]"},
                 {"addresses", "{\"a@b\":1}"},
                 {"signInAs", "\"nobody\""},
                 {"signInAs", "\"a@b\\u0000\""},
                 {"askedTenant", "1"},
                 {"askedCloud", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""}};
    struct record_header extra;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        json_t *header = json_loads(HEADER, 0, NULL);
        json_object_set_new(header, wrong[i].name,
                            json_loads(wrong[i].value, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL));
        assert_int_equal(read_header(header, &extra), -1);
        assert_null(extra.addresses);
        json_decref(header);
    }
}

static void assert_payload_refused(const char *text)
{
    struct identity identity;
    int i;

    assert_int_equal(read_payload(text, &identity), -1);
    assert_null(identity.grant.refresh_token.bytes);
    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++)
        assert_null(identity.access[i].access_token.bytes);
}

/* Replaces one member (NULL: removes it) and checks that the whole is refused. */
static void assert_member_refused(json_t *payload, json_t *object, const char *name, json_t *value)
{
    json_t *kept = json_incref(json_object_get(object, name));
    char *text;

    if (value == NULL)
        json_object_del(object, name);
    else
        json_object_set_new(object, name, value);
    text = json_dumps(payload, 0);
    assert_payload_refused(text);
    free(text);
    json_object_set_new(object, name, kept);
}

static void a_payload_with_a_wrong_field_is_refused(void **state)
{
    static const char *const of_grant[] = {"version", "serial", "refreshToken",  "obtainedAt", "lastUsedAt",
                                           "oid",     "tid",    "homeAccountId", "scopes",     "access"};
    static const char *const of_access[] = {"resource", "accessToken", "issuedAt", "expiresAt"};
    static const struct {
        const char *name;
        size_t size;
    } texts[] = {{"oid", DIRECTORY_ID_SIZE},
                 {"tid", DIRECTORY_ID_SIZE},
                 {"homeAccountId", HOME_ACCOUNT_ID_SIZE},
                 {"scopes", SCOPE_LIST_SIZE}};
    static const char *const times[] = {"serial", "obtainedAt", "lastUsedAt"};
    json_t *payload = json_loads(PAYLOAD, 0, NULL);
    json_t *access = json_array_get(json_object_get(payload, "access"), 0);
    char text[SCOPE_LIST_SIZE + 1];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof of_grant / sizeof of_grant[0]; i++) {
        assert_member_refused(payload, payload, of_grant[i], NULL);
        assert_member_refused(payload, payload, of_grant[i], json_true());
    }
    for (i = 0; i < sizeof of_access / sizeof of_access[0]; i++) {
        assert_member_refused(payload, access, of_access[i], NULL);
        assert_member_refused(payload, access, of_access[i], json_true());
    }
    memset(text, 'a', sizeof text);
    for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_member_refused(payload, payload, texts[i].name, json_stringn(text, texts[i].size));
    for (i = 0; i < sizeof times / sizeof times[0]; i++)
        assert_member_refused(payload, payload, times[i], json_integer(-1));
    assert_member_refused(payload, access, "resource", json_stringn(text, RESOURCE_SIZE));
    assert_member_refused(payload, access, "resource", json_string(""));
    assert_member_refused(payload, access, "issuedAt", json_integer(-1));
    assert_member_refused(payload, payload, "access",
                          json_pack("[O,O,O,O,O]", access, access, access, access, access));
    json_decref(payload);
}

static void what_is_no_payload_is_refused(void **state)
{
    static const char *const texts[] = {
        "", "{", "[]", "null", "{}", "{\"version\":1}", "{\"version\":1,\"version\":1}", PAYLOAD "x", "\xff"};
    char cut[sizeof PAYLOAD];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_payload_refused(texts[i]);
    for (i = 0; i < sizeof PAYLOAD - 1; i++) {
        memcpy(cut, PAYLOAD, i);
        cut[i] = '\0';
        assert_payload_refused(cut);
    }
}

static void texts_of_the_longest_length_are_taken(void **state)
{
    struct bench bench;
    struct identity back = {0};
    struct secret payload = {0};

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    memset(bench.identity.grant.oid, 'o', DIRECTORY_ID_SIZE - 1);
    memset(bench.identity.grant.home_account_id, 'h', HOME_ACCOUNT_ID_SIZE - 1);
    memset(bench.identity.grant.scopes, 's', SCOPE_LIST_SIZE - 1);
    assert_int_equal(identity_payload_write(&bench.identity, &payload), 0);
    assert_int_equal(identity_payload_read(&payload, &back), 0);
    assert_string_equal(back.grant.oid, bench.identity.grant.oid);
    assert_string_equal(back.grant.home_account_id, bench.identity.grant.home_account_id);
    assert_string_equal(back.grant.scopes, bench.identity.grant.scopes);
    secret_wipe(&payload);
    identity_clear(&back);
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_comes_back_as_it_was),
        cmocka_unit_test(the_header_holds_no_secret),
        cmocka_unit_test(a_dead_or_signed_out_record_says_so),
        cmocka_unit_test(a_header_with_a_wrong_field_is_refused),
        cmocka_unit_test(a_header_with_a_wrong_value_is_refused),
        cmocka_unit_test(a_payload_with_a_wrong_field_is_refused),
        cmocka_unit_test(what_is_no_payload_is_refused),
        cmocka_unit_test(texts_of_the_longest_length_are_taken),
    };

    return CORE_TESTS(tests);
}
