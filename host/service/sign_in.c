/* SPDX-License-Identifier: MPL-2.0 */
/* signIn.start, signIn.cancel and what all ways of signing in have in common: protocol section 3. */
#include "service/service_parts.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

void entry_end_sign_in(struct entry *entry, const struct problem *problem)
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
    problem_set(&problem, PROBLEM_CANCELLED, "The sign-in was not finished in time.",
                "Start the sign-in again.");
    entry_end_sign_in(entry, &problem);
    entries_sweep(service);
    service_tell_changes(service);
}

/* The address leaves whatever identity served it before, now that it is safe here: another process may have
 * given it to one while the sign-in was under way. What fails is found at the next start. */
static void take_over_address(struct entry *entry)
{
    const char *account = entry->sign_in_account;
    struct entry *other;
    struct problem problem;

    while ((other = entry_other_with(entry, account)) != NULL)
        if (store_leave(other, account, &problem) != 0)
            entry_remove_address(other, account);
    /* Last: what those files say, when they are read again, must not take it away. */
    (void)entry_add_address(entry, account);
}

static json_t *finished_params(const struct entry *entry, const struct problem *problem)
{
    json_t *params = json_pack("{s:s, s:s, s:b}", "signInId", entry->sign_in_id, "account",
                               entry->sign_in_account, "ok", problem == NULL);

    if (problem != NULL)
        json_object_set_new(params, "problem", problem_to_json(problem));
    return params;
}

void sign_in_finished(struct entry *entry, const struct problem *problem)
{
    json_t *params = finished_params(entry, problem);

    audit_sign_in_finished(entry, problem);
    if (problem == NULL) {
        take_over_address(entry);
        entry_judge(entry);
    }
    entry_set_moving(entry, "");
    redirect_listener_close(entry->listener);
    entry->listener = NULL;
    loop_timer_cancel(entry->service->loop, entry->sign_in_timer);
    entry->sign_in_timer = NULL;
    if (entry->import_request != 0) {
        json_decref(params);
        import_finished(entry, problem);
    } else {
        notify(entry->service, "signIn.finished", params);
    }
}

void sign_in_retry(struct entry *entry, const struct problem *problem)
{
    audit_sign_in(entry, "sign-in-refused", problem);
    notify(entry->service, "signIn.retry",
           json_pack("{s:s, s:o}", "signInId", entry->sign_in_id, "problem", problem_to_json(problem)));
}

/* The scopes asked for, checked, with the openid ones; the defaults when none are given. */
static int read_scopes(const json_t *list, const struct account_target *target, char scopes[SCOPE_LIST_SIZE],
                       struct problem *problem)
{
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
    if (scope_list_resources(scopes, IDENTITY_RESOURCES_MAX) > IDENTITY_RESOURCES_MAX)
        return rpc_param_bad(problem, "scopes", "of at most four resources");
    if (scopes[0] == '\0')
        snprintf(scopes, SCOPE_LIST_SIZE, "%s/IMAP.AccessAsUser.All %s/SMTP.Send", target->outlook,
                 target->outlook);
    if (scope_list_add(scopes, "offline_access") != 0 || scope_list_add(scopes, "openid") != 0 ||
        scope_list_add(scopes, "profile") != 0)
        return rpc_param_bad(problem, "scopes", "a list of at most 1,000 characters in all");
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
    *moves = wanted != current || entry_is_moving(current, account);
    if (*moves)
        wanted->wish = wish;
    return wanted;
}

/* What this sign-in will bring must find its place on disk; so must an account that is new. */
static int check_vault(struct entry *entry, const char *account, bool moves, struct problem *problem)
{
    const struct store_change change = {.adds = account};
    struct service *service = entry->service;

    if (vault_prepare(service->vault, problem) != 0)
        return -1;
    store_watch(service);
    return entry->on_disk || moves ? 0 : store_save(entry, &change, problem);
}

