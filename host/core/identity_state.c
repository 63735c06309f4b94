/* SPDX-License-Identifier: MPL-2.0 */
/* What an account shows: the worst over the resources that its protocols used since start (DESIGN 3). */
#include "core/identity_parts.h"

/* Severity decides which problem the account shows. */
static int severity(const struct problem *problem)
{
    if (problem->kind == PROBLEM_NONE)
        return 0;
    if (problem->kind == PROBLEM_BLOCKED || problem->kind == PROBLEM_POLICY_DENIED)
        return 3;
    return problem_retryable(problem) ? 1 : 2;
}

static const struct problem *worse(const struct problem *a, const struct problem *b)
{
    return severity(b) > severity(a) ? b : a;
}

static const struct problem *worst_problem(const struct identity *identity)
{
    const struct problem *worst = worse(&identity->held, &identity->no_renewal);
    int i;

    worst = worse(worst, &identity->dead);
    if (identity->grant.serial == 0)
        worst = worse(worst, &identity->sign_in_failed);
    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++)
        if (identity->access[i].used)
            worst = worse(worst, &identity->access[i].problem);
    worst = worse(worst, &identity->storage);
    return worst->kind == PROBLEM_NONE ? NULL : worst;
}

const char *identity_state(const struct identity *identity, const struct problem **problem)
{
    static const char *const by_severity[] = {"ready", "waiting", "attention", "blocked"};
    const struct problem *worst = worst_problem(identity);

    *problem = worst;
    if (worst == NULL && identity->advice.kind != PROBLEM_NONE)
        *problem = &identity->advice;
    if (identity->sign_in.id != 0)
        return "signing-in";
    if (worst != NULL && worst->kind == PROBLEM_VAULT_LOCKED)
        return "locked";
    if (worst == &identity->sign_in_failed && severity(worst) == 1) /* nobody but the user tries again */
        return "signed-out";
    if (worst != NULL)
        return by_severity[severity(worst)];
    if (identity->grant.serial == 0)
        return "signed-out";
    return identity->flight.purpose == PURPOSE_REFRESH && !identity->flight.detached &&
                   !flight_is_look(identity)
               ? "renewing"
               : "ready";
}
