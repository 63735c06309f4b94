/* SPDX-License-Identifier: MPL-2.0 */
/* account.list, account.add, account.remove, signOut: protocol section 3. */
#include "service/service_parts.h"

#include "core/check.h"
#include <stdlib.h>
#include <string.h>

static struct problem *unknown_account(struct problem *problem, const char *account)
{
    problem_setf(problem, PROBLEM_UNKNOWN_ACCOUNT,
                 "Check the spelling; \"thunderseal accounts\" lists those it knows.",
                 "Thunderseal does not know the account %s.", account);
    return problem;
}

json_t *account_page(struct service *service, const char *after, size_t limit)
{
    struct listed *list = NULL;
    int count = accounts_sorted(service, &list), i;
    json_t *accounts = json_array();
    char folded[ACCOUNT_NAME_SIZE], folded_after[ACCOUNT_NAME_SIZE] = "";
    bool more = false;

    account_name_fold(folded_after, after);
    for (i = 0; i < count; i++) {
        account_name_fold(folded, list[i].account);
        if (strcmp(folded, folded_after) <= 0)
            continue;
        if (json_array_size(accounts) == limit) {
            more = true;
            break;
        }
        json_array_append_new(accounts, account_to_json(list[i].entry, list[i].account));
    }
    free(list);
    return json_pack("{s:o, s:b}", "accounts", accounts, "more", more);
}

json_t *method_account_list(struct service *service, struct rpc_request *request, struct problem *problem)
{
    static const char *const names[] = {"after", "limit"};
    const char *after = "";
    json_int_t limit = LIST_MAX;

    if (rpc_params_known(request->params, names, 2, problem) != 0 ||
        rpc_param_text(request->params, "after", false, &after, problem) != 0 ||
        rpc_param_integer(request->params, "limit", 1, LIST_MAX, &limit, problem) != 0)
        return NULL;
    return account_page(service, after, (size_t)limit);
}

static int read_wish(const json_t *params, struct account_wish *wish, struct problem *problem)
{
    const char *sign_in_as = NULL, *tenant = NULL, *cloud = NULL;

    if (rpc_param_account(params, "signInAs", false, &sign_in_as, problem) != 0 ||
        rpc_param_text(params, "tenant", false, &tenant, problem) != 0 ||
        rpc_param_text(params, "cloud", false, &cloud, problem) != 0)
        return -1;
    if (tenant != NULL && !settings_tenant_valid(tenant))
        return rpc_param_bad(problem, "tenant",
                             "\"common\", \"organizations\", \"consumers\", a GUID or a domain");
    if (cloud != NULL && !settings_cloud_valid(cloud))
        return rpc_param_bad(problem, "cloud",
                             "one of \"worldwide\", \"usgov\", \"usgov-dod\", \"china\", \"custom\"");
    problem_copy_text(wish->sign_in_as, sizeof wish->sign_in_as, sign_in_as);
    problem_copy_text(wish->tenant, sizeof wish->tenant, tenant);
    problem_copy_text(wish->cloud, sizeof wish->cloud, cloud);
    return 0;
}

static int save_added(struct entry *before, struct entry *entry, const char *account, struct problem *problem)
{
    const struct store_change change = {.adds = account};
    struct problem left;

    if (store_save(entry, &change, problem) == 0) {
        /* Where it was before it is found and cleaned at the next start, if it cannot be now. */
        if (before != NULL && before != entry && store_leave(before, account, &left) != 0)
            entry_remove_address(before, account);
        return 0;
    }
    /* Nothing was kept on disk, so nothing is kept in memory. */
    if (before != entry) {
        entry_remove_address(entry, account);
        if (before != NULL)
            (void)entry_add_address(before, account);
    }
    return -1;
}

/* Ends what runs for the address; what others of the identity wait for goes on. */
static void cancel_for(struct entry *entry, const char *account, const char *cause TEXTS,
                       const char *remedy TEXTS)
{
    struct problem cancelled;
    struct event event = {.kind = EVENT_SIGN_IN_END, .sign_in_end = &cancelled};

    if (entry->identity.sign_in.id == 0 || !account_name_equal(entry->sign_in_account, account))
        return;
    problem_set(&cancelled, PROBLEM_CANCELLED, cause, remedy);
    (void)entry_step(entry, &event);
}

