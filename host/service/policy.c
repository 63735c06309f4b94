/* SPDX-License-Identifier: MPL-2.0 */
/* policy.get of protocol section 3, and what `thunderseal policy show` tells beyond it. */
#include "service/service_parts.h"

#include <stdlib.h>
#include <string.h>

json_t *policy_shown(const struct settings *settings)
{
    const char *proxy = settings_text(settings, "proxy"), *start, *at;
    json_t *policy = json_copy(settings->values);

    if (proxy == NULL)
        return policy;
    start = strstr(proxy, "://") + 3;
    at = strrchr(start, '@');
    if (at == NULL)
        return policy;
    json_object_del(policy, "proxy"); /* it goes in any case */
    json_object_set_new(policy, "proxy", json_sprintf("%.*s%s", (int)(start - proxy), proxy, at + 1));
    return policy;
}

json_t *method_policy_get(struct service *service, struct rpc_request *request, struct problem *problem)
{
    if (rpc_params_known(request->params, NULL, 0, problem) != 0)
        return NULL;
    return json_pack("{s:o, s:O}", "policy", policy_shown(&service->settings), "sources",
                     service->settings.sources);
}

/* The keys that the user's file cannot change. */
static json_t *locked_keys(const struct settings *settings)
{
    json_t *locked = json_array(), *source;
    const char *key;

    json_object_foreach(settings->sources, key, source)
    {
        const char *name = json_string_value(source);
        if (strcmp(name, "admin") == 0 || strcmp(name, "thunderbird") == 0)
            json_array_append_new(locked, json_string(key));
    }
    return locked;
}

/* By itself: what is wrong with one file says nothing of another. */
static json_t *file_state(const char *path, enum settings_source source)
{
    struct settings alone;
    const char *state = "absent";
    json_t *result = NULL;

    if (settings_init(&alone) == 0) {
        if (settings_read_file(&alone, path, source))
            state = alone.broken.kind == PROBLEM_NONE ? "read" : "refused";
        result = json_pack("{s:s, s:s, s:s}", "path", path, "source",
                           source == SETTINGS_ADMIN ? "admin" : "user", "state", state);
    }
    settings_clear(&alone);
    return result;
}

json_t *service_policy(struct problem *problem)
{
    char *user_file = environment_config_file(problem);
    json_t *files = json_array(), *result = NULL;
    struct settings settings = {0};

    if (user_file == NULL)
        goto out;
    if (settings_init(&settings) != 0) {
        problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
        goto out;
    }
    settings_read_files(&settings);
    json_array_append_new(files, file_state(SETTINGS_ADMIN_FILE, SETTINGS_ADMIN));
    json_array_append_new(files, file_state(user_file, SETTINGS_USER));
    result =
        json_pack("{s:o, s:O, s:o, s:O, s:O}", "policy", policy_shown(&settings), "sources", settings.sources,
                  "locked", locked_keys(&settings), "files", files, "warnings", settings.warnings);
out:
    settings_clear(&settings);
    json_decref(files);
    free(user_file);
    return result;
}
