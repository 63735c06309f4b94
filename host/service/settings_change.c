/* SPDX-License-Identifier: MPL-2.0 */
/* settings.set of protocol section 3 and the command setup: changes of a configuration file, and of what is
 * in force. */
#include "service/service_parts.h"

#include "service/edited_file.h"
#include <stdlib.h>
#include <string.h>

/* What the administrator writes everybody reads; what the user writes is theirs. */
#define ADMIN_FILE_MODE 0644
#define ADMIN_FOLDER_MODE 0755
#define USER_FILE_MODE 0600
#define USER_FOLDER_MODE 0700

static int out_of_memory(struct problem *problem)
{
    problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
    return -1;
}

/* One member of the file's object; null takes it out. Names of keys need no escapes in a pointer. */
static int change_member(struct json_edit *edit, const char *key, const json_t *value)
{
    struct json_member member;
    char pointer[JSON_POINTER_SIZE] = "";
    json_free_t release;
    char *text;
    int result;

    json_pointer_add(pointer, key);
    if (!json_text_find(edit->text, edit->length, pointer, &member))
        return json_is_null(value) ? 0 : json_edit_add(edit, "", key, value);
    if (json_is_null(value))
        return json_edit_remove(edit, pointer);
    text = json_dumps(value, JSON_ENCODE_ANY);
    result = text == NULL ? -1 : json_edit_replace(edit, pointer, text);
    json_get_alloc_funcs(NULL, &release);
    release(text);
    return result;
}

/* A file that does not count now is not for us to change: what it says may be more than what is wrong. */
static int refuse_broken(const char *path, enum settings_source source, struct problem *problem)
{
    struct settings alone;
    int result = -1;

    if (settings_init(&alone) != 0) {
        out_of_memory(problem);
    } else {
        (void)settings_read_file(&alone, path, source);
        *problem = alone.broken;
        result = alone.broken.kind == PROBLEM_NONE ? 0 : -1;
    }
    settings_clear(&alone);
    return result;
}

static int change_file(const char *path, enum settings_source source, const json_t *changes,
                       struct problem *problem)
{
    bool admin = source == SETTINGS_ADMIN;
    struct edited_file file;
    const char *key;
    json_t *value;
    int result = -1;

    if (refuse_broken(path, source, problem) != 0)
        return -1;
    if (edited_file_open(&file, path, FOLDERS_ALL, admin ? ADMIN_FOLDER_MODE : USER_FOLDER_MODE, problem) !=
        0)
        goto out;
    json_object_foreach((json_t *)changes, key, value)
    {
        if (change_member(&file.edit, key, value) != 0) {
            out_of_memory(problem);
            goto out;
        }
    }
    if (file.edit.length > SETTINGS_FILE_MAX) { /* nobody would read it again */
        problem_set(problem, PROBLEM_STORAGE, "The configuration would be larger than 256 KiB.",
                    "Set less; nothing was changed.");
        goto out;
    }
    result = edited_file_save(&file, admin ? ADMIN_FILE_MODE : USER_FILE_MODE, problem);
out:
    edited_file_close(&file);
    return result;
}

/* Whether the user may set the key: not what somebody above has set, nor what is only for them to set. */
static int may_set(const struct settings *settings, const struct settings_key *key, const json_t *value,
                   struct problem *problem)
{
    const char *source = json_string_value(json_object_get(settings->sources, key->name));
    const char *cloud = settings_text(settings, "cloud");
    const char *reason = NULL;

    /* What has no effect there may be taken out. */
    if (key->admin_only && !json_is_null(value))
        reason = TEXT("The setting \"%s\" can only be set by your administrator.");
    else if (source != NULL && (strcmp(source, "admin") == 0 || strcmp(source, "thunderbird") == 0))
        reason = TEXT("The setting \"%s\" is set by your administrator.");
    else if (strcmp(key->name, "caFile") == 0 && !json_is_null(value) &&
             (cloud == NULL || strcmp(cloud, CLOUD_CUSTOM) != 0))
        reason = TEXT("The setting \"%s\" can be set by you only with the cloud \"custom\".");
    else if (settings_redirects_microsoft(key, value))
        reason = TEXT("The setting \"%s\" can name other servers for Microsoft's sign-in only where your "
                      "administrator sets it.");
    if (reason == NULL)
        return 0;
    problem_setf(problem, PROBLEM_POLICY_DENIED, "Ask your administrator.", reason, key->name);
    return -1;
}

