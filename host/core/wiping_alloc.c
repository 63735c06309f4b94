/* SPDX-License-Identifier: MPL-2.0 */
#include "core/wiping_alloc.h"

#include <malloc.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local unsigned long refused;
static _Thread_local bool insisting;
static void (*give_up)(void);

unsigned long wiping_refused(void)
{
    return refused;
}

void wiping_insist(bool on)
{
    insisting = on;
}

void wiping_on_exhaustion(void (*leave)(void))
{
    give_up = leave;
}

void *wiping_malloc(size_t size)
{
    void *memory = malloc(size);

    if (memory != NULL)
        return memory;
    refused++;
    if (!insisting)
        return NULL;
    memory = malloc(size);
    if (memory == NULL && give_up != NULL)
        give_up();
    return memory;
}

void *wiping_calloc(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (memory == NULL)
        refused++;
    return memory;
}

/* realloc would leave the old bytes behind when it moves. */
void *wiping_realloc(void *old, size_t size)
{
    size_t old_size;
    void *grown;

    if (old == NULL)
        return wiping_malloc(size);
    old_size = malloc_usable_size(old);
    if (size != 0 && size <= old_size)
        return old;
    grown = wiping_malloc(size);
    if (grown == NULL)
        return NULL;
    memcpy(grown, old, old_size < size ? old_size : size);
    wiping_free(old);
    return grown;
}

char *wiping_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = wiping_malloc(size);

    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

void wiping_free(void *memory)
{
    if (memory == NULL)
        return;
    sodium_memzero(memory, malloc_usable_size(memory));
    free(memory);
}
