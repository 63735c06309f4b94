/* SPDX-License-Identifier: MPL-2.0 */
/* What the token endpoint may answer, and what of it is taken: everything is hostile until checked. */
#include "core/token_answer.h"

#include "core/diagnosis.h"
#include "core_support.h"

#define GOOD "\"token_type\":\"Bearer\",\"access_token\":\"a-1\",\"expires_in\":3600"

static struct secret body;
static struct token_answer answer;

static int wipe_body(void **state)
{
    (void)state;
    secret_wipe(&body);
    token_answer_clear(&answer);
    return 0;
}

static void read_answer(long status, const char *text)
{
    const struct token_http http = {.status = status, .body = &body};

    put_secret(&body, text);
    token_answer_clear(&answer);
    token_answer_read(&answer, &http);
}

static void assert_good(const char *text)
{
    read_answer(200, text);
    assert_int_equal(answer.failure, TOKEN_FAILURE_NONE);
    assert_int_equal(answer.problem.kind, PROBLEM_NONE);
    assert_true(answer.access_token.length > 0);
}

static void assert_strange(long status, const char *text)
{
    read_answer(status, text);
    assert_int_equal(answer.failure, TOKEN_FAILURE_TRANSIENT);
    assert_int_equal(answer.problem.kind,
                     status == 429 || status == 503 ? PROBLEM_THROTTLED : PROBLEM_IDENTITY_PROVIDER);
    assert_null(answer.access_token.bytes);
    assert_null(answer.refresh_token.bytes);
}

static void a_good_answer_is_read(void **state)
{
    (void)state;
    assert_good("{" GOOD ",\"refresh_token\":\"r-1\",\"scope\":\"" IMAP_SCOPE "  openid\","
                "\"client_info\":\"eyJ1aWQiOiJ1LTEiLCJ1dGlkIjoidC0xIn0\",\"foci\":\"1\"}");
    assert_string_equal(secret_expose(&answer.access_token), "a-1");
    assert_string_equal(secret_expose(&answer.refresh_token), "r-1");
    assert_int_equal(answer.expires_in, 3600);
    assert_string_equal(answer.scopes, IMAP_SCOPE " openid");
    assert_string_equal(answer.client_info_uid, "u-1");
    assert_string_equal(answer.client_info_utid, "t-1");
    assert_false(answer.id.present);
    assert_good("{" GOOD "}");
    assert_null(answer.refresh_token.bytes);
    assert_string_equal(answer.client_info_uid, "");
    assert_good("{" GOOD ",\"refresh_token\":\"\",\"client_info\":\"eyJ1aWQiOiJ1LTEifQ==\"}");
    assert_null(answer.refresh_token.bytes);
    assert_string_equal(answer.client_info_uid, "u-1");
}

static void expires_in_may_be_a_number_or_text_and_is_bounded(void **state)
{
    static const struct {
        const char *given;
        int64_t taken; /* 0: refused */
    } rows[] = {{"1", 1},
                {"0", 0},
                {"-1", 0},
                {"\"3599\"", 3599},
                {"\"0\"", 0},
                {"\"-5\"", 0},
                {"\"\"", 0},
                {"\" 5\"", 0},
                {"\"5s\"", 0},
                {"\"0x10\"", 0},
                {"true", 0},
                {"null", 0},
                {"[5]", 0},
                {"3599.5", 0},
                {"864000", TOKEN_EXPIRES_IN_MAX},
                {"864001", TOKEN_EXPIRES_IN_MAX},
                {"9223372036854775807", TOKEN_EXPIRES_IN_MAX},
                {"\"99999999999999999999999999\"", TOKEN_EXPIRES_IN_MAX}};
    char text[256];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(text, sizeof text, "{\"token_type\":\"bearer\",\"access_token\":\"a\",\"expires_in\":%s}",
                 rows[i].given);
        if (rows[i].taken == 0)
            assert_strange(200, text);
        else
            assert_good(text);
        assert_int_equal(answer.expires_in > 0 && answer.failure == TOKEN_FAILURE_NONE ? answer.expires_in
                                                                                       : 0,
                         rows[i].taken);
    }
}

