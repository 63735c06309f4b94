/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A first-fit allocator over a few sodium_malloc'd regions: guard pages and a locked, core-free mapping cost
 * four mappings per call, so there is not one call per token. A region is made when those before it are full,
 * for all of its pages are filled and locked at once.
 */
#include "core/secret.h"

#include <sodium.h>
#include <string.h>

/* Blocks stand one behind the other and fill their region; free neighbours are joined when searched. */
struct block {
    size_t size; /* of the whole block with this head, a multiple of BLOCK_ALIGN */
    size_t used; /* 0: free */
};

#define BLOCK_ALIGN ((size_t)16)

static unsigned char *regions[SECRET_REGIONS_MAX];
static size_t region_count;
static bool all_locked;

static int add_region(void)
{
    unsigned char *region;
    struct block *whole;

    if (region_count == SECRET_REGIONS_MAX)
        return -1;
    region = sodium_malloc(SECRET_REGION_SIZE);
    if (region == NULL)
        return -1;
    /* sodium_malloc ignores a failed lock, so ask again: the answer is for `status`, not a reason to stop. */
    all_locked = sodium_mlock(region, SECRET_REGION_SIZE) == 0 && (region_count == 0 || all_locked);
    whole = (struct block *)(void *)region;
    whole->size = SECRET_REGION_SIZE;
    whole->used = 0;
    regions[region_count++] = region;
    return 0;
}

int secret_arena_open(void)
{
    return region_count > 0 ? 0 : add_region();
}

void secret_arena_close(void)
{
    while (region_count > 0)
        sodium_free(regions[--region_count]);
    all_locked = false;
}

bool secret_arena_locked(void)
{
    return all_locked;
}

static struct block *block_at(unsigned char *region, size_t offset)
{
    return (struct block *)(void *)(region + offset);
}

static void *region_take(unsigned char *region, size_t need)
{
    size_t offset;

    for (offset = 0; offset < SECRET_REGION_SIZE; offset += block_at(region, offset)->size) {
        struct block *block = block_at(region, offset);
        if (block->used)
            continue;
        while (offset + block->size < SECRET_REGION_SIZE && !block_at(region, offset + block->size)->used)
            block->size += block_at(region, offset + block->size)->size;
        if (block->size < need)
            continue;
        if (block->size - need >= sizeof(struct block) + BLOCK_ALIGN) {
            struct block *rest = block_at(region, offset + need);
            rest->size = block->size - need;
            rest->used = 0;
            block->size = need;
        }
        block->used = 1;
        return block + 1;
    }
    return NULL;
}

static void *arena_take(size_t wanted)
{
    size_t need = (sizeof(struct block) + wanted + BLOCK_ALIGN - 1) / BLOCK_ALIGN * BLOCK_ALIGN;
    void *taken = NULL;
    size_t i;

    for (i = 0; i < region_count && taken == NULL; i++)
        taken = region_take(regions[i], need);
    if (taken != NULL || region_count == 0 || add_region() != 0)
        return taken;
    return region_take(regions[region_count - 1], need);
}

static void arena_give(void *memory)
{
    struct block *block = (struct block *)memory - 1;

    sodium_memzero(memory, block->size - sizeof *block);
    block->used = 0;
}

int secret_reserve(struct secret *secret, size_t length)
{
    unsigned char *bytes;

    if (length > SECRET_MAX_LENGTH)
        return -1;
    bytes = arena_take(length + 1);
    if (bytes == NULL)
        return -1;
    sodium_memzero(bytes, length + 1);
    secret_wipe(secret);
    secret->bytes = bytes;
    secret->length = length;
    return 0;
}

int secret_set(struct secret *secret, const void *bytes, size_t length)
{
    struct secret fresh = {0};

    if (secret_reserve(&fresh, length) != 0)
        return -1;
    if (length != 0)
        memcpy(fresh.bytes, bytes, length);
    secret_move(secret, &fresh);
    return 0;
}

int secret_copy(struct secret *to, const struct secret *from)
{
    if (from->bytes == NULL) {
        secret_wipe(to);
        return 0;
    }
    return secret_set(to, from->bytes, from->length);
}

void secret_move(struct secret *to, struct secret *from)
{
    if (to == from)
        return;
    secret_wipe(to);
    *to = *from;
    from->bytes = NULL;
    from->length = 0;
}

void secret_wipe(struct secret *secret)
{
    if (secret->bytes != NULL)
        arena_give(secret->bytes);
    secret->bytes = NULL;
    secret->length = 0;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
    if (a->length != b->length)
        return false;
    return a->length == 0 || sodium_memcmp(a->bytes, b->bytes, a->length) == 0;
}

const char *secret_expose(const struct secret *secret)
{
    return secret->bytes == NULL ? "" : (const char *)secret->bytes;
}
