/* SPDX-License-Identifier: MPL-2.0 */
/* The folder of the saved sign-ins, looked at from outside, and the disk that it lies on. */
#include "service/doctor.h"

#include "service/service_parts.h"
#include "service/shared_checks.h"
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#define SPACE_MIN ((unsigned long long)1024 * 1024) /* some sign-ins with their older copies */

/* What a walk through the folder finds; the paths are owned. */
struct contents {
    char *open_to_others, *foreign, *damaged;
    size_t damaged_count;
};

static void keep(char **slot, const char *path)
{
    if (*slot == NULL)
        *slot = strdup(path);
}

static void look(struct contents *contents, const FTSENT *entry)
{
    const struct stat *status = entry->fts_statp;

    if (entry->fts_info == FTS_SL || entry->fts_info == FTS_NS || entry->fts_info == FTS_DP)
        return;
    if (status->st_uid != geteuid())
        keep(&contents->foreign, entry->fts_path);
    else if ((status->st_mode & (S_IRWXG | S_IRWXO)) != 0)
        keep(&contents->open_to_others, entry->fts_path);
    if (strstr(entry->fts_name, ".damaged-") != NULL) {
        keep(&contents->damaged, entry->fts_path);
        contents->damaged_count++;
    }
}

static void walk(struct contents *contents, char *folder)
{
    char *const roots[] = {folder, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    const FTSENT *entry;

    while (tree != NULL && (entry = fts_read(tree)) != NULL)
        look(contents, entry);
    if (tree != NULL)
        fts_close(tree);
}

static void judge(json_t *check, const char *folder, const struct contents *contents)
{
    char *word = doctor_word(folder), *damaged = doctor_word(contents->damaged);

    if (contents->foreign != NULL) {
        check_worsen(check, CHECK_FAIL);
        check_cause(check, "owner");
        check_detail(check, "%s belongs to another user.", contents->foreign);
        /* Root who looks at somebody's home must not be told to take it. */
        if (geteuid() == 0)
            check_remedy(check, "Run \"thunderseal doctor\" as the user whose sign-ins these are.");
        else
            check_remedy(check, "Make it yours. Run: sudo chown -R %u %s", (unsigned)geteuid(), word);
    } else if (contents->open_to_others != NULL) {
        check_worsen(check, CHECK_FAIL);
        check_cause(check, "mode");
        check_detail(check, "%s can be opened by other users.", contents->open_to_others);
        check_remedy(check, "Close it to them. Run: chmod -R go-rwx %s", word);
    } else if (contents->damaged != NULL) {
        check_worsen(check, CHECK_WARN);
        check_cause(check, "damaged");
        check_evidence(check, "damaged", json_integer((json_int_t)contents->damaged_count));
        check_detail(check, "A damaged file was set aside: %s.", contents->damaged);
        check_remedy(
            check,
            "If \"thunderseal status\" shows all your accounts ready, it is not needed any more. Run: rm %s",
            damaged);
    } else {
        check_detail(check, "%s is yours alone.", folder);
    }
    free(word);
    free(damaged);
}

json_t *check_of_state_folder(void)
{
    json_t *check = check_new("vault", NULL, CHECK_OK, "Saved sign-ins");
    struct contents contents = {0};
    struct problem problem;
    char *folder = environment_state_folder(&problem);

    if (folder == NULL) {
        check_worsen(check, CHECK_FAIL);
        check_problem(check, &problem);
    } else if (access(folder, F_OK) != 0) {
        check_detail(check, "There are none yet; the first sign-in makes %s.", folder);
    } else {
        walk(&contents, folder);
        judge(check, folder, &contents);
    }
    free(contents.open_to_others);
    free(contents.foreign);
    free(contents.damaged);
    free(folder);
    return check;
}

/* ---- the file system ---- */

const char *doctor_network_file_system(long magic)
{
    static const struct {
        unsigned long magic; /* statfs(2) */
        const char *name;
    } known[] = {
        {0x6969, "NFS"},     {0x517b, "SMB"},      {0xfe534d42, "SMB"}, {0xff534d42, "CIFS"},
        {0x5346414f, "AFS"}, {0x00c36400, "Ceph"}, {0x01021997, "9P"},  {0x0bd00bd0, "Lustre"},
    };
    size_t i;

    for (i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].magic == ((unsigned long)magic & 0xffffffffUL))
            return known[i].name;
    return NULL;
}

/* Cuts path down to what exists of it. */
static void climb(char *path)
{
    char *slash;

    while (access(path, F_OK) != 0 && (slash = strrchr(path, '/')) != NULL)
        slash[slash == path ? 1 : 0] = '\0';
}

static void judge_disk(json_t *check, const char *path)
{
    struct statfs kind;
    struct statvfs space;
    const char *network;
    char *word = doctor_word(path);

    if (statfs(path, &kind) != 0 || statvfs(path, &space) != 0) {
        check_worsen(check, CHECK_WARN);
        check_detail(check, "The file system of %s cannot be looked at.", path);
        check_remedy(check, "Look at it with the command that follows. Run: stat -f %s", word);
    } else if ((space.f_flag & ST_RDONLY) != 0) {
        check_worsen(check, CHECK_FAIL);
        check_cause(check, "read-only");
        check_detail(check, "The file system of %s is read-only: no sign-in can be saved.", path);
        check_remedy(check, "Make it writable. Run: sudo mount -o remount,rw \"$(stat -c %%m %s)\"", word);
    } else if ((unsigned long long)space.f_bavail * space.f_frsize < SPACE_MIN) {
        check_worsen(check, CHECK_FAIL);
        check_cause(check, "full");
        check_detail(check, "The disk that holds %s is full: no sign-in can be saved.", path);
        check_remedy(check, "Free some space there.");
    } else if ((network = doctor_network_file_system((long)kind.f_type)) != NULL) {
        check_worsen(check, CHECK_WARN);
        check_cause(check, "network-file-system");
        check_evidence_text(check, "type", network);
        check_detail(
            check,
            "%s lies on a network file system (%s): where its locks do not reach other computers, two of "
            "them may renew one sign-in at a time.",
            path, network);
        check_remedy(
            check,
            "Set XDG_STATE_HOME to a folder on a local disk, or use the account on one computer at a time.");
    } else {
        check_detail(check, "%s lies on a local disk with space.", path);
    }
    free(word);
}

void doctor_file_system(struct doctor *doctor)
{
    json_t *check = check_new("file-system", NULL, CHECK_OK, "File system");
    struct problem problem;
    char *path = environment_state_folder(&problem);

    if (path == NULL) {
        json_decref(check);
        check = check_new("file-system", NULL, CHECK_SKIPPED, "File system");
        check_detail(check, "Without a home folder there is none to look at.");
    } else {
        climb(path);
        judge_disk(check, path);
    }
    check_list_add(&doctor->checks, check);
    free(path);
}
