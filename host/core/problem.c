/* SPDX-License-Identifier: MPL-2.0 */
#include "core/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct kind_row {
    const char *name;
    int code;
    int exit_status;
    bool retryable;
};

/* JSON-RPC codes and exit statuses are contract: protocol section 2. Exit statuses are those of sysexits.h.
 */
static const struct kind_row kinds[PROBLEM_KINDS] = {
    [PROBLEM_NONE] = {"", 0, 0, false},
    [PROBLEM_PARSE_ERROR] = {"parse-error", -32700, 70, false},
    [PROBLEM_INVALID_REQUEST] = {"invalid-request", -32600, 70, false},
    [PROBLEM_MESSAGE_TOO_LARGE] = {"message-too-large", -32600, 70, false},
    [PROBLEM_RESULT_TOO_LARGE] = {"result-too-large", -32600, 70, false},
    [PROBLEM_METHOD_NOT_FOUND] = {"method-not-found", -32601, 70, false},
    [PROBLEM_INVALID_PARAMS] = {"invalid-params", -32602, 64, false},
    [PROBLEM_INTERNAL] = {"internal", -32603, 70, false},
    [PROBLEM_HELLO_REQUIRED] = {"hello-required", -32000, 70, false},
    [PROBLEM_PROTOCOL_UNSUPPORTED] = {"protocol-unsupported", -32000, 70, false},
    [PROBLEM_SIGN_IN_REQUIRED] = {"sign-in-required", 1001, 77, false},
    [PROBLEM_INTERACTION_REQUIRED] = {"interaction-required", 1002, 77, false},
    [PROBLEM_CONSENT_REQUIRED] = {"consent-required", 1003, 77, false},
    [PROBLEM_NETWORK] = {"network", 1004, 69, true},
    [PROBLEM_THROTTLED] = {"throttled", 1005, 75, true},
    [PROBLEM_POLICY_DENIED] = {"policy-denied", 1006, 77, false},
    [PROBLEM_WRONG_ACCOUNT] = {"wrong-account", 1007, 77, false},
    [PROBLEM_VAULT_LOCKED] = {"vault-locked", 1008, 75, true},
    [PROBLEM_VAULT_DAMAGED] = {"vault-damaged", 1009, 65, false},
    [PROBLEM_CANCELLED] = {"cancelled", 1010, 130, false},
    [PROBLEM_MISCONFIGURED] = {"misconfigured", 1011, 78, false},
    [PROBLEM_BLOCKED] = {"blocked", 1012, 77, false},
    [PROBLEM_IDENTITY_PROVIDER] = {"identity-provider", 1013, 69, true},
    [PROBLEM_STORAGE] = {"storage", 1014, 74, true},
    [PROBLEM_UNKNOWN_ACCOUNT] = {"unknown-account", 1015, 64, false},
};

const char *problem_kind_name(enum problem_kind kind)
{
    return kinds[kind].name;
}

enum problem_kind problem_kind_by_name(const char *name)
{
    int i;

    for (i = PROBLEM_NONE + 1; i < PROBLEM_KINDS; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return (enum problem_kind)i;
    return PROBLEM_NONE;
}

int problem_code(enum problem_kind kind)
{
    return kinds[kind].code;
}

int problem_exit_status(enum problem_kind kind)
{
    return kinds[kind].exit_status;
}

bool problem_retryable(const struct problem *problem)
{
    return kinds[problem->kind].retryable;
}

void problem_copy_text(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from == NULL ? "" : from);
    text_repair(to);
}

void problem_set(struct problem *problem, enum problem_kind kind, const char *cause, const char *remedy)
{
    memset(problem, 0, sizeof *problem);
    problem->kind = kind;
    problem_cause(problem, "%-s", cause == NULL ? "" : cause);
    problem_remedy(problem, "%-s", remedy == NULL ? "" : remedy);
}

void problem_set_no_memory(struct problem *problem)
{
    problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.",
                "Close other programs and try again.");
}

