/* SPDX-License-Identifier: MPL-2.0 */
/* All that can be said of an installation without opening the vault, asking anybody or writing anything. */
#include "service/doctor.h"

#include "service/service_parts.h"
#include "service/shared_checks.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_ROOM 4096

/* The file that this process runs, in room; NULL when it is not known. */
static const char *own_file(char room[PATH_ROOM])
{
    static const char gone[] = " (deleted)";
    ssize_t length = readlink("/proc/self/exe", room, PATH_ROOM - 1);

    if (length <= 0)
        return NULL;
    room[length] = '\0';
    if ((size_t)length > sizeof gone && strcmp(room + length - (sizeof gone - 1), gone) == 0)
        return NULL;
    return room;
}

void doctor_clear(struct doctor *doctor)
{
    size_t i;

    for (i = 0; i < doctor->application_count; i++)
        free(doctor->applications[i].folder);
    for (i = 0; i < doctor->profile_count; i++) {
        free(doctor->profiles[i].folder);
        free(doctor->profiles[i].application);
    }
    settings_clear(&doctor->settings);
    check_list_clear(&doctor->checks);
    memset(doctor, 0, sizeof *doctor);
}

static void look(struct doctor *doctor)
{
    struct doctor_waits *waits = doctor_waits_start(doctor);

    doctor_find_profiles(doctor);
    doctor_find_applications(doctor);
    doctor_program(doctor);
    doctor_libraries(doctor);
    doctor_manifest(doctor);
    doctor_thunderbird(doctor);
    doctor_sandboxes(doctor);
    doctor_policies(doctor);
    doctor_add_on(doctor);
    doctor_experiments(doctor);
    check_list_add(&doctor->checks, check_of_settings(&doctor->settings));
    check_list_add(&doctor->checks, check_of_state_folder());
    doctor_file_system(doctor);
    doctor_session_bus(doctor);
    doctor_browser(doctor);
    doctor_waits_end(doctor, waits);
}

json_t *service_doctor(void)
{
    char program[PATH_ROOM];
    const char *home = getenv("HOME");
    struct doctor doctor = {.roots = {.system = "",
                                      .home = home != NULL && home[0] == '/' ? home : NULL,
                                      .program = own_file(program),
                                      .search = getenv("PATH"),
                                      .browser = getenv("BROWSER")}};
    json_t *result = NULL;

    if (settings_init(&doctor.settings) == 0) {
        settings_read_files(&doctor.settings);
        look(&doctor);
        if (!doctor.checks.incomplete)
            result = json_pack("{s:s, s:O}", "overall", check_list_overall(&doctor.checks), "checks",
                               doctor.checks.checks);
    }
    doctor_clear(&doctor);
    return result;
}