static void an_answer_that_is_not_whole_is_strange(void **state)
{
    static const char *const texts[] = {
        "",
        "<html><body>Proxy</body></html>",
        "[]",
        "null",
        "{}",
        "{\"access_token\":\"a\",\"expires_in\":3600}",
        "{\"token_type\":\"pop\",\"access_token\":\"a\",\"expires_in\":3600}",
        "{\"token_type\":1,\"access_token\":\"a\",\"expires_in\":3600}",
        "{\"token_type\":\"Bearer\",\"expires_in\":3600}",
        "{\"token_type\":\"Bearer\",\"access_token\":\"a\"}",
        "{\"token_type\":\"Bearer\",\"access_token\":\"\",\"expires_in\":3600}",
        "{\"token_type\":\"Bearer\",\"access_token\":7,\"expires_in\":3600}",
        "{" GOOD ",\"access_token\":\"b\"}",
        "{" GOOD ",\"refresh_token\":\"r\\n1\"}",
        "{" GOOD "} trailing",
        "{" GOOD ",\"x\":\"\xff\"}",
        "{" GOOD ",\"x\":\"\\u0000\"}",
        "{\"error\":\"invalid_grant\",\"suberror\":\"bad_token\"}",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_strange(200, texts[i]);
}

static void a_token_is_visible_ascii_or_nothing(void **state)
{
    static const char *const tokens[] = {"a b",     "a\\r\\nX: y", "a\\u0001b", "a\\u007f",
                                         "\\u00e9", "a\\tb",       " a"};
    char text[256];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        snprintf(text, sizeof text, "{\"token_type\":\"Bearer\",\"access_token\":\"%s\",\"expires_in\":9}",
                 tokens[i]);
        assert_strange(200, text);
    }
    assert_good("{\"token_type\":\"Bearer\",\"access_token\":\"!~%&\",\"expires_in\":9}");
}

static void the_transport_decides_before_the_body(void **state)
{
    struct token_http http = {.status = 200, .body = &body, .failed_stage = "tls"};

    (void)state;
    put_secret(&body, "{" GOOD "}");
    token_answer_clear(&answer);
    token_answer_read(&answer, &http);
    assert_int_equal(answer.problem.kind, PROBLEM_NETWORK);
    assert_string_equal(answer.problem.stage, "tls");
    http.failed_stage = NULL;
    http.too_long = true;
    token_answer_clear(&answer);
    token_answer_read(&answer, &http);
    assert_int_equal(answer.problem.kind, PROBLEM_IDENTITY_PROVIDER);
    http.too_long = false;
    http.redirected = true;
    token_answer_clear(&answer);
    token_answer_read(&answer, &http);
    assert_int_equal(answer.problem.kind, PROBLEM_IDENTITY_PROVIDER);
    assert_null(answer.access_token.bytes);
}

static void an_error_answer_is_diagnosed(void **state)
{
    (void)state;
    read_answer(400, "{\"error\":\"invalid_grant\",\"suberror\":\"bad_token\",\"error_codes\":[50173,1],"
                     "\"correlation_id\":\"0123abcd-ef01-2345-6789-abcdefabcdef\",\"trace_id\":\"x\"}");
    assert_int_equal(answer.failure, TOKEN_FAILURE_DEAD);
    assert_int_equal(answer.problem.aadsts, 50173);
    assert_string_equal(answer.problem.correlation_id, "0123abcd-ef01-2345-6789-abcdefabcdef");
    assert_string_equal(answer.problem.trace_id, "");
    read_answer(400, "{\"error\":\"invalid_grant\",\"suberror\":7,\"error_codes\":\"50173\"}");
    assert_int_equal(answer.failure, TOKEN_FAILURE_SUSPENDED);
    assert_int_equal(answer.problem.aadsts, 0);
    read_answer(400, "{\"error\":\"invalid_grant\",\"error_codes\":[99999999]}");
    assert_int_equal(answer.problem.aadsts, 99999999);
    read_answer(400, "{\"error\":\"invalid_grant\",\"error_codes\":[100000000]}");
    assert_int_equal(answer.problem.aadsts, 0);
    read_answer(400, "{\"error\":\"invalid_grant\",\"error_codes\":[-1]}");
    assert_int_equal(answer.problem.aadsts, 0);
    read_answer(400, "{\"error\":\"invalid_grant\",\"error_codes\":[50196]}");
    assert_int_equal(answer.failure, TOKEN_FAILURE_TRANSIENT);
}

