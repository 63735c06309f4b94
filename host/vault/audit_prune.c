/* SPDX-License-Identifier: MPL-2.0 */
/* Keeping the log bounded, in time and in size: the oldest entries make room for one that carries on their
 * chain. */
#include "vault/audit_internal.h"

#include "vault/storage_problem.h"
#include "vault/vault_internal.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Rewriting some megabytes for each entry that comes of age would be out of proportion. */
#define PRUNE_PAUSE_S ((int64_t)86400)
/* What is left of a file that has grown too long, so that the next time is far. */
#define PRUNE_TARGET (AUDIT_FILE_MAX / 2)

static bool is_due(const struct audit *audit, const struct audit_file *file)
{
    const struct audit_walk *seen = &audit->seen;
    bool aged = seen->oldest != 0 && seen->oldest < audit->now - audit->retention;
    /* A time in the future is a clock that was wrong then. */
    bool pausing =
        seen->pruned_at != 0 && seen->pruned_at <= audit->now && audit->now - seen->pruned_at < PRUNE_PAUSE_S;

    return file->status.st_size > (off_t)AUDIT_FILE_MAX || (aged && !pausing);
}

struct cut {
    size_t length;            /* bytes that go */
    int64_t entries;          /* among them, without an earlier log-pruned */
    struct audit_place after; /* the last one's */
};

/* The last line always stays. */
static void choose(const struct audit *audit, const char *bytes, size_t length, struct cut *cut)
{
    size_t too_much = length > AUDIT_FILE_MAX ? length - PRUNE_TARGET : 0;
    size_t at = 0;
    struct audit_line line;
    const char *end;

    while ((end = memchr(bytes + at, '\n', length - at)) != NULL && end + 1 < bytes + length) {
        size_t next = (size_t)(end - bytes) + 1;
        bool entry = audit_line_read(&line, bytes + at, next - 1 - at) == 0;
        bool stands_in = entry && line.stands_in;
        if (entry && !stands_in && line.time >= audit->now - audit->retention && at >= too_much)
            return;
        if (entry) {
            cut->after = line.place;
            cut->entries += stands_in ? 0 : 1;
        }
        cut->length = at = next;
    }
}

static json_t *pruned_object(const struct audit *audit, const struct cut *cut)
{
    json_t *object = audit_object(cut->after.seq, audit->now, AUDIT_LOG_PRUNED);
    char after[2 * AUDIT_MAC_SIZE + 1];

    sodium_bin2hex(after, sizeof after, cut->after.mac, sizeof cut->after.mac);
    json_object_set_new(object, "after", json_string(after));
    json_object_set_new(object, "count", json_integer(cut->entries));
    if (audit->seen.policy[0] != '\0')
        json_object_set_new(object, "policy", json_string(audit->seen.policy));
    return object;
}

static int rewrite(struct audit *audit, struct audit_file *file, const struct audit_keys *keys,
                   const char *bytes, size_t length, struct problem *problem)
{
    struct audit_lines lines = {.keys = keys};
    struct cut cut = {0};
    int result = 0;

    choose(audit, bytes, length, &cut);
    if (cut.entries == 0)
        return 0;
    if (audit_lines_add(&lines, pruned_object(audit, &cut)) != 0 ||
        audit_lines_add_bytes(&lines, bytes + cut.length, length - cut.length) != 0) {
        storage_problem(problem, "written", audit->vault->folder, ENOMEM);
        result = -1;
    } else {
        result = audit_file_replace(file, lines.bytes, lines.length, problem);
    }
    free(lines.bytes);
    return result;
}

int audit_prune(struct audit *audit, struct audit_file *file, const struct audit_keys *keys,
                struct problem *problem)
{
    char *bytes;
    size_t length;
    int result;

    if (!is_due(audit, file))
        return 0;
    if (audit_file_read(file, 0, &bytes, &length, problem) != 0)
        return -1;
    result = rewrite(audit, file, keys, bytes, length, problem);
    free(bytes);
    return result;
}
