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

/*
 * The older of both clocks, so that no token is handed out after the time that its receiver was told, and
 * none grows younger when the clock is set back. How old it was when it was read from disk, the wall clock
 * said.
 */
int64_t access_age(const struct access *access, struct moment now)
{
    int64_t by_wall = now.wall - access->issued_at;

    if (access->issued_uptime != 0)
        return later(by_wall, now.uptime - access->issued_uptime);
    if (access->read.uptime == 0)
        return by_wall;
    return later(by_wall, access->read.wall - access->issued_at + now.uptime - access->read.uptime);
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
    /* The pause between two same requests is of one process, whoever was refused last: a start may always try
     * (DESIGN 3.5). */
    int64_t again = access->renewals[0] != 0 ? access->renewals[0] + SAME_REQUEST_PAUSE_S - now.uptime : 0;
    int64_t since =
        access->tried_uptime != 0 ? now.uptime - access->tried_uptime : now.wall - access->tried_at;

    /* Suspended in the future, the clock was set back: such a time holds up nothing. */
    if (!access->suspended || (since < 0 && !access->retry))
        return 0;
    return access->retry ? again : SUSPENDED_RETRY_S - since;
}

void set_back_off(struct identity *identity, struct access *access, int retry_after, struct moment now)
{
    bool first = access->failures++ == 0;
    int64_t most = BACK_OFF_FIRST_S;
    int i;

    for (i = 1; i < access->failures && most < BACK_OFF_MAX_S; i++)
        most *= 2;
    if (most > BACK_OFF_MAX_S)
        most = BACK_OFF_MAX_S;
    if (retry_after > 0) /* a server that names a time is taken at its word */
        access->not_before = now.uptime + retry_after;
    else if (first && access->problem.kind == PROBLEM_NETWORK) /* a connection may break once */
        access->not_before = now.uptime;
    else
        access->not_before = now.uptime + 1 + random_below(identity, most);
    /* Who asks may go first; what is renewed ahead comes some seconds behind. */
    access->jitter = BACK_OFF_FIRST_S + random_below(identity, BACK_OFF_FIRST_S);
}

void remember_time(int64_t *times, size_t count, int64_t now)
{
    memmove(times + 1, times, (count - 1) * sizeof *times);
    times[0] = now;
}

void forget_latest_time(int64_t *times, size_t count)
{
    memmove(times, times + 1, (count - 1) * sizeof *times);
    times[count - 1] = 0;
}

/* A token that lives no longer than the margin cannot be renewed ahead of it; a renewal that failed is tried
 * again all the same. */
static bool too_short_lived(const struct access *access)
{
    return access->access_token.length != 0 && access->problem.kind == PROBLEM_NONE &&
           access->expires_at - access->issued_at <= RENEW_BEFORE_EXPIRY_S;
}

/* The uptime at which the resource's token is to be renewed without being asked for, or NO_WAKE. */
static int64_t ahead_at(const struct identity *identity, const struct access *access, struct moment now)
{
    int64_t at = now.uptime;

    if (!access->used || !access_granted(identity, access) || !identity->renew_ahead ||
        identity->held.kind != PROBLEM_NONE || identity->no_renewal.kind != PROBLEM_NONE ||
        identity->grant.refresh_token.length == 0 || too_short_lived(access))
        return NO_WAKE;
    if (access->suspended)
        at += later(suspension_left(access, now), 0);
    else if (access_living(access, now))
        at += access->refresh_at - access->jitter - access->issued_at - access_age(access, now);
    if (access->renewals[0] != 0)
        at = later(at, access->renewals[0] + RENEWAL_PAUSE_S);
    if (access->renewal != 0 && access_just_issued(access, now)) /* by another process, perhaps */
        at = later(at, now.uptime + RENEWAL_PAUSE_S - access_age(access, now));
    return later(at, access->not_before == 0 ? 0 : access->not_before + access->jitter);
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
