/* SPDX-License-Identifier: MPL-2.0 */
#include "core/settings.h"

#include "core/json_read.h"
#include <stdio.h>
#include <string.h>

/* Bytes of a pointer that a warning shows: an address of full length and a key, so that its end still fits.
 */
#define POINTER_SHOWN_SIZE 320

#define FILE_REMEDY "Correct the file, or ask your administrator to, and restart Thunderbird."

static int set_value(struct settings *settings, const char *key, json_t *value, enum settings_source source)
{
    static const char *const names[] = {"default", "user", "thunderbird", "admin"};

    if (json_object_set(settings->values, key, value) != 0)
        return -1;
    return json_object_set_new(settings->sources, key, json_string(names[source]));
}

int settings_init(struct settings *settings)
{
    size_t count, i;
    const struct settings_key *keys = settings_keys(&count);

    memset(settings, 0, sizeof *settings);
    settings->values = json_object();
    settings->sources = json_object();
    settings->warnings = json_array();
    for (i = 0; i < count; i++) {
        json_t *value;
        int result;
        if (keys[i].default_json == NULL)
            continue;
        value = json_read(keys[i].default_json, strlen(keys[i].default_json), JSON_DECODE_ANY, NULL, NULL);
        result = set_value(settings, keys[i].name, value, SETTINGS_DEFAULT);
        json_decref(value);
        if (result != 0)
            return -1;
    }
    return settings->warnings == NULL ? -1 : 0;
}

void settings_clear(struct settings *settings)
{
    json_decref(settings->values);
    json_decref(settings->sources);
    json_decref(settings->warnings);
    memset(settings, 0, sizeof *settings);
}

void settings_warn(struct settings *settings, const struct problem *problem)
{
    if (json_array_size(settings->warnings) < SETTINGS_WARNINGS_MAX)
        json_array_append_new(settings->warnings, problem_to_json(problem));
}

/* where is a path or a text. */
static void warn(struct settings *settings, const char *where TEXTS, const char *pointer,
                 const char *what TEXTS, const char *remedy TEXTS)
{
    struct problem problem;

    problem_setf(&problem, PROBLEM_MISCONFIGURED, remedy, "%-s, %s: %-s.", where, pointer, what);
    settings_warn(settings, &problem);
}

static void warn_unknown(struct settings *settings, const char *where, const char *pointer, const char *near)
{
    char shown[POINTER_SHOWN_SIZE];
    struct problem problem;

    problem_copy_text(shown, sizeof shown, pointer);
    problem_setf(&problem, PROBLEM_MISCONFIGURED, "Check the spelling.",
                 "%-s, %s: the key is not known and has no effect.", where, shown);
    if (near != NULL)
        problem_remedy(&problem, "Did you mean \"%s\"?", near);
    settings_warn(settings, &problem);
}

static void break_with(struct settings *settings, struct problem *problem)
{
    problem_remedy(problem, "%-s", FILE_REMEDY);
    settings_warn(settings, problem);
    if (settings->broken.kind == PROBLEM_NONE)
        settings->broken = *problem;
}

void settings_break(struct settings *settings, const char *where, const char *why)
{
    struct problem problem;

    problem_setf(&problem, PROBLEM_MISCONFIGURED, NULL, "%-s cannot be used: %-s.", where, why);
    break_with(settings, &problem);
}

void settings_break_at(struct settings *settings, const char *where, struct json_place place, const char *why)
{
    struct problem problem;

    problem_setf(&problem, PROBLEM_MISCONFIGURED, NULL, "%-s cannot be used: line %d, column %d: %-s.", where,
                 place.line, place.column, why);
    break_with(settings, &problem);
}

static enum settings_source source_of(const struct settings *settings, const char *key)
{
    const char *name = json_string_value(json_object_get(settings->sources, key));

    if (name == NULL || strcmp(name, "default") == 0)
        return SETTINGS_DEFAULT;
    return strcmp(name, "user") == 0          ? SETTINGS_USER
           : strcmp(name, "thunderbird") == 0 ? SETTINGS_THUNDERBIRD
                                              : SETTINGS_ADMIN;
}

