/* SPDX-License-Identifier: MPL-2.0 */
/* The program's own file, and the libraries that it runs with. */
#include "service/doctor.h"

#include "net/https.h"
#include <sodium.h>

void doctor_program(struct doctor *doctor)
{
    json_t *check = check_new("program", NULL, CHECK_OK, "Program");
    const char *path = doctor->roots.program;

    check_evidence_text(check, "version", THUNDERSEAL_VERSION);
    if (path == NULL) {
        check_worsen(check, CHECK_WARN);
        check_detail(
            check, "The program's own file is not known: it was replaced while it ran, or /proc is missing.");
        check_remedy(check, "Start \"thunderseal doctor\" again.");
    } else if (doctor_trusted(check, path)) {
        check_detail(check, "%s, version %s.", path, THUNDERSEAL_VERSION);
        check_evidence_text(check, "path", path);
    }
    check_list_add(&doctor->checks, check);
}

void doctor_libraries(struct doctor *doctor)
{
    json_t *check = check_new("libraries", NULL, CHECK_OK, "Libraries");
    const char *missing = https_library_missing();

    check_detail(check, "%s, Jansson %s, libsodium %s.", https_library(), jansson_version_str(),
                 sodium_version_string());
    if (missing != NULL) {
        check_worsen(check, CHECK_FAIL);
        check_detail(check, "libcurl lacks %s: this is %s.", missing, https_library());
        check_remedy(check, "Install the libcurl of your distribution, version 7.87 or later, with OpenSSL.");
    }
    check_list_add(&doctor->checks, check);
}
