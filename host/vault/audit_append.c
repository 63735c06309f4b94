/* SPDX-License-Identifier: MPL-2.0 */
/* Appending to the log: first what others have done to it since this process last looked, then what is due.
 */
#include "vault/audit_internal.h"

#include "vault/storage_problem.h"
#include "vault/vault_internal.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* ---- what other processes wrote, and what was done to it ---- */

/* The number of a file that has gone may be given to the next one, so that it alone does not tell. */
static bool is_same_file(const struct audit *audit, const struct audit_file *file)
{
    return audit->begun && audit->device == file->status.st_dev && audit->inode == file->status.st_ino &&
           file->status.st_size >= audit->offset && audit->offset >= (off_t)AUDIT_LINE_END;
}

/* Another file, or a shorter one, must still hold all that was seen before. */
static void begin_walk(struct audit *audit, const struct audit_file *file)
{
    if (audit->begun)
        audit_expect_place(audit, &audit->seen.proven);
    memset(&audit->seen, 0, sizeof audit->seen);
    audit->offset = audit->synced = 0;
    audit->begun = true;
    audit->device = file->status.st_dev;
    audit->inode = file->status.st_ino;
}

/* Reads what this process has not walked yet, and a little before it, to know the place again. */
static int read_on(struct audit *audit, const struct audit_file *file, char **bytes, size_t *length,
                   size_t *known, struct problem *problem)
{
    *known = 0;
    if (is_same_file(audit, file)) {
        if (audit_file_read(file, audit->offset - (off_t)AUDIT_LINE_END, bytes, length, problem) != 0)
            return -1;
        if (*length >= AUDIT_LINE_END && audit_line_ends_with(*bytes, AUDIT_LINE_END, audit->seen.mac)) {
            *known = AUDIT_LINE_END;
            return 0;
        }
        free(*bytes);
    }
    begin_walk(audit, file);
    return audit_file_read(file, 0, bytes, length, problem);
}

/* *half: bytes of a last line without its end. */
static int catch_up(struct audit *audit, const struct audit_file *file, const struct audit_keys *keys,
                    size_t *half, struct problem *problem)
{
    char *bytes;
    size_t length, known, taken;

    if (read_on(audit, file, &bytes, &length, &known, problem) != 0)
        return -1;
    audit->seen.keys = keys;
    audit->seen.expected = audit->expected;
    taken = audit_walk_take(&audit->seen, bytes + known, length - known);
    audit_walk_end(&audit->seen);
    free(bytes);
    audit->offset += (off_t)taken;
    *half = length - known - taken;
    return 0;
}

/* ---- appending ---- */

static json_t *damaged_object(const struct audit *audit)
{
    const struct audit_finding *finding = &audit->seen.unnoted;
    uint64_t after =
        audit->seen.proven.seq > audit->expected.seq ? audit->seen.proven.seq : audit->expected.seq;
    json_t *object = audit_object(after + 1, audit->now, AUDIT_LOG_DAMAGED);

    json_object_set_new(object, "what", json_string(audit_damage_name(finding->damage)));
    if (finding->line != 0)
        json_object_set_new(object, "line", json_integer((json_int_t)finding->line));
    return object;
}

static int add_event(struct audit_lines *lines, int64_t now, const char *event, int64_t count)
{
    const struct audit_entry entry = {.event = event, .time = now, .count = count};

    return audit_lines_add(lines, audit_entry_object(lines, &entry));
}

static int add_policy(const struct audit *audit, struct audit_lines *lines)
{
    char hash[AUDIT_HASH_SIZE];
    json_t *object;

    audit_text_hash(hash, lines->keys, audit->policy);
    if (strcmp(hash, audit->seen.policy) == 0)
        return 0;
    object = audit_object(lines->at.seq + 1, audit->now, "policy-changed");
    json_object_set_new(object, "policy", json_string(hash));
    return audit_lines_add(lines, object);
}

static bool is_known(const struct audit *audit, const struct audit_lines *lines,
                     const struct audit_entry *entry)
{
    char hash[AUDIT_HASH_SIZE];

    if (!entry->until_healed)
        return false;
    audit_account_hash(hash, lines->keys, entry->account);
    return audit_walk_ailing(&audit->seen, hash);
}

/* What the log itself has to tell comes before the events. */
static int compose(const struct audit *audit, struct audit_lines *lines, size_t half)
{
    size_t i;

    lines->at = audit->seen.at;
    if (audit->seen.unnoted.damage != AUDIT_SOUND) {
        if (audit_lines_add(lines, damaged_object(audit)) != 0)
            return -1;
    } else if (audit->seen.lines == 0 && add_event(lines, audit->now, AUDIT_LOG_STARTED, 0) != 0) {
        return -1;
    }
    if ((half != 0 && add_event(lines, audit->now, "log-healed", (int64_t)half) != 0) ||
        add_policy(audit, lines) != 0 ||
        (audit->lost != 0 && add_event(lines, audit->now, "events-lost", audit->lost) != 0))
        return -1;
    for (i = 0; i < audit->pending_count; i++)
        if (!is_known(audit, lines, &audit->pending[i]) &&
            audit_lines_add(lines, audit_entry_object(lines, &audit->pending[i])) != 0)
            return -1;
    return 0;
}

static bool must_sync(const struct audit *audit)
{
    size_t i;

    for (i = 0; i < audit->pending_count; i++)
        if (!audit->pending[i].soon)
            return true;
    return false;
}

static void written(struct audit *audit, const struct audit_lines *lines)
{
    if (lines->length != 0)
        (void)audit_walk_take(&audit->seen, lines->bytes, lines->length);
    audit->offset += (off_t)lines->length;
    /* Addresses stand in it. */
    sodium_memzero(audit->pending, audit->pending_count * sizeof *audit->pending);
    audit->pending_count = 0;
    audit->lost = 0;
}

static int put(struct audit *audit, struct audit_file *file, const struct audit_lines *lines, size_t half,
               struct problem *problem)
{
    bool sync = must_sync(audit);

    if (lines->length == 0) {
        written(audit, lines);
        return 0;
    }
    if ((half != 0 && audit_file_cut(file, audit->offset, problem) != 0) ||
        audit_file_append(file, lines->bytes, lines->length, problem) != 0)
        return -1;
    /* From here on the entries are in the file, and must not be written twice. */
    written(audit, lines);
    if (!sync)
        return 0;
    if (audit_file_sync(file, problem) != 0)
        return -1;
    audit->synced = audit->offset;
    return 0;
}

/* Nothing in the log is ours: another process may have changed the device key. */
static bool is_foreign(const struct audit *audit)
{
    return audit->seen.lines != 0 && audit->seen.entries == 0;
}

int audit_append(struct audit *audit, struct audit_file *file, struct audit_keys *keys,
                 struct problem *problem)
{
    struct audit_lines lines = {.keys = keys};
    size_t half;
    int result = -1;

    if (catch_up(audit, file, keys, &half, problem) != 0)
        return -1;
    if (is_foreign(audit)) {
        vault_load_key(audit->vault, true);
        audit_mind_key(audit);
        audit_keys_wipe(keys);
        if (audit_keys_of(audit, keys, problem) != 0 || catch_up(audit, file, keys, &half, problem) != 0)
            return -1;
    }
    if (compose(audit, &lines, half) == 0)
        result = put(audit, file, &lines, half, problem);
    else
        storage_problem(problem, "written", audit->vault->folder, ENOMEM);
    free(lines.bytes);
    return result;
}
