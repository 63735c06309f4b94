/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The calls that change the disk, open what is there, or lock it, and nothing else: 0 (or a descriptor) on
 * success, -1 with errno. Everything that the vault writes goes through here, so that a build with
 * THUNDERSEAL_FAULTS can make each of them fail or be the process's last.
 */
#ifndef THUNDERSEAL_VAULT_DISK_H
#define THUNDERSEAL_VAULT_DISK_H

#include <stddef.h>
#include <sys/types.h>

/* Makes a new file, 0600, open for reading and writing: its descriptor, or -1 (EEXIST: there is something).
 */
int disk_create(int folder, const char *name);
/* Writes all bytes. */
int disk_write(int descriptor, const void *bytes, size_t length);
/* Cuts a file to length. */
int disk_cut(int descriptor, off_t length);
int disk_sync(int descriptor);
/* The same for a folder; a file system that cannot is no failure. */
int disk_sync_folder(int folder);
int disk_rename(int folder, const char *from, const char *to);
/* The same, but EEXIST when to is there. */
int disk_rename_new(int folder, const char *from, const char *to);
int disk_remove(int folder, const char *name);
/* Makes a folder, 0700. */
int disk_make_folder(const char *path);

/* Opens what is there; O_CLOEXEC is added. folder is AT_FDCWD for a path. */
int disk_open(int folder, const char *name, int flags);
/* Locks length bytes (0: all that follow) for this open file, without waiting: F_OFD_SETLK of fcntl(2). */
int disk_lock(int descriptor, off_t from, off_t length);
/* The same for a folder: flock(2) with LOCK_NB. */
int disk_lock_folder(int folder, int operation);

#ifdef THUNDERSEAL_FAULTS
#define DISK_JOURNAL_SIZE 64
#define DISK_FAULT_KILL (-1) /* as error: SIGKILL in the middle of the call */

/*
 * Which call fails, for tests. A program that does not set it gets it from the environment: at from
 * THUNDERSEAL_FAULT_AT for calls that change the disk, from THUNDERSEAL_FAULT_LOOK_AT for those that open or
 * lock, THUNDERSEAL_FAULT_ERROR (an errno, or "kill"), and THUNDERSEAL_FAULT_LASTS.
 */
struct disk_fault {
    long calls; /* made until here */
    long at;    /* the call that fails, counted from 1; 0: none */
    int error;  /* an errno, or DISK_FAULT_KILL */
    int lasts;  /* nonzero: every later call fails as well */
    /* The first calls in order, by their first letter; n for rename_new, u for remove, m for make_folder, t
     * for cut. */
    char journal[DISK_JOURNAL_SIZE];
};
extern struct disk_fault disk_fault;
extern struct disk_fault disk_look_fault; /* opens, o, and locks, l: these fail with ENOLCK */
#endif

#endif
