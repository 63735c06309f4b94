/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A JSON file of somebody else's, changed in one step or not at all: read, edited in memory, written as a
 * draft that takes its place. Owner, mode and every byte that is not edited stay.
 */
#ifndef THUNDERSEAL_SERVICE_EDITED_FILE_H
#define THUNDERSEAL_SERVICE_EDITED_FILE_H

#include "core/json_edit.h"
#include "core/problem.h"
#include <stdbool.h>
#include <sys/stat.h>

struct edited_file {
    struct json_edit edit; /* the text to be changed; "{}" for a file that is not there */
    char *path;            /* without symbolic links; owned */
    bool present;
    /* Of no interest to the caller: */
    char *folder;
    const char *name;
    int folder_fd;
    struct stat before;
};

/* What is made of the folders above a file, where they are missing. */
enum edited_folders {
    FOLDERS_NONE,
    FOLDERS_LAST /* a longer way is more likely a typing error */,
    FOLDERS_ALL
};

/*
 * Reads the file, ready to be edited; folders that are made get folder_mode. 0, or -1 with *problem.
 * edited_file_close goes with every call.
 */
int edited_file_open(struct edited_file *file, const char *path, enum edited_folders make, mode_t folder_mode,
                     struct problem *problem);
/* Writes it; one that was not there gets this mode. 0, or -1 with *problem: then the file is as it was. */
int edited_file_save(const struct edited_file *file, mode_t mode, struct problem *problem);
void edited_file_close(struct edited_file *file);

#endif
