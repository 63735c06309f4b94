/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One HTTPS request under way: collects the answer within its bounds and puts a failure into words. For
 * https.c.
 */
#ifndef THUNDERSEAL_NET_HTTPS_TRANSFER_H
#define THUNDERSEAL_NET_HTTPS_TRANSFER_H

#include "net/https.h"

#include <curl/curl.h>

#define HEADER_VALUE_MAX 64 /* an HTTP date has 29 characters */

struct https_transfer {
    struct loop_transfer loop_transfer; /* first: the loop hands back its address */
    struct https *https;
    struct https_transfer *next;
    struct https_transfer *previous;
    https_callback *callback;
    void *context;
    const char *proxy; /* the one we were told to use, NULL: the environment's; the struct https owns it */
    int64_t started, deadline; /* loop_monotonic_ms */
    struct guid request_id;
    char request_id_header[64];
    struct curl_slist headers; /* this header, and behind it those of every request */
    bool all_anchors;          /* see trust_anchors.h */
    struct secret form;        /* libcurl reads it from here while sending */
    size_t sent;               /* of the form, handed to libcurl */
    struct secret body;        /* its length is the room; used is what came */
    size_t used;
    size_t body_max;
    size_t header_bytes;
    bool too_long;
    bool out_of_memory;
    char retry_after[HEADER_VALUE_MAX];
    char date[HEADER_VALUE_MAX];
    char error[CURL_ERROR_SIZE];
};

/* With an easy handle that collects into it; takes the form over, whatever is returned, and fetches where it
 * is NULL. NULL out of memory. */
struct https_transfer *https_transfer_new(struct secret *form, size_t body_max);
/* NULL is harmless. */
void https_transfer_free(struct https_transfer *transfer);
/* What came of it, with libcurl's code; moves the body out. */
void https_transfer_answer(struct https_transfer *transfer, CURLcode code, struct https_answer *answer);

/* Where a transfer failed: easy is its CURL, code the CURLcode, proxy the one it was told to use (NULL: the
 * environment's), error what CURLOPT_ERRORBUFFER got. A literal of the protocol. */
const char *https_stage(void *easy, int code, const char *proxy, const char *error);

#endif
