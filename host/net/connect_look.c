/* SPDX-License-Identifier: MPL-2.0 */
#include "net/connect_look.h"

#include "core/problem.h"
#include "net/https_transfer.h"
#include "net/trust_anchors.h"
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

struct connect_look {
    struct loop_transfer loop_transfer; /* first: the loop hands back its address */
    struct loop *loop;
    connect_callback *callback;
    void *context;
    struct connect_facts facts;
    char *proxy;
    char error[CURL_ERROR_SIZE];
};

/* No child of ours inherits a connection. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)context;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* libcurl tells the TLS version in its words alone: "SSL connection using TLSv1.3 / …". Nothing is sent on
 * this connection that would have to be kept out of them. */
static int on_words(CURL *easy, curl_infotype type, char *words, size_t length, void *context)
{
    static const char before[] = "SSL connection using ";
    struct connect_look *look = context;
    size_t start = sizeof before - 1, size = 0;

    (void)easy;
    if (type != CURLINFO_TEXT || length <= start || strncmp(words, before, start) != 0)
        return 0;
    while (start + size < length && words[start + size] > ' ' && size < sizeof look->facts.tls_version - 1)
        size++;
    memcpy(look->facts.tls_version, words + start, size);
    look->facts.tls_version[size] = '\0';
    return 0;
}

static int64_t milliseconds(CURL *easy, CURLINFO what)
{
    curl_off_t time = 0;

    curl_easy_getinfo(easy, what, &time);
    return time / 1000;
}

static void take_times(CURL *easy, struct connect_facts *facts)
{
    int64_t dns = milliseconds(easy, CURLINFO_NAMELOOKUP_TIME_T),
            connect = milliseconds(easy, CURLINFO_CONNECT_TIME_T),
            tls = milliseconds(easy, CURLINFO_APPCONNECT_TIME_T);
    const char *address = NULL;

    curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address);
    snprintf(facts->address, sizeof facts->address, "%s", address == NULL ? "" : address);
    facts->dns_ms = dns > 0 || connect > 0 || tls > 0 ? dns : -1;
    facts->connect_ms = connect > 0 || tls > 0 ? connect - dns : -1;
    facts->tls_ms = tls > 0 ? tls - connect : -1;
}

static void take_value(char *to, size_t size, const char *line, const char *name)
{
    size_t length = strlen(name);

    if (strncmp(line, name, length) == 0)
        problem_copy_text(to, size, line + length);
}

static void take_certificates(CURL *easy, struct connect_facts *facts)
{
    struct curl_certinfo *chain = NULL;
    char expires[64] = "";
    int i;

    if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == NULL)
        return;
    for (i = 0; i < chain->num_of_certs; i++) {
        const struct curl_slist *line;
        for (line = chain->certinfo[i]; line != NULL; line = line->next) {
            take_value(facts->root, sizeof facts->root, line->data, "Issuer:");
            if (i > 0)
                continue;
            take_value(facts->subject, sizeof facts->subject, line->data, "Subject:");
            take_value(facts->issuer, sizeof facts->issuer, line->data, "Issuer:");
            take_value(expires, sizeof expires, line->data, "Expire date:");
        }
    }
    if (expires[0] != '\0' && curl_getdate(expires, NULL) > 0)
        facts->expires = curl_getdate(expires, NULL);
}

static void release(struct connect_look *look)
{
    curl_easy_cleanup(look->loop_transfer.easy);
    free(look->proxy);
    free(look);
}

static void finished(struct loop_transfer *loop_transfer, int code)
{
    struct connect_look *look = (struct connect_look *)(void *)loop_transfer;
    CURL *easy = loop_transfer->easy;

    take_times(easy, &look->facts);
    take_certificates(easy, &look->facts);
    if (code != CURLE_OK) {
        look->facts.failed_stage = https_stage(easy, (CURLcode)code, look->proxy, look->error);
        problem_copy_text(look->facts.words, sizeof look->facts.words, https_words(code, look->error));
    }
    look->callback(look->context, &look->facts);
    release(look);
}

/* 0, or -1: without one of these it would be another look than was asked for. */
static int set_wish(struct connect_look *look, const struct connect_wish *wish)
{
    static const long families[] = {CURL_IPRESOLVE_WHATEVER, CURL_IPRESOLVE_V4, CURL_IPRESOLVE_V6};
    CURL *easy = look->loop_transfer.easy;

    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, look->error);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, wish->verified ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, wish->verified ? 2L : 0L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)wish->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_IPRESOLVE, families[wish->family]);
    curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_words);
    curl_easy_setopt(easy, CURLOPT_DEBUGDATA, look);
    trust_anchors_apply(easy, wish->ca_file, true);
    curl_easy_setopt(easy, CURLOPT_PROXYAUTH, (long)CURLAUTH_ANY);
    if (wish->proxy != NULL && (curl_easy_setopt(easy, CURLOPT_PROXY, wish->proxy) != CURLE_OK ||
                                curl_easy_setopt(easy, CURLOPT_NOPROXY, "") != CURLE_OK))
        return -1;
    return curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK &&
                   curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
                   curl_easy_setopt(easy, CURLOPT_URL, wish->url) == CURLE_OK
               ? 0
               : -1;
}

struct connect_look *connect_look_start(struct loop *loop, const struct connect_wish *wish,
                                        connect_callback *callback, void *context)
{
    struct connect_look *look = calloc(1, sizeof *look);

    if (look == NULL)
        return NULL;
    look->loop = loop;
    look->callback = callback;
    look->context = context;
    look->loop_transfer.finished = finished;
    look->loop_transfer.easy = curl_easy_init();
    look->proxy = wish->proxy == NULL ? NULL : strdup(wish->proxy);
    if (look->loop_transfer.easy != NULL && (wish->proxy == NULL || look->proxy != NULL) &&
        set_wish(look, wish) == 0 && loop_transfer_start(loop, &look->loop_transfer) == 0)
        return look;
    release(look);
    return NULL;
}

void connect_look_cancel(struct connect_look *look)
{
    if (look == NULL)
        return;
    loop_transfer_stop(look->loop, &look->loop_transfer);
    release(look);
}
