/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Allocator that wipes what it frees, for libraries through whose buffers secrets pass: Jansson and libcurl.
 */
#ifndef THUNDERSEAL_CORE_WIPING_ALLOC_H
#define THUNDERSEAL_CORE_WIPING_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* As their namesakes in the C library; the result is freed by wiping_free only. */
void *wiping_malloc(size_t size);
void *wiping_calloc(size_t count, size_t size);
void *wiping_realloc(void *old, size_t size);
char *wiping_strdup(const char *text);
void wiping_free(void *memory);
/* How often this thread has been refused memory here. What a library made meanwhile is whole only where the
 * number is what it was before: not every one of them says that it lacks something. */
unsigned long wiping_refused(void);
/*
 * While this is on, wiping_malloc takes no refusal: it tries again, and then calls what wiping_on_exhaustion
 * set, which must not return. For a library that a refusal would make write where it must not.
 */
void wiping_insist(bool on);
void wiping_on_exhaustion(void (*leave)(void));

#endif
