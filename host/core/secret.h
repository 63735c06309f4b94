/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The one type for secret bytes: tokens, codes, verifiers, keys. Its bytes live in a guarded arena that is
 * locked in memory, kept out of core files and wiped on release. A secret has no text form: nothing that logs
 * or reports takes this type.
 */
#ifndef THUNDERSEAL_CORE_SECRET_H
#define THUNDERSEAL_CORE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* A token answer is at most 64 KiB, the payload of a sealed file at most 256 KiB; a form carries a token
 * encoded. */
#define SECRET_MAX_LENGTH ((size_t)512 * 1024)
/* Two of the longest, and a page for their heads. */
#define SECRET_REGION_SIZE (2 * SECRET_MAX_LENGTH + 4096)
/* Below the 8 MiB that an ordinary user may lock; 100 identities with three tokens of 4 KiB each fit five
 * times over. */
#define SECRET_REGIONS_MAX 6

struct secret {
    unsigned char *bytes; /* NULL when empty; followed by a NUL that length does not count */
    size_t length;        /* bytes, without the NUL */
};

/* Makes the arena, once per process; it grows by itself. Returns 0, or -1 out of memory. A failed mlock is
 * not an error: see below. */
int secret_arena_open(void);
/* Wipes and releases the arena. */
void secret_arena_close(void);
/* Whether all of the arena could be locked in memory (RLIMIT_MEMLOCK may forbid it). */
bool secret_arena_locked(void);

/* Makes *secret a copy of the bytes, releasing what it held. Returns 0, or -1 (too long or arena full), then
 * *secret is left as it was. */
int secret_set(struct secret *secret, const void *bytes, size_t length);
/* Gives *secret room for length bytes, zeroed. Returns 0 or -1 as secret_set. */
int secret_reserve(struct secret *secret, size_t length);
/* Copies from to *to. Returns 0 or -1 as secret_set. */
int secret_copy(struct secret *to, const struct secret *from);
/* Moves from to *to: releases what *to held and empties *from. */
void secret_move(struct secret *to, struct secret *from);
/* Wipes and empties; harmless on an empty one. */
void secret_wipe(struct secret *secret);
/* Constant time in the contents. */
bool secret_equal(const struct secret *a, const struct secret *b);
/* The bytes as text for the one call that sends or seals them: valid until the secret changes; "" when empty.
 */
const char *secret_expose(const struct secret *secret);

#endif
