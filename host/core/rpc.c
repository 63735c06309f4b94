/* SPDX-License-Identifier: MPL-2.0 */
/* JSON-RPC 2.0 specification, sections 4 and 5; bounds of our own protocol, sections 1 and 2. */
#include "core/rpc.h"

#include "core/account_name.h"
#include "core/json_read.h"
#include <stdio.h>
#include <string.h>

#define CLIENT_BUG "This is a fault of the program that talks to Thunderseal: update the add-on."

/* Jansson's own bound is 2,048 and fixed when it is compiled, so the depth is counted before it parses. */
static bool too_deep(const char *text, size_t length)
{
    size_t depth = 0, i;
    bool in_string = false;

    for (i = 0; i < length; i++) {
        if (in_string) {
            if (text[i] == '\\')
                i++;
            else if (text[i] == '"')
                in_string = false;
        } else if (text[i] == '"') {
            in_string = true;
        } else if (text[i] == '{' || text[i] == '[') {
            if (++depth > RPC_DEPTH_MAX)
                return true;
        } else if ((text[i] == '}' || text[i] == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

json_t *rpc_parse(const char *text, size_t length, struct problem *problem)
{
    json_error_t error;
    bool no_memory;
    json_t *value;

    if (too_deep(text, length)) {
        problem_set(problem, PROBLEM_PARSE_ERROR, "The message nests deeper than 32 levels.", CLIENT_BUG);
        return NULL;
    }
    value = json_read(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error,
                      &no_memory);
    if (no_memory)
        problem_set_no_memory(problem);
    /* Jansson's error text quotes the input, so it is not passed on. */
    else if (value == NULL)
        problem_setf(problem, PROBLEM_PARSE_ERROR, CLIENT_BUG, "The message is not JSON: byte %d.",
                     error.position);
    return value;
}

/* A text without NUL inside: one with it would pass for what stands before the NUL. */
static bool plain_text(const json_t *value)
{
    return json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value);
}

static bool id_valid(const json_t *id)
{
    return json_is_integer(id) || (plain_text(id) && json_string_length(id) <= RPC_ID_MAX);
}

int rpc_request_check(json_t *message, struct rpc_request *request, struct problem *problem)
{
    json_t *version = json_object_get(message, "jsonrpc");
    json_t *method = json_object_get(message, "method");
    json_t *id = json_object_get(message, "id");

    if (!json_is_object(message) || !plain_text(version) || strcmp(json_string_value(version), "2.0") != 0 ||
        !json_is_string(method)) {
        problem_set(problem, PROBLEM_INVALID_REQUEST, "The message is not a JSON-RPC 2.0 request.",
                    CLIENT_BUG);
        json_decref(message);
        return -1;
    }
    if (id != NULL && !id_valid(id)) {
        problem_set(problem, PROBLEM_INVALID_REQUEST,
                    "The request's id is neither an integer nor a text of at most 64 bytes without NUL.",
                    CLIENT_BUG);
        json_decref(message);
        return -1;
    }
    request->message = message;
    request->id = id;
    request->method = plain_text(method) ? json_string_value(method) : ""; /* no method has such a name */
    request->params = json_object_get(message, "params");
    return 0;
}

void rpc_request_clear(struct rpc_request *request)
{
    json_decref(request->message);
    memset(request, 0, sizeof *request);
}

void rpc_id_key(char key[RPC_KEY_SIZE], const json_t *id)
{
    if (json_is_integer(id))
        snprintf(key, RPC_KEY_SIZE, "i%" JSON_INTEGER_FORMAT, json_integer_value(id));
    else
        snprintf(key, RPC_KEY_SIZE, "s%s", json_string_value(id));
}

json_t *rpc_result(json_t *id, json_t *result)
{
    json_t *message = json_pack("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id", id, "result", result);
    struct problem problem;

    if (message != NULL)
        return message;
    problem_set_no_memory(&problem);
    return rpc_error(id, &problem);
}

static json_t *error_message(json_t *id, const struct problem *problem)
{
    json_t *error = problem_to_rpc_error(problem);

    if (id == NULL)
        return json_pack("{s:s, s:n, s:o}", "jsonrpc", "2.0", "id", "error", error);
    return json_pack("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id", id, "error", error);
}

/* Who asked is told in any case that can be: the words may be what there is no memory for. */
json_t *rpc_error(json_t *id, const struct problem *problem)
{
    json_t *message = error_message(id, problem);
    struct problem no_memory;

    if (message != NULL)
        return message;
    problem_set_no_memory(&no_memory);
    return error_message(id, &no_memory);
}

json_t *rpc_notification(const char *method, json_t *params)
{
    return json_pack("{s:s, s:s, s:o}", "jsonrpc", "2.0", "method", method, "params", params);
}

int rpc_param_bad(struct problem *problem, const char *name, const char *expected)
{
    char shown[RPC_ID_MAX + 1];

    problem_copy_text(shown, sizeof shown, name);
    problem_setf(problem, PROBLEM_INVALID_PARAMS, CLIENT_BUG, "The field \"%s\" must be %-s.", shown,
                 expected);
    problem_copy_text(problem->field, sizeof problem->field, shown);
    return -1;
}

int rpc_params_known(const json_t *params, const char *const *names, size_t count, struct problem *problem)
{
    const char *key;
    json_t *value;

    if (params == NULL)
        return 0;
    if (!json_is_object(params))
        return rpc_param_bad(problem, "params", "an object: parameters go by name");
    json_object_foreach((json_t *)params, key, value)
    {
        size_t i;
        for (i = 0; i < count && strcmp(key, names[i]) != 0; i++)
            ;
        if (i == count)
            return rpc_param_bad(problem, key, "absent: this method does not know it");
    }
    return 0;
}

const char *rpc_text(const json_t *value)
{
    return plain_text(value) ? json_string_value(value) : NULL;
}

int rpc_param_text(const json_t *params, const char *name, bool required, const char **value,
                   struct problem *problem)
{
    const json_t *field = json_object_get(params, name);

    if (field == NULL)
        return required ? rpc_param_bad(problem, name, "given") : 0;
    if (!plain_text(field))
        return rpc_param_bad(problem, name, "a text");
    *value = json_string_value(field);
    return 0;
}

int rpc_param_account(const json_t *params, const char *name, bool required, const char **value,
                      struct problem *problem)
{
    const char *text = NULL;

    if (rpc_param_text(params, name, required, &text, problem) != 0)
        return -1;
    if (text != NULL && !account_name_valid(text))
        return rpc_param_bad(problem, name, "a user name with one \"@\", at most 254 bytes long");
    if (text != NULL)
        *value = text;
    return 0;
}

int rpc_param_integer(const json_t *params, const char *name, json_int_t low, json_int_t high,
                      json_int_t *value, struct problem *problem)
{
    const json_t *field = json_object_get(params, name);

    if (field == NULL)
        return 0;
    if (!json_is_integer(field) || json_integer_value(field) < low || json_integer_value(field) > high) {
        problem_setf(problem, PROBLEM_INVALID_PARAMS, CLIENT_BUG,
                     "The field \"%s\" must be a whole number from %lld to %lld.", name, (long long)low,
                     (long long)high);
        problem_copy_text(problem->field, sizeof problem->field, name);
        return -1;
    }
    *value = json_integer_value(field);
    return 0;
}

int rpc_param_bool(const json_t *params, const char *name, bool *value, struct problem *problem)
{
    const json_t *field = json_object_get(params, name);

    if (field == NULL)
        return 0;
    if (!json_is_boolean(field))
        return rpc_param_bad(problem, name, "true or false");
    *value = json_is_true(field);
    return 0;
}
