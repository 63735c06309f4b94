/* SPDX-License-Identifier: MPL-2.0 */
/* An account's sign-in, and what it permits. */
#include "service/health.h"

#include <string.h>
#include <strings.h>

#define IDLE_WARN_S (14 * INT64_C(86400)) /* time to use it once: a holiday is often as long */

/* ---- sign-in ---- */

/* What stands in the way of any token of the account; NULL: nothing. room: for what is made up here. */
static const struct problem *hindrance(const struct health_account *account, const struct entry *entry,
                                       struct problem *room)
{
    const struct settings *settings = &account->job->service->settings;
    const struct identity *identity;
    const struct problem *problem;

    if (entry == NULL) {
        if (settings_allow(settings, account->name, account->name, room))
            problem_setf(room, PROBLEM_UNKNOWN_ACCOUNT, "Sign in from Thunderseal's button in Thunderbird.",
                         "Thunderseal does not know the account %s.", account->name);
        return room;
    }
    identity = &entry->identity;
    if (identity->sign_in.id == 0 && !entry_may_serve(entry, account->name, room))
        return room;
    (void)identity_state(identity, &problem);
    if (problem != NULL || (identity->grant.serial != 0 && identity->grant.refresh_token.length != 0))
        return problem;
    problem_set(room, PROBLEM_SIGN_IN_REQUIRED, "Nobody has signed in for this account.",
                "Sign in from Thunderseal's button in Thunderbird, or with \"thunderseal login\".");
    return room;
}

static void tell_grant(json_t *check, const struct entry *entry)
{
    const struct grant *grant = &entry->identity.grant;
    const int64_t now = wall_clock(), idle_at = grant->last_used_at + REFRESH_TOKEN_IDLE_S;
    char since[HEALTH_DATE_SIZE], used[HEALTH_DATE_SIZE], until[HEALTH_DATE_SIZE];

    check_evidence_text(check, "tenant", entry->identity.key.tenant);
    check_evidence(check, "refreshToken", json_boolean(grant->refresh_token.length != 0));
    if (grant->serial == 0)
        return;
    check_evidence_text(check, "method", method_name(grant->method));
    check_evidence(check, "obtainedAt", json_integer(grant->obtained_at));
    check_evidence(check, "lastUsedAt", json_integer(grant->last_used_at));
    check_evidence(check, "idleExpiresAt", json_integer(idle_at));
    if (check_status(check) != CHECK_OK)
        return;
    check_detail(check, "Signed in on %s, last used on %s; must be used before %s.",
                 health_date(since, grant->obtained_at), health_date(used, grant->last_used_at),
                 health_date(until, idle_at));
    if (idle_at - now > IDLE_WARN_S)
        return;
    check_worsen(check, CHECK_WARN);
    check_cause(check, "idle");
    check_remedy(check, "Use the account before then: start Thunderbird, or run \"thunderseal renew\".");
    if (idle_at > now)
        return;
    check_detail(check, "The sign-in has not been used since %s: Microsoft will hardly take it any more.",
                 used);
    check_remedy(check, "Sign in again from Thunderseal's button in Thunderbird, or with \"thunderseal "
                        "login\".");
}

/* Whether the vault's own check tells of it already. */
static bool vault_is_checked(const struct health_job *job)
{
    const struct health_item *item;

    for (item = job->items; item != NULL && item->id <= HEALTH_VAULT; item = item->next)
        if (item->id == HEALTH_VAULT)
            return true;
    return false;
}

void health_sign_in(struct health_item *item)
{
    const struct entry *entry = entry_of(item->job->service, item->account->name);
    struct problem room;
    const struct problem *problem = hindrance(item->account, entry, &room);
    json_t *check;

    if (problem != NULL && problem->kind == PROBLEM_VAULT_LOCKED && vault_is_checked(item->job)) {
        health_skip(item, "The vault is locked, so that nothing is known of the sign-in.");
        return;
    }
    check = health_check(item, CHECK_OK);
    if (problem != NULL) {
        /* An advice leaves the account ready: the sign-in itself is good. */
        const bool advice = entry != NULL && problem == &entry->identity.advice;
        check_worsen(check, problem_retryable(problem) || advice ? CHECK_WARN : CHECK_FAIL);
        health_problem(check, problem);
    }
    if (entry != NULL)
        tell_grant(check, entry);
    health_done(item, check);
}

