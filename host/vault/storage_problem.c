/* SPDX-License-Identifier: MPL-2.0 */
#include "vault/storage_problem.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* The remedy names the path. */
struct explanation {
    int error;
    const char *cause;
    const char *remedy;
};

static const struct explanation explanations[] TEXTS = {
    {ENOSPC, "there is no space left on the disk",
     "Free some space on the disk that holds %s, then try again."},
    {EDQUOT, "your disk quota is used up",
     "Remove files you no longer need, or ask for more quota, so that %s can be written; then try again."},
    {EFBIG, "it would be larger than files may be here",
     "Raise the file size limit (ulimit -f) that holds for %s, then try again."},
    {EROFS, "the file system is read-only", "Make the file system that holds %s writable, then try again."},
    {EACCES, "permission was denied",
     "Make sure that you own %s and may read and write it (chown, chmod u+rwX), then try again."},
    {EPERM, "the operation is not permitted",
     "Make sure that you own %s and that it is not marked immutable, then try again."},
    {EIO, "the disk reported an error", "Check the disk that holds %s and its cables, then try again."},
    {ELOOP, "it is a symbolic link", "Replace the link %s by what it points to, then try again."},
    {ENOTDIR, "a part of the path is not a folder",
     "Look what stands in place of a folder in %s, move it away, then try again."},
    {ENAMETOOLONG, "the path is too long",
     "Set XDG_STATE_HOME to a shorter path than that of %s, then try again."},
    {EMFILE, "too many files are open", "Close some programs, then try again; Thunderseal needs to open %s."},
    {ENFILE, "too many files are open", "Close some programs, then try again; Thunderseal needs to open %s."},
};

static const struct explanation *explain(int error)
{
    size_t i;

    for (i = 0; i < sizeof explanations / sizeof *explanations; i++)
        if (explanations[i].error == error)
            return &explanations[i];
    return NULL;
}

void storage_problem(struct problem *problem, const char *done, const char *path, int error)
{
    const struct explanation *found = explain(error);
    const char *why = strerrordesc_np(error);

    if (error == ENOMEM) { /* says nothing about the disk */
        problem_set_no_memory(problem);
        return;
    }
    problem_set(problem, PROBLEM_STORAGE, NULL, NULL);
    if (found != NULL)
        problem_cause(problem, "%s could not be %-s: %-s.", path, done, found->cause);
    else if (why != NULL)
        problem_cause(problem, "%s could not be %-s: %s.", path, done, why);
    else
        problem_cause(problem, "%s could not be %-s: the system reported an error that it does not name.",
                      path, done);
    problem_remedy(problem,
                   found != NULL ? found->remedy : "Look at %s and the disk that holds it, then try again.",
                   path);
}
