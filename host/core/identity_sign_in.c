/* SPDX-License-Identifier: MPL-2.0 */
/* Signing in and out: DESIGN 3.7 and 3.8, protocol `signIn.start` and `signOut`. */
#include "core/identity_parts.h"

#include "core/diagnosis.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define AADSTS_MALFORMED 9002313 /* Entra's answer to a refresh token that is none */

static void cancelled(struct identity *identity)
{
    problem_set(&identity->sign_in_reply, PROBLEM_CANCELLED, "The sign-in was cancelled.",
                "Start the sign-in again when you are ready.");
}

/* Ends the sign-in under way without success; a code on the wire is answered into the void. */
static void finish_failed(struct identity *identity, const struct problem *problem, struct effects *effects)
{
    effect_sign_in(effects, EFFECT_SIGN_IN_FINISHED, identity->sign_in.id, problem);
    if (identity->flight.purpose == PURPOSE_SIGN_IN)
        identity->flight.detached = true;
    if (problem->kind != PROBLEM_CANCELLED)
        identity->sign_in_failed = *problem;
    sign_in_clear(&identity->sign_in);
    effect_add(effects, EFFECT_CHANGED);
}

void sign_in_start(struct identity *identity, const struct event *event, struct moment now,
                   struct effects *effects)
{
    struct sign_in *sign_in = &identity->sign_in;

    if (sign_in->id != 0) {
        cancelled(identity);
        finish_failed(identity, &identity->sign_in_reply, effects);
    }
    sign_in->id = event->start.id;
    sign_in->method = event->start.method;
    problem_copy_text(sign_in->redirect_uri, REDIRECT_URI_SIZE, event->start.redirect_uri);
    problem_copy_text(sign_in->scopes, SCOPE_LIST_SIZE, event->start.scopes);
    if (sign_in->method == METHOD_BROWSER) {
        secret_move(&sign_in->state, event->start.state);
        secret_move(&sign_in->nonce, event->start.nonce);
        secret_move(&sign_in->verifier, event->start.verifier);
    } else {
        secret_move(&sign_in->code, event->start.code);
    }
    sign_in->interval = event->start.interval < 1 ? DEVICE_INTERVAL_DEFAULT_S : event->start.interval;
    sign_in->poll_at = now.uptime + sign_in->interval;
    memset(&identity->sign_in_failed, 0, sizeof identity->sign_in_failed);
    allow_retry(identity); /* who signs in may also have mended what was wrong */
    effect_add(effects, EFFECT_CHANGED);
    start_next(identity, now, effects);
}

bool sign_in_due(const struct identity *identity, struct moment now)
{
    return identity->sign_in.code.length != 0 &&
           (identity->sign_in.method != METHOD_DEVICE || now.uptime >= identity->sign_in.poll_at);
}

/* A try that failed: the browser may come back with another, up to the bound; other ways have but one. The
 * problem is in identity->sign_in_reply. */
static void try_failed(struct identity *identity, struct effects *effects)
{
    secret_wipe(&identity->sign_in.code);
    if (identity->sign_in.method != METHOD_BROWSER || ++identity->sign_in.tries >= SIGN_IN_TRIES)
        finish_failed(identity, &identity->sign_in_reply, effects);
    else
        effect_sign_in(effects, EFFECT_SIGN_IN_RETRY, identity->sign_in.id, &identity->sign_in_reply);
}

void sign_in_redirect(struct identity *identity, const struct event *event, struct moment now,
                      struct effects *effects)
{
    if (identity->sign_in.id == 0 || identity->sign_in.method != METHOD_BROWSER ||
        identity->sign_in.code.length != 0)
        return; /* a second answer while the first is being redeemed */
    if (event->redirect.error != NULL) {
        diagnose_authorization_error(event->redirect.error, event->redirect.aadsts,
                                     event->redirect.refused_by_user, &identity->sign_in_reply);
        if (event->redirect.refused_by_user)
            finish_failed(identity, &identity->sign_in_reply, effects);
        else
            try_failed(identity, effects);
        return;
    }
    secret_move(&identity->sign_in.code, event->redirect.code);
    start_next(identity, now, effects);
}