json_t *method_account_add(struct service *service, struct rpc_request *request, struct problem *problem)
{
    static const char *const names[] = {"account", "signInAs", "tenant", "cloud"};
    const char *account = NULL;
    char written[ACCOUNT_NAME_SIZE];
    struct account_wish wish = {0}, wish_before = {0};
    struct entry *before, *entry;
    bool same;

    if (rpc_params_known(request->params, names, 4, problem) != 0 ||
        rpc_param_account(request->params, "account", true, &account, problem) != 0 ||
        read_wish(request->params, &wish, problem) != 0)
        return NULL;
    account = account_as_written(service, account, written);
    before = entry_of(service, account);
    if (before != NULL && entry_is_moving(before, account)) {
        /* It is here when that succeeds, and not before. */
        if (wish.sign_in_as[0] == '\0' && wish.tenant[0] == '\0' && wish.cloud[0] == '\0')
            return json_pack("{s:o}", "account", account_to_json(before, account));
        cancel_for(before, account, "The account was changed meanwhile.", "Start the sign-in again.");
        before = entry_of(service, account);
    }
    if (before != NULL)
        wish_before = before->wish;
    entry = account_ensure(service, account, &wish, problem);
    if (entry == NULL)
        return NULL;
    same = before == entry && entry->on_disk && strcmp(wish_before.tenant, entry->wish.tenant) == 0 &&
           strcmp(wish_before.cloud, entry->wish.cloud) == 0;
    if (!same && save_added(before, entry, account, problem) != 0)
        return NULL;
    if (before != NULL && before != entry)
        cancel_for(before, account, "The account was changed meanwhile.", "Start the sign-in again.");
    if (!same) {
        entry_changed(entry);
        audit_account(service, before == NULL ? "account-added" : "account-changed", account);
    }
    return json_pack("{s:o}", "account", account_to_json(entry, account));
}

json_t *method_account_remove(struct service *service, struct rpc_request *request, struct problem *problem)
{
    static const char *const names[] = {"account"};
    const char *account = NULL;
    char written[ACCOUNT_NAME_SIZE];
    struct entry *entry;

    if (rpc_params_known(request->params, names, 1, problem) != 0 ||
        rpc_param_account(request->params, "account", true, &account, problem) != 0)
        return NULL;
    entry = entry_of(service, account);
    if (entry == NULL) {
        unknown_account(problem, account);
        return NULL;
    }
    account = account_as_written(service, account, written);
    cancel_for(entry, account, "The account was removed.", "Add it again when you need it.");
    entry = entry_of(service, account); /* a sign-in that was to move the address is over */
    if (entry == NULL)
        return json_object();
    if (store_leave(entry, account, problem) != 0)
        return NULL;
    audit_account(service, json_array_size(entry->addresses) == 0 ? "account-forgotten" : "account-removed",
                  account);
    store_policy_accounts(service);
    return json_object();
}

static json_t *logout_url(const struct identity_key *key)
{
    return json_sprintf("%s/%s/oauth2/v2.0/logout", key->authority, key->tenant);
}

static json_t *sign_out_result(struct entry *entry, bool everywhere)
{
    json_t *result = json_pack("{s:O, s:o, s:b}", "accounts", entry->addresses, "logoutUrl",
                               logout_url(&entry->identity.key), "revoked", false);

    if (everywhere)
        check_remedy(result,
                     "Microsoft has no way for an app to end sessions: open the link to end those of your "
                     "browser; your administrator ends all others with Revoke-MgUserSignInSession -UserId %s",
                     entry->identity.key.sign_in_as);
    return result;
}

json_t *method_sign_out(struct service *service, struct rpc_request *request, struct problem *problem)
{
    static const char *const names[] = {"account", "everywhere"};
    const char *account = NULL;
    bool everywhere = false;
    struct event event = {.kind = EVENT_SIGN_OUT};
    struct entry *entry;

    if (rpc_params_known(request->params, names, 2, problem) != 0 ||
        rpc_param_account(request->params, "account", true, &account, problem) != 0 ||
        rpc_param_bool(request->params, "everywhere", &everywhere, problem) != 0)
        return NULL;
    entry = entry_of(service, account);
    if (entry != NULL && entry_is_moving(entry, account)) {
        cancel_for(entry, account, "The account was signed out.", "Sign in again when you want to use it.");
        entry = entry_of(service, account); /* what is stored is where it was to move from */
    }
    if (entry == NULL) {
        unknown_account(problem, account);
        return NULL;
    }
    if (entry_step(entry, &event) != 0) {
        problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
        return NULL;
    }
    if (entry->identity.storage.kind != PROBLEM_NONE) {
        *problem = entry->identity.storage;
        return NULL;
    }
    audit_signed_out(entry, everywhere);
    return sign_out_result(entry, everywhere);
}
