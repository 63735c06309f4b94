/* SPDX-License-Identifier: MPL-2.0 */
/*
 * RFC 9110 (HTTP), RFC 6749 section 3.2 (the token endpoint's form), RFC 9700 section 2.6 (TLS, no
 * redirects). libcurl's verbose output is never switched on: it would show requests.
 */
#include "net/https.h"

#include "core/wiping_alloc.h"
#include "net/https_transfer.h"
#include "net/tls_memory.h"
#include "net/trust_anchors.h"

#include <curl/curl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* A reachable server answers within a second; what is left of the deadline is for a second address. */
#define CONNECT_TIMEOUT_MS ((int64_t)10000)
/* Longer idle, and a router on the way may have forgotten the connection. */
#define CONNECTION_AGE_MAX_S 60L
#define SUSPEND_MIN_MS 1000

struct https {
    struct loop *loop;
    char *proxy;
    char *ca_file;
    bool all_anchors;           /* the folder of certificates did not suffice, or there is none */
    CURLSH *share;              /* TLS sessions; libcurl shares connections and names by itself */
    struct curl_slist *headers; /* the same for every request */
    struct https_transfer *transfers;
    size_t in_flight;
    int64_t suspended_ms; /* time spent suspended since boot, when last looked at */
    int64_t fresh_until;  /* connections of before a suspend are dead, though libcurl's clock stood still */
};

int https_global_init(void)
{
    /* libcurl would write the keys of every connection to the file named there. */
    unsetenv("SSLKEYLOGFILE");
    tls_memory_wipe();
    return curl_global_init_mem(CURL_GLOBAL_DEFAULT, wiping_malloc, wiping_free, wiping_realloc,
                                wiping_strdup, wiping_calloc) == CURLE_OK
               ? 0
               : -1;
}

static int add_header(struct https *https, const char *header)
{
    struct curl_slist *longer = curl_slist_append(https->headers, header);

    if (longer == NULL)
        return -1;
    https->headers = longer;
    return 0;
}

static int copy_text(char **copy, const char *text)
{
    *copy = text == NULL ? NULL : strdup(text);
    return text != NULL && *copy == NULL ? -1 : 0;
}

static int64_t suspended_ms(void)
{
    struct timespec awake;

    clock_gettime(CLOCK_MONOTONIC, &awake);
    return loop_monotonic_ms() - ((int64_t)awake.tv_sec * 1000 + awake.tv_nsec / 1000000);
}

struct https *https_new(struct loop *loop, const char *ca_file, const char *proxy)
{
    struct https *https = calloc(1, sizeof *https);

    if (https == NULL)
        return NULL;
    https->loop = loop;
    https->suspended_ms = suspended_ms();
    https->share = curl_share_init();
    if (https->share == NULL || copy_text(&https->ca_file, ca_file) != 0 ||
        copy_text(&https->proxy, proxy) != 0 || add_header(https, "Accept: application/json") != 0 ||
        add_header(https, "Expect:") != 0) {
        https_free(https);
        return NULL;
    }
    curl_share_setopt(https->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    https->all_anchors = !trust_anchors_have_folder();
    return https;
}

static void unlink_transfer(struct https_transfer *transfer)
{
    struct https *https = transfer->https;

    if (transfer->previous != NULL)
        transfer->previous->next = transfer->next;
    else
        https->transfers = transfer->next;
    if (transfer->next != NULL)
        transfer->next->previous = transfer->previous;
    https->in_flight--;
}

static void drop(struct https_transfer *transfer)
{
    unlink_transfer(transfer);
    loop_transfer_stop(transfer->https->loop, &transfer->loop_transfer);
    https_transfer_free(transfer);
}

void https_cancel(struct https *https, const void *context)
{
    struct https_transfer *transfer = https->transfers;

    while (transfer != NULL && transfer->context != context)
        transfer = transfer->next;
    if (transfer != NULL)
        drop(transfer);
}

void https_free(struct https *https)
{
    if (https == NULL)
        return;
    while (https->transfers != NULL)
        drop(https->transfers);
    curl_share_cleanup(https->share);
    curl_slist_free_all(https->headers);
    free(https->ca_file);
    free(https->proxy);
    free(https);
}

size_t https_in_flight(const struct https *https)
{
    return https->in_flight;
}

/* No child of ours inherits a connection. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)context;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* --- the request --- */

static void set_connection(const struct https *https, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, CONNECTION_AGE_MAX_S);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, loop_monotonic_ms() < https->fresh_until ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_SHARE, https->share);
}

static void set_tls(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
}

/* Without its proxy, or without its bound to https, a request must not go out: out of memory counts here. */
static int set_proxy(const struct https *https, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_PROXYAUTH, (long)CURLAUTH_ANY);
    if (https->proxy == NULL)
        return 0;
    if (curl_easy_setopt(easy, CURLOPT_PROXY, https->proxy) != CURLE_OK)
        return -1;
    /* The environment's exceptions belong to the environment's proxy. */
    return curl_easy_setopt(easy, CURLOPT_NOPROXY, "") == CURLE_OK ? 0 : -1;
}

