/* SPDX-License-Identifier: MPL-2.0 */
/* An account's access tokens: whether there is one, and what it says of itself. */
#include "service/health.h"

#include <string.h>
#include <strings.h>

#define TOKEN_LEFT_S 30 /* seconds: enough for a probe */
#define CLOCK_OFF_S 300 /* Entra allows as much */

static const struct access *access_of(const struct health_account *account, const struct entry *entry,
                                      bool graph)
{
    const struct account_target target = health_target(account);
    const char *resource = graph ? target.graph : target.outlook;

    return entry == NULL || resource == NULL ? NULL : identity_find_access(&entry->identity, resource);
}

bool health_token_living(const struct health_account *account, bool graph)
{
    const struct access *access = access_of(account, entry_of(account->job->service, account->name), graph);

    return access != NULL && access->access_token.length != 0 &&
           access->expires_at - wall_clock() > TOKEN_LEFT_S;
}

/* From within the entry's step. */
static void told(void *context, int resource, bool renewed, const struct problem *problem)
{
    struct token_look *look = context;

    look->answered = true;
    look->request = 0;
    look->renewed = renewed;
    look->resource = resource;
    look->milliseconds = loop_monotonic_ms() - look->started;
    look->problem = (struct problem){0};
    if (problem != NULL)
        look->problem = *problem;
}

static void told_mail(void *context, int resource, bool renewed, const struct problem *problem)
{
    struct health_account *account = context;

    told(&account->mail, resource, renewed, problem);
    health_turn(account->job);
}

static void told_graph(void *context, int resource, bool renewed, const struct problem *problem)
{
    struct health_account *account = context;

    told(&account->graph, resource, renewed, problem);
    health_turn(account->job);
}

static void told_fresh(void *context, int resource, bool renewed, const struct problem *problem)
{
    struct health_account *account = context;

    told(&account->fresh, resource, renewed, problem);
    health_turn(account->job);
}

static void ask(struct health_account *account, struct token_look *look)
{
    const bool graph = look == &account->graph, fresh = look == &account->fresh;
    struct service *service = account->job->service;
    struct entry *entry = entry_of(service, account->name);
    const struct account_target target = health_target(account);
    char scope[SCOPE_SIZE];
    struct event event = {.kind = EVENT_TOKEN_WANTED,
                          .wanted = {.resource = graph ? target.graph : target.outlook,
                                     .scopes = "",
                                     .fallback_scope = scope,
                                     .min_ttl = TOKEN_LEFT_S,
                                     .rejected = fresh ? account->mail.hash : NULL,
                                     .probe = true}};
    struct request *request;

    look->asked = true;
    look->started = loop_monotonic_ms();
    if (entry == NULL || event.wanted.resource == NULL ||
        !entry_may_serve(entry, account->name, &look->problem)) {
        if (look->problem.kind == PROBLEM_NONE)
            problem_set(&look->problem, PROBLEM_MISCONFIGURED, "The configuration names no such service.",
                        "Ask your administrator.");
        look->answered = true;
        return;
    }
    snprintf(scope, sizeof scope, "%.200s/%s", event.wanted.resource,
             graph ? "User.Read" : "IMAP.AccessAsUser.All");
    request = request_open_own(service, graph ? told_graph : fresh ? told_fresh : told_mail, account);
    if (request == NULL) {
        problem_set_no_memory(&look->problem);
        look->answered = true;
        return;
    }
    request->entry = entry;
    look->request = event.wanted.request = request->number;
    if (entry_step(entry, &event) != 0) {
        request_close(request_by_number(service, event.wanted.request));
        problem_set_no_memory(&look->problem);
        look->request = 0;
        look->answered = true;
    }
}

/* NULL when it is gone. */
static const struct access *at_hand(const struct health_account *account, const struct token_look *look)
{
    const struct access *access =
        access_of(account, entry_of(account->job->service, account->name), look == &account->graph);

    return access == NULL || access->access_token.length == 0 ? NULL : access;
}

const struct secret *health_token_of(const struct health_account *account, const struct token_look *look)
{
    const struct access *access = at_hand(account, look);

    return access == NULL ? NULL : &access->access_token;
}

bool health_token_look(struct health_account *account, struct token_look *look)
{
    const struct access *access;

    if (!look->asked)
        ask(account, look);
    if (!look->answered)
        return false;
    access = look->problem.kind == PROBLEM_NONE && !look->read ? at_hand(account, look) : NULL;
    if (access != NULL) {
        look->read = true;
        access_claims_read(&look->claims, &access->access_token);
        memcpy(look->hash, access->hash, sizeof look->hash);
    }
    return true;
}