void sign_in_end(struct identity *identity, const struct problem *problem, struct effects *effects)
{
    /* What is being written to disk at this moment is past ending. */
    if (identity->sign_in.id == 0 || identity->before != NULL)
        return;
    identity->sign_in_reply = *problem;
    finish_failed(identity, &identity->sign_in_reply, effects);
}

/* The resource whose token the code brings: the first one asked for. */
static void code_resource(const struct sign_in *sign_in, char resource[RESOURCE_SIZE])
{
    const char *rest = sign_in->scopes;
    char scope[SCOPE_SIZE];

    resource[0] = '\0';
    while (scope_list_next(&rest, scope))
        if (!scope_is_openid(scope) && scope_resource(resource, scope))
            return;
}

/* DESIGN 3.8. The e-mail claim is never enough: its owner sets it. */
static bool right_person(const struct identity *identity, const struct id_claims *id)
{
    if (identity->grant.oid[0] != '\0' && identity->grant.tid[0] != '\0')
        return strcmp(identity->grant.oid, id->oid) == 0 && strcmp(identity->grant.tid, id->tid) == 0;
    return (id->preferred_username[0] != '\0' &&
            account_name_equal(id->preferred_username, identity->key.sign_in_as)) ||
           (id->upn[0] != '\0' && account_name_equal(id->upn, identity->key.sign_in_as));
}

static void wrong_account(struct identity *identity, const struct id_claims *id)
{
    const char *who = account_name_valid(id->preferred_username) ? id->preferred_username : id->upn;

    identity->choose_account = true;
    if (!account_name_valid(who)) {
        problem_set(&identity->sign_in_reply, PROBLEM_WRONG_ACCOUNT,
                    "Somebody else signed in than this account needs.",
                    "Sign in again and choose the right account.");
        return;
    }
    if (account_name_equal(who, identity->key.sign_in_as)) {
        problem_setf(
            &identity->sign_in_reply, PROBLEM_WRONG_ACCOUNT,
            "Sign out of this account in Thunderseal, with \"thunderseal logout\" for instance; then "
            "sign in again.",
            "%s signed in, but is not who it was: the directory has made the account anew.", who);
        problem_copy_text(identity->sign_in_reply.signed_in_as, sizeof identity->sign_in_reply.signed_in_as,
                          who);
        return;
    }
    problem_setf(&identity->sign_in_reply, PROBLEM_WRONG_ACCOUNT, NULL,
                 "%s signed in, but this account needs %s.", who, identity->key.sign_in_as);
    problem_remedy(
        &identity->sign_in_reply,
        "Choose the right account in the browser; or, if %s is your sign-in name for this mailbox, say so in "
        "Thunderseal and sign in again.",
        who);
    problem_copy_text(identity->sign_in_reply.signed_in_as, sizeof identity->sign_in_reply.signed_in_as, who);
}

/* What else would be a mistake of ours is here the text that somebody gave for a refresh token. */
static void unknown_refresh_token(struct problem *problem)
{
    problem->kind = PROBLEM_SIGN_IN_REQUIRED;
    problem_cause(problem, "Microsoft does not know this refresh token.");
    problem_remedy(problem,
                   "Sign in from Thunderseal's button in Thunderbird, or with \"thunderseal login\".");
    problem_admin_remedy(problem, "%-s", "");
}

