/* SPDX-License-Identifier: MPL-2.0 */
#include "core/diagnosis.h"

#include <string.h>

struct error_row {
    const char *name;
    enum token_failure failure;
    enum problem_kind kind;
};

/* MJS error/InteractionRequiredAuthError.ts and FACTS 1.3; only the first two end a refresh token. */
static const struct error_row suberrors[] = {
    {"bad_token", TOKEN_FAILURE_DEAD, PROBLEM_SIGN_IN_REQUIRED},
    {"token_expired", TOKEN_FAILURE_DEAD, PROBLEM_SIGN_IN_REQUIRED},
    {"consent_required", TOKEN_FAILURE_SUSPENDED, PROBLEM_CONSENT_REQUIRED},
    {"basic_action", TOKEN_FAILURE_SUSPENDED, PROBLEM_INTERACTION_REQUIRED},
    {"additional_action", TOKEN_FAILURE_SUSPENDED, PROBLEM_INTERACTION_REQUIRED},
    {"message_only", TOKEN_FAILURE_SUSPENDED, PROBLEM_INTERACTION_REQUIRED},
};

/* RFC 6749 sections 4.1.2.1 and 5.2, OpenID Connect Core section 3.1.2.6, FACTS 1.3. */
static const struct error_row errors[] = {
    {"temporarily_unavailable", TOKEN_FAILURE_TRANSIENT, PROBLEM_IDENTITY_PROVIDER},
    {"server_error", TOKEN_FAILURE_TRANSIENT, PROBLEM_IDENTITY_PROVIDER},
    {"invalid_grant", TOKEN_FAILURE_SUSPENDED, PROBLEM_SIGN_IN_REQUIRED},
    {"login_required", TOKEN_FAILURE_SUSPENDED, PROBLEM_SIGN_IN_REQUIRED},
    {"interaction_required", TOKEN_FAILURE_SUSPENDED, PROBLEM_INTERACTION_REQUIRED},
    {"consent_required", TOKEN_FAILURE_SUSPENDED, PROBLEM_CONSENT_REQUIRED},
    {"access_denied", TOKEN_FAILURE_SUSPENDED, PROBLEM_CONSENT_REQUIRED},
};

static const struct error_row *find_row(const struct error_row *rows, size_t count, const char *name)
{
    size_t i;

    for (i = 0; name != NULL && i < count; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
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

/* FACTS 4, class T: Entra sends these with errors that otherwise ask for the user, invalid_grant among them.
 * The HTTP status says what each amounts to. */
static const struct {
    int aadsts;
    long status;
} passing_numbers[] = {
    {50033, 500}, {50087, 500}, {50088, 500}, {50196, 429}, {70012, 500},
    {80001, 500}, {80002, 500}, {80005, 500}, {80014, 500}, {90006, 500},
    {90012, 500}, {90024, 500}, {90033, 500}, {90055, 429}, {90090, 500},
};

/* The status that the number stands for, or 0 when it is none of passing trouble. */
static long status_of_number(int aadsts)
{
    size_t i;

    for (i = 0; i < sizeof passing_numbers / sizeof passing_numbers[0]; i++)
        if (passing_numbers[i].aadsts == aadsts)
            return passing_numbers[i].status;
    return 0;
}

enum token_failure diagnose_token_error(const struct oauth_error *error, struct problem *problem)
{
    const struct error_row *row =
        find_row(suberrors, sizeof suberrors / sizeof suberrors[0], error->suberror);
    enum token_failure failure;
    long status = error->status;

    if (row == NULL && !status_is_transient(status) && status_of_number(error->aadsts) != 0)
        status = status_of_number(error->aadsts);
    if (row == NULL)
        row = find_row(errors, sizeof errors / sizeof errors[0], error->error);
    failure = row == NULL ? TOKEN_FAILURE_SUSPENDED : row->failure;
    if (status_is_transient(status))
        failure = TOKEN_FAILURE_TRANSIENT;
    if (failure == TOKEN_FAILURE_TRANSIENT)
        diagnose_strange_answer(status, error->retry_after, problem);
    else
        diagnose_kind(row == NULL ? PROBLEM_MISCONFIGURED : row->kind, problem);
    problem->aadsts = error->aadsts;
    take_guid(problem->correlation_id, error->correlation_id);
    take_guid(problem->trace_id, error->trace_id);
    return failure;
}

void diagnose_authorization_error(const char *error, int aadsts, bool refused_by_user,
                                  struct problem *problem)
{
    const struct error_row *row = find_row(errors, sizeof errors / sizeof errors[0], error);

    if (refused_by_user)
        diagnose_kind(PROBLEM_CANCELLED, problem);
    else
        diagnose_kind(row == NULL ? PROBLEM_MISCONFIGURED : row->kind, problem);
    problem->aadsts = aadsts;
}

void diagnose_strange_answer(long status, int retry_after, struct problem *problem)
{
    if (status == 429 || status == 503) {
        diagnose_kind(PROBLEM_THROTTLED, problem);
        problem->retry_after = bounded_retry_after(retry_after);
        return;
    }
    diagnose_kind(PROBLEM_IDENTITY_PROVIDER, problem);
    if (retry_after > 0)
        problem->retry_after = bounded_retry_after(retry_after);
}