/*
 * The configuration anew, from files and Thunderbird's policies. What was decided at the start stays until
 * the next one: connections under way and their proxy and anchors, the key store, the audit log.
 */
static int reread(struct service *service, struct problem *problem)
{
    struct settings fresh;
    struct entry *entry;

    if (settings_init(&fresh) != 0) {
        settings_clear(&fresh);
        return out_of_memory(problem);
    }
    settings_read_files(&fresh);
    if (service->managed != NULL)
        settings_apply(&fresh, service->managed, SETTINGS_THUNDERBIRD, "Thunderbird's policies");
    settings_clear(&service->settings);
    service->settings = fresh;
    for (entry = service->entries; entry != NULL; entry = entry->next) {
        entry->identity.renew_ahead = json_is_true(json_object_get(fresh.values, "renewAhead"));
        entry_judge(entry);
        entry_changed(entry);
    }
    store_policy_accounts(service);
    step_all(service, EVENT_TIME);
    return 0;
}

json_t *method_settings_set(struct service *service, struct rpc_request *request, struct problem *problem)
{
    static const char *const known[] = {"key", "value"};
    const struct settings_key *key;
    const char *name = NULL;
    char expected[SETTINGS_EXPECTED_SIZE] = TEXT("there");
    json_t *value = json_object_get(request->params, "value"), *changes;
    char *path;
    int result;

    if (rpc_params_known(request->params, known, 2, problem) != 0 ||
        rpc_param_text(request->params, "key", true, &name, problem) != 0)
        return NULL;
    key = settings_key_find(name);
    if (key == NULL) {
        rpc_param_bad(problem, "key", "a key of the configuration");
        return NULL;
    }
    if (value == NULL || (!json_is_null(value) && !settings_value_fits(name, value, expected))) {
        rpc_param_bad(problem, "value", expected);
        return NULL;
    }
    if (may_set(&service->settings, key, value, problem) != 0)
        return NULL;
    path = environment_config_file(problem);
    changes = json_pack("{s:O}", name, value);
    result = path == NULL || changes == NULL ? -1 : change_file(path, SETTINGS_USER, changes, problem);
    json_decref(changes);
    free(path);
    if (result != 0 || reread(service, problem) != 0)
        return NULL;
    return json_pack("{s:o}", "policy", policy_shown(&service->settings));
}

int service_settings(struct settings *settings, const json_t *answers, bool for_everybody,
                     struct problem *problem)
{
    const char *key;
    json_t *value;

    if (settings_init(settings) != 0)
        return out_of_memory(problem);
    settings_read_files(settings);
    if (!for_everybody)
        json_object_foreach((json_t *)answers, key, value)
        {
            if (may_set(settings, settings_key_find(key), value, problem) != 0)
                return -1;
        }
    if (settings->broken.kind == PROBLEM_NONE)
        settings_apply(settings, answers, SETTINGS_ADMIN, "The answers");
    *problem = settings->broken;
    return problem->kind == PROBLEM_NONE ? 0 : -1;
}

char *service_settings_write(const json_t *answers, bool for_everybody, struct problem *problem)
{
    char *path = for_everybody ? strdup(SETTINGS_ADMIN_FILE) : environment_config_file(problem);

    if (path == NULL && for_everybody)
        out_of_memory(problem);
    if (path == NULL ||
        change_file(path, for_everybody ? SETTINGS_ADMIN : SETTINGS_USER, answers, problem) == 0)
        return path;
    free(path);
    return NULL;
}
