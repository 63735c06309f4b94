/* SPDX-License-Identifier: MPL-2.0 */
/* `thunderseal policy merge`: Thunderbird's policies.json gets our part, or loses it. */
#include "service/service_parts.h"

#include "core/policy_merge.h"
#include "service/edited_file.h"
#include <stdlib.h>
#include <string.h>

#define FOLDER_MODE 0755 /* Thunderbird reads both as whoever runs it */
#define FILE_MODE 0644

/* 1: the text has changed; 0: it says already what it should; -1 with *problem. */
static int edit(struct edited_file *file, bool remove, struct problem *problem)
{
    char *before = strdup(file->edit.text);
    int result;

    if (before == NULL) {
        problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
        return -1;
    }
    result = remove ? policy_unmerge(&file->edit, file->path, problem)
                    : policy_merge(&file->edit, THUNDERSEAL_XPI, file->path, problem);
    if (result == 0)
        result = strcmp(before, file->edit.text) != 0;
    free(before);
    return result;
}

json_t *service_policy_merge(const char *path, bool remove, struct problem *problem)
{
    struct edited_file file;
    json_t *result = NULL;
    int changed = 0;

    if (edited_file_open(&file, path, remove ? FOLDERS_NONE : FOLDERS_LAST, FOLDER_MODE, problem) != 0)
        goto out;
    if (file.present || !remove) {
        changed = edit(&file, remove, problem);
        if (changed < 0 || (changed > 0 && edited_file_save(&file, FILE_MODE, problem) != 0))
            goto out;
    }
    result =
        json_pack("{s:s, s:b, s:b}", "file", path, "changed", changed, "created", changed && !file.present);
    if (result == NULL)
        problem_set(problem, PROBLEM_INVALID_PARAMS, "The name of the file is not valid UTF-8.",
                    "Give it another name.");
out:
    edited_file_close(&file);
    return result;
}
