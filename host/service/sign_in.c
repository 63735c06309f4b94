/* SPDX-License-Identifier: MPL-2.0 */
/* signIn.start, signIn.cancel and what follows: protocol section 3, DESIGN section 5. */
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

static void end_sign_in(struct entry *entry, const struct problem *problem)
{
    struct event event = {.kind = EVENT_SIGN_IN_END, .sign_in_end = problem};

    (void)entry_step(entry, &event);
}

static void deadline_passed(void *context)
{
    struct entry *entry = context;
    struct service *service = entry->service;
    struct problem problem;

    entry->sign_in_timer = NULL;
    problem_set(&problem, PROBLEM_CANCELLED, "The sign-in was not finished within five minutes.",
                "Start the sign-in again.");
    end_sign_in(entry, &problem);
    entries_sweep(service);
    service_tell_changes(service);
}

static void close_listener(struct entry *entry)
{
    redirect_listener_close(entry->listener);
    entry->listener = NULL;
    loop_timer_cancel(entry->service->loop, entry->sign_in_timer);
    entry->sign_in_timer = NULL;
}

/* The address leaves the identity that served it before, now that it is safe here. What fails is found at the
 * next start. */
static void finish_move(struct entry *entry)
{
    struct entry *other;
    struct problem problem;

    (void)entry_add_address(entry, entry->moving);
    for (other = entry->service->entries; other != NULL; other = other->next)
        if (other != entry && entry_has_address(other, entry->moving) &&
            store_leave(other, entry->moving, &problem) != 0)
            entry_remove_address(other, entry->moving);
}

void sign_in_finished(struct entry *entry, const struct problem *problem)
{
    json_t *params = json_pack("{s:s, s:s, s:b}", "signInId", entry->sign_in_id, "account",
                               entry->sign_in_account, "ok", problem == NULL);

    if (problem != NULL)
        json_object_set_new(params, "problem", problem_to_json(problem));
    else if (entry->moving[0] != '\0')
        finish_move(entry);
    entry_set_moving(entry, "");
    close_listener(entry);
    if (problem == NULL)
        entry_judge(entry);
    notify(entry->service, "signIn.finished", params);
}

void sign_in_retry(struct entry *entry, const struct problem *problem)
{
    notify(entry->service, "signIn.retry",
           json_pack("{s:s, s:o}", "signInId", entry->sign_in_id, "problem", problem_to_json(problem)));
}

/* The scopes asked for, checked, with the openid ones; the defaults when none are given. */
static int read_scopes(const json_t *params, const struct account_target *target,
                       char scopes[SCOPE_LIST_SIZE], struct problem *problem)
{
    const json_t *list = json_object_get(params, "scopes");
    char resource[RESOURCE_SIZE];
    json_t *scope;
    size_t i;

    scopes[0] = '\0';
    if (list != NULL && (!json_is_array(list) || json_array_size(list) == 0))
        return rpc_param_bad(problem, "scopes", "a list of scopes");
    json_array_foreach((json_t *)list, i, scope)
    {
        const char *text = json_string_value(scope);
        if (text == NULL || strlen(text) != json_string_length(scope) || !scope_valid(text) ||
            (!scope_is_openid(text) && !scope_resource(resource, text)))
            return rpc_param_bad(problem, "scopes", "a list of scopes with their resource");
        if (!scope_is_openid(text) && scope_list_add(scopes, text) != 0)
            return rpc_param_bad(problem, "scopes", "a list of at most 1,000 characters in all");
    }
    if (scopes[0] == '\0')
        snprintf(scopes, SCOPE_LIST_SIZE, "%s/IMAP.AccessAsUser.All %s/SMTP.Send", target->outlook,
                 target->outlook);
    if (scope_list_add(scopes, "offline_access") != 0 || scope_list_add(scopes, "openid") != 0 ||
        scope_list_add(scopes, "profile") != 0)
        return rpc_param_bad(problem, "scopes", "a list of at most 1,000 characters in all");
    return 0;
}

