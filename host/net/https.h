/* SPDX-License-Identifier: MPL-2.0 */
/*
 * HTTPS requests on the loop: TLS 1.2 or later, verified, https only, no redirects followed, bounded in size
 * and time, connections and TLS sessions reused. Every easy handle has NOSIGNAL and QUICK_EXIT.
 */
#ifndef THUNDERSEAL_NET_HTTPS_H
#define THUNDERSEAL_NET_HTTPS_H

#include "core/guid.h"
#include "core/secret.h"
#include "net/loop.h"
#include <time.h>

#define HTTPS_TOKEN_ANSWER_MAX ((size_t)64 * 1024) /* an Entra token answer is under 10 KiB */
#define HTTPS_DOCUMENT_MAX ((size_t)256 * 1024)
#define HTTPS_TOKEN_TIMEOUT_MS 20000 /* PROTOCOL 3: a token request */

struct https; /* owned by the caller of https_new */

/* Once per process, before any thread or handle: sets wiping allocators for libcurl. 0 or -1. */
int https_global_init(void);

/* ca_file (PEM) may be NULL: it is used besides the system's anchors, and when it cannot be read every
 * request fails at stage "tls". proxy may be NULL: then the environment's; "" is no proxy at all. Both are
 * copied. NULL out of memory. */
struct https *https_new(struct loop *loop, const char *ca_file, const char *proxy);
/* Drops transfers still under way without calling back; from a callback too. Before loop_free. NULL is
 * harmless. */
void https_free(struct https *https);
size_t https_in_flight(const struct https *https);

/* What came of a request. Valid during the callback only. */
struct https_answer {
    const char *
        failed_stage; /* NULL when an HTTP answer came; else "dns" "connect" "tls" "proxy" "timeout" "http" */
    long status;      /* HTTP status */
    bool too_long;    /* the body passed the bound */
    bool redirected;  /* 3xx */
    time_t date;      /* the server's clock by its Date; -1 when it did not tell */
    int retry_after;  /* seconds from Retry-After, capped at 3600, 0 when there is none */
    struct secret body;     /* the callback may move it out */
    struct guid request_id; /* the client-request-id that was sent: Entra's logs have it (FACTS 1.10) */
    int64_t milliseconds;   /* from the call to the answer */
    char detail[256];       /* libcurl's words for a transport failure (host names, never request data) */
};
typedef void https_callback(void *context, struct https_answer *answer);

/* libcurl's words for a failure, error being its buffer: without a proxy's URL, which may have a password in
 * it.
 */
const char *https_words(int code, const char *error);

/*
 * POST of a form. form is "a=b&c=d", already encoded, and is taken over, whatever is returned: moved out, and
 * wiped after sending. url is copied. The callback comes exactly once, from the loop, never from inside this
 * call. 0, or -1 out of memory.
 */
int https_post_form(struct https *https, const char *url, struct secret *form, size_t answer_max,
                    int64_t timeout_ms, https_callback *callback, void *context);
/* GET, otherwise the same. */
int https_get(struct https *https, const char *url, size_t answer_max, int64_t timeout_ms,
              https_callback *callback, void *context);

/* GET with "Authorization: Bearer" and the token (RFC 6750 section 2.1), which stays the caller's. */
int https_get_with_token(struct https *https, const char *url, const struct secret *token, size_t answer_max,
                         int64_t timeout_ms, https_callback *callback, void *context);

/* Drops the request with this context without calling back; none is harmless. Never a token request: its
 * answer must not be lost. */
void https_cancel(struct https *https, const void *context);

/* Name and version of libcurl and what it is built on; static. */
const char *https_library(void);
/* What it lacks for us, in words, or NULL. */
const char *https_library_missing(void);

#endif
