/* SPDX-License-Identifier: MPL-2.0 */
#include "core/device_answer.h"

#include "core/diagnosis.h"
#include "core/identity.h"
#include "core/json_read.h"
#include <jansson.h>
#include <string.h>
#include <strings.h>

/* A text of visible ASCII that fits, and of these characters alone when they are given. */
static int take_text(char *to, size_t size, const json_t *object, const char *name, const char *allowed)
{
    const json_t *member = json_object_get(object, name);
    const char *text = json_string_value(member);
    size_t length = json_string_length(member), i;

    if (text == NULL || length == 0 || length >= size)
        return -1;
    for (i = 0; i < length; i++)
        if (text[i] <= 0x20 || text[i] >= 0x7f || (allowed != NULL && strchr(allowed, text[i]) == NULL))
            return -1;
    memcpy(to, text, length + 1);
    return 0;
}

static int64_t bounded(const json_t *member, int64_t otherwise, int64_t most)
{
    int64_t seconds = json_is_integer(member) ? json_integer_value(member) : otherwise;

    return seconds < 1 ? 1 : seconds > most ? most : seconds;
}

static int read_success(struct device_answer *answer, const json_t *object)
{
    static const char code_characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
    const json_t *code = json_object_get(object, "device_code");

    if (json_string_length(code) == 0 || strlen(json_string_value(code)) != json_string_length(code) ||
        take_text(answer->user_code, sizeof answer->user_code, object, "user_code", code_characters) != 0 ||
        take_text(answer->verification_uri, sizeof answer->verification_uri, object, "verification_uri",
                  NULL) != 0 ||
        strncasecmp(answer->verification_uri, "https://", 8) != 0)
        return -1;
    answer->expires_in = bounded(json_object_get(object, "expires_in"), 900, TOKEN_EXPIRES_IN_MAX);
    answer->interval = bounded(json_object_get(object, "interval"), DEVICE_INTERVAL_DEFAULT_S, 3600);
    return secret_set(&answer->device_code, json_string_value(code), json_string_length(code));
}

int device_answer_read(struct device_answer *answer, const struct token_http *http, struct problem *problem)
{
    struct token_answer failure = {0};
    json_t *object = NULL;
    int result = -1;

    if (http->failed_stage == NULL && !http->too_long && !http->redirected && http->status == 200)
        object = json_read(secret_expose(http->body), http->body->length, JSON_REJECT_DUPLICATES, NULL, NULL);
    if (json_is_object(object))
        result = read_success(answer, object);
    json_decref(object);
    if (result == 0)
        return 0;
    device_answer_clear(answer);
    token_answer_read(&failure, http);
    if (failure.failure == TOKEN_FAILURE_NONE) /* tokens, where a code was asked for */
        diagnose_strange_answer(http->status, 0, &failure.problem);
    *problem = failure.problem;
    token_answer_clear(&failure);
    return -1;
}

void device_answer_clear(struct device_answer *answer)
{
    secret_wipe(&answer->device_code);
    memset(answer, 0, sizeof *answer);
}
