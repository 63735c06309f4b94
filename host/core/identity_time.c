/* SPDX-License-Identifier: MPL-2.0 */
/* When what is due: DESIGN 3.1, 3.4, 3.5 and 3.10. */
#include "core/identity_parts.h"

#include <string.h>

/* splitmix64 (Steele, Lea, Flood 2014): jitter need not be secret, but a run must be repeatable. */
int64_t random_below(struct identity *identity, int64_t bound)
{
    uint64_t z = identity->random += 0x9e3779b97f4a7c15U;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    z ^= z >> 31;
    return bound <= 1 ? 0 : (int64_t)(z % (uint64_t)bound);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* What happened in this process is timed by the clock that nobody can set. */
static int64_t elapsed(int64_t wall, int64_t uptime, struct moment now)
{
    return uptime != 0 ? now.uptime - uptime : now.wall - wall;
}

int64_t access_age(const struct access *access, struct moment now)
{
    int64_t age = elapsed(access->issued_at, access->issued_uptime, now), since_read;

    if (access->issued_uptime != 0 || access->read.uptime == 0)
        return age;
    /* How old it was when it was read, the clock on the wall said; from there on it only grows older. */
    since_read = access->read.wall - access->issued_at + now.uptime - access->read.uptime;
    return later(age, since_read);
}

bool access_living(const struct access *access, struct moment now)
{
    int64_t age = access_age(access, now);

    return access->access_token.length != 0 && age >= 0 && age < access->expires_at - access->issued_at;
}

bool access_just_issued(const struct access *access, struct moment now)
{
    return access_living(access, now) && access_age(access, now) < RENEWAL_PAUSE_S;
}

bool access_due(const struct access *access, struct moment now)
{
    return !access_living(access, now) || access_age(access, now) >= access->refresh_at - access->issued_at;
}

int64_t suspension_left(const struct access *access, struct moment now)
{
    int64_t pause = access->retry ? SAME_REQUEST_PAUSE_S : SUSPENDED_RETRY_S;
    int64_t since = elapsed(access->tried_at, access->tried_uptime, now);

    /* Suspended in the future, the clock was set back: such a time holds up nothing. */
    return !access->suspended || since < 0 ? 0 : pause - since;
}

void set_back_off(struct identity *identity, struct access *access, int retry_after, struct moment now)
{
    int64_t most = BACK_OFF_FIRST_S;
    int i;

    for (i = 0; i < access->failures && most < BACK_OFF_MAX_S; i++)
        most *= 2;
    if (most > BACK_OFF_MAX_S)
        most = BACK_OFF_MAX_S;
    access->failures++;
    /* A server that names a time is taken at its word; jitter only comes on top. */
    access->not_before = now.uptime + retry_after + 1 + random_below(identity, retry_after > 0 ? 5 : most);
}

void remember_time(int64_t *times, size_t count, int64_t now)
{
    memmove(times + 1, times, (count - 1) * sizeof *times);
    times[0] = now;
}

/* The age at which a token is renewed without being asked for: one just issued is used up first. */
static int64_t ahead_age(const struct access *access)
{
    int64_t age = later(access->refresh_at - access->jitter - access->issued_at, RENEWAL_PAUSE_S);
    int64_t lifetime = access->expires_at - access->issued_at;

    return age < lifetime ? age : lifetime;
}

/* The uptime at which the resource's token is to be renewed without being asked for, or NO_WAKE. */
static int64_t ahead_at(const struct identity *identity, const struct access *access, struct moment now)
{
    int64_t at = now.uptime;

    if (!access->used || !access_granted(identity, access) || !identity->renew_ahead ||
        identity->held.kind != PROBLEM_NONE || identity->no_renewal.kind != PROBLEM_NONE ||
        identity->grant.refresh_token.length == 0)
        return NO_WAKE;
    if (access->suspended)
        at += later(suspension_left(access, now), 0);
    else if (access_living(access, now))
        at += ahead_age(access) - access_age(access, now);
    if (access->renewals[0] != 0)
        at = later(at, access->renewals[0] + RENEWAL_PAUSE_S);
    return later(at, access->not_before);
}

int due_ahead(const struct identity *identity, struct moment now)
{
    int i;

    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++)
        if (ahead_at(identity, &identity->access[i], now) <= now.uptime)
            return i;
    return -1;
}

static int64_t next_ahead(const struct identity *identity, struct moment now)
{
    int64_t first = NO_WAKE, at;
    int i;

    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++) {
        at = ahead_at(identity, &identity->access[i], now);
        if (at < first)
            first = at;
    }
    return first;
}

int64_t identity_next_wake(const struct identity *identity, struct moment now)
{
    bool polls = identity->sign_in.id != 0 && identity->sign_in.method == METHOD_DEVICE;
    int64_t wake = NO_WAKE, ahead;

    if (identity->unsaved && identity->saving == SAVING_NOTHING)
        wake = identity->save_at;
    /* Whoever waits for the lock or an answer goes on from there. */
    if (identity->lock != LOCK_FREE || identity->flight.purpose != PURPOSE_NONE)
        return wake;
    if (polls && identity->sign_in.poll_at < wake)
        wake = identity->sign_in.poll_at;
    ahead = next_ahead(identity, now);
    return ahead < wake ? ahead : wake;
}

int64_t identity_next_renewal(const struct identity *identity, struct moment now)
{
    int64_t ahead = next_ahead(identity, now);

    return ahead == NO_WAKE ? 0 : now.wall + later(ahead - now.uptime, 0);
}