/* An error whose claims member is this piece of JSON. */
static void read_claims(const char *member)
{
    char text[40000];

    snprintf(text, sizeof text, "{\"error\":\"interaction_required\",\"claims\":%s}", member);
    read_answer(400, text);
    assert_int_equal(answer.failure, TOKEN_FAILURE_SUSPENDED);
    assert_int_equal(answer.problem.kind, PROBLEM_INTERACTION_REQUIRED);
}

static void claims_are_passed_on_as_a_json_object_and_nothing_else(void **state)
{
    static const char *const refused[] = {
        "null",
        "7",
        "{\"access_token\":{}}", /* an object, where a text belongs */
        "\"\"",
        "\" \"",
        "\"{}\"",
        "\"[1]\"",
        "\"text\"",
        "\"{\\\"a\\\":1\"",
        "\"{\\\"a\\\":1} trailing\"",
        "\"{\\\"a\\\":1,\\\"a\\\":2}\"",
        "\"{\\\"a\\\":\\\"\\\\u0000\\\"}\"",
        "\"{'a':1}\"",
    };
    size_t i;

    (void)state;
    read_answer(400, "{\"error\":\"interaction_required\"}");
    assert_string_equal(answer.claims, "");
    for (i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        read_claims(refused[i]);
        assert_string_equal(answer.claims, "");
    }
    read_claims("\" { \\\"access_token\\\" : {\\n\\\"polids\\\":{\\\"essential\\\":true, "
                "\\\"Values\\\":[\\\"\\u00e9\\\"]}}}\"");
    assert_string_equal(answer.claims,
                        "{\"access_token\":{\"polids\":{\"essential\":true,\"Values\":[\"\\u00E9\"]}}}");
    read_answer(200, "{" GOOD ",\"claims\":\"{\\\"a\\\":1}\"}");
    assert_string_equal(answer.claims, "");
}

static void claims_decide_what_a_bare_invalid_grant_means(void **state)
{
    (void)state;
    read_answer(400, "{\"error\":\"invalid_grant\",\"claims\":\"{\\\"a\\\":1}\"}");
    assert_int_equal(answer.problem.kind, PROBLEM_INTERACTION_REQUIRED);
    assert_string_equal(answer.claims, "{\"a\":1}");
    read_answer(400, "{\"error\":\"invalid_grant\",\"claims\":\"{}\"}");
    assert_int_equal(answer.problem.kind, PROBLEM_SIGN_IN_REQUIRED);
}

static void claims_that_are_too_long_or_too_deep_are_absent_not_cut(void **state)
{
    char value[CLAIMS_SIZE + 8], member[30000];
    size_t i, depth = 5000;

    (void)state;
    memset(value, 'v', sizeof value);
    value[CLAIMS_SIZE - 1 - strlen("{\"a\":\"\"}")] = '\0';
    snprintf(member, sizeof member, "\"{\\\"a\\\":\\\"%s\\\"}\"", value);
    read_claims(member);
    assert_int_equal(strlen(answer.claims), CLAIMS_SIZE - 1);
    value[strlen(value)] = 'v';
    value[CLAIMS_SIZE - strlen("{\"a\":\"\"}")] = '\0';
    snprintf(member, sizeof member, "\"{\\\"a\\\":\\\"%s\\\"}\"", value);
    read_claims(member);
    assert_string_equal(answer.claims, "");
    strcpy(member, "\"{\\\"a\\\":");
    for (i = strlen(member); depth > 0; depth--)
        member[i++] = '[';
    member[i++] = '"';
    member[i] = '\0';
    read_claims(member);
    assert_string_equal(answer.claims, "");
}

