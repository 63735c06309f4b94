/* SPDX-License-Identifier: MPL-2.0 */
/* Signing in with the browser: authorization URL, loopback redirect, code. DESIGN section 5. */
#include "service/service_parts.h"

#include "core/authorization.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

struct sign_in_secrets {
    struct secret state, nonce, verifier;
};

static int draw_secret(struct secret *text)
{
    unsigned char bytes[PKCE_RANDOM_BYTES];
    int result;

    randombytes_buf(bytes, sizeof bytes);
    result = authorization_random_text(text, bytes, sizeof bytes);
    sodium_memzero(bytes, sizeof bytes);
    return result;
}

static void wipe_secrets(struct sign_in_secrets *secrets)
{
    secret_wipe(&secrets->state);
    secret_wipe(&secrets->nonce);
    secret_wipe(&secrets->verifier);
}

static int draw_secrets(struct sign_in_secrets *secrets, struct problem *problem)
{
    if (draw_secret(&secrets->state) == 0 && draw_secret(&secrets->nonce) == 0 &&
        draw_secret(&secrets->verifier) == 0)
        return 0;
    problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
    return -1;
}

static void redirected(void *context, struct redirect_answer *answer)
{
    struct entry *entry = context;
    struct service *service = entry->service;
    struct event event = {.kind = EVENT_REDIRECT};

    event.redirect.code = answer->error == NULL ? &answer->code : NULL;
    event.redirect.error = answer->error;
    event.redirect.aadsts = answer->aadsts;
    event.redirect.refused_by_user = answer->access_denied_by_user;
    (void)entry_step(entry, &event);
    entries_sweep(service);
    service_tell_changes(service);
}

/* The URL for the browser; the machine is in signing-in. */
static int make_url(const struct sign_in_plan *plan, char url[AUTHORIZATION_URL_MAX])
{
    const struct identity *identity = &plan->entry->identity;
    const struct identity_key *key = &identity->key;
    const struct sign_in *sign_in = &identity->sign_in;
    bool choose = identity->choose_account || plan->target.ask;
    const struct authorization_request request = {.authority = key->authority,
                                                  .tenant = key->tenant,
                                                  .client_id = key->client_id,
                                                  .redirect_uri = sign_in->redirect_uri,
                                                  .scopes = sign_in->scopes,
                                                  .login_hint = choose ? NULL : key->sign_in_as,
                                                  .claims = identity->claims,
                                                  .state = &sign_in->state,
                                                  .nonce = &sign_in->nonce,
                                                  .verifier = &sign_in->verifier};

    return authorization_url(url, &request);
}

/* Puts the machine into signing-in and the listener, which it takes over then, into place. */
static int begin(const struct sign_in_plan *plan, struct redirect_listener *listener,
                 struct sign_in_secrets *secrets)
{
    const struct settings *settings = &plan->entry->service->settings;
    struct event event = {.start = {.method = METHOD_BROWSER}};
    char redirect_uri[REDIRECT_URI_SIZE];

    snprintf(redirect_uri, sizeof redirect_uri, "http://%s:%u", settings_text(settings, "redirectHost"),
             (unsigned)redirect_listener_port(listener));
    event.start.redirect_uri = redirect_uri;
    event.start.state = &secrets->state;
    event.start.nonce = &secrets->nonce;
    event.start.verifier = &secrets->verifier;
    if (redirect_listener_expect(listener, &secrets->state) != 0 ||
        sign_in_begin(plan, &event, SIGN_IN_DEADLINE_S) != 0)
        return -1;
    plan->entry->listener = listener;
    return 0;
}

json_t *sign_in_by_browser(const struct sign_in_plan *plan, bool open_browser, struct problem *problem)
{
    struct entry *entry = plan->entry;
    struct service *service = entry->service;
    struct sign_in_secrets secrets = {0};
    struct redirect_listener *listener;
    char url[AUTHORIZATION_URL_MAX];
    json_t *result = NULL;

    listener = redirect_listener_open(service->loop, settings_text(&service->settings, "redirectHost"),
                                      redirected, entry, problem);
    if (listener == NULL)
        return NULL;
    if (draw_secrets(&secrets, problem) != 0 || begin(plan, listener, &secrets) != 0) {
        problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
        redirect_listener_close(listener);
        goto out;
    }
    if (make_url(plan, url) != 0) {
        problem_set(problem, PROBLEM_INVALID_PARAMS, "The scopes make too long an address for a browser.",
                    "Ask for fewer scopes.");
        problem_copy_text(problem->field, sizeof problem->field, "scopes");
        entry_end_sign_in(entry, problem);
    } else if (open_browser && browser_open(url, problem) != 0) {
        entry_end_sign_in(entry, problem);
    } else {
        result = json_pack("{s:s, s:s, s:I, s:s}", "signInId", entry->sign_in_id, "flow", "browser",
                           "expiresAt", (json_int_t)entry->sign_in_expires_at, "authorizationUrl", url);
        if (result == NULL) {
            problem_set_no_memory(problem);
            entry_end_sign_in(entry, problem);
        }
    }
out:
    wipe_secrets(&secrets);
    return result;
}

bool service_paste_redirect(struct service *service, const char *url)
{
    const char *query = strchr(url, '?');
    struct entry *entry;

    for (entry = service->entries; entry != NULL && query != NULL; entry = entry->next) {
        struct redirect_answer answer = {0};
        if (entry->identity.sign_in.id == 0 || entry->identity.sign_in.method != METHOD_BROWSER ||
            !redirect_query_parse(query + 1, &entry->identity.sign_in.state, &answer))
            continue;
        redirected(entry, &answer);
        secret_wipe(&answer.code);
        return true;
    }
    return false;
}
