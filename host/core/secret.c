/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A first-fit allocator over one sodium_malloc'd region: guard pages and a locked, core-free mapping cost
 * four mappings per call, so there is one region, not one per token.
 */
#include "core/secret.h"

#include <sodium.h>
#include <string.h>

/* Blocks stand one behind the other and fill the region; free neighbours are joined when searched. */
struct block {
    size_t size; /* of the whole block with this head, a multiple of BLOCK_ALIGN */
    size_t used; /* 0: free */
};

#define BLOCK_ALIGN ((size_t)16)

static unsigned char *arena;
static bool arena_is_locked;

int secret_arena_open(void)
{
    struct block *first;

    if (arena != NULL)
        return 0;
    arena = sodium_malloc(SECRET_ARENA_SIZE);
    if (arena == NULL)
        return -1;
    /* sodium_malloc ignores a failed lock, so ask again: the answer is for `status`, not a reason to stop. */
    arena_is_locked = sodium_mlock(arena, SECRET_ARENA_SIZE) == 0;
    first = (struct block *)(void *)arena;
    first->size = SECRET_ARENA_SIZE;
    first->used = 0;
    return 0;
}

void secret_arena_close(void)
{
    if (arena == NULL)
        return;
    sodium_free(arena);
    arena = NULL;
    arena_is_locked = false;
}

bool secret_arena_locked(void)
{
    return arena_is_locked;
}

static struct block *block_at(size_t offset)
{
    return (struct block *)(void *)(arena + offset);
}

static void *arena_take(size_t wanted)
{
    size_t need = (sizeof(struct block) + wanted + BLOCK_ALIGN - 1) / BLOCK_ALIGN * BLOCK_ALIGN;
    size_t offset;

    if (arena == NULL)
        return NULL;
    for (offset = 0; offset < SECRET_ARENA_SIZE; offset += block_at(offset)->size) {
        struct block *block = block_at(offset);
        if (block->used)
            continue;
        while (offset + block->size < SECRET_ARENA_SIZE && !block_at(offset + block->size)->used)
            block->size += block_at(offset + block->size)->size;
        if (block->size < need)
            continue;
        if (block->size - need >= sizeof(struct block) + BLOCK_ALIGN) {
            struct block *rest = block_at(offset + need);
            rest->size = block->size - need;
            rest->used = 0;
            block->size = need;
        }
        block->used = 1;
        return block + 1;
    }
    return NULL;
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