bool settings_redirects_microsoft(const struct settings_key *key, const json_t *value)
{
    const char *authority = json_string_value(json_object_get(value, "authority"));

    return strcmp(key->name, "custom") == 0 && authority != NULL && cloud_authority_is_built_in(authority);
}

const char *settings_ignored(const struct settings_key *key, const json_t *value, enum settings_source source,
                             bool custom_cloud)
{
    if (source == SETTINGS_THUNDERBIRD && !key->for_extension)
        return TEXT("ignored, Thunderbird's own policies set only the add-on's keys");
    if (source != SETTINGS_ADMIN && key->admin_only)
        return TEXT("ignored, only the administrator's file may set it");
    if (source == SETTINGS_USER && key->with_custom_cloud && !custom_cloud)
        return TEXT("ignored, the user's file may set it only with the cloud \"custom\"");
    if (source == SETTINGS_USER && settings_redirects_microsoft(key, value))
        return TEXT("ignored, only the administrator's file may name other servers for Microsoft's sign-in");
    return NULL;
}

static void warn_ignored(struct settings *settings, const struct settings_key *key,
                         enum settings_source source, const char *where, const char *why)
{
    char pointer[SETTINGS_POINTER_SIZE] = "";

    json_pointer_add(pointer, key->name);
    warn(settings, where, pointer, why,
         source == SETTINGS_THUNDERBIRD ? TEXT("Set it in policy.json.")
         : key->admin_only              ? TEXT("Remove it there.")
                                        : TEXT("Ask your administrator to set it in policy.json."));
}

/* Whether the cloud will be "custom" when the object counts. */
static bool custom_cloud_with(const struct settings *settings, const json_t *object,
                              enum settings_source source)
{
    const char *own = json_string_value(json_object_get(object, "cloud"));
    const char *cloud =
        own != NULL && source >= source_of(settings, "cloud") ? own : settings_text(settings, "cloud");

    return cloud != NULL && strcmp(cloud, CLOUD_CUSTOM) == 0;
}

/* The first value that is wrong: a key that is not known is none. */
struct first_fault {
    bool found;
    char pointer[SETTINGS_POINTER_SIZE];
    char expected[SETTINGS_EXPECTED_SIZE];
};

static void take_first(void *context, const struct settings_fault *fault)
{
    struct first_fault *first = context;

    if (first->found || fault->expected == NULL)
        return;
    first->found = true;
    problem_copy_text(first->pointer, sizeof first->pointer, fault->pointer);
    problem_copy_text(first->expected, sizeof first->expected, fault->expected);
}

static void refuse(struct settings *settings, const char *where, const struct first_fault *first)
{
    struct problem problem;

    problem_setf(&problem, PROBLEM_MISCONFIGURED, NULL, "%-s cannot be used: %s must be %-s.", where,
                 first->pointer, first->expected);
    break_with(settings, &problem);
}

/* What is wrong with a value, and does not make the whole unusable. */
struct tolerated {
    struct settings *settings;
    const char *where;
    bool wrong; /* the value is no good */
};

static void tolerate(void *context, const struct settings_fault *fault)
{
    struct tolerated *tolerated = context;
    struct problem problem;

    if (fault->expected == NULL) {
        warn_unknown(tolerated->settings, tolerated->where, fault->pointer, fault->near);
        json_object_del((json_t *)fault->object, fault->member); /* of take's copy */
        return;
    }
    tolerated->wrong = true;
    problem_setf(&problem, PROBLEM_MISCONFIGURED, "Correct Thunderbird's policies.json.",
                 "%-s, managed storage: %s must be %-s.", tolerated->where, fault->pointer, fault->expected);
    settings_warn(tolerated->settings, &problem);
}

