/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One line of the audit log: a JSON object whose last member is a keyed hash over the line and the one before
 * it. Pure functions from bytes to bytes; FORMAT.md describes every byte.
 */
#ifndef THUNDERSEAL_VAULT_AUDIT_LINE_H
#define THUNDERSEAL_VAULT_AUDIT_LINE_H

#include "core/secret.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define AUDIT_MAC_SIZE 32
/* Lower-case hex of a 16-byte keyed hash, and its NUL: what stands for an address, or for a policy. */
#define AUDIT_HASH_SIZE 33
#define AUDIT_EVENT_SIZE 24
/* With its newline. Every field is a number, a word of ours or a hash: ours stay below half of it. */
#define AUDIT_LINE_MAX 1024

/* What the device key yields for the log. Owns its secrets. */
struct audit_keys {
    struct secret chain; /* makes and proves lines */
    struct secret names; /* hides addresses */
};

/* Derives both from the device key's MAC key. 0, or -1: the arena is full, and nothing is held. */
int audit_keys_derive(struct audit_keys *keys, const struct secret *mac_key);
void audit_keys_wipe(struct audit_keys *keys);

/* The hash that stands for an address, however it is written. */
void audit_account_hash(char hash[AUDIT_HASH_SIZE], const struct audit_keys *keys, const char *account);
/* The hash of any other text, never that of an address. */
void audit_text_hash(char hash[AUDIT_HASH_SIZE], const struct audit_keys *keys, const char *text);

/* A line's place in the chain: the next one has seq + 1 and is hashed together with mac. */
struct audit_place {
    uint64_t seq; /* from 1; 0: before the first */
    unsigned char mac[AUDIT_MAC_SIZE];
};

/* A line as it was read; nothing is proven. */
struct audit_line {
    const char *text; /* borrowed: the object up to its mac */
    size_t length;
    int64_t time; /* Unix seconds */
    char event[AUDIT_EVENT_SIZE];
    unsigned char mac[AUDIT_MAC_SIZE];
    bool alone;               /* begins a chain: hashed without a line before it */
    bool first;               /* may only be the first line of a file */
    bool stands_in;           /* likewise: younger than what follows, in the place of what was there */
    struct audit_place place; /* where the chain goes on from */
};

/* The events that begin a chain. */
#define AUDIT_LOG_STARTED "log-started"
#define AUDIT_LOG_PRUNED "log-pruned" /* in the place of older entries; carries on their chain */
#define AUDIT_LOG_REKEYED "log-rekeyed"
#define AUDIT_LOG_DAMAGED "log-damaged" /* what came before it does not fit together */

/* Reads a line without its newline. 0, or -1: no entry has this shape. */
int audit_line_read(struct audit_line *line, const char *bytes, size_t length);
/* Whether bytes end with a whole line that has this mac. */
bool audit_line_ends_with(const char *bytes, size_t length, const unsigned char mac[AUDIT_MAC_SIZE]);
/* The bytes that audit_line_ends_with looks at. */
#define AUDIT_LINE_END ((size_t)2 * AUDIT_MAC_SIZE + 3)
/* Whether a holder of the keys wrote the line to follow previous. Constant time in the hash. */
bool audit_line_proven(const struct audit_line *line, const struct audit_keys *keys,
                       const struct audit_place *previous);
/*
 * Writes entry (with the members seq, time and event first, in this order) and its mac as a line that follows
 * *place, which becomes its own. Its length with the newline, or 0: it does not fit.
 */
size_t audit_line_write(char line[AUDIT_LINE_MAX], const json_t *entry, const struct audit_keys *keys,
                        struct audit_place *place);

#endif
