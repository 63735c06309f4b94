/* SPDX-License-Identifier: MPL-2.0 */
/* Which Thunderbirds there are: in the usual places, and wherever a profile was used last. */
#include "service/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OLDEST_THUNDERBIRD 140 /* strict_min_version of the add-on */
#define INI_MAX ((size_t)64 * 1024)
#define PORTAL_PREFERENCE "widget.use-xdg-desktop-portal.native-messaging"

static const char *const usual_folders[] = {
    "/usr/lib/thunderbird", "/usr/lib64/thunderbird",   "/usr/local/lib/thunderbird",
    "/opt/thunderbird",     "/usr/lib/thunderbird-esr",
};

struct sandbox {
    const char *name;
    const char *folder; /* below the home folder unless it begins with a slash */
};

static const struct sandbox sandboxes[] = {
    {"snap", "/snap/thunderbird/current"},
    {"snap", "/var/lib/snapd/snap/thunderbird/current"},
    {"Flatpak", "/var/lib/flatpak/app/org.mozilla.Thunderbird"},
    {"Flatpak", "/var/lib/flatpak/app/net.thunderbird.Thunderbird"},
    {"Flatpak", ".local/share/flatpak/app/org.mozilla.Thunderbird"},
    {"Flatpak", ".local/share/flatpak/app/net.thunderbird.Thunderbird"},
};

static void take_version(void *context, const char *section, const char *key, const char *value)
{
    struct doctor_application *application = context;

    if (strcmp(section, "App") != 0)
        return;
    if (strcmp(key, "Version") == 0)
        problem_copy_text(application->version, sizeof application->version, value);
    else if (strcmp(key, "SourceRepository") == 0)
        application->esr = strstr(value, "esr") != NULL;
}

static bool known(const struct doctor *doctor, const char *folder)
{
    size_t i;

    for (i = 0; i < doctor->application_count; i++)
        if (strcmp(doctor->applications[i].folder, folder) == 0)
            return true;
    return false;
}

/* Takes folder over; one without application.ini is no Thunderbird, or no longer there. */
static void add_application(struct doctor *doctor, char *folder)
{
    struct doctor_application *application = &doctor->applications[doctor->application_count];
    char *path = folder == NULL ? NULL : doctor_text("%s/application.ini", folder);
    char *text = path == NULL ? NULL : doctor_read(path, INI_MAX);
    char *real = text == NULL ? NULL : realpath(folder, NULL); /* the same by another name counts once */

    if (real != NULL && doctor->application_count < DOCTOR_APPLICATIONS_MAX && !known(doctor, real)) {
        application->folder = real;
        real = NULL;
        doctor_each_line(text, take_version, application);
        doctor->application_count++;
    }
    free(real);
    free(text);
    free(path);
    free(folder);
}

void doctor_find_applications(struct doctor *doctor)
{
    size_t i;

    for (i = 0; i < doctor->profile_count; i++)
        if (doctor->profiles[i].application != NULL)
            add_application(doctor, doctor_text("%s", doctor->profiles[i].application));
    for (i = 0; i < sizeof usual_folders / sizeof usual_folders[0]; i++)
        add_application(doctor, doctor_text("%s%s", doctor->roots.system, usual_folders[i]));
}

/* Whether the user's own profile was last used with it. */
static bool is_used(const struct doctor *doctor, const struct doctor_application *application)
{
    size_t i;

    for (i = 0; i < doctor->profile_count; i++) {
        const char *last = doctor->profiles[i].application;
        if (doctor->profiles[i].is_default && last != NULL && strcmp(last, application->folder) == 0)
            return true;
    }
    return false;
}

static void judge(const struct doctor *doctor, const struct doctor_application *application, json_t *check)
{
    if (strtol(application->version, NULL, 10) >= OLDEST_THUNDERBIRD) /* what is no number is too old */
        return;
    check_worsen(check,
                 doctor->application_count == 1 || is_used(doctor, application) ? CHECK_FAIL : CHECK_WARN);
    check_detail(check, "The Thunderbird in %s is version %s; Thunderseal needs %d or later.",
                 application->folder, application->version[0] == '\0' ? "unknown" : application->version,
                 OLDEST_THUNDERBIRD);
    check_remedy(check,
                 "Update Thunderbird with the tool that installed it (on Debian and Ubuntu: sudo apt install "
                 "thunderbird), or use the newer one.");
}

void doctor_thunderbird(struct doctor *doctor)
{
    json_t *check = check_new("thunderbird", NULL, CHECK_OK, "Thunderbird"), *list = json_array();
    size_t i;

    if (doctor->application_count == 0) {
        check_worsen(check, CHECK_WARN);
        check_detail(check, "No Thunderbird was found in the usual places. The command line works without.");
        check_remedy(check, "Install Thunderbird %d or later (on Debian: sudo apt install thunderbird).",
                     OLDEST_THUNDERBIRD);
    } else {
        const struct doctor_application *first = &doctor->applications[0];
        check_detail(check, "%s%s in %s%s.", first->version, first->esr ? " ESR" : "", first->folder,
                     doctor->application_count > 1 ? ", and others" : "");
    }
    for (i = 0; i < doctor->application_count; i++) {
        const struct doctor_application *each = &doctor->applications[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "folder", each->folder, "version",
                                              each->version, "esr", each->esr));
        judge(doctor, each, check);
    }
    check_evidence(check, "installations", list);
    check_list_add(&doctor->checks, check);
}

/* ---- snap and Flatpak (FACTS 8.5) ---- */

static const char *find_sandbox(const struct doctor *doctor, char **place)
{
    size_t i;

    for (i = 0; i < sizeof sandboxes / sizeof sandboxes[0]; i++) {
        const char *folder = sandboxes[i].folder;
        if (folder[0] != '/' && doctor->roots.home == NULL)
            continue;
        *place = folder[0] == '/' ? doctor_text("%s%s", doctor->roots.system, folder)
                                  : doctor_text("%s/%s", doctor->roots.home, folder);
        if (*place != NULL && access(*place, F_OK) == 0)
            return sandboxes[i].name;
        free(*place);
        *place = NULL;
    }
    return NULL;
}

void doctor_sandboxes(struct doctor *doctor)
{
    json_t *check = check_new("sandbox", NULL, CHECK_OK, "Snap, Flatpak");
    char *place = NULL;
    const char *kind = find_sandbox(doctor, &place);

    if (kind == NULL) {
        check_detail(check, "No Thunderbird in a sandbox was found.");
    } else {
        check_worsen(check, doctor->application_count == 0 ? CHECK_FAIL : CHECK_WARN);
        check_cause(check, strcmp(kind, "snap") == 0 ? "snap" : "flatpak");
        check_evidence_text(check, "folder", place);
        check_detail(check, "The Thunderbird in %s is a %s: %s. The command line works.", place, kind,
                     strcmp(kind, "snap") == 0 ? "it starts programs only through the desktop's portal, "
                                                 "where that and the preference " PORTAL_PREFERENCE
                                                 " allow it"
                                               : "it cannot start programs outside its sandbox");
        if (doctor->application_count == 0)
            check_remedy(check,
                         "Use the Thunderbird of your distribution or of thunderbird.net instead (on Debian: "
                         "sudo apt install thunderbird).");
        else
            check_remedy(check, "Use the other Thunderbird on this computer, in %s.",
                         doctor->applications[0].folder);
    }
    check_list_add(&doctor->checks, check);
    free(place);
}