/* Fills identity->sign_in_reply when the answer must not be taken. True when it may be. */
static bool answer_acceptable(struct identity *identity, const struct token_answer *answer)
{
    const struct secret *nonce = &identity->sign_in.nonce;
    bool nonce_wanted = identity->sign_in.method == METHOD_BROWSER;

    if (answer->failure != TOKEN_FAILURE_NONE) {
        identity->sign_in_reply = answer->problem;
        if (identity->sign_in.method == METHOD_IMPORT && answer->problem.aadsts == AADSTS_MALFORMED)
            unknown_refresh_token(&identity->sign_in_reply);
        return false;
    }
    if (!answer->id.present || strcmp(answer->id.audience, identity->key.client_id) != 0 ||
        (nonce_wanted && (strlen(answer->id.nonce) != nonce->length ||
                          sodium_memcmp(answer->id.nonce, secret_expose(nonce), nonce->length) != 0))) {
        diagnose_strange_answer(200, 0, &identity->sign_in_reply);
        return false;
    }
    if (!right_person(identity, &answer->id)) {
        wrong_account(identity, &answer->id);
        return false;
    }
    return true;
}

static int set_aside(struct identity *identity)
{
    identity->before = calloc(1, sizeof *identity->before);
    if (identity->before == NULL)
        return -1;
    identity->before->grant = identity->grant;
    identity->before->serial = identity->serial;
    identity->before->unsaved = identity->unsaved;
    memcpy(identity->before->access, identity->access, sizeof identity->access);
    identity->before->dead = identity->dead;
    memcpy(identity->before->claims, identity->claims, sizeof identity->claims);
    memset(&identity->grant, 0, sizeof identity->grant);
    memset(identity->access, 0, sizeof identity->access);
    memset(&identity->dead, 0, sizeof identity->dead);
    identity->claims[0] = '\0';
    return 0;
}

static void put_back(struct identity *identity)
{
    struct former *before = identity->before;

    identity_forget_tokens(identity);
    identity->grant = before->grant;
    identity->serial = before->serial;
    identity->unsaved = before->unsaved;
    memcpy(identity->access, before->access, sizeof identity->access);
    identity->dead = before->dead;
    memcpy(identity->claims, before->claims, sizeof identity->claims);
    free(before); /* what it pointed to has moved back */
    identity->before = NULL;
}

/* 0, or -1 out of memory: then nothing has changed. */
static int take_grant(struct identity *identity, struct token_answer *answer, struct moment now)
{
    struct grant *grant = &identity->grant;
    char resource[RESOURCE_SIZE];
    int i;

    code_resource(&identity->sign_in, resource);
    if (set_aside(identity) != 0)
        return -1;
    grant->serial = ++identity->serial;
    grant->method = identity->sign_in.method;
    /* Of a refresh token taken over, the old one goes on when no new one came. */
    secret_move(&grant->refresh_token,
                answer->refresh_token.length != 0 ? &answer->refresh_token : &identity->sign_in.code);
    grant->obtained_at = grant->last_used_at = now.wall;
    memcpy(grant->oid, answer->id.oid, sizeof grant->oid);
    memcpy(grant->tid, answer->id.tid, sizeof grant->tid);
    if (answer->client_info_uid[0] != '\0')
        snprintf(grant->home_account_id, sizeof grant->home_account_id, "%s.%s", answer->client_info_uid,
                 answer->client_info_utid);
    else if (grant->oid[0] != '\0')
        snprintf(grant->home_account_id, sizeof grant->home_account_id, "%s.%s", grant->oid, grant->tid);
    scope_list_missing(grant->scopes, "", identity->sign_in.scopes);
    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++) { /* waiters refer to their resource by index */
        memcpy(identity->access[i].resource, identity->before->access[i].resource, RESOURCE_SIZE);
        identity->access[i].used = identity->before->access[i].used;
    }
    i = access_index(identity, resource, true);
    if (i < 0)
        return 0;
    access_store(identity, i, answer, now);
    identity->access[i].used = true;
    return 0;
}

/* Growing is bounded, but never below what the server asked for. */
static int64_t doubled(int64_t interval)
{
    if (interval >= DEVICE_INTERVAL_MAX_S)
        return interval;
    return interval * 2 > DEVICE_INTERVAL_MAX_S ? DEVICE_INTERVAL_MAX_S : interval * 2;
}

