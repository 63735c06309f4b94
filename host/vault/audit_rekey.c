/* SPDX-License-Identifier: MPL-2.0 */
/* A log whose device key is changed is made afresh under the new one, entry by entry. */
#include "vault/audit_internal.h"

#include "vault/storage_problem.h"
#include "vault/vault_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct rekeying {
    struct audit_lines lines;
    json_t *names; /* new hash by old hash, of the addresses that are known */
    int64_t now;
    bool begun;
    bool failed;
};

static json_t *translate_names(const json_t *addresses, const struct audit_keys *old_keys,
                               const struct audit_keys *new_keys)
{
    char from[AUDIT_HASH_SIZE], to[AUDIT_HASH_SIZE];
    json_t *names = json_object(), *address;
    size_t i;

    json_array_foreach((json_t *)addresses, i, address)
    {
        audit_account_hash(from, old_keys, json_string_value(address));
        audit_account_hash(to, new_keys, json_string_value(address));
        json_object_set_new(names, from, json_string(to));
    }
    return names;
}

/* It stands where the chain began; damage told of there has a line of its own. */
static int begin(struct rekeying *rekeying, const struct audit_line *line)
{
    uint64_t seq = line->first ? line->place.seq : line->place.seq - 1;

    rekeying->begun = true;
    if (seq == 0)
        return 0;
    return audit_lines_add(&rekeying->lines, audit_object(seq, rekeying->now, AUDIT_LOG_REKEYED));
}

static void take(void *context, const struct audit_line *line)
{
    struct rekeying *rekeying = context;
    json_t *entry, *name;

    if (!rekeying->begun && begin(rekeying, line) != 0)
        rekeying->failed = true;
    if (line->first || rekeying->failed)
        return;
    entry = audit_line_entry(line);
    name = json_object_get(rekeying->names, json_string_value(json_object_get(entry, "account")));
    if (name != NULL)
        json_object_set(entry, "account", name);
    if (audit_lines_add(&rekeying->lines, entry) != 0)
        rekeying->failed = true;
}

/* What the old key does not prove is left out; that it was there is not. */
static int compose(struct rekeying *rekeying, const struct audit_keys *old_keys, const char *bytes,
                   size_t length)
{
    struct audit_walk walk = {.keys = old_keys, .visit = take, .context = rekeying};
    json_t *damaged;

    (void)audit_walk_take(&walk, bytes, length);
    if (rekeying->failed)
        return -1;
    if (walk.unnoted.damage == AUDIT_SOUND)
        return 0;
    damaged = audit_object(walk.proven.seq + 1, rekeying->now, AUDIT_LOG_DAMAGED);
    json_object_set_new(damaged, "what", json_string(audit_damage_name(walk.unnoted.damage)));
    return audit_lines_add(&rekeying->lines, damaged);
}

/* A crash came after it, and before the old key was given up. */
static bool is_done(const struct audit_keys *new_keys, const char *bytes, size_t length)
{
    struct audit_walk walk = {.keys = new_keys};

    (void)audit_walk_take(&walk, bytes, length);
    return walk.entries != 0 || walk.lines == 0;
}

static int rewrite(struct audit_file *file, struct rekeying *rekeying, const struct audit_keys *old_keys,
                   struct problem *problem)
{
    char *bytes;
    size_t length;
    int result = 0;

    if (audit_file_read(file, 0, &bytes, &length, problem) != 0)
        return -1;
    if (!is_done(rekeying->lines.keys, bytes, length)) {
        result = compose(rekeying, old_keys, bytes, length);
        if (result != 0)
            storage_problem(problem, "written", file->vault->folder, ENOMEM);
        else
            result = audit_file_replace(file, rekeying->lines.bytes, rekeying->lines.length, problem);
    }
    free(rekeying->lines.bytes);
    free(bytes);
    return result;
}

int audit_rekey(const struct vault *vault, const struct envelope_key *old_key,
                const struct envelope_key *new_key, const json_t *addresses, int64_t now,
                struct problem *problem)
{
    struct audit_keys old_keys = {0}, new_keys = {0};
    struct rekeying rekeying = {.lines.keys = &new_keys, .now = now};
    struct audit_file file;
    enum audit_file_state state = audit_file_open(&file, vault, false, problem);
    int result = state == AUDIT_FILE_FAILED ? -1 : 0;

    if (state != AUDIT_FILE_HAD)
        goto out;
    result = -1;
    if (audit_keys_derive(&old_keys, &old_key->mac_key) != 0 ||
        audit_keys_derive(&new_keys, &new_key->mac_key) != 0) {
        storage_problem(problem, "read", vault->folder, ENOMEM);
        goto out;
    }
    rekeying.names = translate_names(addresses, &old_keys, &new_keys);
    result = rewrite(&file, &rekeying, &old_keys, problem);
out:
    json_decref(rekeying.names);
    audit_keys_wipe(&old_keys);
    audit_keys_wipe(&new_keys);
    audit_file_close(&file);
    return result;
}
