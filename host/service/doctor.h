/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The parts of service_doctor: it looks at the installation and changes nothing, asks nobody, and needs no
 * open vault. Each part adds its checks to the list. Out of memory, a path is NULL: then what lies there
 * counts as absent.
 */
#ifndef THUNDERSEAL_SERVICE_DOCTOR_H
#define THUNDERSEAL_SERVICE_DOCTOR_H

#include "core/check.h"
#include "core/settings.h"
#include "service/native.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define DOCTOR_APPLICATIONS_MAX 8 /* installations of Thunderbird on one computer */
#define DOCTOR_PROFILES_MAX 32    /* of one user */

/* Where everything is looked for; borrowed. */
struct doctor_roots {
    const char *system;  /* stands before every path of the system: "", but in a test */
    const char *home;    /* NULL: there is none */
    const char *program; /* this program's own file, NULL when unknown */
    const char *search;  /* PATH */
    const char *browser; /* BROWSER, NULL or "": none */
};

struct doctor_application {
    char *folder;     /* owned */
    char version[32]; /* "" when it cannot be read */
    bool esr;
};

struct doctor_profile {
    char *folder;      /* owned */
    char *application; /* owned; the folder of the Thunderbird that used it last, NULL when not known */
    bool is_default;
};

struct doctor {
    struct doctor_roots roots;
    struct settings settings;
    struct doctor_application applications[DOCTOR_APPLICATIONS_MAX];
    size_t application_count;
    struct doctor_profile profiles[DOCTOR_PROFILES_MAX];
    size_t profile_count;
    struct check_list checks;
};

void doctor_clear(struct doctor *doctor);

/* --- doctor_program.c --- */
void doctor_program(struct doctor *doctor);
void doctor_libraries(struct doctor *doctor);
/* --- doctor_manifest.c --- */
void doctor_manifest(struct doctor *doctor);
/* --- doctor_profiles.c: finds the profiles, and reads what they say --- */
void doctor_find_profiles(struct doctor *doctor);
void doctor_add_on(struct doctor *doctor);
/* --- doctor_thunderbird.c: after the profiles, which name further installations --- */
void doctor_find_applications(struct doctor *doctor);
void doctor_thunderbird(struct doctor *doctor);
void doctor_sandboxes(struct doctor *doctor);
/* --- doctor_policies.c --- */
void doctor_policies(struct doctor *doctor);
/* The file of enterprise policies that the application reads, or NULL when there is none. The caller frees
 * it.
 */
char *doctor_policies_file(const struct doctor *doctor, const struct doctor_application *application);
/* --- doctor_experiments.c --- */
void doctor_experiments(struct doctor *doctor);
/* --- doctor_desktop.c --- */
void doctor_session_bus(struct doctor *doctor);
void doctor_browser(struct doctor *doctor);
/* --- doctor_state.c --- */
void doctor_file_system(struct doctor *doctor);
/* What a file system of this magic number (statfs) means for locks and lasting files: NULL when it is a fit
 * one, else its name. */
const char *doctor_network_file_system(long magic);

/* --- doctor_waits.c: what takes time, side by side under one deadline --- */
struct doctor_waits;
/* NULL out of memory. */
struct doctor_waits *doctor_waits_start(struct doctor *doctor);
/* Waits for the rest and adds its checks. NULL: they are missing. */
void doctor_waits_end(struct doctor *doctor, struct doctor_waits *waits);
/* --- doctor_files.c --- */
/* A new formatted text, NULL out of memory. */
char *doctor_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A word for a shell: quoted where it must be. The caller frees it. */
char *doctor_word(const char *text);
/* The whole file with a NUL behind it, or NULL with errno: EFBIG when it is longer than max. */
char *doctor_read(const char *path, size_t max);
/* The JSON in it; NULL with cause filled, "" when there is no such file. */
#define DOCTOR_CAUSE_SIZE 256
json_t *doctor_read_json(const char *path, char cause[DOCTOR_CAUSE_SIZE]);
/* "sudo " when somebody else's file is to be changed, else "". */
const char *doctor_sudo(const char *path);
/* Whether only its owner, root or the user, may write to what is there. Else the check fails, with the
 * command that mends it. */
bool doctor_trusted(json_t *check, const char *path);
/* The executable of this name in the search path, NULL when there is none. The caller frees it. */
char *doctor_find_program(const char *search, const char *name);
/* Calls take for each "key=value" line of INI text, which is changed meanwhile. */
void doctor_each_line(char *text,
                      void (*take)(void *context, const char *section, const char *key, const char *value),
                      void *context);

#endif
