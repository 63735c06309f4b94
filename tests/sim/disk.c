/* SPDX-License-Identifier: MPL-2.0 */
/* The sealed file as the core sees it: what survives a crash, written whole or not at all. */
#include "sim.h"

#include "core/identity_record.h"
#include <stdlib.h>
#include <string.h>

static void copy_kept(struct identity *to, const struct identity *from)
{
    int i;

    to->grant = from->grant;
    memset(&to->grant.refresh_token, 0, sizeof to->grant.refresh_token);
    if (secret_copy(&to->grant.refresh_token, &from->grant.refresh_token) != 0)
        abort();
    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++) {
        struct access *access = &to->access[i];
        const struct access *kept = &from->access[i];
        memcpy(access->resource, kept->resource, RESOURCE_SIZE);
        if (kept->resource[0] == '\0')
            continue;
        if (secret_copy(&access->access_token, &kept->access_token) != 0)
            abort();
        access->renewal = kept->renewal;
        access->issued_at = kept->issued_at;
        access->expires_at = kept->expires_at;
        access->refresh_at = kept->refresh_at;
        access->suspended = kept->suspended;
        access->tried_at = kept->tried_at;
        access->problem = kept->problem;
    }
    to->serial = from->serial;
    to->dead = from->dead;
    memcpy(to->claims, from->claims, sizeof to->claims);
}

static void write_copy(struct world *world, const struct identity *identity)
{
    struct disk *disk = &world->disk;

    if (disk->round_trip) {
        if (identity_payload_write(identity, &disk->payload) != 0)
            abort();
        return;
    }
    identity_clear(&disk->copy);
    copy_kept(&disk->copy, identity);
}

void disk_read(struct world *world, int index, struct identity *copy)
{
    struct disk *disk = &world->disk;

    memset(copy, 0, sizeof *copy);
    world->processes[index].seen_generation = disk->generation;
    world->processes[index].seen_file = true;
    if (!disk->round_trip)
        copy_kept(copy, &disk->copy);
    else if (identity_payload_read(&disk->payload, copy) != 0)
        fail(world, "what was written cannot be read: %s", secret_expose(&disk->payload));
}

static void others_notice(struct world *world, int index)
{
    int other = 1 - index;

    world->disk.generation++;
    if (world->processes[other].alive)
        later(world, random_between(&world->random, 20, 500), NOTICE, other, 0);
}

/* Once, for no reason that lasts; oftener where more is at stake. */
static bool write_breaks(struct world *world, const struct process *process)
{
    return random_chance(&world->random, process->identity.saving == SAVING_SIGN_IN ? 0.05 : 0.002);
}

enum write_result disk_write(struct world *world, int index)
{
    struct process *process = &world->processes[index];
    struct disk *disk = &world->disk;

    if (!disk->exists && process->seen_file)
        return WRITE_GONE;
    if (disk->exists && process->seen_generation != disk->generation)
        return WRITE_CONFLICT;
    if (world->conditions[DISK_FULL] || write_breaks(world, process)) {
        check_not_written(world, index);
        if (process->family != 0)
            world->families[process->family - 1].excuse = true;
        return WRITE_FAILED;
    }
    write_copy(world, &process->identity);
    disk->exists = true;
    others_notice(world, index);
    process->seen_generation = disk->generation;
    process->seen_file = true;
    check_written(world, index);
    return WRITTEN;
}

void disk_remove(struct world *world, int index)
{
    struct disk *disk = &world->disk;

    if (!disk->exists)
        return;
    if (disk->family != 0)
        world->families[disk->family - 1].signed_out_at = disk->generation + 1;
    identity_clear(&disk->copy);
    secret_wipe(&disk->payload);
    memset(world->refusals_on_disk, 0, sizeof world->refusals_on_disk);
    disk->exists = false;
    disk->family = disk->number = 0;
    disk->serial = disk->grant_serial = 0;
    others_notice(world, index);
}
