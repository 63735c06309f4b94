/* SPDX-License-Identifier: MPL-2.0 */
/* The words for what no number of Entra tells closer: by kind, and by the stage where the network failed. */
#include "core/diagnosis.h"

#include <string.h>

struct kind_texts {
    enum problem_kind kind;
    const char *cause;
    const char *remedy;
    const char *admin_remedy;
};

static const struct kind_texts texts[] TEXTS = {
    {PROBLEM_SIGN_IN_REQUIRED, "Microsoft no longer accepts the stored sign-in of this account.",
     "Sign in again from Thunderseal's button in Thunderbird, or with \"thunderseal login\".",
     "Look at the user's sign-in log in Entra for the reason: password change, revoked sessions, or an "
     "expired sign-in."},
    {PROBLEM_INTERACTION_REQUIRED,
     "Microsoft wants to see the user once more, for instance for a second factor.",
     "Sign in again from Thunderseal's button in Thunderbird and follow Microsoft's page.",
     "Look at the Conditional Access tab of the failed sign-in in Entra's sign-in log."},
    {PROBLEM_CONSENT_REQUIRED, "The app is not allowed to read this mailbox: a permission was not granted.",
     "Sign in again and accept the permissions, or ask your administrator to approve the app.",
     "Grant admin consent for the app's permissions in Entra, under Enterprise applications, Permissions."},
    {PROBLEM_MISCONFIGURED, "Microsoft rejects how this app is set up: client id, tenant, redirect or scope.",
     "Ask your administrator to check Thunderseal's settings.",
     "Compare clientId, tenant and redirect URI in policy.json with the app registration in Entra; the app "
     "must be a public client with the redirect URI http://localhost."},
    {PROBLEM_BLOCKED, "Microsoft or your organisation blocks this account or this sign-in.",
     "Ask your administrator: signing in again does not help.",
     "Entra's sign-in log names the reason under the correlation id."},
    {PROBLEM_WRONG_ACCOUNT, "Somebody else signed in than this account needs.",
     "Sign in again and choose the right account.", NULL},
    {PROBLEM_IDENTITY_PROVIDER, "Microsoft's sign-in service does not answer properly at the moment.",
     "Nothing to do: Thunderseal tries again. If it lasts, ask whether a proxy stands in the way.",
     "See the service health page; check whether a proxy answers in the place of the sign-in service."},
    {PROBLEM_THROTTLED, "Microsoft asks for fewer requests at the moment.",
     "Nothing to do: Thunderseal tries again later.", NULL},
    {PROBLEM_CANCELLED, "The sign-in was cancelled in the browser.",
     "Start the sign-in again when you are ready.", NULL},
    {PROBLEM_INTERNAL, "Thunderseal ran out of memory or met a fault of its own.",
     "Restart Thunderbird; if it happens again, report it.", NULL},
};

void diagnose_kind(enum problem_kind kind, struct problem *problem)
{
    size_t i;

    problem_set(problem, kind, NULL, NULL);
    for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].kind == kind) {
            problem_set(problem, kind, texts[i].cause, texts[i].remedy);
            problem_admin_remedy(problem, "%-s", texts[i].admin_remedy);
        }
}

static const struct {
    const char *stage;
    const char *cause;
    const char *remedy;
} stages[] TEXTS = {
    {"dns", "The name of Microsoft's sign-in service cannot be found.", "Check the network connection."},
    {"connect", "Microsoft's sign-in service cannot be reached.",
     "Check the network connection and the firewall."},
    {"tls", "The secure connection to the sign-in service could not be verified.",
     "Check the computer's clock; if your organisation inspects encrypted traffic, its administrator "
     "sets caFile."},
    {"proxy", "The proxy did not let the request through.", "Check the proxy settings and their password."},
    {"timeout", "Microsoft's sign-in service did not answer in time.",
     "Nothing to do: Thunderseal tries again."},
    {"http", "The answer of the sign-in service broke off.", "Nothing to do: Thunderseal tries again."},
};

void diagnose_transport(const char *stage, struct problem *problem)
{
    size_t i;

    for (i = 0; i < sizeof stages / sizeof stages[0] - 1 && strcmp(stages[i].stage, stage) != 0; i++)
        ;
    problem_set(problem, PROBLEM_NETWORK, stages[i].cause, stages[i].remedy);
    problem->stage = stages[i].stage;
}
