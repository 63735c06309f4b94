/* SPDX-License-Identifier: MPL-2.0 */
/* The sealed part of an identity: all of it comes back, older versions open, and nothing else is taken. */
#include "other_process.h"

/* As the first version wrote it. */
#define OLD_ACCESS                                                                                           \
    "{\"resource\":\"" OUTLOOK "\",\"accessToken\":\"outlook-1\",\"issuedAt\":1800000000,"                   \
    "\"expiresAt\":1800003600}"
#define OLD_PAYLOAD                                                                                          \
    "{\"version\":1,\"serial\":7,\"lastSerial\":7,\"refreshToken\":\"refresh-1\",\"obtainedAt\":3,"          \
    "\"lastUsedAt\":4,\"oid\":\"o\",\"tid\":\"t\",\"homeAccountId\":\"h\",\"scopes\":\"" IMAP_SCOPE          \
    "\",\"access\":[" OLD_ACCESS "]}"

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

/* Into a process that has just started. */
static void open_payload(struct bench *bench, const char *text)
{
    struct secret payload = {0};

    bench_open(bench);
    put_secret(&payload, text);
    file_says(bench, &payload);
    secret_wipe(&payload);
}

static void a_payload_of_an_older_version_opens(void **state)
{
    struct bench bench;

    (void)state;
    open_payload(&bench, OLD_PAYLOAD);
    assert_refresh_token(&bench, "refresh-1");
    assert_int_equal(bench.identity.serial, 7);
    assert_int_equal(bench.identity.grant.serial, 7);
    assert_int_equal(bench.identity.grant.renewals, 0);
    assert_int_equal(bench.identity.grant.method, METHOD_BROWSER);
    assert_string_equal(bench.identity.claims, "");
    assert_state(&bench, "ready", PROBLEM_NONE);
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-1", false);
    assert_int_equal(bench.identity.access[0].refresh_at, START + LIFETIME - RENEW_BEFORE_EXPIRY_S);
    pass(&bench, LIFETIME);
    assert_waiting(&bench, want(&bench, OUTLOOK));
    renew_with(&bench, "outlook-2", NULL);
    assert_int_equal(bench.identity.grant.renewals, 1);
    bench_close(&bench);
}

static void a_dead_record_of_an_older_version_says_so(void **state)
{
    struct bench bench;

    (void)state;
    open_payload(&bench,
                 "{\"version\":1,\"serial\":7,\"lastSerial\":7,\"refreshToken\":\"\",\"obtainedAt\":3,"
                 "\"lastUsedAt\":4,\"oid\":\"o\",\"tid\":\"t\",\"homeAccountId\":\"h\",\"scopes\":\"\","
                 "\"access\":[]}");
    assert_state(&bench, "attention", PROBLEM_SIGN_IN_REQUIRED);
    assert_int_equal(bench.identity.dead.since, 4);
    bench_close(&bench);
}

static void everything_comes_back(void **state)
{
    struct token_answer answer = {.failure = TOKEN_FAILURE_SUSPENDED};
    const struct access *graph, *graph_back, *mail, *mail_back;
    struct identity back = {0};
    struct secret payload = {0};
    struct bench bench;

    (void)state;
    signed_in_long_ago(&bench);
    bench.identity.grant.method = METHOD_DEVICE;
    want(&bench, GRAPH);
    renew_for(&bench, "graph-1", LIFETIME, 1000);
    want(&bench, OUTLOOK);
    problem_set(&answer.problem, PROBLEM_CONSENT_REQUIRED, "It failed.", "Do something.");
    answer.problem.aadsts = 65001;
    strcpy(answer.problem.trace_id, "11111111-2222-3333-4444-555555555555");
    strcpy(answer.problem.missing_scopes, IMAP_SCOPE);
    strcpy(answer.claims, "{\"access_token\":{}}");
    give(&bench, &answer);
    assert_int_equal(identity_payload_write(&bench.identity, &payload), 0);
    assert_int_equal(identity_payload_read(&payload, &back), 0);
    assert_int_equal(back.grant.renewals, 1);
    assert_int_equal(back.grant.method, METHOD_DEVICE);
    assert_string_equal(back.claims, "{\"access_token\":{}}");
    graph = identity_find_access(&bench.identity, GRAPH);
    graph_back = identity_find_access(&back, GRAPH);
    assert_int_equal(graph_back->renewal, 1);
    assert_int_equal(graph_back->refresh_at, graph->issued_at + 1000);
    assert_false(graph_back->suspended);
    mail = identity_find_access(&bench.identity, OUTLOOK);
    mail_back = identity_find_access(&back, OUTLOOK);
    assert_true(mail_back->suspended);
    assert_int_equal(mail_back->tried_at, mail->tried_at);
    assert_int_equal(mail_back->problem.kind, PROBLEM_CONSENT_REQUIRED);
    assert_int_equal(mail_back->problem.since, mail->problem.since);
    assert_int_equal(mail_back->problem.aadsts, 65001);
    assert_string_equal(mail_back->problem.trace_id, mail->problem.trace_id);
    assert_string_equal(mail_back->problem.missing_scopes, IMAP_SCOPE);
    assert_string_equal(mail_back->problem.resource, OUTLOOK);
    assert_true(mail_back->problem.cause[0] != '\0' && mail_back->problem.remedy[0] != '\0');
    secret_wipe(&payload);
    identity_clear(&back);
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
    if (kept == NULL)
        json_object_del(object, name);
    else
        json_object_set_new(object, name, kept);
}

