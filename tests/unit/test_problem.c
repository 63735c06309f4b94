/* SPDX-License-Identifier: MPL-2.0 */
/* A failure reads on the wire as the contract's table says, and its texts are whole. */
#include "core/problem.h"

#include "core_support.h"

static const struct {
    enum problem_kind kind;
    const char *name;
    int code, exit_status;
    bool retryable;
} table[] = {
    {PROBLEM_PARSE_ERROR, "parse-error", -32700, 70, false},
    {PROBLEM_INVALID_REQUEST, "invalid-request", -32600, 70, false},
    {PROBLEM_MESSAGE_TOO_LARGE, "message-too-large", -32600, 70, false},
    {PROBLEM_RESULT_TOO_LARGE, "result-too-large", -32600, 70, false},
    {PROBLEM_METHOD_NOT_FOUND, "method-not-found", -32601, 70, false},
    {PROBLEM_INVALID_PARAMS, "invalid-params", -32602, 64, false},
    {PROBLEM_INTERNAL, "internal", -32603, 70, false},
    {PROBLEM_HELLO_REQUIRED, "hello-required", -32000, 70, false},
    {PROBLEM_PROTOCOL_UNSUPPORTED, "protocol-unsupported", -32000, 70, false},
    {PROBLEM_SIGN_IN_REQUIRED, "sign-in-required", 1001, 77, false},
    {PROBLEM_INTERACTION_REQUIRED, "interaction-required", 1002, 77, false},
    {PROBLEM_CONSENT_REQUIRED, "consent-required", 1003, 77, false},
    {PROBLEM_NETWORK, "network", 1004, 69, true},
    {PROBLEM_THROTTLED, "throttled", 1005, 75, true},
    {PROBLEM_POLICY_DENIED, "policy-denied", 1006, 77, false},
    {PROBLEM_WRONG_ACCOUNT, "wrong-account", 1007, 77, false},
    {PROBLEM_VAULT_LOCKED, "vault-locked", 1008, 75, true},
    {PROBLEM_VAULT_DAMAGED, "vault-damaged", 1009, 65, false},
    {PROBLEM_CANCELLED, "cancelled", 1010, 130, false},
    {PROBLEM_MISCONFIGURED, "misconfigured", 1011, 78, false},
    {PROBLEM_BLOCKED, "blocked", 1012, 77, false},
    {PROBLEM_IDENTITY_PROVIDER, "identity-provider", 1013, 69, true},
    {PROBLEM_STORAGE, "storage", 1014, 74, true},
    {PROBLEM_UNKNOWN_ACCOUNT, "unknown-account", 1015, 64, false},
};

static void kinds_are_numbered_as_in_the_contract(void **state)
{
    struct problem problem;
    size_t i;

    (void)state;
    assert_int_equal(sizeof table / sizeof table[0], PROBLEM_KINDS - 1);
    for (i = 0; i < sizeof table / sizeof table[0]; i++) {
        problem_set(&problem, table[i].kind, "It failed.", "Do something.");
        assert_string_equal(problem_kind_name(table[i].kind), table[i].name);
        assert_int_equal(problem_code(table[i].kind), table[i].code);
        if (table[i].code > 0 || table[i].kind == PROBLEM_INVALID_PARAMS || table[i].kind == PROBLEM_INTERNAL)
            assert_int_equal(problem_exit_status(table[i].kind), table[i].exit_status);
        assert_int_equal(problem_retryable(&problem), table[i].retryable);
    }
}

