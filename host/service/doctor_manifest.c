/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The native manifest, as Thunderbird looks for it: the user's first, then the system's; the first valid one
 * counts, whatever it starts (FACTS 8.4; NativeManifests.sys.mjs).
 */
#include "service/doctor.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "thunderseal"
#define BELOW "native-messaging-hosts/" NAME ".json"

static const char *const system_folders[] = {"/usr/lib/mozilla", "/usr/lib64/mozilla"};

static bool names_us(const json_t *manifest)
{
    const json_t *ids = json_object_get(manifest, "allowed_extensions");
    const json_t *id;
    size_t i;

    json_array_foreach(ids, i, id)
    {
        if (json_is_string(id) && strcmp(json_string_value(id), EXTENSION_ID) == 0)
            return true;
    }
    return false;
}

static bool text_is(const json_t *manifest, const char *key, const char *wanted)
{
    const char *text = json_string_value(json_object_get(manifest, key));

    return text != NULL && strcmp(text, wanted) == 0;
}

/* Why Thunderbird skips the manifest, NULL when it takes it. */
static const char *refusal(const json_t *manifest)
{
    const char *path = json_string_value(json_object_get(manifest, "path"));

    if (!json_is_object(manifest))
        return "it is not a JSON object";
    if (!text_is(manifest, "name", NAME))
        return "its \"name\" is not \"" NAME "\"";
    if (!json_is_string(json_object_get(manifest, "description")))
        return "its \"description\" is missing";
    if (!text_is(manifest, "type", "stdio"))
        return "its \"type\" is not \"stdio\"";
    if (path == NULL || path[0] != '/')
        return "its \"path\" is not an absolute path";
    if (!names_us(manifest))
        return "\"" EXTENSION_ID "\" is not among its \"allowed_extensions\"";
    return NULL;
}

/* The command that writes a manifest for this program where the user may write, which comes first. */
static void suggest_own(const struct doctor *doctor, json_t *check, const char *what)
{
    const char *program = doctor->roots.program;
    json_t *manifest;
    char *text = NULL, *word = NULL, *folder = NULL, *place = NULL;
    json_free_t release;

    json_get_alloc_funcs(NULL, &release);
    if (program == NULL || doctor->roots.home == NULL) {
        check_remedy(check, "Install Thunderseal again.");
        return;
    }
    manifest = json_pack("{s:s, s:s, s:s, s:s, s:[s]}", "name", NAME, "description",
                         "Thunderseal: Office 365 sign-in for Thunderbird", "path", program, "type", "stdio",
                         "allowed_extensions", EXTENSION_ID);
    text = json_dumps(manifest, 0);
    word = doctor_word(text);
    place = doctor_text("%s/.mozilla/native-messaging-hosts", doctor->roots.home);
    folder = doctor_word(place);
    check_remedy(check, "%s Run: mkdir -p %s && printf '%%s\\n' %s >%s/" NAME ".json", what, folder, word,
                 folder);
    json_decref(manifest);
    release(text);
    free(word);
    free(folder);
    free(place);
}

static bool same_file(const char *one, const char *other)
{
    struct stat a, b;

    return other != NULL && stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* What the manifest that counts would start. */
static void judge_target(const struct doctor *doctor, json_t *check, const char *file, const char *path)
{
    struct stat status;
    char *word;

    check_evidence_text(check, "starts", path);
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode)) {
        check_worsen(check, CHECK_FAIL);
        check_detail(check, "%s names the program %s, which is not there.", file, path);
        suggest_own(doctor, check, "Name this program instead.");
    } else if (access(path, X_OK) != 0) {
        word = doctor_word(path);
        check_worsen(check, CHECK_FAIL);
        check_detail(check, "%s names the program %s, which may not be executed.", file, path);
        check_remedy(check, "Let it be executed. Run: %schmod 755 %s", doctor_sudo(path), word);
        free(word);
    } else if (!same_file(path, doctor->roots.program)) {
        check_worsen(check, CHECK_WARN);
        check_detail(check, "Thunderbird starts %s, by %s; this program is %s.", path, file,
                     doctor->roots.program == NULL ? "not known" : doctor->roots.program);
        suggest_own(doctor, check, "If Thunderbird is to start this program, name it instead.");
    } else if (doctor_trusted(check, file)) {
        check_detail(check, "Thunderbird starts this program, by %s.", file);
    }
}

/* The files in Thunderbird's order. */
static size_t list_files(const struct doctor *doctor, char *files[3])
{
    size_t count = 0, i;

    if (doctor->roots.home != NULL)
        files[count++] = doctor_text("%s/.mozilla/" BELOW, doctor->roots.home);
    for (i = 0; i < sizeof system_folders / sizeof system_folders[0]; i++)
        files[count++] = doctor_text("%s%s/" BELOW, doctor->roots.system, system_folders[i]);
    return count;
}

/* A manifest that Thunderbird passes over, before the one that counts. */
static void tell_skipped(json_t *check, const char *file, const char *why)
{
    char *word = doctor_word(file);

    check_worsen(check, CHECK_WARN);
    check_detail(check, "Thunderbird passes over %s: %s. It takes a later one.", file, why);
    check_remedy(check, "Remove the file. Run: %srm %s", doctor_sudo(file), word);
    free(word);
}

void doctor_manifest(struct doctor *doctor)
{
    json_t *check = check_new("native-manifest", NULL, CHECK_OK, "Native manifest");
    char *files[3] = {0}, skipped_why[DOCTOR_CAUSE_SIZE] = "";
    const char *skipped = NULL, *counts = NULL;
    size_t count = list_files(doctor, files), i;

    for (i = 0; i < count && counts == NULL; i++) {
        char cause[DOCTOR_CAUSE_SIZE];
        json_t *manifest = doctor_read_json(files[i], cause);
        const char *why = manifest == NULL ? (cause[0] == '\0' ? NULL : cause) : refusal(manifest);
        if (manifest != NULL && why == NULL) {
            counts = files[i];
            check_evidence_text(check, "manifest", counts);
            judge_target(doctor, check, counts, json_string_value(json_object_get(manifest, "path")));
        } else if (why != NULL && skipped == NULL) {
            skipped = files[i];
            problem_copy_text(skipped_why, sizeof skipped_why, why);
        }
        json_decref(manifest);
    }
    if (counts == NULL) {
        check_worsen(check, CHECK_FAIL);
        if (skipped == NULL)
            check_detail(check, "Thunderbird finds no native manifest, so it cannot start Thunderseal.");
        else
            check_detail(check, "Thunderbird cannot use the native manifest %s: %s.", skipped, skipped_why);
        suggest_own(doctor, check, "Make one.");
    } else if (skipped != NULL && check_status(check) == CHECK_OK) {
        tell_skipped(check, skipped, skipped_why);
    }
    check_list_add(&doctor->checks, check);
    for (i = 0; i < count; i++)
        free(files[i]);
}