static void a_payload_with_a_wrong_field_is_refused(void **state)
{
    static const char *const of_grant[] = {"version",       "serial",     "refreshToken", "obtainedAt",
                                           "lastUsedAt",    "lastSerial", "oid",          "tid",
                                           "homeAccountId", "scopes",     "access"};
    static const char *const of_access[] = {"resource", "accessToken", "issuedAt", "expiresAt"};
    static const struct {
        const char *name;
        size_t size;
    } texts[] = {{"oid", DIRECTORY_ID_SIZE},
                 {"tid", DIRECTORY_ID_SIZE},
                 {"homeAccountId", HOME_ACCOUNT_ID_SIZE},
                 {"claims", CLAIMS_SIZE},
                 {"scopes", SCOPE_LIST_SIZE}};
    static const char *const times[] = {"serial", "lastSerial", "obtainedAt", "lastUsedAt", "renewals"};
    static const char *const access_times[] = {"issuedAt", "expiresAt", "refreshAt", "triedAt", "renewal"};
    json_t *payload = json_loads(OLD_PAYLOAD, 0, NULL);
    json_t *access = json_array_get(json_object_get(payload, "access"), 0);
    char text[CLAIMS_SIZE + 1];
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
    for (i = 0; i < sizeof times / sizeof times[0]; i++) {
        assert_member_refused(payload, payload, times[i], json_integer(-1));
        assert_member_refused(payload, payload, times[i], json_integer(INT64_MAX));
    }
    for (i = 0; i < sizeof access_times / sizeof access_times[0]; i++) {
        assert_member_refused(payload, access, access_times[i], json_integer(-1));
        assert_member_refused(payload, access, access_times[i], json_integer(INT64_MAX));
    }
    assert_member_refused(payload, access, "resource", json_stringn(text, RESOURCE_SIZE));
    assert_member_refused(payload, access, "resource", json_string(""));
    assert_member_refused(payload, access, "problem", json_pack("{s:s}", "kind", "none"));
    assert_member_refused(payload, access, "problem", json_true());
    assert_member_refused(payload, payload, "dead", json_pack("{s:s}", "kind", "sign-in-required"));
    assert_member_refused(payload, payload, "method", json_string("carrier pigeon"));
    assert_member_refused(payload, payload, "access",
                          json_pack("[O,O,O,O,O]", access, access, access, access, access));
    json_decref(payload);
}

static void what_is_no_payload_is_refused(void **state)
{
    static const char *const texts[] = {
        "",    "{", "[]", "null", "{}", "{\"version\":1}", "{\"version\":1,\"version\":1}", OLD_PAYLOAD "x",
        "\xff"};
    char cut[sizeof OLD_PAYLOAD];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_payload_refused(texts[i]);
    for (i = 0; i < sizeof OLD_PAYLOAD - 1; i++) {
        memcpy(cut, OLD_PAYLOAD, i);
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
        cmocka_unit_test(a_payload_of_an_older_version_opens),
        cmocka_unit_test(a_dead_record_of_an_older_version_says_so),
        cmocka_unit_test(everything_comes_back),
        cmocka_unit_test(a_dead_or_signed_out_record_says_so),
        cmocka_unit_test(a_payload_with_a_wrong_field_is_refused),
        cmocka_unit_test(what_is_no_payload_is_refused),
        cmocka_unit_test(texts_of_the_longest_length_are_taken),
    };

    return CORE_TESTS(tests);
}