static void what_a_client_that_polls_has_to_know_is_read(void **state)
{
    (void)state;
    read_answer(400, "{\"error\":\"authorization_pending\",\"error_codes\":[70016]}");
    assert_int_equal(answer.device_poll, DEVICE_POLL_PENDING);
    assert_int_equal(answer.failure, TOKEN_FAILURE_TRANSIENT);
    read_answer(400, "{\"error\":\"slow_down\"}");
    assert_int_equal(answer.device_poll, DEVICE_POLL_SLOW_DOWN);
    read_answer(400, "{\"error\":\"authorization_declined\",\"error_codes\":[65004]}");
    assert_int_equal(answer.device_poll, DEVICE_POLL_DECLINED);
    assert_int_equal(answer.problem.kind, PROBLEM_CANCELLED);
    read_answer(400, "{\"error\":\"expired_token\"}");
    assert_int_equal(answer.device_poll, DEVICE_POLL_EXPIRED);
    assert_int_equal(answer.problem.kind, PROBLEM_SIGN_IN_REQUIRED);
    read_answer(400, "{\"error\":\"invalid_grant\"}");
    assert_int_equal(answer.device_poll, DEVICE_POLL_NONE);
    assert_good("{" GOOD ",\"error\":\"slow_down\"}");
    assert_int_equal(answer.device_poll, DEVICE_POLL_NONE);
}

static void an_error_that_is_no_oauth_error_takes_nothing(void **state)
{
    static const long statuses[] = {0, 100, 204, 301, 400, 401, 403, 404, 407, 408, 429, 500, 503};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        assert_strange(statuses[i], "<html>not found</html>");
        assert_strange(statuses[i], "{\"error\":{\"code\":1}}");
        assert_strange(statuses[i], "{" GOOD "}");
    }
}

/* An id token with this payload; the signature is not looked at. */
static void read_id_token(const char *payload)
{
    char encoded[24000], text[25000];

    sodium_bin2base64(encoded, sizeof encoded, (const unsigned char *)payload, strlen(payload),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    snprintf(text, sizeof text, "{" GOOD ",\"id_token\":\"e30.%s.c2ln\"}", encoded);
    assert_good(text);
}

static void claims_are_read_from_the_id_token(void **state)
{
    (void)state;
    read_id_token("{\"aud\":\"c\",\"nonce\":\"n\",\"oid\":\"o\",\"tid\":\"t\",\"preferred_username\":\"a@b\","
                  "\"upn\":\"u@b\",\"email\":\"e@b\"}");
    assert_true(answer.id.present);
    assert_string_equal(answer.id.audience, "c");
    assert_string_equal(answer.id.nonce, "n");
    assert_string_equal(answer.id.oid, "o");
    assert_string_equal(answer.id.tid, "t");
    assert_string_equal(answer.id.preferred_username, "a@b");
    assert_string_equal(answer.id.upn, "u@b");
    read_id_token("{\"aud\":[\"c\"],\"nonce\":7,\"oid\":\"o\\n\",\"tid\":null}");
    assert_true(answer.id.present);
    assert_string_equal(answer.id.audience, "");
    assert_string_equal(answer.id.nonce, "");
    assert_string_equal(answer.id.oid, "");
    assert_string_equal(answer.id.tid, "");
}

static void a_claim_that_is_too_long_is_absent_not_cut(void **state)
{
    char claim[400], payload[500];

    (void)state;
    memset(claim, 'o', sizeof claim);
    claim[DIRECTORY_ID_SIZE - 1] = '\0';
    snprintf(payload, sizeof payload, "{\"oid\":\"%s\"}", claim);
    read_id_token(payload);
    assert_string_equal(answer.id.oid, claim);
    claim[DIRECTORY_ID_SIZE - 1] = 'o';
    claim[DIRECTORY_ID_SIZE] = '\0';
    snprintf(payload, sizeof payload, "{\"oid\":\"%s\"}", claim);
    read_id_token(payload);
    assert_string_equal(answer.id.oid, "");
}

static void an_id_token_that_is_none_is_absent(void **state)
{
    static const char *const tokens[] = {"",      ".",        "..",      "e30",     "e30.e30",
                                         "a.!.c", "a.e30=.c", "a.bm8.c", "a.W10.c", "a.eyJhIjoxLCJhIjoxfQ.c",
                                         "....",  "a.e3.c"};
    char text[200], payload[17000];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        snprintf(text, sizeof text, "{" GOOD ",\"id_token\":\"%s\",\"client_info\":\"%s\"}", tokens[i],
                 tokens[i]);
        assert_good(text);
        assert_false(answer.id.present);
        assert_string_equal(answer.client_info_uid, "");
    }
    assert_good("{" GOOD ",\"id_token\":7,\"client_info\":{}}");
    memset(payload, ' ', sizeof payload);
    memcpy(payload, "{\"oid\":\"o\"", 10);
    payload[12286] = '}'; /* 12287 bytes are 16383 encoded */
    payload[12287] = '\0';
    read_id_token(payload);
    assert_true(answer.id.present);
    payload[12286] = ' ';
    payload[12288] = '}'; /* 12289 bytes are over 16384 encoded */
    payload[12287] = ' ';
    payload[12289] = '\0';
    read_id_token(payload);
    assert_false(answer.id.present);
}

