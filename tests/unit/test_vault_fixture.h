/* SPDX-License-Identifier: MPL-2.0 */
/* What the vault's tests share: a fresh folder for each test, and files as bytes. */
#ifndef THUNDERSEAL_TEST_VAULT_FIXTURE_H
#define THUNDERSEAL_TEST_VAULT_FIXTURE_H

#include "vault/disk.h"
#include "vault/vault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "00112233445566778899aabbccddeeff"
#define OTHER_NAME "ffeeddccbbaa99887766554433221100"
#define SEALED "identities/" NAME ".sealed"
#define PREVIOUS SEALED ".prev"
#define DAMAGED SEALED ".damaged-"
#define FILE_ROOM 300000

static char base_folder[] = "/tmp/thunderseal-test-XXXXXX";
static char state_folder[64];

static inline int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

static inline int open_arena(void **state)
{
    (void)state;
    /* A vault made here is one of the file store, whatever keyring the desktop of the tester has. */
    unsetenv("DBUS_SESSION_BUS_ADDRESS");
    unsetenv("XDG_RUNTIME_DIR");
    if (sodium_init() < 0 || secret_arena_open() != 0 || mkdtemp(base_folder) == NULL)
        return -1;
    snprintf(state_folder, sizeof state_folder, "%s/state/thunderseal", base_folder);
    return 0;
}

static inline int close_arena(void **state)
{
    (void)state;
    secret_arena_close();
    return nftw(base_folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Each test begins without a vault and without faults. */
static inline int start_afresh(void **state)
{
    char path[96];

    (void)state;
    disk_fault = (struct disk_fault){0};
    snprintf(path, sizeof path, "%s/state", base_folder);
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return access(path, F_OK) == 0 ? -1 : 0;
}

/* "identities/…" or another name in the vault's folder as a path; good until the call after next. */
static inline const char *in_state(const char *file)
{
    static char paths[2][256];
    static int turn;

    turn = !turn;
    snprintf(paths[turn], sizeof paths[turn], "%s/%s", state_folder, file);
    return paths[turn];
}

static inline bool exists(const char *file)
{
    struct stat status;

    return lstat(in_state(file), &status) == 0;
}

static inline size_t read_bytes(const char *file, unsigned char bytes[FILE_ROOM])
{
    int descriptor = open(in_state(file), O_RDONLY);
    ssize_t length;

    assert_true(descriptor >= 0);
    length = read(descriptor, bytes, FILE_ROOM);
    assert_true(length >= 0);
    close(descriptor);
    return (size_t)length;
}

static inline void write_bytes(const char *file, const void *bytes, size_t length)
{
    int descriptor = open(in_state(file), O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, bytes, length), length);
    close(descriptor);
}

static inline void flip_byte(const char *file, size_t at)
{
    static unsigned char bytes[FILE_ROOM];
    size_t length = read_bytes(file, bytes);

    assert_true(at < length);
    bytes[at] ^= 0x10;
    write_bytes(file, bytes, length);
}

static inline struct vault *open_vault(void)
{
    struct problem problem;
    struct vault *vault = vault_open(state_folder, "auto", &problem);

    assert_non_null(vault);
    return vault;
}

static inline int write_text(struct vault *vault, const char *name, uint64_t generation, const char *text,
                             struct problem *problem)
{
    struct secret payload = {0};
    json_t *header = json_pack("{s:s}", "account", name);
    int result;

    assert_int_equal(secret_set(&payload, text, strlen(text)), 0);
    result = vault_write(vault, name, generation, header, &payload, problem);
    json_decref(header);
    secret_wipe(&payload);
    return result;
}

static inline void must_write(struct vault *vault, const char *name, uint64_t generation, const char *text)
{
    struct problem problem = {0};

    if (write_text(vault, name, generation, text, &problem) != 0)
        fail_msg("%s %s", problem.cause, problem.remedy);
}

/* A vault with one identity, closed again. */
static inline void make_vault(const char *text)
{
    struct vault *vault = open_vault();

    must_write(vault, NAME, 1, text);
    vault_close(vault);
}

/* Reads NAME and checks what comes back; text NULL: no payload. */
static inline void assert_reads(struct vault *vault, uint64_t generation, const char *text,
                                enum problem_kind problem_kind)
{
    struct vault_entry entry = {0};
    struct problem problem = {0};

    assert_int_equal(vault_read(vault, NAME, &entry, &problem), 0);
    assert_int_equal(entry.problem.kind, problem_kind);
    if (problem_kind != PROBLEM_NONE) {
        assert_true(entry.problem.cause[0] != '\0');
        assert_true(entry.problem.remedy[0] != '\0');
    }
    assert_int_equal(entry.payload.bytes != NULL, text != NULL);
    if (text == NULL) {
        assert_int_equal(entry.generation, 0);
    } else {
        assert_string_equal(secret_expose(&entry.payload), text);
        assert_int_equal(entry.generation, generation);
        assert_string_equal(json_string_value(json_object_get(entry.header, "account")), NAME);
    }
    vault_entry_clear(&entry);
}

static inline void assert_reads_afresh(uint64_t generation, const char *text, enum problem_kind problem_kind)
{
    struct vault *vault = open_vault();

    assert_reads(vault, generation, text, problem_kind);
    vault_close(vault);
}

#endif
