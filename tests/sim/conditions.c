/* SPDX-License-Identifier: MPL-2.0 */
/* What goes wrong around the host, and for how long: networks, disks, the provider, the account. */
#include "sim.h"

static const struct {
    double times;              /* in 90 days, on average */
    int64_t shortest, longest; /* milliseconds */
} weather[CONDITIONS] = {
    [OFFLINE] = {12, MINUTE, 8 * HOUR},
    [DISK_FULL] = {0.4, 10 * MINUTE, DAY},
    [OUTAGE] = {3, MINUTE, 2 * HOUR},
    [THROTTLING] = {2, MINUTE, 2 * HOUR},
    [GARBAGE] = {0.5, MINUTE, HOUR},
    [DISABLED] = {0.08, HOUR, 5 * DAY},
    [NO_CONSENT_OUTLOOK] = {0.08, HOUR, 6 * DAY},
    [NO_CONSENT_GRAPH] = {0.15, HOUR, 6 * DAY},
    [MFA_OUTLOOK] = {0.15, HOUR, 6 * DAY},
    [MFA_GRAPH] = {0.1, HOUR, 6 * DAY},
    [SHORT_LIVED] = {0.3, 30 * MINUTE, 6 * HOUR},
    [SLOW] = {2, 5 * MINUTE, 2 * HOUR},
    [REFUSING] = {0.5, 10 * MINUTE, HOUR},
};

static void plan(struct world *world, enum condition condition)
{
    int64_t wait =
        world->conditions[condition]
            ? random_between(&world->random, weather[condition].shortest, weather[condition].longest)
            : random_after(&world->random, (double)(90 * DAY) / weather[condition].times);

    later(world, wait, CONDITION, -1, (int64_t)condition);
}

void conditions_start(struct world *world)
{
    int i;

    for (i = 0; i < CONDITIONS; i++)
        plan(world, (enum condition)i);
    later(world, random_after(&world->random, (double)(200 * DAY)), ACCOUNT_TROUBLE, -1, 0);
    later(world, random_after(&world->random, (double)(60 * DAY)), CLOCK_JUMP, -1, 0);
}

void condition_toggle(struct world *world, enum condition condition)
{
    world->conditions[condition] = !world->conditions[condition];
    trace(world, "-- condition %d is %s", (int)condition, world->conditions[condition] ? "on" : "off");
    if (!world->conditions[condition])
        world->condition_ended[condition] = world->now;
    plan(world, condition);
    if (condition == OFFLINE)
        network_changed_for_all(world);
}

/* The password is changed, or an administrator revokes all sessions. */
void account_trouble(struct world *world)
{
    enum cause cause = random_chance(&world->random, 0.6) ? CAUSE_PASSWORD : CAUSE_REVOKED;
    bool bare = random_chance(&world->random, 0.4);
    uint32_t i;

    trace(world, "-- all sign-ins so far are revoked%s", bare ? ", without a suberror" : "");
    for (i = 0; i < world->family_count; i++)
        if (world->families[i].dead == CAUSE_NONE) {
            world->families[i].dead = cause;
            world->families[i].bare = bare;
        }
    later(world, random_after(&world->random, (double)(200 * DAY)), ACCOUNT_TROUBLE, -1, 0);
}

/* The clock is set: by a user, by NTP, or lost with the battery; mostly it is put right again. */
void clock_jump(struct world *world)
{
    struct random *random = &world->random;
    bool right_again = world->clock_offset != 0 && random_chance(random, 0.9);

    if (right_again)
        world->clock_offset = 0;
    else if (random_chance(random, 0.5))
        world->clock_offset += random_between(random, -3 * SECOND, 3 * SECOND);
    else
        world->clock_offset = random_chance(random, 0.3) ? random_between(random, -400 * DAY, 400 * DAY)
                                                         : random_between(random, -5 * HOUR, 5 * HOUR);
    world->clock_jumps++;
    world->jumped_at = world->now;
    trace(world, "-- the clock is off by %lld s", (long long)(world->clock_offset / SECOND));
    tell_time(world);
    later(world,
          world->clock_offset == 0 ? random_after(random, (double)(60 * DAY))
                                   : random_between(random, 10 * SECOND, 12 * HOUR),
          CLOCK_JUMP, -1, 0);
}
