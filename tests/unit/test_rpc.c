/* SPDX-License-Identifier: MPL-2.0 */
/* Only a JSON-RPC 2.0 request within the protocol's bounds gets through, and each bad field is named. */
#include "core/rpc.h"

#include "core_support.h"

static json_t *parse(const char *text, struct problem *problem)
{
    memset(problem, 0, sizeof *problem);
    return rpc_parse(text, strlen(text), problem);
}

static void assert_parse_error(const char *text, size_t length)
{
    struct problem problem = {0};

    assert_null(rpc_parse(text, length, &problem));
    assert_int_equal(problem.kind, PROBLEM_PARSE_ERROR);
    assert_true(problem.cause[0] != '\0' && problem.remedy[0] != '\0');
}

static void what_is_not_json_is_a_parse_error(void **state)
{
    static const char *const texts[] = {"",
                                        " ",
                                        "{",
                                        "{}x",
                                        "{'a':1}",
                                        "{\"a\":1,\"a\":2}",
                                        "{\"a\":{\"b\":1,\"b\":1}}",
                                        "[1,]",
                                        "nul",
                                        "\"\xff\"",
                                        "\"\\ud800\"",
                                        "{\"a\\u0000\":1}",
                                        "99999999999999999999",
                                        "{\"id\":1e999}",
                                        "\"open"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_parse_error(texts[i], strlen(texts[i]));
    assert_parse_error("{}\0", 3);
}

static void an_error_text_never_quotes_the_input(void **state)
{
    struct problem problem;

    (void)state;
    assert_null(parse("{\"refreshToken\": secret}", &problem));
    assert_null(strstr(problem.cause, "secret"));
    assert_null(strstr(problem.remedy, "secret"));
}

/* depth opening brackets around a text that itself is full of brackets. */
static json_t *nested(size_t depth, bool objects, bool bracket_text, struct problem *problem)
{
    char text[1024] = "";
    const char *inner = bracket_text ? "\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"{{{\"" : "1";
    size_t i;

    for (i = 0; i < depth; i++)
        strcat(text, objects ? "{\"a\":" : "[");
    strcat(text, inner);
    for (i = 0; i < depth; i++)
        strcat(text, objects ? "}" : "]");
    return parse(text, problem);
}

static void nesting_is_bounded_at_32(void **state)
{
    struct problem problem;
    int kind;

    (void)state;
    for (kind = 0; kind < 4; kind++) {
        json_t *value = nested(RPC_DEPTH_MAX, kind & 1, kind & 2, &problem);
        assert_non_null(value);
        json_decref(value);
        assert_null(nested(RPC_DEPTH_MAX + 1, kind & 1, kind & 2, &problem));
        assert_int_equal(problem.kind, PROBLEM_PARSE_ERROR);
    }
    assert_null(parse("]]]]]]]]", &problem));
}

static void a_megabyte_of_brackets_is_refused_without_recursion(void **state)
{
    size_t length = (size_t)1024 * 1024;
    char *text = malloc(length);

    (void)state;
    assert_non_null(text);
    memset(text, '[', length);
    assert_parse_error(text, length);
    memset(text, '"', length);
    assert_parse_error(text, length - 1);
    memset(text, '\\', length);
    text[0] = '"';
    assert_parse_error(text, length);
    free(text);
}

static int check(const char *text, struct rpc_request *request, struct problem *problem)
{
    json_t *message = parse(text, problem);

    assert_non_null(message);
    memset(request, 0, sizeof *request);
    return rpc_request_check(message, request, problem);
}

static void a_request_is_read(void **state)
{
    struct rpc_request request;
    struct problem problem;

    (void)state;
    assert_int_equal(
        check("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"m\",\"params\":{\"a\":1}}", &request, &problem), 0);
    assert_string_equal(request.method, "m");
    assert_int_equal(json_integer_value(request.id), 7);
    assert_int_equal(json_object_size(request.params), 1);
    rpc_request_clear(&request);
    assert_int_equal(check("{\"jsonrpc\":\"2.0\",\"method\":\"cancel\"}", &request, &problem), 0);
    assert_null(request.id);
    assert_null(request.params);
    rpc_request_clear(&request);
}

static void what_is_no_request_is_refused(void **state)
{
    static const char *const texts[] = {"[]",
                                        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}]",
                                        "null",
                                        "7",
                                        "\"text\"",
                                        "{}",
                                        "{\"id\":1,\"method\":\"m\"}",
                                        "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"m\"}",
                                        "{\"jsonrpc\":2.0,\"id\":1,\"method\":\"m\"}",
                                        "{\"jsonrpc\":\"2.0\\u0000\",\"id\":1,\"method\":\"m\"}",
                                        "{\"jsonrpc\":\"2.0\",\"id\":1}",
                                        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":1}",
                                        "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"m\"}",
                                        "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"m\"}",
                                        "{\"jsonrpc\":\"2.0\",\"id\":1.0,\"method\":\"m\"}",
                                        "{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"m\"}",
                                        "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"m\"}",
                                        "{\"jsonrpc\":\"2.0\",\"id\":\"a\\u0000b\",\"method\":\"m\"}"};
    struct rpc_request request;
    struct problem problem;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(check(texts[i], &request, &problem), -1);
        assert_int_equal(problem.kind, PROBLEM_INVALID_REQUEST);
        assert_null(request.message);
    }
}

static void a_method_with_nul_is_not_what_stands_before_it(void **state)
{
    struct rpc_request request;
    struct problem problem;

    (void)state;
    assert_int_equal(check("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\\u0000n\"}", &request, &problem), 0);
    assert_string_equal(request.method, "");
    assert_int_equal(json_integer_value(request.id), 1);
    rpc_request_clear(&request);
}

static int check_id(size_t length, char key[RPC_KEY_SIZE])
{
    struct rpc_request request = {0};
    struct problem problem;
    char id[RPC_ID_MAX + 2];
    int result;

    memset(id, 'a', sizeof id);
    id[length] = '\0';
    result = rpc_request_check(json_pack("{s:s, s:s, s:s}", "jsonrpc", "2.0", "method", "m", "id", id),
                               &request, &problem);
    if (result == 0) {
        rpc_id_key(key, request.id);
        assert_int_equal(strlen(key), length + 1);
        assert_string_equal(key + 1, id);
        rpc_request_clear(&request);
    }
    return result;
}

static void an_id_has_at_most_64_bytes_and_a_key_of_its_own(void **state)
{
    char key[RPC_KEY_SIZE], other[RPC_KEY_SIZE];
    json_t *number = json_integer(INT64_MIN), *text = json_string("-9223372036854775808");

    (void)state;
    assert_int_equal(check_id(0, key), 0);
    assert_int_equal(check_id(RPC_ID_MAX, key), 0);
    assert_int_equal(check_id(RPC_ID_MAX + 1, key), -1);
    rpc_id_key(key, number);
    rpc_id_key(other, text);
    assert_string_equal(key, "i-9223372036854775808");
    assert_string_equal(other, "s-9223372036854775808");
    json_decref(number);
    json_decref(text);
}

static void assert_bad(const struct problem *problem, const char *field)
{
    assert_int_equal(problem->kind, PROBLEM_INVALID_PARAMS);
    assert_string_equal(problem->field, field);
    assert_true(problem->cause[0] != '\0');
}

static void unknown_params_are_refused_by_name(void **state)
{
    static const char *const names[] = {"account", "limit"};
    struct problem problem = {0};
    char longest[200];
    json_t *params = json_pack("{s:i, s:i}", "account", 1, "limit", 2);

    (void)state;
    assert_int_equal(rpc_params_known(NULL, names, 2, &problem), 0);
    assert_int_equal(rpc_params_known(params, names, 2, &problem), 0);
    assert_int_equal(rpc_params_known(params, names, 1, &problem), -1);
    assert_bad(&problem, "limit");
    json_decref(params);
    params = json_pack("[i]", 1);
    assert_int_equal(rpc_params_known(params, names, 2, &problem), -1);
    assert_bad(&problem, "params");
    json_decref(params);
    memset(longest, 'a', sizeof longest);
    memcpy(longest + RPC_ID_MAX - 1, "\xc3\xa9", 2);
    longest[sizeof longest - 1] = '\0';
    params = json_pack("{s:i}", longest, 1);
    assert_int_equal(rpc_params_known(params, names, 2, &problem), -1);
    assert_int_equal(strlen(problem.field), RPC_ID_MAX - 1);
    json_decref(params);
    params = rpc_error(NULL, &problem);
    assert_non_null(params);
    json_decref(params);
}

static void params_are_read_or_refused_with_their_name(void **state)
{
    struct problem problem = {0};
    json_t *params =
        json_loads("{\"t\":\"text\",\"n\":5,\"b\":true,\"a\":\"x@y\",\"z\":\"a\\u0000b\",\"r\":5.0}",
                   JSON_ALLOW_NUL, NULL);
    const char *text = NULL;
    json_int_t number = 9;
    bool flag = false;

    (void)state;
    assert_int_equal(rpc_param_text(params, "t", true, &text, &problem), 0);
    assert_string_equal(text, "text");
    assert_int_equal(rpc_param_text(params, "none", false, &text, &problem), 0);
    assert_string_equal(text, "text");
    assert_int_equal(rpc_param_text(params, "none", true, &text, &problem), -1);
    assert_bad(&problem, "none");
    assert_int_equal(rpc_param_text(params, "n", false, &text, &problem), -1);
    assert_int_equal(rpc_param_text(params, "z", false, &text, &problem), -1);
    assert_bad(&problem, "z");
    assert_int_equal(rpc_param_account(params, "a", true, &text, &problem), 0);
    assert_string_equal(text, "x@y");
    assert_int_equal(rpc_param_account(params, "t", true, &text, &problem), -1);
    assert_bad(&problem, "t");
    assert_int_equal(rpc_param_integer(params, "none", 0, 1, &number, &problem), 0);
    assert_int_equal(number, 9);
    assert_int_equal(rpc_param_integer(params, "n", 5, 5, &number, &problem), 0);
    assert_int_equal(number, 5);
    assert_int_equal(rpc_param_integer(params, "n", 0, 4, &number, &problem), -1);
    assert_int_equal(rpc_param_integer(params, "n", 6, 9, &number, &problem), -1);
    assert_int_equal(rpc_param_integer(params, "r", 0, 9, &number, &problem), -1);
    assert_bad(&problem, "r");
    assert_int_equal(rpc_param_bool(params, "b", &flag, &problem), 0);
    assert_true(flag);
    assert_int_equal(rpc_param_bool(params, "n", &flag, &problem), -1);
    assert_bad(&problem, "n");
    json_decref(params);
}

static void replies_have_the_form_of_the_standard(void **state)
{
    struct problem problem;
    json_t *id = json_string("x"), *reply, *expected;

    (void)state;
    reply = rpc_result(id, json_object());
    expected = json_pack("{s:s, s:s, s:{}}", "jsonrpc", "2.0", "id", "x", "result");
    assert_true(json_equal(reply, expected));
    json_decref(reply);
    json_decref(expected);
    problem_set(&problem, PROBLEM_PARSE_ERROR, "Bad.", "Mend.");
    reply = rpc_error(NULL, &problem);
    assert_true(json_is_null(json_object_get(reply, "id")));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(reply, "error"), "code")), -32700);
    json_decref(reply);
    reply = rpc_error(id, &problem);
    assert_string_equal(json_string_value(json_object_get(reply, "id")), "x");
    assert_null(json_object_get(reply, "result"));
    json_decref(reply);
    reply = rpc_notification("attention", json_object());
    expected = json_pack("{s:s, s:s, s:{}}", "jsonrpc", "2.0", "method", "attention", "params");
    assert_true(json_equal(reply, expected));
    json_decref(reply);
    json_decref(expected);
    json_decref(id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_json_is_a_parse_error),
        cmocka_unit_test(an_error_text_never_quotes_the_input),
        cmocka_unit_test(nesting_is_bounded_at_32),
        cmocka_unit_test(a_megabyte_of_brackets_is_refused_without_recursion),
        cmocka_unit_test(a_request_is_read),
        cmocka_unit_test(what_is_no_request_is_refused),
        cmocka_unit_test(a_method_with_nul_is_not_what_stands_before_it),
        cmocka_unit_test(an_id_has_at_most_64_bytes_and_a_key_of_its_own),
        cmocka_unit_test(unknown_params_are_refused_by_name),
        cmocka_unit_test(params_are_read_or_refused_with_their_name),
        cmocka_unit_test(replies_have_the_form_of_the_standard),
    };

    return CORE_TESTS(tests);
}
