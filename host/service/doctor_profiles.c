/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The user's profiles (profiles.ini, compatibility.ini) and the add-on in them, as Thunderbird noted it at
 * its last start (extensions.json). Profiles that were never used are passed over: Thunderbird makes one more
 * than it uses.
 */
#include "service/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INI_MAX ((size_t)256 * 1024)

/* One section of profiles.ini while it is read. */
struct reading {
    struct doctor *doctor;
    const char *base;
    char section[64];
    char path[4096];
    bool relative, is_default;
    char chosen[4096]; /* what an installation uses: "Default" of an [Install…] section */
};

static void end_section(struct reading *reading)
{
    struct doctor *doctor = reading->doctor;
    struct doctor_profile *profile = &doctor->profiles[doctor->profile_count];

    if (strncmp(reading->section, "Profile", 7) == 0 && reading->path[0] != '\0' &&
        doctor->profile_count < DOCTOR_PROFILES_MAX) {
        profile->folder = reading->relative ? doctor_text("%s/%s", reading->base, reading->path)
                                            : doctor_text("%s", reading->path);
        profile->is_default = reading->is_default;
        if (profile->folder != NULL)
            doctor->profile_count++;
    }
    reading->path[0] = '\0';
    reading->relative = reading->is_default = false;
}

static void take_line(void *context, const char *section, const char *key, const char *value)
{
    struct reading *reading = context;

    if (strcmp(section, reading->section) != 0) {
        end_section(reading);
        snprintf(reading->section, sizeof reading->section, "%s", section);
    }
    if (strcmp(key, "Path") == 0)
        snprintf(reading->path, sizeof reading->path, "%s", value);
    else if (strcmp(key, "IsRelative") == 0)
        reading->relative = strcmp(value, "1") == 0;
    else if (strcmp(key, "Default") == 0 && strncmp(section, "Install", 7) == 0)
        snprintf(reading->chosen, sizeof reading->chosen, "%s", value);
    else if (strcmp(key, "Default") == 0)
        reading->is_default = strcmp(value, "1") == 0;
}

static void take_compatibility(void *context, const char *section, const char *key, const char *value)
{
    struct doctor_profile *profile = context;

    (void)section;
    if (strcmp(key, "LastPlatformDir") == 0 && value[0] == '/' && profile->application == NULL)
        profile->application = strdup(value);
}

/* Adds the Thunderbird that used it last; drops a profile that none has used. */
static bool complete(struct doctor_profile *profile)
{
    char *path = doctor_text("%s/compatibility.ini", profile->folder);
    char *text = path == NULL ? NULL : doctor_read(path, INI_MAX);

    if (text != NULL)
        doctor_each_line(text, take_compatibility, profile);
    free(path);
    path = doctor_text("%s/extensions.json", profile->folder);
    if (text == NULL && path != NULL && access(path, F_OK) != 0) {
        free(path);
        free(profile->folder);
        memset(profile, 0, sizeof *profile);
        return false;
    }
    free(path);
    free(text);
    return true;
}

/* An installation's own choice counts more than the default of all. */
static void choose(struct doctor *doctor, const char *base, const char *chosen)
{
    char *folder = chosen[0] == '/' ? strdup(chosen) : doctor_text("%s/%s", base, chosen);
    size_t i;

    for (i = 0; folder != NULL && chosen[0] != '\0' && i < doctor->profile_count; i++)
        doctor->profiles[i].is_default = strcmp(doctor->profiles[i].folder, folder) == 0;
    free(folder);
}

void doctor_find_profiles(struct doctor *doctor)
{
    struct reading reading = {.doctor = doctor};
    char *base = doctor->roots.home == NULL ? NULL : doctor_text("%s/.thunderbird", doctor->roots.home);
    char *path = base == NULL ? NULL : doctor_text("%s/profiles.ini", base);
    char *text = path == NULL ? NULL : doctor_read(path, INI_MAX);
    size_t i, kept = 0;

    reading.base = base;
    if (text != NULL) {
        doctor_each_line(text, take_line, &reading);
        end_section(&reading);
        choose(doctor, base, reading.chosen);
    }
    for (i = 0; i < doctor->profile_count; i++)
        if (complete(&doctor->profiles[i]))
            doctor->profiles[kept++] = doctor->profiles[i];
    doctor->profile_count = kept;
    free(text);
    free(path);
    free(base);
}

/* ---- the add-on in a profile ---- */

/* Of several copies, Thunderbird shows and uses one. */
static const json_t *find_add_on(const json_t *extensions)
{
    const json_t *each, *found = NULL;
    size_t i;

    json_array_foreach(json_object_get(extensions, "addons"), i, each)
    {
        const char *id = json_string_value(json_object_get(each, "id"));
        if (id != NULL && strcmp(id, EXTENSION_ID) == 0 &&
            (found == NULL || json_is_true(json_object_get(each, "visible"))))
            found = each;
    }
    return found;
}

