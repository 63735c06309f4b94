/* SPDX-License-Identifier: MPL-2.0 */
#include "core/diagnosis.h"

#include "core/entra_error.h"
#include <string.h>

struct error_row {
    const char *name;
    enum token_failure failure;
    enum problem_kind kind;
    enum device_poll device_poll;
    int words; /* the number whose words tell the error when Entra sent none; 0: the kind's */
};

/* MJS error/InteractionRequiredAuthError.ts and FACTS 1.3; only the first two end a refresh token. The others
 * there (client_mismatch and so on) decide nothing: the error does. */
static const struct error_row suberrors[] = {
    {"bad_token", TOKEN_FAILURE_DEAD, PROBLEM_SIGN_IN_REQUIRED, DEVICE_POLL_NONE, 0},
    {"token_expired", TOKEN_FAILURE_DEAD, PROBLEM_SIGN_IN_REQUIRED, DEVICE_POLL_NONE, 0},
    {"consent_required", TOKEN_FAILURE_SUSPENDED, PROBLEM_CONSENT_REQUIRED, DEVICE_POLL_NONE, 0},
    {"basic_action", TOKEN_FAILURE_SUSPENDED, PROBLEM_INTERACTION_REQUIRED, DEVICE_POLL_NONE, 0},
    {"additional_action", TOKEN_FAILURE_SUSPENDED, PROBLEM_INTERACTION_REQUIRED, DEVICE_POLL_NONE, 0},
    {"message_only", TOKEN_FAILURE_SUSPENDED, PROBLEM_INTERACTION_REQUIRED, DEVICE_POLL_NONE, 0},
};

/* RFC 6749 sections 4.1.2.1 and 5.2, RFC 8628 section 3.5, OpenID Connect Core section 3.1.2.6, FACTS 1.2
 * and 1.3. */
static const struct error_row errors[] = {
    {"temporarily_unavailable", TOKEN_FAILURE_TRANSIENT, PROBLEM_IDENTITY_PROVIDER, DEVICE_POLL_NONE, 0},
    {"server_error", TOKEN_FAILURE_TRANSIENT, PROBLEM_IDENTITY_PROVIDER, DEVICE_POLL_NONE, 0},
    {"invalid_grant", TOKEN_FAILURE_SUSPENDED, PROBLEM_SIGN_IN_REQUIRED, DEVICE_POLL_NONE, 0},
    {"login_required", TOKEN_FAILURE_SUSPENDED, PROBLEM_SIGN_IN_REQUIRED, DEVICE_POLL_NONE, 0},
    {"interaction_required", TOKEN_FAILURE_SUSPENDED, PROBLEM_INTERACTION_REQUIRED, DEVICE_POLL_NONE, 0},
    {"consent_required", TOKEN_FAILURE_SUSPENDED, PROBLEM_CONSENT_REQUIRED, DEVICE_POLL_NONE, 0},
    {"invalid_client", TOKEN_FAILURE_SUSPENDED, PROBLEM_MISCONFIGURED, DEVICE_POLL_NONE, 0},
    {"unauthorized_client", TOKEN_FAILURE_SUSPENDED, PROBLEM_MISCONFIGURED, DEVICE_POLL_NONE, 0},
    {"invalid_resource", TOKEN_FAILURE_SUSPENDED, PROBLEM_MISCONFIGURED, DEVICE_POLL_NONE, 0},
    {"invalid_scope", TOKEN_FAILURE_SUSPENDED, PROBLEM_MISCONFIGURED, DEVICE_POLL_NONE, 0},
    {"unsupported_grant_type", TOKEN_FAILURE_SUSPENDED, PROBLEM_MISCONFIGURED, DEVICE_POLL_NONE, 0},
    {"unsupported_response_type", TOKEN_FAILURE_SUSPENDED, PROBLEM_MISCONFIGURED, DEVICE_POLL_NONE, 0},
    {"invalid_request", TOKEN_FAILURE_SUSPENDED, PROBLEM_MISCONFIGURED, DEVICE_POLL_NONE, 0},
    {"authorization_pending", TOKEN_FAILURE_TRANSIENT, PROBLEM_IDENTITY_PROVIDER, DEVICE_POLL_PENDING, 70016},
    {"slow_down", TOKEN_FAILURE_TRANSIENT, PROBLEM_THROTTLED, DEVICE_POLL_SLOW_DOWN, 0},
    {"authorization_declined", TOKEN_FAILURE_SUSPENDED, PROBLEM_CANCELLED, DEVICE_POLL_DECLINED, 0},
    {"access_denied", TOKEN_FAILURE_SUSPENDED, PROBLEM_CANCELLED, DEVICE_POLL_DECLINED, 0},
    {"expired_token", TOKEN_FAILURE_SUSPENDED, PROBLEM_SIGN_IN_REQUIRED, DEVICE_POLL_EXPIRED, 70019},
    {"code_expired", TOKEN_FAILURE_SUSPENDED, PROBLEM_SIGN_IN_REQUIRED, DEVICE_POLL_EXPIRED, 70019},
    {"bad_verification_code", TOKEN_FAILURE_SUSPENDED, PROBLEM_SIGN_IN_REQUIRED, DEVICE_POLL_EXPIRED, 70019},
};

