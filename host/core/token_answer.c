/* SPDX-License-Identifier: MPL-2.0 */
#include "core/token_answer.h"

#include "core/diagnosis.h"
#include "core/json_read.h"
#include "core/jwt.h"
#include "core/wiping_alloc.h"
#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Where refresh tokens rotate, an answer that could not be read for lack of memory would be a sign-in lost.
 */
#define READ_TRIES 3

static void read_id_token(struct id_claims *claims, const char *token)
{
    json_t *object = jwt_claims(token);

    if (object != NULL) {
        claims->present = true;
        jwt_text(claims->audience, sizeof claims->audience, object, "aud");
        jwt_text(claims->nonce, sizeof claims->nonce, object, "nonce");
        jwt_text(claims->oid, sizeof claims->oid, object, "oid");
        jwt_text(claims->tid, sizeof claims->tid, object, "tid");
        jwt_text(claims->preferred_username, sizeof claims->preferred_username, object, "preferred_username");
        jwt_text(claims->upn, sizeof claims->upn, object, "upn");
    }
    json_decref(object);
}

static void read_client_info(struct token_answer *answer, const char *text)
{
    size_t length = text == NULL ? 0 : strcspn(text, "=");
    json_t *object = jwt_part(text, length);

    jwt_text(answer->client_info_uid, sizeof answer->client_info_uid, object, "uid");
    jwt_text(answer->client_info_utid, sizeof answer->client_info_utid, object, "utid");
    json_decref(object);
}

/* Old answers carry numbers as text (FACTS 1.3). -1 when it is neither. */
static int64_t number_of(const json_t *member)
{
    const char *text = json_string_value(member);
    char *end;
    long long number;

    if (json_is_integer(member))
        return json_integer_value(member);
    if (text == NULL || text[0] < '0' || text[0] > '9')
        return -1;
    number = strtoll(text, &end, 10);
    return *end == '\0' ? number : -1;
}

/* A token goes into an HTTP header or an XOAUTH2 string: visible ASCII only. -1 when it is no such text. */
static int take_token(struct secret *secret, const json_t *member)
{
    const char *text = json_string_value(member);
    size_t i;

    if (text == NULL)
        return -1;
    for (i = 0; text[i] != '\0'; i++)
        if (text[i] <= 0x20 || text[i] >= 0x7f)
            return -1;
    return i == json_string_length(member) && i > 0 ? secret_set(secret, text, i) : -1;
}

static void take_scopes(struct token_answer *answer, const json_t *object)
{
    const char *rest = json_string_value(json_object_get(object, "scope"));
    char scope[SCOPE_SIZE];

    while (rest != NULL && scope_list_next(&rest, scope))
        if (scope_valid(scope) && scope_list_add(answer->scopes, scope) != 0) {
            answer->scopes[0] = '\0'; /* as if it had not said: a part would deny what was granted */
            return;
        }
}

static int read_success(struct token_answer *answer, const json_t *object)
{
    const char *type = json_string_value(json_object_get(object, "token_type"));
    const json_t *refresh_token = json_object_get(object, "refresh_token");

    answer->expires_in = number_of(json_object_get(object, "expires_in"));
    if (type == NULL || strcasecmp(type, "Bearer") != 0 || answer->expires_in < 1)
        return -1;
    if (answer->expires_in > TOKEN_EXPIRES_IN_MAX)
        answer->expires_in = TOKEN_EXPIRES_IN_MAX;
    answer->refresh_in = number_of(json_object_get(object, "refresh_in"));
    if (answer->refresh_in < 0 || answer->refresh_in > answer->expires_in)
        answer->refresh_in = 0;
    if (take_token(&answer->access_token, json_object_get(object, "access_token")) != 0)
        return -1;
    if (refresh_token != NULL && json_string_length(refresh_token) != 0 &&
        take_token(&answer->refresh_token, refresh_token) != 0)
        return -1;
    take_scopes(answer, object);
    read_id_token(&answer->id, json_string_value(json_object_get(object, "id_token")));
    read_client_info(answer, json_string_value(json_object_get(object, "client_info")));
    return 0;
}

/* FACTS 1.3: a text that is a JSON object. Written anew, in ASCII without blanks, so that nothing but JSON is
 * passed on; what is no such text, empty or too long is absent. */
static void take_claims(char claims[CLAIMS_SIZE], const json_t *member)
{
    json_t *object = NULL;
    char *text = NULL;

    if (json_is_string(member))
        object = json_read(json_string_value(member), json_string_length(member), JSON_REJECT_DUPLICATES,
                           NULL, NULL);
    if (json_is_object(object) && json_object_size(object) > 0)
        text = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
    if (text != NULL && strlen(text) < CLAIMS_SIZE)
        memcpy(claims, text, strlen(text) + 1);
    wiping_free(text);
    json_decref(object);
}

static void read_failure(struct token_answer *answer, const json_t *object, const struct token_http *http)
{
    struct oauth_error error = {.status = http->status, .retry_after = http->retry_after};
    const json_t *codes = json_object_get(object, "error_codes");

    error.error = json_string_value(json_object_get(object, "error"));
    error.suberror = json_string_value(json_object_get(object, "suberror"));
    if (json_is_integer(json_array_get(codes, 0)) && json_integer_value(json_array_get(codes, 0)) > 0 &&
        json_integer_value(json_array_get(codes, 0)) < 100000000)
        error.aadsts = (int)json_integer_value(json_array_get(codes, 0));
    jwt_text(error.correlation_id, sizeof error.correlation_id, object, "correlation_id");
    jwt_text(error.trace_id, sizeof error.trace_id, object, "trace_id");
    take_claims(answer->claims, json_object_get(object, "claims"));
    error.has_claims = answer->claims[0] != '\0';
    answer->device_poll = diagnose_device_poll(error.error);
    answer->failure = diagnose_token_error(&error, &answer->problem);
}

static void read_body(struct token_answer *answer, const struct token_http *http)
{
    json_t *object = NULL;

    if (!http->too_long && !http->redirected)
        object = json_read(secret_expose(http->body), http->body->length, JSON_REJECT_DUPLICATES, NULL, NULL);
    if (http->status == 200 && json_is_object(object) && read_success(answer, object) == 0)
        goto out;
    secret_wipe(&answer->access_token);
    secret_wipe(&answer->refresh_token);
    if (http->status != 200 && json_is_object(object) && json_is_string(json_object_get(object, "error"))) {
        read_failure(answer, object, http);
    } else {
        diagnose_strange_answer(http->status, http->retry_after, &answer->problem);
        answer->failure = TOKEN_FAILURE_TRANSIENT;
    }
out:
    json_decref(object);
}

void token_answer_read(struct token_answer *answer, const struct token_http *http)
{
    int tries = READ_TRIES;
    unsigned long refused;

    if (http->failed_stage != NULL) {
        diagnose_transport(http->failed_stage, &answer->problem);
        answer->failure = TOKEN_FAILURE_TRANSIENT;
        return;
    }
    do {
        token_answer_clear(answer);
        refused = wiping_refused();
        read_body(answer, http);
    } while (wiping_refused() != refused && --tries > 0);
    if (tries > 0)
        return;
    token_answer_clear(answer);
    diagnose_kind(PROBLEM_INTERNAL, &answer->problem);
    answer->failure = TOKEN_FAILURE_TRANSIENT;
}

void token_answer_clear(struct token_answer *answer)
{
    secret_wipe(&answer->access_token);
    secret_wipe(&answer->refresh_token);
    memset(answer, 0, sizeof *answer);
}