int sign_in_prepare(struct service *service, const char *account, const json_t *scopes,
                    struct sign_in_plan *plan, struct problem *problem)
{
    memset(plan, 0, sizeof *plan);
    account = account_as_written(service, account, plan->account);
    plan->asked_scopes = (json_t *)scopes;
    plan->known = entry_of(service, account) != NULL;
    plan->entry = entry_to_sign_in(service, account, &plan->target, &plan->moves, problem);
    if (plan->entry == NULL || read_scopes(scopes, &plan->target, plan->scopes, problem) != 0 ||
        check_vault(plan->entry, account, plan->moves, problem) != 0)
        return -1;
    if (!plan->known)
        audit_account(service, "account-added", account);
    return 0;
}

void sign_in_refused(struct service *service, const struct sign_in_plan *plan)
{
    struct entry *added = plan->known ? NULL : entry_of(service, plan->account);
    bool saved = added != NULL && added->on_disk;
    struct problem problem;

    if (added != NULL && store_leave(added, plan->account, &problem) != 0)
        entry_remove_address(added, plan->account);
    if (saved) /* and so told as added */
        audit_account(service, "account-removed", plan->account);
}

int sign_in_begin(const struct sign_in_plan *plan, struct event *event, int64_t seconds)
{
    struct entry *entry = plan->entry;
    struct service *service = entry->service;

    event->kind = EVENT_SIGN_IN_START;
    event->start.id = ++service->next_number;
    event->start.scopes = plan->scopes;
    if (entry_step(entry, event) != 0)
        return -1;
    if (entry->identity.sign_in.id != event->start.id)
        return 0; /* the request that it begins with could not be sent: it is over, and that was told */
    /* Only now: the step may just have told the end of an earlier sign-in by its own id and account. */
    memset(&entry->sign_in_request, 0, sizeof entry->sign_in_request);
    problem_copy_text(entry->sign_in_account, sizeof entry->sign_in_account, plan->account);
    snprintf(entry->sign_in_id, sizeof entry->sign_in_id, "%08x%08x", randombytes_random(),
             randombytes_random());
    entry_set_moving(entry, plan->moves ? plan->account : "");
    entry->sign_in_expires_at = wall_clock() + seconds;
    entry->sign_in_timer = loop_timer_start(service->loop, seconds * 1000, deadline_passed, entry);
    entry->sign_in_method = event->start.method;
    audit_sign_in(entry, "sign-in-started", NULL);
    return 0;
}

static int check_flow(struct service *service, const char *flow, struct problem *problem)
{
    if (strcmp(flow, "browser") != 0 && strcmp(flow, "device") != 0)
        return rpc_param_bad(problem, "flow", "\"browser\" or \"device\"");
    if (settings_list_contains(&service->settings, "flows", flow))
        return 0;
    problem_setf(problem, PROBLEM_POLICY_DENIED,
                 strcmp(flow, "device") == 0 ? "Sign in with the browser, or ask your administrator."
                                             : "Sign in with a device code, or ask your administrator.",
                 "The policy does not allow the sign-in flow \"%s\".", flow);
    return -1;
}

json_t *method_sign_in_start(struct service *service, struct rpc_request *request, struct problem *problem)
{
    static const char *const names[] = {"account", "flow", "openBrowser", "scopes"};
    const char *account = NULL, *flow = "browser";
    bool open_browser = false;
    struct sign_in_plan plan;
    json_t *result = NULL;

    if (rpc_params_known(request->params, names, sizeof names / sizeof names[0], problem) != 0 ||
        rpc_param_account(request->params, "account", true, &account, problem) != 0 ||
        rpc_param_bool(request->params, "openBrowser", &open_browser, problem) != 0 ||
        rpc_param_text(request->params, "flow", false, &flow, problem) != 0 ||
        check_flow(service, flow, problem) != 0)
        return NULL;
    if (sign_in_prepare(service, account, json_object_get(request->params, "scopes"), &plan, problem) == 0)
        result = strcmp(flow, "device") == 0 ? sign_in_by_device(&plan, request->id, problem)
                                             : sign_in_by_browser(&plan, open_browser, problem);
    if (result == NULL && problem->kind != PROBLEM_NONE)
        sign_in_refused(service, &plan);
    return result;
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
            entry_end_sign_in(entry, &cancelled);
            return json_object();
        }
    rpc_param_bad(problem, "signInId", "the id of a sign-in under way");
    return NULL;
}