static int check_flow(struct service *service, const json_t *params, struct problem *problem)
{
    const char *flow = "browser";

    if (rpc_param_text(params, "flow", false, &flow, problem) != 0)
        return -1;
    if (strcmp(flow, "browser") != 0 && strcmp(flow, "device") != 0)
        return rpc_param_bad(problem, "flow", "\"browser\" or \"device\"");
    if (!settings_list_contains(&service->settings, "flows", flow)) {
        problem_setf(problem, PROBLEM_POLICY_DENIED, "Sign in with the browser, or ask your administrator.",
                     "The policy does not allow the sign-in flow \"%s\".", flow);
        return -1;
    }
    if (strcmp(flow, "device") == 0) {
        problem_set(problem, PROBLEM_MISCONFIGURED,
                    "Sign-in by device code is not built yet in this version.", "Sign in with the browser.");
        return -1;
    }
    return 0;
}

/* The identity that the configuration in force wants for the account; it may be another than the one it has.
 */
static struct entry *entry_to_sign_in(struct service *service, const char *account,
                                      struct account_target *target, bool *moves, struct problem *problem)
{
    const struct account_wish nothing = {0};
    struct entry *current = account_ensure(service, account, &nothing, problem), *wanted;
    struct account_wish wish;

    if (current == NULL)
        return NULL;
    wish = current->wish;
    if (wish.sign_in_as[0] == '\0')
        memcpy(wish.sign_in_as, current->identity.key.sign_in_as, sizeof wish.sign_in_as);
    settings_target(&service->settings, account, &wish, target);
    if (!settings_allow(&service->settings, account, target->key.sign_in_as, problem) ||
        !settings_can_sign_in(&service->settings, target, problem))
        return NULL;
    wanted = entry_make(service, &target->key);
    if (wanted == NULL) {
        problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
        return NULL;
    }
    *moves = wanted != current;
    if (*moves)
        wanted->wish = wish;
    return wanted;
}

/* What this sign-in will bring must find its place on disk; so must an account that is new. */
static int check_vault(struct entry *entry, bool moves, struct problem *problem)
{
    struct service *service = entry->service;

    if (vault_prepare(service->vault, problem) != 0)
        return -1;
    service->prepared = true;
    store_watch(service);
    return entry->on_disk || moves ? 0 : store_save(entry, false, problem);
}

static int draw_secrets(struct sign_in_secrets *secrets, struct problem *problem)
{
    if (draw_secret(&secrets->state) == 0 && draw_secret(&secrets->nonce) == 0 &&
        draw_secret(&secrets->verifier) == 0)
        return 0;
    problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
    return -1;
}

/* Puts the machine into signing-in and the listener into place; the URL for the browser into url. */
static int begin(struct entry *entry, const char *account, bool moves, const char *scopes,
                 struct redirect_listener *listener, struct sign_in_secrets *secrets,
                 char url[AUTHORIZATION_URL_MAX])
{
    struct service *service = entry->service;
    struct sign_in *sign_in = &entry->identity.sign_in;
    const struct identity_key *key = &entry->identity.key;
    struct event event = {.kind = EVENT_SIGN_IN_START};
    struct authorization_request request = {.authority = key->authority,
                                            .tenant = key->tenant,
                                            .client_id = key->client_id,
                                            .redirect_uri = sign_in->redirect_uri,
                                            .scopes = sign_in->scopes,
                                            .login_hint = key->sign_in_as,
                                            .state = &sign_in->state,
                                            .nonce = &sign_in->nonce,
                                            .verifier = &sign_in->verifier};
    char redirect_uri[REDIRECT_URI_SIZE];

    snprintf(redirect_uri, sizeof redirect_uri, "http://%s:%u",
             settings_text(&service->settings, "redirectHost"), (unsigned)redirect_listener_port(listener));
    event.start.id = ++service->next_number;
    event.start.redirect_uri = redirect_uri;
    event.start.scopes = scopes;
    event.start.state = &secrets->state;
    event.start.nonce = &secrets->nonce;
    event.start.verifier = &secrets->verifier;
    if (redirect_listener_expect(listener, &secrets->state) != 0 || entry_step(entry, &event) != 0)
        return -1;
    /* Only now: the step may just have told the end of an earlier sign-in by its own id and account. */
    problem_copy_text(entry->sign_in_account, sizeof entry->sign_in_account, account);
    snprintf(entry->sign_in_id, sizeof entry->sign_in_id, "%08x%08x", randombytes_random(),
             randombytes_random());
    entry_set_moving(entry, moves ? account : "");
    entry->listener = listener;
    entry->sign_in_expires_at = wall_clock() + SIGN_IN_DEADLINE_S;
    entry->sign_in_timer = loop_timer_start(service->loop, SIGN_IN_DEADLINE_S * 1000, deadline_passed, entry);
    return authorization_url(url, &request);
}