static void scopes_that_are_no_scopes_are_dropped(void **state)
{
    char scope[SCOPE_LIST_SIZE * 2], text[SCOPE_LIST_SIZE * 3];

    (void)state;
    assert_good("{" GOOD ",\"scope\":\"a \\u00e9 b\\\\c d \\\"e\"}");
    assert_string_equal(answer.scopes, "a d");
    assert_good("{" GOOD ",\"scope\":[\"a\"]}");
    memset(scope, 'x', sizeof scope);
    scope[sizeof scope - 1] = '\0';
    snprintf(text, sizeof text, "{" GOOD ",\"scope\":\"a %s b\"}", scope);
    assert_good(text);
    assert_string_equal(answer.scopes, "a b");
}

/* Half a list would deny what was granted; none stands for what was asked for (RFC 6749 section 5.1). */
static void more_scopes_than_there_is_room_for_are_as_if_not_told(void **state)
{
    char text[SCOPE_LIST_SIZE * 3] = "{" GOOD ",\"scope\":\"";
    size_t i;

    (void)state;
    for (i = 0; i < SCOPE_LIST_SIZE / 10; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "permission-%03zu ", i);
    snprintf(text + strlen(text), sizeof text - strlen(text), "last\"}");
    assert_good(text);
    assert_string_equal(answer.scopes, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_good_answer_is_read, wipe_body),
        cmocka_unit_test_teardown(expires_in_may_be_a_number_or_text_and_is_bounded, wipe_body),
        cmocka_unit_test_teardown(an_answer_that_is_not_whole_is_strange, wipe_body),
        cmocka_unit_test_teardown(a_token_is_visible_ascii_or_nothing, wipe_body),
        cmocka_unit_test_teardown(the_transport_decides_before_the_body, wipe_body),
        cmocka_unit_test_teardown(an_error_answer_is_diagnosed, wipe_body),
        cmocka_unit_test_teardown(an_error_that_is_no_oauth_error_takes_nothing, wipe_body),
        cmocka_unit_test_teardown(claims_are_passed_on_as_a_json_object_and_nothing_else, wipe_body),
        cmocka_unit_test_teardown(claims_decide_what_a_bare_invalid_grant_means, wipe_body),
        cmocka_unit_test_teardown(claims_that_are_too_long_or_too_deep_are_absent_not_cut, wipe_body),
        cmocka_unit_test_teardown(what_a_client_that_polls_has_to_know_is_read, wipe_body),
        cmocka_unit_test_teardown(claims_are_read_from_the_id_token, wipe_body),
        cmocka_unit_test_teardown(a_claim_that_is_too_long_is_absent_not_cut, wipe_body),
        cmocka_unit_test_teardown(an_id_token_that_is_none_is_absent, wipe_body),
        cmocka_unit_test_teardown(scopes_that_are_no_scopes_are_dropped, wipe_body),
        cmocka_unit_test_teardown(more_scopes_than_there_is_room_for_are_as_if_not_told, wipe_body),
    };

    return CORE_TESTS(tests);
}