/* An installation that brings the add-on, which the profile does not know yet. */
static bool comes_with_application(const struct doctor *doctor)
{
    bool found = false;
    size_t i;

    for (i = 0; i < doctor->application_count && !found; i++) {
        char *path = doctor_text("%s/extensions/" EXTENSION_ID ".xpi", doctor->applications[i].folder);
        found = path != NULL && access(path, R_OK) == 0;
        free(path);
    }
    return found;
}

static void judge_absent(const struct doctor *doctor, const struct doctor_profile *profile, json_t *check)
{
    check_worsen(check, profile->is_default ? CHECK_FAIL : CHECK_WARN);
    if (comes_with_application(doctor)) {
        check_cause(check, "not-started-since");
        check_detail(check, "The add-on is installed, but Thunderbird has not taken it up in the profile %s.",
                     profile->folder);
        check_remedy(check, "Restart Thunderbird.");
    } else {
        check_cause(check, "not-installed");
        check_detail(check, "The add-on is not in the profile %s.", profile->folder);
        check_remedy(
            check,
            "Install Thunderseal's package, or run \"sudo make install\" in its sources: that puts the "
            "add-on among Thunderbird's own. Then restart Thunderbird.");
    }
}

static bool is_true(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

static void judge_disabled(const struct doctor_profile *profile, const json_t *add_on, json_t *check)
{
    check_worsen(check, CHECK_FAIL);
    if (is_true(add_on, "userDisabled")) {
        check_cause(check, "disabled-by-user");
        check_detail(check, "The add-on is switched off in the profile %s.", profile->folder);
        check_remedy(check,
                     "In Thunderbird, open Add-ons and Themes, Extensions, and switch Thunderseal on.");
    } else if (json_integer_value(json_object_get(add_on, "blocklistState")) != 0) {
        check_cause(check, "blocked");
        check_detail(check, "Thunderbird blocks the add-on in the profile %s.", profile->folder);
        check_remedy(check, "Look at the check \"experiments\" here; if it is fine, update the add-on.");
    } else {
        check_cause(check, "disabled-by-thunderbird");
        check_detail(check,
                     "Thunderbird does not let the add-on run in the profile %s: it does not fit this "
                     "Thunderbird, or a policy forbids it.",
                     profile->folder);
        check_remedy(check,
                     "Look at the checks \"enterprise-policies\" and \"thunderbird\" here; if they are "
                     "fine, update the add-on.");
    }
}

static void judge_add_on(const struct doctor_profile *profile, const json_t *add_on, json_t *check)
{
    const char *version = json_string_value(json_object_get(add_on, "version"));
    const char *path = json_string_value(json_object_get(add_on, "path"));

    if (version == NULL)
        version = "?";
    check_evidence_text(check, "version", version);
    check_evidence_text(check, "file", path == NULL ? "" : path);
    if (!is_true(add_on, "active")) {
        judge_disabled(profile, add_on, check);
    } else if (strcmp(version, THUNDERSEAL_VERSION) != 0) {
        check_worsen(check, CHECK_WARN);
        check_cause(check, "other-version");
        check_detail(check, "The add-on in the profile %s is version %s, this program is %s.",
                     profile->folder, version, THUNDERSEAL_VERSION);
        check_remedy(
            check, "Restart Thunderbird, which takes up what was installed; if they still differ, remove the "
                   "older copy of the add-on, or update the program.");
    } else {
        check_detail(check, "Version %s is on in the profile %s.", version, profile->folder);
    }
}

void doctor_add_on(struct doctor *doctor)
{
    size_t i;

    for (i = 0; i < doctor->profile_count; i++) {
        const struct doctor_profile *profile = &doctor->profiles[i];
        json_t *check = check_new("add-on", NULL, CHECK_OK, "Add-on");
        char *path = doctor_text("%s/extensions.json", profile->folder), cause[DOCTOR_CAUSE_SIZE];
        json_t *extensions = doctor_read_json(path, cause);
        const json_t *add_on = find_add_on(extensions);

        check_evidence_text(check, "profile", profile->folder);
        if (extensions == NULL && cause[0] != '\0') {
            check_worsen(check, CHECK_WARN);
            check_detail(check, "%s cannot be read: %s.", path, cause);
            check_remedy(check, "Start Thunderbird, which makes the file anew, and close it.");
        } else if (add_on == NULL) {
            judge_absent(doctor, profile, check);
        } else {
            judge_add_on(profile, add_on, check);
        }
        check_list_add(&doctor->checks, check);
        json_decref(extensions);
        free(path);
    }
    if (doctor->profile_count == 0) {
        json_t *check = check_new("add-on", NULL, CHECK_SKIPPED, "Add-on");
        check_detail(check, "No profile has been used with Thunderbird yet.");
        check_list_add(&doctor->checks, check);
    }
}