static json_t *start(struct service *service, const char *account, bool open_browser, const json_t *params,
                     struct problem *problem)
{
    bool known = entry_of(service, account) != NULL, moves = false;
    struct account_target target;
    struct entry *entry = entry_to_sign_in(service, account, &target, &moves, problem), *added;
    struct redirect_listener *listener = NULL;
    struct sign_in_secrets secrets = {0};
    char scopes[SCOPE_LIST_SIZE], url[AUTHORIZATION_URL_MAX];
    json_t *result = NULL;

    if (entry == NULL || read_scopes(params, &target, scopes, problem) != 0 ||
        check_vault(entry, moves, problem) != 0 || draw_secrets(&secrets, problem) != 0)
        goto out;
    listener = redirect_listener_open(service->loop, settings_text(&service->settings, "redirectHost"),
                                      redirected, entry, problem);
    if (listener == NULL)
        goto out;
    if (begin(entry, account, moves, scopes, listener, &secrets, url) != 0) {
        problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
        if (entry->listener != listener)
            redirect_listener_close(listener);
        end_sign_in(entry, problem);
        goto out;
    }
    if (open_browser && browser_open(url, problem) != 0) {
        end_sign_in(entry, problem);
        goto out;
    }
    result = json_pack("{s:s, s:s, s:I, s:s}", "signInId", entry->sign_in_id, "flow", "browser", "expiresAt",
                       (json_int_t)entry->sign_in_expires_at, "authorizationUrl", url);
out:
    added = known || result != NULL ? NULL : entry_of(service, account);
    if (added != NULL && !added->on_disk)
        entry_remove_address(added, account); /* refused, so it was not added */
    wipe_secrets(&secrets);
    return result;
}

json_t *method_sign_in_start(struct service *service, struct rpc_request *request, struct problem *problem)
{
    static const char *const names[] = {"account", "flow", "openBrowser", "scopes"};
    const char *account = NULL;
    bool open_browser = false;

    if (rpc_params_known(request->params, names, sizeof names / sizeof names[0], problem) != 0 ||
        rpc_param_account(request->params, "account", true, &account, problem) != 0 ||
        rpc_param_bool(request->params, "openBrowser", &open_browser, problem) != 0 ||
        check_flow(service, request->params, problem) != 0)
        return NULL;
    return start(service, account, open_browser, request->params, problem);
}

json_t *method_sign_in_cancel(struct service *service, struct rpc_request *request, struct problem *problem)
{
    static const char *const names[] = {"signInId"};
    const char *id = NULL;
    struct entry *entry;

    if (rpc_params_known(request->params, names, 1, problem) != 0 ||
        rpc_param_text(request->params, "signInId", true, &id, problem) != 0)
        return NULL;
    for (entry = service->entries; entry != NULL; entry = entry->next)
        if (entry->identity.sign_in.id != 0 && strcmp(entry->sign_in_id, id) == 0) {
            struct problem cancelled;
            problem_set(&cancelled, PROBLEM_CANCELLED, "The sign-in was cancelled.",
                        "Start the sign-in again when you are ready.");
            end_sign_in(entry, &cancelled);
            return json_object();
        }
    rpc_param_bad(problem, "signInId", "the id of a sign-in under way");
    return NULL;
}

bool service_paste_redirect(struct service *service, const char *url)
{
    const char *query = strchr(url, '?');
    struct entry *entry;

    for (entry = service->entries; entry != NULL && query != NULL; entry = entry->next) {
        struct redirect_answer answer = {0};
        if (entry->identity.sign_in.id == 0 ||
            !redirect_query_parse(query + 1, &entry->identity.sign_in.state, &answer))
            continue;
        redirected(entry, &answer);
        secret_wipe(&answer.code);
        return true;
    }
    return false;
}