/* DESIGN 3.6: claims that the browser can satisfy mean that it has to. */
static const struct error_row with_claims = {"", TOKEN_FAILURE_SUSPENDED, PROBLEM_INTERACTION_REQUIRED,
                                             DEVICE_POLL_NONE, 0};

/* FACTS 1.3: what nobody knows is like a mistake in the request: no looping, somebody has to look. */
static const struct error_row unknown = {"", TOKEN_FAILURE_SUSPENDED, PROBLEM_MISCONFIGURED, DEVICE_POLL_NONE,
                                         0};

static const struct error_row *find_suberror(const char *name)
{
    size_t i;

    for (i = 0; name != NULL && i < sizeof suberrors / sizeof suberrors[0]; i++)
        if (strcmp(suberrors[i].name, name) == 0)
            return &suberrors[i];
    return NULL;
}

static const struct error_row *find_error(const char *name)
{
    size_t i;

    for (i = 0; name != NULL && i < sizeof errors / sizeof errors[0]; i++)
        if (strcmp(errors[i].name, name) == 0)
            return &errors[i];
    return &unknown;
}

enum device_poll diagnose_device_poll(const char *error)
{
    return find_error(error)->device_poll;
}

/* Correlation ids are GUIDs; anything else is not shown. */
static void take_guid(char to[PROBLEM_CORRELATION_MAX], const char *from)
{
    if (strlen(from) == 36 && strspn(from, "0123456789abcdefABCDEF-") == 36)
        problem_copy_text(to, PROBLEM_CORRELATION_MAX, from);
}

static int bounded_retry_after(int seconds)
{
    if (seconds <= 0)
        return RETRY_AFTER_DEFAULT;
    return seconds > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : seconds;
}

static bool status_is_transient(long status)
{
    return status == 408 || status == 429 || status >= 500;
}

/* The kinds among which a number may choose (DESIGN 3.6). */
static bool number_may_choose(enum problem_kind kind)
{
    return kind == PROBLEM_SIGN_IN_REQUIRED || kind == PROBLEM_INTERACTION_REQUIRED ||
           kind == PROBLEM_CONSENT_REQUIRED || kind == PROBLEM_BLOCKED || kind == PROBLEM_MISCONFIGURED;
}

static bool is_transient(const struct entra_error *number)
{
    return number != NULL && number->class == ENTRA_TRANSIENT;
}

/* A refusal stays one, unless the number says that the user had no choice. */
static enum problem_kind refine(enum problem_kind kind, const struct entra_error *number)
{
    if (number == NULL || !number_may_choose(number->kind))
        return kind;
    if (kind == PROBLEM_CANCELLED)
        return number->class == ENTRA_ADMINISTRATOR || number->class == ENTRA_REGISTRATION ||
                       number->class == ENTRA_BLOCKED
                   ? number->kind
                   : kind;
    return number_may_choose(kind) ? number->kind : kind;
}

/*
 * The words for a kind and a number, whatever else stood in the answer, so that diagnose_restore finds the
 * same. Where suberror or claims chose another kind than the number's, the number still tells the cause,
 * but the next step is the kind's: with a hint that it may not help when the number is one of blocking.
 */
