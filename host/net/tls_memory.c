/* SPDX-License-Identifier: MPL-2.0 */
#include "net/tls_memory.h"

#include "core/wiping_alloc.h"
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

/* OPENSSL_malloc(3): each takes the place in the library's source that calls it; nothing of no length is had.
 */
typedef void *ssl_malloc(size_t size, const char *file, int line);
typedef void *ssl_realloc(void *old, size_t size, const char *file, int line);
typedef void ssl_free(void *memory, const char *file, int line);
typedef int set_functions(ssl_malloc *, ssl_realloc *, ssl_free *);

static void *take(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return size == 0 ? NULL : wiping_malloc(size);
}

static void give(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    wiping_free(memory);
}

static void *change(void *old, size_t size, const char *file, int line)
{
    if (size != 0)
        return wiping_realloc(old, size);
    give(old, file, line);
    return NULL;
}

bool tls_memory_wipe(void)
{
    /* By name: we use no other function of the library, and libcurl may have been built with another one. */
    void *symbol = dlsym(RTLD_DEFAULT, "CRYPTO_set_mem_functions");
    set_functions *set = NULL;

    if (symbol == NULL)
        return false;
    /* POSIX has it that a pointer from dlsym can be one to a function; C does not. */
    memcpy(&set, &symbol, sizeof set);
    return set(take, change, give) == 1;
}