/* RFC 8628 section 3.5. True when the next poll will tell. */
static bool poll_again(struct sign_in *sign_in, const struct token_answer *answer, struct moment now)
{
    int64_t pause = 0;

    if (sign_in->method != METHOD_DEVICE)
        return false;
    if (answer->device_poll == DEVICE_POLL_SLOW_DOWN) {
        sign_in->interval += DEVICE_SLOW_DOWN_S;
    } else if (answer->device_poll == DEVICE_POLL_NONE && answer->failure == TOKEN_FAILURE_TRANSIENT) {
        sign_in->interval = doubled(sign_in->interval);
        pause = answer->problem.retry_after;
    } else if (answer->device_poll != DEVICE_POLL_PENDING) {
        return false;
    }
    sign_in->poll_at = now.uptime + (pause > sign_in->interval ? pause : sign_in->interval);
    return true;
}

void sign_in_answered(struct identity *identity, struct token_answer *answer, struct moment now,
                      struct effects *effects)
{
    struct sign_in *sign_in = &identity->sign_in;

    if (identity->flight.detached || sign_in->id == 0 || identity->flight.sign_in != sign_in->id ||
        poll_again(sign_in, answer, now))
        return;
    if (!answer_acceptable(identity, answer)) {
        try_failed(identity, effects);
        return;
    }
    if (answer->refresh_token.length == 0 && sign_in->method != METHOD_IMPORT) {
        diagnose_kind(PROBLEM_CONSENT_REQUIRED, &identity->sign_in_reply);
        problem_copy_text(identity->sign_in_reply.missing_scopes,
                          sizeof identity->sign_in_reply.missing_scopes, "offline_access");
        finish_failed(identity, &identity->sign_in_reply, effects);
        return;
    }
    if (take_grant(identity, answer, now) != 0) {
        diagnose_kind(PROBLEM_INTERNAL, &identity->sign_in_reply);
        finish_failed(identity, &identity->sign_in_reply, effects);
        return;
    }
    secret_wipe(&sign_in->code);
    save(identity, SAVING_SIGN_IN, effects);
}

void sign_in_saved(struct identity *identity, const struct problem *problem, struct effects *effects)
{
    uint64_t id = identity->sign_in.id;

    if (problem->kind != PROBLEM_NONE) {
        put_back(identity);
        identity->sign_in_reply = *problem;
        finish_failed(identity, &identity->sign_in_reply, effects);
        return;
    }
    before_clear(identity);
    sign_in_clear(&identity->sign_in);
    identity->choose_account = false;
    memset(&identity->advice, 0, sizeof identity->advice);
    memset(&identity->held, 0, sizeof identity->held);
    memset(&identity->storage, 0, sizeof identity->storage);
    identity->unsaved = false;
    effect_add(effects, EFFECT_CHANGED);
    effect_sign_in(effects, EFFECT_SIGN_IN_FINISHED, id, NULL);
}

void sign_out(struct identity *identity, struct moment now, struct effects *effects)
{
    if (identity->sign_in.id != 0) {
        cancelled(identity);
        finish_failed(identity, &identity->sign_in_reply, effects);
    }
    identity->flight.detached = true;
    identity->serial++;
    identity->claims[0] = '\0';
    problem_set(&identity->reply, PROBLEM_SIGN_IN_REQUIRED, "This account was signed out.",
                "Sign in again when you want to use it.");
    identity_forget_tokens(identity);
    answer_waiters(identity, -1, false, &identity->reply, now, effects);
    memset(&identity->dead, 0, sizeof identity->dead);
    memset(&identity->advice, 0, sizeof identity->advice);
    memset(&identity->sign_in_failed, 0, sizeof identity->sign_in_failed);
    effect_add(effects, EFFECT_CHANGED);
}