/* What an object leaves out is as it is by default. 0, or -1 for lack of memory. */
static int complete(const struct settings_key *key, json_t *value)
{
    json_t *usual;
    int result;

    if (key->default_json == NULL || !json_is_object(value))
        return 0;
    usual = json_read(key->default_json, strlen(key->default_json), JSON_DECODE_ANY, NULL, NULL);
    result = json_object_update_missing(value, usual);
    json_decref(usual);
    return result;
}

/* Takes one value without what is not known in it, unless a higher source has set the key. */
static void take(struct settings *settings, const struct settings_key *key, json_t *value,
                 enum settings_source source, const char *where)
{
    struct tolerated tolerated = {.settings = settings, .where = where};
    struct settings_faults faults = {.tell = tolerate, .context = &tolerated};
    char pointer[SETTINGS_POINTER_SIZE] = "";
    json_t *copy = json_deep_copy(value);

    if (copy != NULL)
        settings_check_value(key, copy, &faults);
    /* A rule that is not in force for lack of memory must not be forgotten in silence. */
    if (copy == NULL || (!tolerated.wrong && source >= source_of(settings, key->name) &&
                         (complete(key, copy) != 0 || set_value(settings, key->name, copy, source) != 0)))
        settings_break(settings, where, "out of memory");
    json_decref(copy);
    json_pointer_add(pointer, key->name);
    if (key->unbuilt)
        warn(settings, where, pointer, "this version has no such feature: not built yet",
             "Update Thunderseal when a version that has it is out.");
}

void settings_apply(struct settings *settings, const json_t *object, enum settings_source source,
                    const char *where)
{
    struct first_fault first = {.found = false};
    struct settings_faults faults = {.tell = take_first, .context = &first};
    bool custom = custom_cloud_with(settings, object, source);
    const char *name;
    json_t *value;

    if (!json_is_object(object)) {
        settings_break(settings, where, "its top level is not an object");
        return;
    }
    settings_check(object, source, custom, &faults);
    if (first.found && source != SETTINGS_THUNDERBIRD) {
        refuse(settings, where, &first);
        return;
    }
    json_object_foreach((json_t *)object, name, value)
    {
        const struct settings_key *key = settings_key_find(name);
        const char *ignored = key == NULL ? NULL : settings_ignored(key, value, source, custom);
        char pointer[SETTINGS_POINTER_SIZE] = "";
        json_pointer_add(pointer, name);
        if (key == NULL)
            warn_unknown(settings, where, pointer, settings_key_near(name));
        else if (ignored != NULL)
            warn_ignored(settings, key, source, where, ignored);
        else
            take(settings, key, value, source, where);
    }
}

const char *settings_text(const struct settings *settings, const char *key)
{
    return json_string_value(json_object_get(settings->values, key));
}

bool settings_list_contains(const struct settings *settings, const char *key, const char *text)
{
    json_t *each;
    size_t i;

    json_array_foreach(json_object_get(settings->values, key), i, each)
    {
        if (strcmp(json_string_value(each), text) == 0)
            return true;
    }
    return false;
}

const char *settings_ca_file_for(const struct settings *settings, const char *authority)
{
    if (source_of(settings, "caFile") == SETTINGS_USER && cloud_authority_is_built_in(authority))
        return NULL;
    return settings_text(settings, "caFile");
}

struct first_misfit {
    char *expected; /* of SETTINGS_EXPECTED_SIZE */
    bool found;
};

static void keep_first(void *context, const struct settings_fault *fault)
{
    struct first_misfit *first = context;

    if (!first->found)
        problem_copy_text(first->expected, SETTINGS_EXPECTED_SIZE,
                          fault->expected != NULL ? fault->expected
                                                  : TEXT("without keys that are not known"));
    first->found = true;
}

bool settings_value_fits(const char *key, const json_t *value, char expected[SETTINGS_EXPECTED_SIZE])
{
    struct first_misfit first = {.expected = expected};
    struct settings_faults faults = {.tell = keep_first, .context = &first};

    settings_check_value(settings_key_find(key), value, &faults);
    return !first.found;
}
