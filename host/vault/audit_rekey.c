/* SPDX-License-Identifier: MPL-2.0 */
/* A log whose device key is changed is made afresh under the new one, entry by entry. */
#include "vault/audit_internal.h"

#include "vault/storage_problem.h"
#include "vault/vault_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct copying {
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
static int begin(struct copying *copying, const struct audit_line *line)
{
    uint64_t seq = line->first ? line->place.seq : line->place.seq - 1;

    copying->begun = true;
    if (seq == 0)
        return 0;
    return audit_lines_add(&copying->lines, audit_object(seq, copying->now, AUDIT_LOG_REKEYED));
}

static void take(void *context, const struct audit_line *line)
{
    struct copying *copying = context;
    json_t *entry, *name;

    if (!copying->begun && begin(copying, line) != 0)
        copying->failed = true;
    if (line->first || copying->failed)
        return;
    entry = audit_line_entry(line);
    name = json_object_get(copying->names, json_string_value(json_object_get(entry, "account")));
    if (name != NULL)
        json_object_set(entry, "account", name);
    if (audit_lines_add(&copying->lines, entry) != 0)
        copying->failed = true;
}

/* What the old key does not prove is left out; that it was there is not. */
static int compose(struct copying *copying, const struct audit_keys *old_keys, const char *bytes,
                   size_t length)
{
    struct audit_walk walk = {.keys = old_keys, .visit = take, .context = copying};
    json_t *damaged;

    (void)audit_walk_take(&walk, bytes, length);
    if (copying->failed)
        return -1;
    if (walk.unnoted.damage == AUDIT_SOUND)
        return 0;
    damaged = audit_object(walk.proven.seq + 1, copying->now, AUDIT_LOG_DAMAGED);
    json_object_set_new(damaged, "what", json_string(audit_damage_name(walk.unnoted.damage)));
    return audit_lines_add(&copying->lines, damaged);
}

/* A crash came after it, and before the old key was given up. */
static bool is_done(const struct audit_keys *new_keys, const char *bytes, size_t length)
{
    struct audit_walk walk = {.keys = new_keys};

    (void)audit_walk_take(&walk, bytes, length);
    return walk.entries != 0 || walk.lines == 0;
}

static int rewrite(struct audit_file *file, struct copying *copying, const struct audit_keys *old_keys,
                   struct problem *problem)
{
    char *bytes;
    size_t length;
    int result = 0;

    if (audit_file_read(file, 0, &bytes, &length, problem) != 0)
        return -1;
    if (!is_done(copying->lines.keys, bytes, length)) {
        result = compose(copying, old_keys, bytes, length);
        if (result != 0)
            storage_problem(problem, "written", file->vault->folder, ENOMEM);
        else
            result = audit_file_replace(file, copying->lines.bytes, copying->lines.length, problem);
    }
    free(copying->lines.bytes);
    free(bytes);
    return result;
}

static int make_afresh(struct audit_file *file, const struct audit_rekeying *rekeying,
                       struct problem *problem)
{
    struct audit_keys old_keys = {0}, new_keys = {0};
    struct copying copying = {.lines.keys = &new_keys, .now = rekeying->now};
    int result = -1;

    if (audit_keys_derive(&old_keys, &rekeying->old_key->mac_key) == 0 &&
        audit_keys_derive(&new_keys, &rekeying->new_key->mac_key) == 0) {
        copying.names = translate_names(rekeying->addresses, &old_keys, &new_keys);
        result = rewrite(file, &copying, &old_keys, problem);
    } else {
        storage_problem(problem, "read", file->vault->folder, ENOMEM);
    }
    json_decref(copying.names);
    audit_keys_wipe(&old_keys);
    audit_keys_wipe(&new_keys);
    return result;
}

int audit_rekey(const struct vault *vault, const struct audit_rekeying *rekeying, struct problem *problem)
{
    struct audit_file file;
    enum audit_file_state state = audit_file_open(&file, vault, false, problem);
    int result = state == AUDIT_FILE_FAILED ? -1 : 0;

    if (state == AUDIT_FILE_HAD)
        result = make_afresh(&file, rekeying, problem);
    if (result == 0 && rekeying->commit != NULL)
        result = rekeying->commit(rekeying->context, problem);
    audit_file_close(&file);
    return result;
}