static void tell(enum problem_kind kind, int words, struct problem *problem)
{
    const struct entra_error *number = entra_error_find(words);

    diagnose_kind(kind, problem);
    if (number == NULL ||
        (number->kind != kind && !(number_may_choose(kind) && number_may_choose(number->kind))))
        return;
    problem_cause(problem, "%-s", number->cause);
    if (number->kind == kind)
        problem_remedy(problem, "%-s", number->remedy);
    else if (number->kind == PROBLEM_BLOCKED)
        problem_remedy(problem,
                       "Sign in again from Thunderseal's button in Thunderbird; if Microsoft's page does "
                       "not let you in, ask your administrator.");
    if (number->kind == kind || number->admin_remedy != NULL)
        problem_admin_remedy(problem, "%-s", number->admin_remedy);
}

static void tell_transient(enum problem_kind kind, int words, int retry_after, struct problem *problem)
{
    tell(kind, words, problem);
    if (kind == PROBLEM_THROTTLED || retry_after > 0)
        problem->retry_after = bounded_retry_after(retry_after);
}

/* DESIGN 3.5: suberror decides first; a bare error comes last. */
static const struct error_row *deciding_row(const struct oauth_error *error)
{
    const struct error_row *row = find_suberror(error->suberror);

    if (row != NULL)
        return row;
    row = find_error(error->error);
    if (error->has_claims &&
        (strcmp(row->name, "interaction_required") == 0 || strcmp(row->name, "invalid_grant") == 0))
        return &with_claims;
    return row;
}

static enum problem_kind transient_kind(long status, const struct error_row *row,
                                        const struct entra_error *number)
{
    if (status == 429 || status == 503 || (row != NULL && row->kind == PROBLEM_THROTTLED) ||
        (number != NULL && number->kind == PROBLEM_THROTTLED))
        return PROBLEM_THROTTLED;
    return PROBLEM_IDENTITY_PROVIDER;
}

/*
 * Passing trouble comes before everything else (DESIGN 3.4), and of two statements that contradict each other
 * the one that keeps the refresh token is believed. Only a number cannot save one that suberror gave up: it
 * is no interface. It chooses the kind where nothing but a bare error did: suberror and claims are Entra's
 * documented word on what helps, and when they send the user to the browser although the number is one of
 * blocking (53003 with message_only), Microsoft's page there tells more than we can.
 */
enum token_failure diagnose_token_error(const struct oauth_error *error, struct problem *problem)
{
    const struct entra_error *number = entra_error_find(error->aadsts);
    const struct error_row *by_error = find_error(error->error), *row = deciding_row(error);
    enum token_failure failure = row->failure;
    int words = error->aadsts == 0 ? row->words : error->aadsts;

    if (status_is_transient(error->status) || by_error->failure == TOKEN_FAILURE_TRANSIENT ||
        (failure != TOKEN_FAILURE_DEAD && is_transient(number)))
        failure = TOKEN_FAILURE_TRANSIENT;
    if (failure == TOKEN_FAILURE_TRANSIENT)
        tell_transient(transient_kind(error->status, by_error, number), words, error->retry_after, problem);
    else
        tell(row == by_error ? refine(row->kind, number) : row->kind, words, problem);
    problem->aadsts = error->aadsts;
    problem->words = error->aadsts == 0 ? row->words : 0;
    take_guid(problem->correlation_id, error->correlation_id);
    take_guid(problem->trace_id, error->trace_id);
    return failure;
}

void diagnose_authorization_error(const char *error, int aadsts, bool refused_by_user,
                                  struct problem *problem)
{
    const struct entra_error *number = entra_error_find(aadsts);
    const struct error_row *row = find_error(error);

    if (refused_by_user)
        tell(refine(PROBLEM_CANCELLED, number), aadsts, problem);
    else if (row->failure == TOKEN_FAILURE_TRANSIENT || is_transient(number))
        tell_transient(transient_kind(0, row, number), aadsts, 0, problem);
    else
        tell(refine(row->kind, number), aadsts, problem);
    problem->aadsts = aadsts;
}

void diagnose_restore(enum problem_kind kind, int aadsts, struct problem *problem)
{
    if (kind == PROBLEM_NETWORK) {
        diagnose_transport("connect", problem);
        return;
    }
    tell(kind, aadsts, problem);
    if (problem->cause[0] == '\0')
        tell(PROBLEM_SIGN_IN_REQUIRED, aadsts, problem);
    if (kind == PROBLEM_THROTTLED)
        problem->retry_after = RETRY_AFTER_DEFAULT;
    problem->aadsts = aadsts > 0 ? aadsts : 0;
}

void diagnose_strange_answer(long status, int retry_after, struct problem *problem)
{
    tell_transient(transient_kind(status, NULL, NULL), 0, retry_after, problem);
}
