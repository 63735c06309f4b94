/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Thunderbird's enterprise policies: which file counts, whether it can be read, and what it does to the
 * add-on (FACTS 8.1, 8.2; EnterprisePoliciesParent.sys.mjs). One file counts for an installation, nothing is
 * merged.
 */
#include "service/doctor.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYSTEM_FILE "/etc/thunderbird/policies/policies.json"
#define ENTRY "\"" EXTENSION_ID "\": {\"installation_mode\": \"allowed\"}"

char *doctor_policies_file(const struct doctor *doctor, const struct doctor_application *application)
{
    char *path = doctor_text("%s" SYSTEM_FILE, doctor->roots.system);

    if (path != NULL && access(path, F_OK) == 0)
        return path;
    free(path);
    path = application == NULL ? NULL : doctor_text("%s/distribution/policies.json", application->folder);
    if (path != NULL && access(path, F_OK) == 0)
        return path;
    free(path);
    return NULL;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

static bool lists_us(const json_t *list)
{
    const json_t *each;
    size_t i;

    json_array_foreach(list, i, each)
    {
        if (json_is_string(each) && strcmp(json_string_value(each), EXTENSION_ID) == 0)
            return true;
    }
    return false;
}

/* What the entry says of where the add-on comes from. True: nothing is wrong with it. */
static bool judge_installation(json_t *check, const char *file, const json_t *entry)
{
    static const char scheme[] = "file://";
    const char *mode = text_of(entry, "installation_mode"), *url = text_of(entry, "install_url");

    if (strcmp(mode, "force_installed") != 0 && strcmp(mode, "normal_installed") != 0)
        return true;
    check_evidence_text(check, "installUrl", url);
    if (url[0] == '\0') {
        check_worsen(check, CHECK_FAIL);
        check_detail(check, "%s installs the add-on, but names no \"install_url\".", file);
        check_remedy(check,
                     "In %s, under ExtensionSettings, %s, add the \"install_url\" of the add-on, such as "
                     "file:///usr/lib/thunderbird/extensions/" EXTENSION_ID ".xpi.",
                     file, EXTENSION_ID);
        return false;
    }
    if (strncmp(url, scheme, sizeof scheme - 1) == 0 && access(url + sizeof scheme - 1, R_OK) != 0) {
        check_worsen(check, CHECK_FAIL);
        check_detail(check, "%s installs the add-on from %s, which is not there.", file, url);
        check_remedy(check, "Put the add-on there, or correct the \"install_url\" in %s.", file);
        return false;
    }
    return true;
}

static bool judge_entry(json_t *check, const char *file, const json_t *settings)
{
    const json_t *own = json_object_get(settings, EXTENSION_ID), *all = json_object_get(settings, "*");

    if (own == NULL && strcmp(text_of(all, "installation_mode"), "blocked") == 0) {
        check_worsen(check, CHECK_FAIL);
        check_cause(check, "all-blocked");
        check_detail(check, "%s blocks all add-ons that it does not name.", file);
        check_remedy(check, "In %s, under policies, ExtensionSettings, add: " ENTRY, file);
        return false;
    }
    if (strcmp(text_of(own, "installation_mode"), "blocked") == 0) {
        check_worsen(check, CHECK_FAIL);
        check_cause(check, "blocked");
        check_detail(check, "%s blocks the add-on.", file);
        check_remedy(check, "In %s, under policies, ExtensionSettings, change it to: " ENTRY, file);
        return false;
    }
    return judge_installation(check, file, own);
}

/* The settings for the add-on in it (protocol section 5). */
static bool judge_managed(json_t *check, const char *file, const json_t *policies)
{
    const json_t *third = json_object_get(policies, "3rdparty");
    const json_t *managed = json_object_get(json_object_get(third, "Extensions"), EXTENSION_ID);
    struct settings settings;
    const json_t *warning;

    if (json_object_get(json_object_get(third, "extensions"), EXTENSION_ID) != NULL) {
        check_worsen(check, CHECK_WARN);
        check_cause(check, "letter-case");
        check_detail(check,
                     "%s has settings for the add-on that Thunderbird passes over: they stand under "
                     "\"extensions\".",
                     file);
        check_remedy(check, "In %s, under policies, 3rdparty, write \"Extensions\" with a capital E.", file);
        return false;
    }
    if (managed == NULL || settings_init(&settings) != 0)
        return true;
    settings_apply(&settings, managed, SETTINGS_THUNDERBIRD, file);
    warning = json_array_get(settings.warnings, 0);
    if (warning != NULL) {
        check_worsen(check, CHECK_WARN);
        check_told(check, warning);
    }
    settings_clear(&settings);
    return warning == NULL;
}

static void judge(json_t *check, const char *file)
{
    char cause[DOCTOR_CAUSE_SIZE];
    json_t *root = doctor_read_json(file, cause);
    const json_t *policies = json_object_get(root, "policies");

    check_evidence_text(check, "file", file);
    if (!json_is_object(policies)) {
        check_worsen(check, CHECK_FAIL);
        check_cause(check, "unreadable");
        check_detail(check, "Thunderbird cannot use its enterprise policies, none of them: %s: %s.", file,
                     root == NULL ? cause : "there is no object \"policies\"");
        check_remedy(check, "Correct %s; about:policies in Thunderbird shows the result.", file);
    } else if (lists_us(json_object_get(json_object_get(policies, "Extensions"), "Uninstall"))) {
        check_worsen(check, CHECK_FAIL);
        check_cause(check, "uninstalled");
        check_detail(check, "%s uninstalls the add-on.", file);
        check_remedy(check, "In %s, under policies, Extensions, take " EXTENSION_ID " out of \"Uninstall\".",
                     file);
    } else if (judge_entry(check, file, json_object_get(policies, "ExtensionSettings")) &&
               judge_managed(check, file, policies) && doctor_trusted(check, file)) {
        check_detail(check, "%s lets the add-on run.", file);
    }
    json_decref(root);
}

void doctor_policies(struct doctor *doctor)
{
    char *done = NULL;
    size_t i = 0;

    do {
        char *file =
            doctor_policies_file(doctor, doctor->application_count > 0 ? &doctor->applications[i] : NULL);
        if (file != NULL && (done == NULL || strcmp(done, file) != 0)) {
            json_t *check = check_new("enterprise-policies", NULL, CHECK_OK, "Enterprise policies");
            judge(check, file);
            check_list_add(&doctor->checks, check);
            free(done);
            done = file;
        } else {
            free(file);
        }
        i++;
    } while (i < doctor->application_count);
    if (done == NULL) {
        json_t *check = check_new("enterprise-policies", NULL, CHECK_OK, "Enterprise policies");
        check_detail(check, "Thunderbird has none.");
        check_list_add(&doctor->checks, check);
    }
    free(done);
}