/* ---- scopes ---- */

static void need(char needed[SCOPE_LIST_SIZE], const char *resource, const char *permission)
{
    char scope[SCOPE_SIZE];

    snprintf(scope, sizeof scope, "%.200s/%s", resource, permission);
    (void)scope_list_add(needed, scope);
}

static void needs_of(const struct health_account *account, const struct account_target *target,
                     char needed[SCOPE_LIST_SIZE])
{
    static const char *const permissions[SERVER_TYPES] = {"IMAP.AccessAsUser.All", "POP.AccessAsUser.All",
                                                          "SMTP.Send", "User.Read", "EWS.AccessAsUser.All"};
    size_t i;

    needed[0] = '\0';
    for (i = 0; i < account->server_count; i++) {
        const struct health_server *server = &account->servers[i];
        if (server->auth == AUTH_OAUTH2 && server->type != SERVER_EWS)
            need(needed, server->type == SERVER_GRAPH ? target->graph : target->outlook,
                 permissions[server->type]);
    }
}

/* Permissions that neither a sign-in of ours nor Thunderbird asks for. */
static void superfluous(char out[SCOPE_LIST_SIZE], const char *granted, const struct account_target *target)
{
    static const char *const mail[] = {"IMAP.AccessAsUser.All", "POP.AccessAsUser.All", "SMTP.Send",
                                       "EWS.AccessAsUser.All"},
                             *const graph[] = {"User.Read", "MailboxFolder.ReadWrite", "Mail.ReadWrite",
                                               "Mail.Send"};
    char known[SCOPE_LIST_SIZE] = "";
    size_t i;

    for (i = 0; i < 4; i++) {
        need(known, target->outlook, mail[i]);
        need(known, target->graph, graph[i]);
    }
    scope_list_missing(out, known, granted);
}

void health_scopes(struct health_item *item)
{
    const struct entry *entry = entry_of(item->job->service, item->account->name);
    const struct account_target target = health_target(item->account);
    const struct health_item *sign_in = item->account->sign_in;
    char needed[SCOPE_LIST_SIZE], missing[SCOPE_LIST_SIZE], more[SCOPE_LIST_SIZE];
    json_t *check;

    if (sign_in->state != ITEM_DONE)
        return;
    if (entry == NULL || entry->identity.grant.serial == 0 || target.outlook == NULL ||
        target.graph == NULL) {
        if (!health_base_failed(item, sign_in))
            health_skip(item, "Nothing was granted yet.");
        return;
    }
    check = health_check(item, CHECK_OK);
    needs_of(item->account, &target, needed);
    scope_list_missing(missing, entry->identity.grant.scopes, needed);
    superfluous(more, entry->identity.grant.scopes, &target);
    check_evidence(check, "granted", scopes_to_json(entry->identity.grant.scopes));
    check_evidence(check, "missing", scopes_to_json(missing));
    check_evidence(check, "superfluous", scopes_to_json(more));
    if (missing[0] != '\0') {
        check_worsen(check, CHECK_FAIL);
        check_cause(check, "consent-required");
        check_detail(check, "Not granted: %s.", missing);
        check_remedy(check, "Sign in again. If the page says that an administrator must approve, ask yours.");
        check_admin_remedy(check, "In the app registration, add these delegated permissions and grant admin "
                                  "consent; \"thunderseal consent-url\" prints the address for that.");
    } else if (more[0] != '\0') {
        check_worsen(check, CHECK_WARN);
        check_cause(check, "more-than-needed");
        check_detail(check, "More is granted than mail needs: %s.", more);
        check_remedy(check, "It works as it is; tell your administrator.");
        check_admin_remedy(check,
                           "In the Entra admin centre, Enterprise applications, Permissions, revoke what "
                           "no program needs.");
    } else {
        check_detail(check, "What the account does is permitted, and nothing else.");
    }
    health_done(item, check);
}
