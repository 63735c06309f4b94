/* SPDX-License-Identifier: MPL-2.0 */
/* `thunderseal policy check`: everything that is wrong with a configuration file, with its place. */
#include "service/service_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define FAULTS_MAX 100 /* nobody reads on; and each is looked up in the text */

struct check {
    struct settings_file file;
    json_t *faults, *warnings;
};

/* Adds what is wrong to a list, in the order of places. place NULL: nowhere in particular. */
static void add(json_t *list, const char *pointer, const struct json_place *place, const char *message)
{
    size_t i, at = json_array_size(list);
    json_t *entry, *other;

    if (at == FAULTS_MAX)
        json_array_append_new(list, json_pack("{s:s}", "message", "There is more: correct this first."));
    if (at >= FAULTS_MAX)
        return;
    entry = json_pack("{s:s}", "message", message);
    if (pointer != NULL)
        json_object_set_new(entry, "pointer", json_string(pointer));
    if (place != NULL) {
        json_object_set_new(entry, "line", json_integer(place->line));
        json_object_set_new(entry, "column", json_integer(place->column));
        json_array_foreach(list, i, other)
        {
            json_int_t line = json_integer_value(json_object_get(other, "line"));
            if (line > place->line || (line == place->line && json_integer_value(json_object_get(
                                                                  other, "column")) > place->column)) {
                at = i;
                break;
            }
        }
    }
    json_array_insert_new(list, at, entry);
}

/* The same where a pointer leads: to the value or, for a key that should not be there, to the key. */
static void add_at(const struct check *check, json_t *list, const char *pointer, bool at_key,
                   const char *message)
{
    struct json_member member;
    struct json_place place;
    bool found = json_array_size(list) < FAULTS_MAX &&
                 json_text_find(check->file.text, check->file.length, pointer, &member);

    if (found)
        place = json_text_place(check->file.text, at_key ? member.start : member.value);
    add(list, pointer, found ? &place : NULL, message);
}

static void take_twin(void *context, const struct json_member *member)
{
    const struct check *check = context;
    const struct json_place place = json_text_place(check->file.text, member->start);
    char message[SETTINGS_POINTER_SIZE + 64];

    snprintf(message, sizeof message, "%s stands there twice: remove one of the two.", member->pointer);
    add(check->faults, member->pointer, &place, message);
}

static void take_fault(void *context, const struct settings_fault *fault)
{
    const struct check *check = context;
    char message[SETTINGS_POINTER_SIZE + 256];

    if (fault->expected != NULL)
        snprintf(message, sizeof message, "%s must be %s.", fault->pointer, fault->expected);
    else if (fault->near != NULL)
        snprintf(message, sizeof message, "%s is not a known key: did you mean \"%s\"?", fault->pointer,
                 fault->near);
    else
        snprintf(message, sizeof message, "%s is not a known key: thunderseal-policy(5) has them all.",
                 fault->pointer);
    add_at(check, check->faults, fault->pointer, fault->expected == NULL, message);
}

/* ---- what is no fault of the file, but surprises ---- */

/* Whether the path leads to the user's own file. */
static bool is_users_file(const char *path)
{
    struct problem problem;
    char *user_file = environment_config_file(&problem);
    struct stat one, other;
    bool same = user_file != NULL && stat(user_file, &one) == 0 && stat(path, &other) == 0 &&
                one.st_dev == other.st_dev && one.st_ino == other.st_ino;

    free(user_file);
    return same;
}

static bool is_custom_cloud(const json_t *object)
{
    const char *cloud = json_string_value(json_object_get(object, "cloud"));

    return cloud != NULL && strcmp(cloud, CLOUD_CUSTOM) == 0;
}

static void warn_of_keys(const struct check *check, const json_t *object, enum settings_source source)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)object, name, value)
    {
        const struct settings_key *key = settings_key_find(name);
        char pointer[SETTINGS_POINTER_SIZE] = "", message[SETTINGS_POINTER_SIZE + 128];
        json_pointer_add(pointer, name);
        if (key != NULL && key->unbuilt) {
            snprintf(message, sizeof message, "%s does nothing: this version has no such feature yet.",
                     pointer);
            add_at(check, check->warnings, pointer, true, message);
        }
        if (key != NULL && settings_ignored(key, value, source, is_custom_cloud(object)) != NULL) {
            snprintf(message, sizeof message, "%s is %s.", pointer,
                     settings_ignored(key, value, source, is_custom_cloud(object)));
            add_at(check, check->warnings, pointer, true, message);
        }
    }
}

/* "scheme://user:password@host". */
static bool has_password(const char *url)
{
    const char *user = strstr(url, "://"), *colon;

    if (user == NULL)
        return false;
    user += strlen("://");
    colon = user + strcspn(user, ":@/");
    return *colon == ':' && colon[strcspn(colon, "@/")] == '@';
}

