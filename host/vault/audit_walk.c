/* SPDX-License-Identifier: MPL-2.0 */
#include "vault/audit_walk.h"

#include <string.h>

#define POLICY_MEMBER "\"policy\":\""
#define ACCOUNT_MEMBER "\"account\":\""

const char *audit_damage_name(enum audit_damage damage)
{
    static const char *const names[] = {
        [AUDIT_SOUND] = "sound",         [AUDIT_CHANGED] = "changed",
        [AUDIT_MISSING] = "missing",     [AUDIT_OUT_OF_ORDER] = "out-of-order",
        [AUDIT_NO_ENTRY] = "no-entry",   [AUDIT_REPLACED] = "replaced",
        [AUDIT_CUT_SHORT] = "cut-short", [AUDIT_REMOVED] = "removed",
        [AUDIT_NOTED] = "noted",
    };

    return names[damage];
}

static void find(struct audit_walk *walk, enum audit_damage damage, uint64_t seq)
{
    bool at_end = damage == AUDIT_CUT_SHORT || damage == AUDIT_REMOVED;
    const struct audit_finding finding = {.damage = damage, .line = at_end ? 0 : walk->lines, .seq = seq};

    if (walk->findings == 0)
        walk->first = finding;
    if (walk->unnoted.damage == AUDIT_SOUND && damage != AUDIT_NOTED)
        walk->unnoted = finding;
    walk->findings++;
}

/* Where the line stands is told by its number; only then is it asked whether it is as it was written. */
static enum audit_damage judge(const struct audit_walk *walk, const struct audit_line *line)
{
    /* What begins a chain is measured by what is proven: a forged number before it must not keep it out. */
    uint64_t before = line->alone ? walk->proven.seq : walk->at.seq;

    if ((line->first && walk->lines > 1) || line->place.seq <= before)
        return AUDIT_OUT_OF_ORDER;
    /* The first entry of all begins a chain. */
    if (!line->alone && (line->place.seq != before + 1 || before == 0))
        return AUDIT_MISSING;
    return audit_line_proven(line, walk->keys, &walk->at) ? AUDIT_SOUND : AUDIT_CHANGED;
}

/* Copies the hash that a member holds; false when there is none. */
static bool hash_of(char hash[AUDIT_HASH_SIZE], const struct audit_line *line, const char *member)
{
    const char *found = memmem(line->text, line->length, member, strlen(member));

    if (found == NULL || (size_t)(line->text + line->length - found) < strlen(member) + AUDIT_HASH_SIZE)
        return false;
    memcpy(hash, found + strlen(member), AUDIT_HASH_SIZE - 1);
    hash[AUDIT_HASH_SIZE - 1] = '\0';
    return true;
}

static char *find_ailing(struct audit_walk *walk, const char *account)
{
    size_t i;

    for (i = 0; i < AUDIT_AILING_MAX; i++)
        if (strcmp(walk->ailing[i], account) == 0)
            return walk->ailing[i];
    return NULL;
}

bool audit_walk_ailing(const struct audit_walk *walk, const char *account)
{
    return find_ailing((struct audit_walk *)walk, account) != NULL;
}

/* A renewal or a sign-in writes the file anew. */
static void note_health(struct audit_walk *walk, const struct audit_line *line)
{
    bool damaged = strcmp(line->event, AUDIT_VAULT_DAMAGED) == 0;
    char account[AUDIT_HASH_SIZE];
    char *known;

    if ((!damaged && strcmp(line->event, "renewed") != 0 && strcmp(line->event, "signed-in") != 0 &&
         strcmp(line->event, "imported") != 0) ||
        !hash_of(account, line, ACCOUNT_MEMBER))
        return;
    known = find_ailing(walk, account);
    if (damaged && known == NULL) {
        known = find_ailing(walk, "");
        if (known != NULL)
            memcpy(known, account, sizeof account);
    } else if (!damaged && known != NULL) {
        *known = '\0';
    }
}

static void remember(struct audit_walk *walk, const struct audit_line *line)
{
    walk->entries++;
    if (line->place.seq > walk->proven.seq)
        walk->proven = line->place;
    if (strcmp(line->event, AUDIT_LOG_PRUNED) == 0)
        walk->pruned_at = line->time;
    else if (walk->oldest == 0 && !line->stands_in)
        walk->oldest = line->time;
    (void)hash_of(walk->policy, line, POLICY_MEMBER);
    note_health(walk, line);
    if (strcmp(line->event, AUDIT_LOG_DAMAGED) == 0) {
        walk->unnoted.damage = AUDIT_SOUND;
        find(walk, AUDIT_NOTED, line->place.seq);
    }
    if (walk->visit != NULL)
        walk->visit(walk->context, line);
}

/* After a fault the chain is taken up from what the line itself says: the next ones are judged by it, so that
 * one fault is told once. */
static void take_line(struct audit_walk *walk, const char *bytes, size_t length)
{
    struct audit_line line;
    enum audit_damage damage;

    walk->lines++;
    memset(walk->mac, 0, sizeof walk->mac);
    if (audit_line_read(&line, bytes, length) != 0) {
        find(walk, AUDIT_NO_ENTRY, 0);
        return;
    }
    damage = judge(walk, &line);
    if (damage != AUDIT_SOUND)
        find(walk, damage, line.place.seq);
    else
        remember(walk, &line);
    if (line.place.seq == walk->expected.seq && damage == AUDIT_SOUND &&
        memcmp(line.place.mac, walk->expected.mac, sizeof line.place.mac) != 0)
        find(walk, AUDIT_REPLACED, line.place.seq);
    walk->at = line.place;
    memcpy(walk->mac, line.mac, sizeof walk->mac);
}

size_t audit_walk_take(struct audit_walk *walk, const char *bytes, size_t length)
{
    size_t taken = 0;
    const char *end;

    while ((end = memchr(bytes + taken, '\n', length - taken)) != NULL) {
        take_line(walk, bytes + taken, (size_t)(end - bytes) - taken);
        taken = (size_t)(end - bytes) + 1;
    }
    return taken;
}

void audit_walk_end(struct audit_walk *walk)
{
    if (walk->expected.seq > walk->proven.seq)
        find(walk, walk->entries == 0 ? AUDIT_REMOVED : AUDIT_CUT_SHORT, walk->expected.seq);
}
