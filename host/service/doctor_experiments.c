/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Whether Thunderbird lets the add-on hand over tokens. That takes an Experiment, and
 * extensions.experiments.suppressed blocks all add-ons that have one and are not in
 * extensions.experiments.allowed (ExtensionUtilities.sys.mjs).
 */
#include "service/doctor.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define SUPPRESSED "extensions.experiments.suppressed"
#define ALLOWED "extensions.experiments.allowed"
#define PREFERENCES_MAX ((size_t)16 * 1024 * 1024)
#define LIST_SIZE 4096

/* The two preferences as the files so far leave them. */
struct experiments {
    bool suppressed;
    char allowed[LIST_SIZE];
    const char *policies; /* the file of policies that sets one, or NULL */
};

/* The value behind pref("name", …) in a line, or NULL. */
static const char *value_of(const char *line, const char *name)
{
    const char *open = strchr(line, '(');
    size_t length = strlen(name);

    line += strspn(line, " \t");
    if (open == NULL || line[0] == '/' || line[0] == '#')
        return NULL;
    open += 1 + strspn(open + 1, " \t");
    if ((open[0] != '"' && open[0] != '\'') || strncmp(open + 1, name, length) != 0 ||
        open[length + 1] != open[0])
        return NULL;
    open += length + 2;
    open += strspn(open, " \t");
    return open[0] == ',' ? open + 1 + strspn(open + 1, " \t") : NULL;
}

static void take_line(struct experiments *experiments, const char *line)
{
    const char *value = value_of(line, SUPPRESSED);

    if (value != NULL)
        experiments->suppressed = strncmp(value, "true", 4) == 0;
    value = value_of(line, ALLOWED);
    if (value != NULL && (value[0] == '"' || value[0] == '\'') && strcspn(value + 1, "\"'") < LIST_SIZE) {
        size_t length = strcspn(value + 1, "\"'");
        memcpy(experiments->allowed, value + 1, length);
        experiments->allowed[length] = '\0';
    }
}

/* Takes path over. */
static void take_file(struct experiments *experiments, char *path)
{
    char *text = path == NULL ? NULL : doctor_read(path, PREFERENCES_MAX), *rest = text, *line;

    while ((line = strsep(&rest, "\n")) != NULL)
        take_line(experiments, line);
    free(text);
    free(path);
}

static int is_script(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return length > 3 && strcmp(entry->d_name + length - 3, ".js") == 0;
}

/* Takes folder over. */
static void take_folder(struct experiments *experiments, char *folder)
{
    struct dirent **names = NULL;
    int count = folder == NULL ? 0 : scandir(folder, &names, is_script, alphasort), i;

    for (i = 0; i < count; i++) {
        take_file(experiments, doctor_text("%s/%s", folder, names[i]->d_name));
        free(names[i]);
    }
    free(names);
    free(folder);
}

/* What a policy sets it to: {"Value": …}, or the value itself. */
static const json_t *preference(const json_t *preferences, const char *name)
{
    const json_t *preference = json_object_get(preferences, name);

    return json_is_object(preference) ? json_object_get(preference, "Value") : preference;
}

static void take_policies(struct experiments *experiments, const char *file)
{
    char cause[DOCTOR_CAUSE_SIZE];
    json_t *root = file == NULL ? NULL : doctor_read_json(file, cause);
    const json_t *preferences = json_object_get(json_object_get(root, "policies"), "Preferences");
    const json_t *suppressed = preference(preferences, SUPPRESSED),
                 *allowed = preference(preferences, ALLOWED);

    if (suppressed != NULL)
        experiments->suppressed = json_is_true(suppressed);
    if (json_is_string(allowed))
        problem_copy_text(experiments->allowed, LIST_SIZE, json_string_value(allowed));
    if (suppressed != NULL || allowed != NULL)
        experiments->policies = file;
    json_decref(root);
}

static bool lists_us(const char *list)
{
    size_t length = strlen(EXTENSION_ID);

    while (*list != '\0') {
        size_t item = strcspn(list, ",");
        const char *begin = list + strspn(list, " ");
        if (strncmp(begin, EXTENSION_ID, length) == 0 &&
            begin[length + strspn(begin + length, " ")] == list[item])
            return true;
        list += item + (list[item] == ',' ? 1 : 0);
    }
    return false;
}

static void suggest(const struct doctor_profile *profile, const struct experiments *experiments,
                    json_t *check)
{
    const char *list = experiments->allowed, *comma = list[0] == '\0' ? "" : ",";
    char *line, *word, *path, *file;

    if (experiments->policies != NULL) {
        check_remedy(check,
                     "In %s, under policies, Preferences, write: \"" ALLOWED
                     "\": {\"Value\": \"%s%s" EXTENSION_ID "\", \"Status\": \"locked\"}",
                     experiments->policies, list, comma);
        return;
    }
    line = doctor_text("user_pref(\"" ALLOWED "\", \"%s%s" EXTENSION_ID "\");", list, comma);
    word = doctor_word(line);
    path = doctor_text("%s/user.js", profile->folder);
    file = doctor_word(path);
    check_remedy(check, "Allow the add-on, then restart Thunderbird. Run: printf '%%s\\n' %s >>%s", word,
                 file);
    free(line);
    free(word);
    free(path);
    free(file);
}

static const struct doctor_application *application_of(const struct doctor *doctor,
                                                       const struct doctor_profile *profile)
{
    size_t i;

    for (i = 0; i < doctor->application_count; i++)
        if (profile->application != NULL && strcmp(doctor->applications[i].folder, profile->application) == 0)
            return &doctor->applications[i];
    return doctor->application_count > 0 ? &doctor->applications[0] : NULL;
}

static void judge(struct doctor *doctor, const struct doctor_profile *profile)
{
    json_t *check = check_new("experiments", NULL, CHECK_OK, "Experiments");
    const struct doctor_application *application = application_of(doctor, profile);
    char *policies = doctor_policies_file(doctor, application);
    struct experiments experiments = {0};

    /* Later ones win. */
    if (application != NULL)
        take_folder(&experiments, doctor_text("%s/defaults/pref", application->folder));
    take_folder(&experiments, doctor_text("%s/etc/thunderbird/pref", doctor->roots.system));
    take_file(&experiments, doctor_text("%s/prefs.js", profile->folder));
    take_file(&experiments, doctor_text("%s/user.js", profile->folder));
    take_policies(&experiments, policies);
    check_evidence_text(check, "profile", profile->folder);
    check_evidence(check, "suppressed", json_boolean(experiments.suppressed));
    check_evidence_text(check, "allowed", experiments.allowed);
    if (experiments.suppressed && !lists_us(experiments.allowed)) {
        check_worsen(check, CHECK_FAIL);
        check_detail(check,
                     "Thunderbird blocks add-ons with an Experiment, and Thunderseal's is one: " SUPPRESSED
                     " is set for the profile %s.",
                     profile->folder);
        suggest(profile, &experiments, check);
    } else {
        check_detail(check, "Thunderbird lets the add-on hand over tokens in the profile %s.",
                     profile->folder);
    }
    check_list_add(&doctor->checks, check);
    free(policies);
}

void doctor_experiments(struct doctor *doctor)
{
    size_t i;

    for (i = 0; i < doctor->profile_count; i++)
        judge(doctor, &doctor->profiles[i]);
}
