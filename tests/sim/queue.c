/* SPDX-License-Identifier: MPL-2.0 */
#include "sim.h"

#include <stdlib.h>

static bool sooner(const struct entry *a, const struct entry *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void queue_add(struct queue *queue, struct entry entry)
{
    size_t i;

    if (queue->count == queue->capacity) {
        queue->capacity = queue->capacity == 0 ? 64 : queue->capacity * 2;
        queue->entries = realloc(queue->entries, queue->capacity * sizeof *queue->entries);
        if (queue->entries == NULL)
            abort();
    }
    entry.order = queue->order++;
    for (i = queue->count++; i > 0 && sooner(&entry, &queue->entries[(i - 1) / 2]); i = (i - 1) / 2)
        queue->entries[i] = queue->entries[(i - 1) / 2];
    queue->entries[i] = entry;
}

bool queue_take(struct queue *queue, struct entry *entry)
{
    struct entry last;
    size_t i = 0, child;

    if (queue->count == 0)
        return false;
    *entry = queue->entries[0];
    last = queue->entries[--queue->count];
    while ((child = 2 * i + 1) < queue->count) {
        if (child + 1 < queue->count && sooner(&queue->entries[child + 1], &queue->entries[child]))
            child++;
        if (!sooner(&queue->entries[child], &last))
            break;
        queue->entries[i] = queue->entries[child];
        i = child;
    }
    queue->entries[i] = last;
    return true;
}

void queue_free(struct queue *queue)
{
    free(queue->entries);
}