/* Only for diagnosis: Exchange decides what it takes. */
static void judge_claims(json_t *check, const struct health_account *account, const struct token_look *look)
{
    const struct access_claims *claims = &look->claims;
    const struct account_target target = health_target(account);
    const struct entry *entry = entry_of(account->job->service, account->name);
    const char *tid = entry == NULL ? "" : entry->identity.grant.tid;
    const int64_t now = wall_clock();

    check_evidence_text(check, "form", claims->readable ? "jwt" : "opaque");
    if (!claims->readable)
        return;
    check_evidence_text(check, "audience", claims->audience);
    check_evidence_text(check, "scopes", claims->scopes);
    check_evidence_text(check, "user", claims->user);
    check_evidence_text(check, "tenant", claims->tenant);
    check_evidence(check, "tokenExpiresAt", json_integer(claims->expires_at));
    if (claims->audience[0] != '\0' && !access_audience_fits(claims->audience, target.outlook, false)) {
        check_worsen(check, CHECK_FAIL);
        check_cause(check, "wrong-audience");
        check_detail(check, "The token is for another service than mail: %s.", claims->audience);
        check_remedy(check, "Sign in again.");
        check_admin_remedy(check,
                           "In the app registration, the mail permissions must be those of Exchange "
                           "Online: %s/IMAP.AccessAsUser.All.",
                           target.outlook);
    } else if (claims->expires_at != 0 && claims->expires_at <= now) {
        check_worsen(check, CHECK_WARN);
        check_cause(check, "clock");
        check_detail(check, "By this computer's clock the token has expired already.");
        check_remedy(check, "Set the clock: sudo timedatectl set-ntp true");
    } else if (claims->issued_at > now + CLOCK_OFF_S) {
        check_worsen(check, CHECK_WARN);
        check_cause(check, "clock");
        check_detail(check, "By this computer's clock the token was issued in the future.");
        check_remedy(check, "Set the clock: sudo timedatectl set-ntp true");
    } else if (claims->tenant[0] != '\0' && tid[0] != '\0' && strcasecmp(claims->tenant, tid) != 0) {
        check_worsen(check, CHECK_WARN);
        check_cause(check, "other-tenant");
        check_detail(check, "The token is of another organisation than the sign-in.");
        check_remedy(check, "Ask your administrator whether you are a guest there; if so, \"tenant\" must be "
                            "set to that organisation.");
    } else if (claims->user[0] != '\0' && entry != NULL &&
               !account_name_equal(claims->user, entry->identity.key.sign_in_as)) {
        check_worsen(check, CHECK_WARN);
        check_cause(check, "other-user");
        check_detail(check, "The token is of %s, not of %s.", claims->user, entry->identity.key.sign_in_as);
        check_remedy(check, "If that is your sign-in name for this mailbox, nothing is to be done; else sign "
                            "in again.");
    }
}

static json_t *judge_token(const struct health_item *item)
{
    const struct health_account *account = item->account;
    const struct token_look *look = &account->mail;
    const struct entry *entry = entry_of(item->job->service, account->name);
    const struct access *access = access_of(account, entry, false);
    json_t *check = health_check(item, CHECK_OK);
    char until[HEALTH_DATE_SIZE];

    json_object_set_new(check, "latencyMs", json_integer(look->milliseconds));
    if (look->problem.kind != PROBLEM_NONE) {
        check_worsen(check, CHECK_FAIL);
        health_problem(check, &look->problem);
        return check;
    }
    if (access == NULL || access->access_token.length == 0) {
        check_worsen(check, CHECK_FAIL);
        check_detail(check, "The account was signed out meanwhile.");
        return check;
    }
    check_detail(check,
                 look->renewed ? "Fresh from the sign-in service, good until %s." : "At hand, good until %s.",
                 health_date(until, access->expires_at));
    check_evidence_text(check, "source", look->renewed ? "renewed" : "cache");
    check_evidence_text(check, "resource", access->resource);
    check_evidence(check, "expiresAt", json_integer(access->expires_at));
    judge_claims(check, account, look);
    return check;
}

void health_token(struct health_item *item)
{
    struct health_account *account = item->account;
    const struct health_item *sign_in = account->sign_in, *authority = account->authority;

    if (sign_in->state != ITEM_DONE)
        return;
    if (!health_token_living(account, false)) {
        if (health_base_failed(item, sign_in))
            return;
        if (authority != NULL && authority->state != ITEM_DONE)
            return;
        /* What cannot be reached, or is not what it should be, gives no token: that is told once. */
        if (authority != NULL && !authority->hidden && check_status(authority->check) == CHECK_FAIL &&
            health_base_failed(item, authority))
            return;
    }
    if (health_token_look(account, &account->mail))
        health_done(item, judge_token(item));
}
