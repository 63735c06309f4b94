/* SPDX-License-Identifier: MPL-2.0 */
/* The Account object of the protocol: what a client may see of an identity. No secret can get in here. */
#include "service/service_parts.h"

#include <string.h>

json_t *scopes_to_json(const char *list)
{
    json_t *array = json_array();
    char scope[SCOPE_SIZE];

    while (scope_list_next(&list, scope))
        json_array_append_new(array, json_string(scope));
    return array;
}

static json_t *tokens_to_json(const struct identity *identity)
{
    json_t *tokens = json_array();
    char scopes[SCOPE_LIST_SIZE];
    int i;

    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++) {
        const struct access *access = &identity->access[i];
        if (access->access_token.length == 0)
            continue;
        scope_list_of_resource(scopes, identity->grant.scopes, access->resource);
        json_array_append_new(tokens,
                              json_pack("{s:s, s:o, s:I}", "resource", access->resource, "scopes",
                                        scopes_to_json(scopes), "expiresAt", (json_int_t)access->expires_at));
    }
    return tokens;
}

static json_t *refresh_token_to_json(const struct grant *grant)
{
    if (grant->serial == 0)
        return json_null();
    return json_pack("{s:b, s:I, s:I, s:I}", "present", grant->refresh_token.length != 0, "obtainedAt",
                     (json_int_t)grant->obtained_at, "lastUsedAt", (json_int_t)grant->last_used_at,
                     "idleExpiresAt", (json_int_t)grant->last_used_at + REFRESH_TOKEN_IDLE_S);
}

static json_t *text_or_null(const char *text)
{
    return text[0] == '\0' ? json_null() : json_string(text);
}

static json_t *time_or_null(int64_t time)
{
    return time == 0 ? json_null() : json_integer((json_int_t)time);
}

const char *account_state(struct entry *entry, const char *account, const struct problem **problem,
                          struct problem *room)
{
    if (entry->identity.sign_in.id != 0 || entry_may_serve(entry, account, room))
        return identity_state(&entry->identity, problem);
    if (room->kind != entry->denied)
        entry->denied_since = wall_clock();
    entry->denied = room->kind;
    room->since = entry->denied_since;
    *problem = room;
    return room->kind == PROBLEM_POLICY_DENIED ? "blocked" : "attention";
}

json_t *account_to_json(struct entry *entry, const char *account)
{
    const struct identity *identity = &entry->identity;
    const struct problem *problem;
    struct problem denied;
    const char *state = account_state(entry, account, &problem, &denied);
    struct account_target target;

    settings_target(&entry->service->settings, account, &entry->wish, &target);
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "account", account, "signInAs",
        account_name_equal(account, identity->key.sign_in_as) ? account : identity->key.sign_in_as, "state",
        state, "tenant", identity->key.tenant, "cloud", target.cloud, "method",
        identity->grant.serial == 0 ? json_null() : json_string(method_name(identity->grant.method)),
        "homeAccountId", text_or_null(identity->grant.home_account_id), "problem",
        problem == NULL ? json_null() : problem_to_json(problem), "tokens", tokens_to_json(identity),
        "refreshToken", refresh_token_to_json(&identity->grant), "nextRenewal",
        time_or_null(identity_next_renewal(identity, moment_now())));
}