static void a_text_is_cut_at_a_character_and_only_when_it_must(void **state)
{
    static const struct {
        const char *from, *to; /* copied into six bytes */
    } cases[] = {
        {NULL, ""},
        {"", ""},
        {"abcde", "abcde"},
        {"abcdef", "abcde"},
        {"abc\xc3\xa9", "abc\xc3\xa9"},
        {"abcd\xc3\xa9", "abcd"},
        {"abc\xc3\xa9z", "abc\xc3\xa9"},
        {"ab\xe2\x82\xac", "ab\xe2\x82\xac"},
        {"abc\xe2\x82\xac", "abc"},
        {"abcd\xe2\x82\xac", "abcd"},
        {"a\xf0\x9f\x93\xa7", "a\xf0\x9f\x93\xa7"},
        {"ab\xf0\x9f\x93\xa7", "ab"},
        {"abc\xf0\x9f\x93\xa7", "abc"},
        {"abcd\xf0\x9f\x93\xa7", "abcd"},
        {"a\xf0\x9f\x93\xa7\xf0\x9f\x93\xa7", "a\xf0\x9f\x93\xa7"},
        {"\xc3\xa9\xc3\xa9\xc3\xa9", "\xc3\xa9\xc3\xa9"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char to[6] = "xxxxx";
        problem_copy_text(to, sizeof to, cases[i].from);
        assert_string_equal(to, cases[i].to);
    }
}

static void texts_longer_than_a_field_still_make_a_message(void **state)
{
    char text[4 * PROBLEM_TEXT_MAX];
    size_t shift, i;

    (void)state;
    for (shift = 0; shift < 4; shift++) {
        struct problem problem;
        json_t *object;
        memset(text, 'a', shift);
        for (i = shift; i + 4 < sizeof text; i += 4)
            memcpy(text + i, "\xf0\x9f\x93\xa7", 4);
        text[i] = '\0';
        problem_setf(&problem, PROBLEM_WRONG_ACCOUNT, text, "%s, %s", text, text);
        problem_copy_text(problem.admin_remedy, sizeof problem.admin_remedy, text);
        problem_copy_text(problem.signed_in_as, sizeof problem.signed_in_as, text);
        object = problem_to_json(&problem);
        assert_non_null(object);
        assert_true(json_string_length(json_object_get(object, "cause")) > PROBLEM_TEXT_MAX - 5);
        json_decref(object);
    }
}

/* What each text becomes is tested with core/text.h. */
static void take_texts_away(json_t *object, size_t count)
{
    assert_int_equal(json_object_size(json_object_get(object, "texts")), count);
    json_object_del(object, "texts");
}

static void an_error_carries_what_is_known_and_nothing_empty(void **state)
{
    struct problem problem;
    json_t *error, *expected;

    (void)state;
    problem_set(&problem, PROBLEM_NETWORK, "No network.", "Check the cable.");
    problem.stage = "dns";
    error = problem_to_rpc_error(&problem);
    expected = json_pack("{s:i, s:s, s:{s:s, s:b, s:s, s:s, s:s}}", "code", 1004, "message", "No network.",
                         "data", "kind", "network", "retryable", 1, "cause", "No network.", "remedy",
                         "Check the cable.", "stage", "dns");
    take_texts_away(json_object_get(error, "data"), 2);
    assert_true(json_equal(error, expected));
    json_decref(error);
    json_decref(expected);

    problem_set(&problem, PROBLEM_CONSENT_REQUIRED, "No consent.", "Give it.");
    strcpy(problem.admin_remedy, "Grant it.");
    strcpy(problem.missing_scopes, "a  b ");
    strcpy(problem.resource, OUTLOOK);
    strcpy(problem.correlation_id, "c");
    strcpy(problem.trace_id, "t");
    strcpy(problem.field, "f");
    problem.aadsts = 65001;
    problem.retry_after = 5;
    error = problem_to_rpc_error(&problem);
    expected = json_pack("{s:s, s:b, s:s, s:s, s:s, s:s, s:[s, s], s:i, s:s, s:s, s:s, s:i}", "kind",
                         "consent-required", "retryable", 0, "cause", "No consent.", "remedy", "Give it.",
                         "adminRemedy", "Grant it.", "resource", OUTLOOK, "missingScopes", "a", "b", "aadsts",
                         65001, "correlationId", "c", "traceId", "t", "field", "f", "retryAfter", 5);
    take_texts_away(json_object_get(error, "data"), 3);
    assert_true(json_equal(json_object_get(error, "data"), expected));
    json_decref(error);
    json_decref(expected);
}

static void an_unsupported_protocol_names_the_supported_one(void **state)
{
    struct problem problem;
    json_t *error, *supported;

    (void)state;
    problem_set(&problem, PROBLEM_PROTOCOL_UNSUPPORTED, "Too new.", "Update.");
    error = problem_to_rpc_error(&problem);
    supported = json_object_get(json_object_get(error, "data"), "supported");
    assert_int_equal(json_array_size(supported), 1);
    assert_int_equal(json_integer_value(json_array_get(supported, 0)), 1);
    json_decref(error);
}

static void the_problem_object_has_since_and_no_passing_detail(void **state)
{
    struct problem problem = {0};
    json_t *object, *expected;

    (void)state;
    assert_null(problem_to_json(&problem));
    problem_set(&problem, PROBLEM_THROTTLED, "Too often.", "Wait.");
    problem.since = 1800000000;
    problem.retry_after = 60;
    object = problem_to_json(&problem);
    expected = json_pack("{s:s, s:b, s:s, s:s, s:I}", "kind", "throttled", "retryable", 1, "cause",
                         "Too often.", "remedy", "Wait.", "since", (json_int_t)1800000000);
    take_texts_away(object, 2);
    assert_true(json_equal(object, expected));
    json_decref(object);
    json_decref(expected);
}

static void setting_a_problem_leaves_nothing_of_the_one_before(void **state)
{
    struct problem problem, fresh = {0};

    (void)state;
    memset(&problem, 0x5a, sizeof problem);
    problem_set(&problem, PROBLEM_INTERNAL, NULL, NULL);
    fresh.kind = PROBLEM_INTERNAL;
    assert_memory_equal(&problem, &fresh, sizeof problem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_numbered_as_in_the_contract),
        cmocka_unit_test(a_text_is_cut_at_a_character_and_only_when_it_must),
        cmocka_unit_test(texts_longer_than_a_field_still_make_a_message),
        cmocka_unit_test(an_error_carries_what_is_known_and_nothing_empty),
        cmocka_unit_test(an_unsupported_protocol_names_the_supported_one),
        cmocka_unit_test(the_problem_object_has_since_and_no_passing_detail),
        cmocka_unit_test(setting_a_problem_leaves_nothing_of_the_one_before),
    };

    return CORE_TESTS(tests);
}