/* Whether others than the owner and his group may read the file, or where it will be is not known. */
static bool is_for_all(const char *path)
{
    struct stat status;

    return strcmp(path, "-") == 0 || (stat(path, &status) == 0 && (status.st_mode & S_IROTH) != 0);
}

static void warn_of_values(const struct check *check, const json_t *object, const char *path)
{
    static const char *const languages[] = {"en", "de"}; /* of the add-on */
    const char *proxy = json_string_value(json_object_get(object, "proxy"));
    const char *locale = json_string_value(json_object_get(object, "locale"));
    size_t length = locale == NULL ? 0 : strcspn(locale, "-"), i;

    if (proxy != NULL && has_password(proxy) && is_for_all(path))
        add_at(check, check->warnings, "/proxy", false,
               "/proxy has a password, and everybody who may read the file can read it: put it into the "
               "user's own file with mode 600, or use a proxy that asks for none.");
    for (i = 0; i < sizeof languages / sizeof languages[0]; i++)
        if (locale == NULL ||
            (length == strlen(languages[i]) && strncasecmp(locale, languages[i], length) == 0))
            return;
    add_at(check, check->warnings, "/locale", false,
           "/locale is no language of the add-on's, which has \"en\" and \"de\": its texts will be English.");
}

static void warn_of_combinations(const struct check *check, const json_t *object, enum settings_source source)
{
    const char *ca_file = json_string_value(json_object_get(object, "caFile"));
    bool custom = is_custom_cloud(object);

    if (custom && json_object_get(object, "custom") == NULL)
        add_at(check, check->warnings, "/cloud", false,
               "/cloud is \"custom\", but the file has no \"custom\" with its endpoints.");
    if (settings_ignored(settings_key_find("caFile"), NULL, source, custom) == NULL && ca_file != NULL &&
        ca_file[0] == '/' && access(ca_file, R_OK) != 0)
        add_at(check, check->warnings, "/caFile", false,
               "/caFile names a file that cannot be read here: nobody signs in until it can.");
}

/* ---- the whole ---- */

static void check_text(struct check *check, const char *path)
{
    struct settings_faults faults = {.tell = take_fault, .context = check};
    struct json_place place;
    const enum settings_source source = is_users_file(path) ? SETTINGS_USER : SETTINGS_ADMIN;
    const char *what;
    char message[128];
    json_t *object = json_text_parse(check->file.text, check->file.length, true, &what, &place);

    if (object == NULL) {
        snprintf(message, sizeof message, "It is not JSON: %s.", what);
        add(check->faults, NULL, &place, message);
        return;
    }
    if (json_is_object(object)) {
        json_text_duplicates(check->file.text, check->file.length, take_twin, check);
        settings_check(object, source, is_custom_cloud(object), &faults);
        warn_of_keys(check, object, source);
        warn_of_values(check, object, path);
        warn_of_combinations(check, object, source);
    } else {
        place = json_text_place(check->file.text, strspn(check->file.text, " \t\r\n"));
        add(check->faults, "", &place, "The whole must be an object: {\"key\": value, …}.");
    }
    json_decref(object);
}

static void check_file(struct check *check, const char *path)
{
    char message[256];

    if (strcmp(path, "-") == 0)
        settings_file_read_open(STDIN_FILENO, &check->file);
    else
        settings_file_read(path, &check->file);
    if (check->file.unusable != NULL) {
        snprintf(message, sizeof message, "It cannot be used: %s.", check->file.unusable);
        add(check->faults, NULL, NULL, message);
        return;
    }
    if (check->file.distrusted != NULL) {
        snprintf(message, sizeof message,
                 "Where it is, it would count as absent: %s. Give it to root, writable by its owner alone.",
                 check->file.distrusted);
        add(check->warnings, NULL, NULL, message);
    }
    check_text(check, path);
}

json_t *service_policy_check(const char *path, struct problem *problem)
{
    struct check check = {.faults = json_array(), .warnings = json_array()};
    json_t *result = NULL;

    if (check.faults != NULL && check.warnings != NULL) {
        check_file(&check, path);
        result =
            json_pack("{s:s%, s:b, s:O, s:O}", "file", path, strlen(path), "ok",
                      json_array_size(check.faults) == 0, "faults", check.faults, "warnings", check.warnings);
    }
    if (result == NULL)
        problem_set(problem, PROBLEM_INVALID_PARAMS, "The name of the file is not valid UTF-8.",
                    "Give it another name.");
    settings_file_clear(&check.file);
    json_decref(check.faults);
    json_decref(check.warnings);
    return result;
}
