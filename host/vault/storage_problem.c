/* SPDX-License-Identifier: MPL-2.0 */
#include "vault/storage_problem.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* The remedy has the path between its two halves. */
struct explanation {
    int error;
    const char *cause;
    const char *remedy;
    const char *remedy_end;
};

static const struct explanation explanations[] = {
    {ENOSPC, "there is no space left on the disk", "Free some space on the disk that holds ",
     ", then try again."},
    {EDQUOT, "your disk quota is used up", "Remove files you no longer need, or ask for more quota, so that ",
     " can be written; then try again."},
    {EFBIG, "it would be larger than files may be here",
     "Raise the file size limit (ulimit -f) that holds for ", ", then try again."},
    {EROFS, "the file system is read-only", "Make the file system that holds ", " writable, then try again."},
    {EACCES, "permission was denied", "Make sure that you own ",
     " and may read and write it (chown, chmod u+rwX), then try again."},
    {EPERM, "the operation is not permitted", "Make sure that you own ",
     " and that it is not marked immutable, then try again."},
    {EIO, "the disk reported an error", "Check the disk that holds ", " and its cables, then try again."},
    {ELOOP, "it is a symbolic link", "Replace the link ", " by what it points to, then try again."},
    {ENOTDIR, "a part of the path is not a folder", "Look what stands in place of a folder in ",
     ", move it away, then try again."},
    {ENAMETOOLONG, "the path is too long", "Set XDG_STATE_HOME to a shorter path than that of ",
     ", then try again."},
    {EMFILE, "too many files are open", "Close some programs, then try again; Thunderseal needs to open ",
     "."},
    {ENFILE, "too many files are open", "Close some programs, then try again; Thunderseal needs to open ",
     "."},
};

static const struct explanation *explain(int error)
{
    size_t i;

    for (i = 0; i < sizeof explanations / sizeof *explanations; i++)
        if (explanations[i].error == error)
            return &explanations[i];
    return NULL;
}

/* A path may hold any bytes, but a problem goes to Jansson, which takes UTF-8 only, and to a terminal. */
static void make_printable(char *text)
{
    json_t *checked = json_string(text);
    bool utf8 = checked != NULL;

    json_decref(checked);
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !utf8))
            *text = '?';
    }
}

static void join(char text[STORAGE_TEXT_MAX], const char *const *parts)
{
    size_t used = 0;

    text[0] = '\0';
    for (; *parts != NULL && used < STORAGE_TEXT_MAX; parts++) {
        int written = snprintf(text + used, STORAGE_TEXT_MAX - used, "%s", *parts);
        used += written > 0 ? (size_t)written : 0;
    }
    make_printable(text);
}

void storage_problem_parts(struct problem *problem, enum problem_kind kind, const char *const *cause,
                           const char *const *remedy)
{
    char cause_text[STORAGE_TEXT_MAX];
    char remedy_text[STORAGE_TEXT_MAX];

    join(cause_text, cause);
    join(remedy_text, remedy);
    problem_set(problem, kind, cause_text, remedy_text);
}

void storage_problem(struct problem *problem, const char *done, const char *path, int error)
{
    const struct explanation *found = explain(error);
    const char *why = found != NULL ? found->cause : strerrordesc_np(error);

    if (error == ENOMEM) { /* says nothing about the disk */
        problem_set_no_memory(problem);
        return;
    }
    if (why == NULL)
        why = "the system reported an error that it does not name";
    storage_problem_parts(problem, PROBLEM_STORAGE, PARTS(path, " could not be ", done, ": ", why, "."),
                          found != NULL
                              ? PARTS(found->remedy, path, found->remedy_end)
                              : PARTS("Look at ", path, " and the disk that holds it, then try again."));
}
