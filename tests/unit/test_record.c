/* SPDX-License-Identifier: MPL-2.0 */
/* An identity as it is kept comes back as it was, and no other header is taken for one. */
#include "core/identity_record.h"
#include "identity_events.h"

#define HEADER                                                                                               \
    "{\"version\":1,\"addresses\":[\"Lena@example.org\",\"team@example.org\"],\"signInAs\":\"lena@example."  \
    "org\","                                                                                                 \
    "\"authority\":\"https://login.microsoftonline.com\",\"tenant\":\"organizations\",\"clientId\":\"c\"}"

static int read_header(const json_t *header, struct record_header *extra)
{
    struct identity identity = {0};

    memset(extra, 0, sizeof *extra);
    return identity_header_read(header, &identity, extra);
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

static void a_wish_that_nobody_knows_asks_for_nothing(void **state)
{
    struct record_header extra;
    json_t *header = json_loads(HEADER, 0, NULL);

    (void)state;
    json_object_set_new(header, "askedCloud", json_string("mars"));
    json_object_set_new(header, "askedTenant", json_string("no/tenant"));
    assert_int_equal(read_header(header, &extra), 0);
    assert_string_equal(extra.cloud, "");
    assert_string_equal(extra.tenant, "");
    json_decref(extra.addresses);
    json_decref(header);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_comes_back_as_it_was),
        cmocka_unit_test(the_header_holds_no_secret),
        cmocka_unit_test(a_header_with_a_wrong_field_is_refused),
        cmocka_unit_test(a_header_with_a_wrong_value_is_refused),
        cmocka_unit_test(a_wish_that_nobody_knows_asks_for_nothing),
    };

    return CORE_TESTS(tests);
}
