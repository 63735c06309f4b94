/* SPDX-License-Identifier: MPL-2.0 */
/* What must hold for every request that is sent and for every write: DESIGN section 6, 1 and 2. */
#include "sim.h"

#include <strings.h>

void check_send(struct world *world, int index)
{
    const struct identity *identity = &world->processes[index].identity;
    int i;

    for (i = 0; i < WIRE_MAX; i++) {
        const struct wire *wire = &world->wires[i];
        const struct process *sender = &world->processes[wire->process];
        if (world->no_locks && wire->process != index)
            continue;
        if (wire->used && sender->alive && sender->instance == wire->instance)
            fail(world, "a second token request is sent while one is on the wire");
    }
    if (world->lock_holder != index && !world->no_locks)
        fail(world, "a token request is sent without the lock");
    world->totals->requests++;
    if (identity->flight.purpose == PURPOSE_REFRESH)
        load_sent(world, index,
                  strcasecmp(identity->access[identity->flight.resource].resource, resource_names[GRAPH]) == 0
                      ? GRAPH
                      : OUTLOOK);
}

static void mark_saved(struct world *world, int index)
{
    const struct identity *identity = &world->processes[index].identity;
    int i;

    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++) {
        int64_t token = access_token_read(world, &identity->access[i].access_token);
        if (token >= 0)
            world->tokens[token].saved = true;
    }
    load_written(world, index);
}

void check_not_written(struct world *world, int index)
{
    struct process *process = &world->processes[index];
    const struct identity *identity = &process->identity;
    uint32_t family, number;
    int i;

    if (refresh_token_read(world, &identity->grant.refresh_token, &family, &number) &&
        number > world->families[family].newest_saved)
        process->unsaved_family = family + 1;

    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++) {
        int64_t token = access_token_read(world, &identity->access[i].access_token);
        if (token >= 0)
            world->tokens[token].save_failed = true;
    }
}

/* A grant leaves the disk only when somebody signs out, or for a newer sign-in. */
static void check_replaced_on_disk(struct world *world, const struct process *process, uint32_t family)
{
    struct disk *disk = &world->disk;
    struct family *former = &world->families[disk->family - 1];

    if (process->identity.serial <= disk->serial)
        fail(world, "the grant on disk is replaced by an older one (%llu, %llu)",
             (unsigned long long)process->identity.serial, (unsigned long long)disk->serial);
    if (family == 0 && !process->signing_out)
        fail(world, "the grant on disk is erased and nobody has signed out");
    if (family == 0)
        former->signed_out_at = disk->generation;
}

void check_written(struct world *world, int index)
{
    struct process *process = &world->processes[index];
    const struct identity *identity = &process->identity;
    struct disk *disk = &world->disk;
    uint32_t family = 0, number = 0;

    if (identity->grant.refresh_token.length != 0 &&
        refresh_token_read(world, &identity->grant.refresh_token, &family, &number)) {
        struct family *written = &world->families[family++];
        if (written->signed_out_at != 0)
            fail(world, "a grant that was signed out is on disk again");
        if (disk->family == family && number < disk->number && process->unsaved_family != family &&
            !world->no_locks)
            fail(world, "R%u.%u on disk is overwritten by the older %u", family - 1, disk->number, number);
        if (number == written->newest)
            written->excuse = false;
        if (number > written->newest_saved)
            written->newest_saved = number;
        process->unsaved_family = 0;
    } else if (identity->grant.serial != 0) {
        family = identity->grant.serial == disk->grant_serial ? disk->family : process->family;
    }
    if (disk->family != 0 && disk->family != family)
        check_replaced_on_disk(world, process, family);
    disk->family = family;
    disk->number = number;
    disk->serial = identity->serial;
    disk->grant_serial = identity->grant.serial;
    mark_saved(world, index);
}
