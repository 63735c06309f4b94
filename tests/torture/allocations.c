/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The n-th allocation fails, and no leak goes unseen: linked into the tortured program with --wrap, so that
 * the program itself knows nothing of it. Counted are allocations of the program and of Jansson for it, and
 * what other libraries make at its call; what libcurl and the TLS library take for themselves is theirs.
 *
 * THUNDERSEAL_FAULT_MEMORY   the allocation that fails, counted from 1; each process counts its own
 * THUNDERSEAL_FAULT_ERROR    "kill": it is the process's last instead
 * THUNDERSEAL_FAULT_LASTS    set: all later ones fail as well
 * THUNDERSEAL_FAULT_PLACES   set: of each chain of callers the first allocation alone is counted
 * THUNDERSEAL_FAULT_COUNT    set: at the end, stderr has the numbers of calls of each kind
 */
#include "vault/disk.h"

#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <execinfo.h>
#include <microhttpd.h>
#include <sanitizer/lsan_interface.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CALLERS 12      /* enough to reach from Jansson's depths into the program */
#define PLACES_MAX 8192 /* chains of callers; a flow has some hundreds */
#define LEAK_STATUS 99  /* no exit status of the program's own */

static long count, at;
static bool kills, lasts, places, counts;
static pid_t program;

__attribute__((constructor)) static void read_environment(void)
{
    const char *number = getenv("THUNDERSEAL_FAULT_MEMORY");
    const char *error = getenv("THUNDERSEAL_FAULT_ERROR");
    void *frame;

    program = getpid();
    at = number == NULL ? 0 : strtol(number, NULL, 10);
    kills = error != NULL && strcmp(error, "kill") == 0;
    lasts = getenv("THUNDERSEAL_FAULT_LASTS") != NULL;
    places = getenv("THUNDERSEAL_FAULT_PLACES") != NULL;
    counts = getenv("THUNDERSEAL_FAULT_COUNT") != NULL;
    backtrace(&frame, 1); /* it loads its library with the first call */
}

/* Whether nothing was allocated on the way here before. */
static bool is_new_place(void)
{
    static uint64_t seen[PLACES_MAX];
    static size_t seen_count;
    void *callers[CALLERS];
    int depth = backtrace(callers, CALLERS), i;
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    size_t k;

    for (i = 0; i < depth; i++)
        hash = (hash ^ (uintptr_t)callers[i]) * 1099511628211u;
    for (k = 0; k < seen_count; k++)
        if (seen[k] == hash)
            return false;
    if (seen_count < PLACES_MAX)
        seen[seen_count++] = hash;
    return true;
}

static bool fails(void)
{
    if ((at == 0 && !counts) || (places && !is_new_place()))
        return false;
    count++;
    if (at == 0 || count < at || (count > at && !lasts))
        return false;
    if (kills)
        raise(SIGKILL);
    errno = ENOMEM;
    return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t number, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t number, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t length);
void *__real_sodium_malloc(size_t size);
DIR *__real_fdopendir(int descriptor);
CURL *__real_curl_easy_init(void);
CURLM *__real_curl_multi_init(void);
CURLSH *__real_curl_share_init(void);
struct curl_slist *__real_curl_slist_append(struct curl_slist *list, const char *text);
int __real_crypto_pwhash(unsigned char *key, unsigned long long key_length, const char *passphrase,
                         unsigned long long length, const unsigned char *salt, unsigned long long operations,
                         size_t memory, int algorithm);
_Noreturn void __real__exit(int status);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t number, size_t size)
{
    return fails() ? NULL : __real_calloc(number, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t number, size_t size)
{
    return fails() ? NULL : __real_reallocarray(old, number, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t length)
{
    return fails() ? NULL : __real_strndup(text, length);
}

int __wrap_asprintf(char **text, const char *format, ...)
{
    va_list arguments;
    int length;

    if (fails())
        return -1;
    va_start(arguments, format);
    length = vasprintf(text, format, arguments);
    va_end(arguments);
    return length;
}

void *__wrap_sodium_malloc(size_t size)
{
    return fails() ? NULL : __real_sodium_malloc(size);
}

DIR *__wrap_fdopendir(int descriptor)
{
    return fails() ? NULL : __real_fdopendir(descriptor);
}

CURL *__wrap_curl_easy_init(void)
{
    return fails() ? NULL : __real_curl_easy_init();
}

CURLM *__wrap_curl_multi_init(void)
{
    return fails() ? NULL : __real_curl_multi_init();
}

CURLSH *__wrap_curl_share_init(void)
{
    return fails() ? NULL : __real_curl_share_init();
}

struct curl_slist *__wrap_curl_slist_append(struct curl_slist *list, const char *text)
{
    return fails() ? NULL : __real_curl_slist_append(list, text);
}

/* Both libraries keep the allocator that they have of themselves. */
CURLcode __wrap_curl_global_init_mem(long flags, curl_malloc_callback take, curl_free_callback give,
                                     curl_realloc_callback change, curl_strdup_callback copy,
                                     curl_calloc_callback take_zeroed)
{
    (void)take;
    (void)give;
    (void)change;
    (void)copy;
    (void)take_zeroed;
    return fails() ? CURLE_OUT_OF_MEMORY : curl_global_init(flags);
}

bool __wrap_tls_memory_wipe(void)
{
    return true;
}

/* A passphrase is stretched as little as can be: a hundred times a second each would be all that is done
 * here. */
int __wrap_crypto_pwhash(unsigned char *key, unsigned long long key_length, const char *passphrase,
                         unsigned long long length, const unsigned char *salt, unsigned long long operations,
                         size_t memory, int algorithm)
{
    (void)operations;
    (void)memory;
    return __real_crypto_pwhash(key, key_length, passphrase, length, salt, crypto_pwhash_OPSLIMIT_MIN,
                                crypto_pwhash_MEMLIMIT_MIN, algorithm);
}

/* The program leaves without exit, and so without LeakSanitizer. Its children are none of this. */
_Noreturn void __wrap__exit(int status)
{
    if (getpid() == program && counts)
        fprintf(stderr, "calls: disk %ld, look %ld, memory %ld\n", disk_fault.calls, disk_look_fault.calls,
                count);
    if (getpid() == program && __lsan_do_recoverable_leak_check() != 0)
        status = LEAK_STATUS;
    __real__exit(status);
}