static void set_text(char text[PROBLEM_TEXT_MAX], struct text_parts *parts, const char *format,
                     va_list arguments)
{
    text_format(text, PROBLEM_TEXT_MAX, parts, format, arguments);
    text_repair(text);
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

#define SET_TEXT(text, parts, format)                                                                        \
    do {                                                                                                     \
        va_list arguments;                                                                                   \
        va_start(arguments, format);                                                                         \
        set_text(text, parts, format, arguments);                                                            \
        va_end(arguments);                                                                                   \
    } while (0)

void problem_setf(struct problem *problem, enum problem_kind kind, const char *remedy,
                  const char *cause_format, ...)
{
    problem_set(problem, kind, NULL, remedy);
    SET_TEXT(problem->cause, &problem->cause_parts, cause_format);
}

void problem_cause(struct problem *problem, const char *format, ...)
{
    SET_TEXT(problem->cause, &problem->cause_parts, format);
}

void problem_remedy(struct problem *problem, const char *format, ...)
{
    SET_TEXT(problem->remedy, &problem->remedy_parts, format);
}

void problem_admin_remedy(struct problem *problem, const char *format, ...)
{
    SET_TEXT(problem->admin_remedy, &problem->admin_remedy_parts, format);
}

static int add_text(json_t *object, const char *key, const char *text)
{
    return text[0] == '\0' ? 0 : json_object_set_new(object, key, json_string(text));
}

static int add_number(json_t *object, const char *key, long long number)
{
    return number == 0 ? 0 : json_object_set_new(object, key, json_integer(number));
}

static int add_scopes(json_t *object, const char *scopes)
{
    json_t *list;

    if (scopes[0] == '\0')
        return 0;
    list = json_array();
    while (list != NULL && *scopes != '\0') {
        size_t length = strcspn(scopes, " ");
        if (length != 0 && json_array_append_new(list, json_stringn(scopes, length)) != 0) {
            json_decref(list);
            return -1;
        }
        scopes += length;
        scopes += strspn(scopes, " ");
    }
    return json_object_set_new(object, "missingScopes", list);
}

static int add_parts(json_t *object, const struct problem *problem)
{
    json_t *texts = json_object();

    if (texts == NULL || text_add(texts, "cause", problem->cause, &problem->cause_parts) != 0 ||
        text_add(texts, "remedy", problem->remedy, &problem->remedy_parts) != 0 ||
        text_add(texts, "adminRemedy", problem->admin_remedy, &problem->admin_remedy_parts) != 0) {
        json_decref(texts);
        return -1;
    }
    return json_object_set_new(object, "texts", texts);
}

/* What Problem and error.data have in common. */
static json_t *common_fields(const struct problem *problem)
{
    json_t *object =
        json_pack("{s:s, s:b}", "kind", kinds[problem->kind].name, "retryable", problem_retryable(problem));

    if (object == NULL)
        return NULL;
    if (add_text(object, "cause", problem->cause) != 0 || add_text(object, "remedy", problem->remedy) != 0 ||
        add_text(object, "adminRemedy", problem->admin_remedy) != 0 || add_parts(object, problem) != 0 ||
        add_text(object, "resource", problem->resource) != 0 ||
        add_text(object, "signedInAs", problem->signed_in_as) != 0 ||
        add_scopes(object, problem->missing_scopes) != 0 ||
        add_number(object, "aadsts", problem->aadsts) != 0 ||
        add_text(object, "correlationId", problem->correlation_id) != 0 ||
        add_text(object, "traceId", problem->trace_id) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

json_t *problem_to_rpc_error(const struct problem *problem)
{
    json_t *data = common_fields(problem);

    if (data == NULL)
        return NULL;
    if (add_text(data, "field", problem->field) != 0 ||
        add_text(data, "stage", problem->stage == NULL ? "" : problem->stage) != 0 ||
        add_number(data, "retryAfter", problem->retry_after) != 0)
        goto fail;
    if (problem->kind == PROBLEM_PROTOCOL_UNSUPPORTED &&
        json_object_set_new(data, "supported", json_pack("[i]", 1)) != 0)
        goto fail;
    return json_pack("{s:i, s:s, s:o}", "code", kinds[problem->kind].code, "message", problem->cause, "data",
                     data);
fail:
    json_decref(data);
    return NULL;
}

json_t *problem_to_json(const struct problem *problem)
{
    json_t *object;

    if (problem->kind == PROBLEM_NONE)
        return NULL;
    object = common_fields(problem);
    if (object != NULL && json_object_set_new(object, "since", json_integer(problem->since)) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}
