/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The answer of the authorization endpoint: RFC 6749 sections 4.1.2 and 4.1.2.1, with Entra's error_subcode.
 * Everything here comes from a page that anyone could have made the browser open.
 */
#include "net/redirect_listener.h"

#include <string.h>

/* No AADSTS number has more digits; so none overflows. */
#define AADSTS_DIGITS_MAX 8

/* The names that RFC 6749, OpenID Connect and Entra define. Only these literals leave this file, so that no
 * text from the network does. */
static const char *const known_errors[] = {
    "access_denied",
    "account_selection_required",
    "consent_required",
    "interaction_required",
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_request_object",
    "invalid_request_uri",
    "invalid_resource",
    "invalid_scope",
    "login_required",
    "registration_not_supported",
    "request_not_supported",
    "request_uri_not_supported",
    "server_error",
    "temporarily_unavailable",
    "unauthorized_client",
    "unmet_authentication_requirements",
    "unsupported_response_type",
};

enum parameter { STATE, CODE, ERROR, ERROR_DESCRIPTION, ERROR_SUBCODE, PARAMETERS };

static const char *const parameter_names[PARAMETERS] = {
    [STATE] = "state",
    [CODE] = "code",
    [ERROR] = "error",
    [ERROR_DESCRIPTION] = "error_description",
    [ERROR_SUBCODE] = "error_subcode",
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/* Decodes application/x-www-form-urlencoded text in place. False for anything not so encoded, and for NUL. */
static bool decode(char *text)
{
    char *out = text;

    for (const char *in = text; *in != '\0'; in++) {
        int high;
        int low;

        if (*in <= ' ' || *in > '~')
            return false;
        if (*in == '+') {
            *out++ = ' ';
            continue;
        }
        if (*in != '%') {
            *out++ = *in;
            continue;
        }
        high = hex_digit(in[1]);
        low = high < 0 ? -1 : hex_digit(in[2]);
        if (low < 0 || (high == 0 && low == 0))
            return false;
        *out++ = (char)(high * 16 + low);
        in += 2;
    }
    /* What is left of the longer, encoded form would stay behind. */
    memset(out, 0, strlen(out));
    return true;
}

/* VSCHAR of RFC 6749 appendix A, without blanks, which no code has. */
static bool is_visible(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text > '~')
            return false;
    }
    return true;
}

/* Cuts query, in place, into the parameters that we know. False when it is malformed or names one of them
 * twice. */
static bool take_apart(char *query, char *values[PARAMETERS])
{
    char *rest = query;
    char *pair;

    while ((pair = strsep(&rest, "&")) != NULL) {
        char *value = strchr(pair, '=');

        if (value == NULL)
            value = pair + strlen(pair);
        else
            *value++ = '\0';
        if (!decode(pair) || !decode(value))
            return false;
        for (size_t i = 0; i < PARAMETERS; i++) {
            if (strcmp(pair, parameter_names[i]) != 0)
                continue;
            if (values[i] != NULL)
                return false;
            values[i] = value;
        }
    }
    return true;
}

static const char *error_name(const char *error)
{
    for (size_t i = 0; i < sizeof known_errors / sizeof *known_errors; i++) {
        if (strcmp(error, known_errors[i]) == 0)
            return known_errors[i];
    }
    return "invalid_answer";
}

static int aadsts_number(const char *description)
{
    static const char prefix[] = "AADSTS";
    const char *digits = description == NULL ? NULL : strstr(description, prefix);
    int number = 0;
    int count = 0;

    if (digits == NULL)
        return 0;
    digits += sizeof prefix - 1;
    for (; digits[count] >= '0' && digits[count] <= '9'; count++) {
        if (count == AADSTS_DIGITS_MAX)
            return 0;
        number = number * 10 + (digits[count] - '0');
    }
    return number;
}

static bool state_matches(const char *value, const struct secret *state)
{
    /* Only looked at, so the bytes need not be in the arena. */
    const struct secret given = {.bytes = (unsigned char *)(uintptr_t)value, .length = strlen(value)};

    return state->length != 0 && secret_equal(&given, state);
}

static bool fill_answer(char *const values[PARAMETERS], struct redirect_answer *answer)
{
    const char *code = values[CODE];
    const char *error = values[ERROR];

    if ((code == NULL) == (error == NULL))
        return false;
    if (code != NULL)
        return *code != '\0' && is_visible(code) && secret_set(&answer->code, code, strlen(code)) == 0;
    answer->error = error_name(error);
    answer->aadsts = aadsts_number(values[ERROR_DESCRIPTION]);
    answer->access_denied_by_user =
        strcmp(error, "access_denied") == 0 ||
        (values[ERROR_SUBCODE] != NULL && strcmp(values[ERROR_SUBCODE], "cancel") == 0);
    return true;
}

bool redirect_query_parse(const char *query, const struct secret *state, struct redirect_answer *answer)
{
    char *values[PARAMETERS] = {0};
    struct secret copy = {0};
    size_t length = strcspn(query, "#"); /* a pasted address may have a fragment */
    bool right = false;

    *answer = (struct redirect_answer){0};
    if (length > REDIRECT_REQUEST_MAX || secret_set(&copy, query, length) != 0)
        return false;
    if (!take_apart((char *)copy.bytes, values) || values[STATE] == NULL)
        goto out;
    if (!state_matches(values[STATE], state))
        goto out;
    right = fill_answer(values, answer);
out:
    secret_wipe(&copy);
    return right;
}