static int set_request(CURL *easy, const char *url)
{
    if (curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https") != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_URL, url) != CURLE_OK)
        return -1;
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    /* One request a connection at a time: HTTP/2 would only add a parser. */
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "thunderseal/" THUNDERSEAL_VERSION);
    return 0;
}

/* Another id for each request, so that an administrator finds it in the identity provider's log. */
static void set_headers(const struct https *https, struct https_transfer *transfer)
{
    unsigned char random[GUID_BYTES];
    char text[GUID_TEXT_SIZE];

    randombytes_buf(random, sizeof random);
    transfer->request_id = guid_of_random(random);
    guid_write(text, &transfer->request_id);
    snprintf(transfer->request_id_header, sizeof transfer->request_id_header, "client-request-id: %s", text);
    transfer->headers = (struct curl_slist){.data = transfer->request_id_header, .next = https->headers};
    curl_easy_setopt(transfer->loop_transfer.easy, CURLOPT_HTTPHEADER, &transfer->headers);
}

/* After a suspend the far end has forgotten our connections. */
static void notice_suspend(struct https *https)
{
    int64_t suspended = suspended_ms();

    if (suspended - https->suspended_ms >= SUSPEND_MIN_MS)
        https->fresh_until = loop_monotonic_ms() + CONNECTION_AGE_MAX_S * 1000;
    https->suspended_ms = suspended;
}

static void link_transfer(struct https *https, struct https_transfer *transfer)
{
    transfer->https = https;
    transfer->next = https->transfers;
    if (transfer->next != NULL)
        transfer->next->previous = transfer;
    https->transfers = transfer;
    https->in_flight++;
}

/* 0, or -1 out of memory. */
static int send_off(const struct https *https, struct https_transfer *transfer, bool all_anchors)
{
    CURL *easy = transfer->loop_transfer.easy;
    int64_t left = transfer->deadline - loop_monotonic_ms();

    if (left < 1)
        left = 1; /* 0 would mean no bound */
    transfer->all_anchors = all_anchors;
    trust_anchors_apply(easy, https->ca_file, all_anchors);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)left);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(left < CONNECT_TIMEOUT_MS ? left : CONNECT_TIMEOUT_MS));
    return loop_transfer_start(https->loop, &transfer->loop_transfer);
}

static void finished(struct loop_transfer *loop_transfer, int code)
{
    struct https_transfer *transfer = (struct https_transfer *)(void *)loop_transfer;
    struct https_answer answer = {0};
    https_callback *callback = transfer->callback;
    void *context = transfer->context;

    /* Nothing of the request was sent yet: verification comes before. */
    if (code == CURLE_PEER_FAILED_VERIFICATION && !transfer->all_anchors &&
        send_off(transfer->https, transfer, true) == 0)
        return;
    if (code == CURLE_OK && transfer->all_anchors)
        transfer->https->all_anchors = true;
    https_transfer_answer(transfer, (CURLcode)code, &answer);
    unlink_transfer(transfer);
    https_transfer_free(transfer);
    callback(context, &answer);
    secret_wipe(&answer.body);
}

/* Takes the transfer over. 0, or -1 out of memory. */
static int begin(struct https *https, const char *url, struct https_transfer *transfer, int64_t timeout_ms,
                 https_callback *callback, void *context)
{
    if (transfer == NULL)
        return -1;
    transfer->loop_transfer.finished = finished;
    transfer->callback = callback;
    transfer->context = context;
    transfer->proxy = https->proxy;
    notice_suspend(https);
    transfer->started = loop_monotonic_ms();
    transfer->deadline = transfer->started + timeout_ms;
    set_connection(https, transfer->loop_transfer.easy);
    set_tls(transfer->loop_transfer.easy);
    set_headers(https, transfer);
    if (set_proxy(https, transfer->loop_transfer.easy) != 0 ||
        set_request(transfer->loop_transfer.easy, url) != 0 ||
        send_off(https, transfer, https->all_anchors) != 0) {
        https_transfer_free(transfer);
        return -1;
    }
    link_transfer(https, transfer);
    return 0;
}

int https_post_form(struct https *https, const char *url, struct secret *form, size_t answer_max,
                    int64_t timeout_ms, https_callback *callback, void *context)
{
    return begin(https, url, https_transfer_new(form, answer_max), timeout_ms, callback, context);
}

int https_get(struct https *https, const char *url, size_t answer_max, int64_t timeout_ms,
              https_callback *callback, void *context)
{
    return begin(https, url, https_transfer_new(NULL, answer_max), timeout_ms, callback, context);
}

int https_get_with_token(struct https *https, const char *url, const struct secret *token, size_t answer_max,
                         int64_t timeout_ms, https_callback *callback, void *context)
{
    struct https_transfer *transfer = https_transfer_new(NULL, answer_max);
    CURL *easy = transfer == NULL ? NULL : transfer->loop_transfer.easy;

    /* libcurl's copy of the token is wiped when the transfer is freed. */
    if (easy != NULL && (curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER) != CURLE_OK ||
                         curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, secret_expose(token)) != CURLE_OK)) {
        https_transfer_free(transfer);
        return -1;
    }
    return begin(https, url, transfer, timeout_ms, callback, context);
}
