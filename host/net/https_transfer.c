/* SPDX-License-Identifier: MPL-2.0 */
#include "net/https_transfer.h"

#include "net/retry_after.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Had before anything is sent: an answer that must not be lost, as one that rotates a refresh token, has its
 * place.
 */
#define BODY_FIRST_ROOM ((size_t)16384)
#define HEADERS_MAX ((size_t)64 * 1024) /* Entra sends 2 KiB */
#define UPLOAD_BUFFER 16384L            /* the least that libcurl allows; a form has some 3 KiB */

/* Makes room for so many more bytes. */
static int body_reserve(struct https_transfer *transfer, size_t more)
{
    size_t room = transfer->body.length;
    struct secret larger = {0};

    if (more <= transfer->body.length - transfer->used)
        return 0;
    while (room - transfer->used < more)
        room *= 2;
    if (room > transfer->body_max)
        room = transfer->body_max;
    if (secret_reserve(&larger, room) != 0)
        return -1;
    if (transfer->used > 0)
        memcpy(larger.bytes, transfer->body.bytes, transfer->used);
    secret_move(&transfer->body, &larger);
    return 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct https_transfer *transfer = context;
    size_t length = size * count;

    if (length > transfer->body_max - transfer->used) {
        transfer->too_long = true;
        return CURL_WRITEFUNC_ERROR;
    }
    if (length == 0)
        return 0;
    if (body_reserve(transfer, length) != 0) {
        transfer->out_of_memory = true;
        return CURL_WRITEFUNC_ERROR;
    }
    memcpy(transfer->body.bytes + transfer->used, bytes, length);
    transfer->used += length;
    return length;
}

/* Copies the value of the field into value when line is that field; a longer one is none that we know. */
static void take_field(const char *name, const char *line, size_t length, char value[HEADER_VALUE_MAX])
{
    size_t name_length = strlen(name);

    if (length <= name_length || length - name_length >= HEADER_VALUE_MAX ||
        strncasecmp(line, name, name_length) != 0)
        return;
    memcpy(value, line + name_length, length - name_length);
    value[length - name_length] = '\0';
}

static size_t on_header(char *line, size_t size, size_t count, void *context)
{
    struct https_transfer *transfer = context;
    size_t length = size * count;

    if (length > HEADERS_MAX - transfer->header_bytes) {
        transfer->too_long = true;
        return CURL_WRITEFUNC_ERROR;
    }
    transfer->header_bytes += length;
    take_field("Retry-After:", line, length, transfer->retry_after);
    take_field("Date:", line, length, transfer->date);
    return length;
}

static size_t on_form_wanted(char *bytes, size_t size, size_t count, void *context)
{
    struct https_transfer *transfer = context;
    size_t length = transfer->form.length - transfer->sent;

    /* libcurl knows the length and asks for no more, so this is a request begun anew. */
    if (length == 0)
        return CURL_READFUNC_ABORT;
    if (length > size * count)
        length = size * count;
    memcpy(bytes, transfer->form.bytes + transfer->sent, length);
    transfer->sent += length;
    return length;
}

/*
 * The form is sent at most once (DESIGN section 3.3): a refresh token that rotates may be spent already when
 * a connection breaks. libcurl repeats a request by itself when a kept connection breaks before the answer
 * (Curl_retry_request), also a POST, and CURLOPT_POSTFIELDS would let it. A body that comes from a read
 * function without a seek function cannot be rewound: once a byte of it is sent, libcurl fails with
 * CURLE_SEND_FAIL_REWIND instead. Before that nothing of the form is out, and a new connection is welcome.
 */
static void set_form(struct https_transfer *transfer)
{
    CURL *easy = transfer->loop_transfer.easy;

    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)transfer->form.length);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_form_wanted);
    curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
}

struct https_transfer *https_transfer_new(struct secret *form, size_t body_max)
{
    struct https_transfer *transfer = calloc(1, sizeof *transfer);
    CURL *easy = curl_easy_init();

    if (transfer == NULL || easy == NULL ||
        secret_reserve(&transfer->body, body_max < BODY_FIRST_ROOM ? body_max : BODY_FIRST_ROOM) != 0) {
        curl_easy_cleanup(easy);
        free(transfer);
        if (form != NULL)
            secret_wipe(form);
        return NULL;
    }
    transfer->loop_transfer.easy = easy;
    transfer->body_max = body_max;
    if (form != NULL) {
        secret_move(&transfer->form, form);
        set_form(transfer);
    }
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    return transfer;
}

void https_transfer_free(struct https_transfer *transfer)
{
    if (transfer == NULL)
        return;
    curl_easy_cleanup(transfer->loop_transfer.easy);
    secret_wipe(&transfer->form);
    secret_wipe(&transfer->body);
    free(transfer);
}

static const struct {
    CURLcode code;
    const char *stage;
} stages[] = {
    {CURLE_COULDNT_RESOLVE_HOST, "dns"},
    {CURLE_COULDNT_RESOLVE_PROXY, "proxy"},
    {CURLE_PROXY, "proxy"},
    {CURLE_COULDNT_CONNECT, "connect"},
    {CURLE_OPERATION_TIMEDOUT, "timeout"},
    {CURLE_SSL_CONNECT_ERROR, "tls"},
    {CURLE_PEER_FAILED_VERIFICATION, "tls"},
    {CURLE_SSL_CACERT_BADFILE, "tls"},
    {CURLE_SSL_CERTPROBLEM, "tls"},
    {CURLE_SSL_CIPHER, "tls"},
    {CURLE_SSL_CRL_BADFILE, "tls"},
    {CURLE_SSL_ENGINE_INITFAILED, "tls"},
    {CURLE_SSL_ENGINE_NOTFOUND, "tls"},
    {CURLE_SSL_ENGINE_SETFAILED, "tls"},
    {CURLE_SSL_INVALIDCERTSTATUS, "tls"},
    {CURLE_SSL_ISSUER_ERROR, "tls"},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, "tls"},
    {CURLE_SSL_SHUTDOWN_FAILED, "tls"},
    {CURLE_SSL_CLIENTCERT, "tls"},
};

/* Whether the other end of a connection that failed was a proxy. libcurl does not say which proxy of the
 * environment it chose; its words name the host that it could not reach. */
static bool failed_at_proxy(CURL *easy, const char *proxy, const char *error)
{
    static const char words[] = "Failed to connect to ";
    const char *url = NULL;
    const char *host;
    size_t length;

    if (proxy != NULL)
        return proxy[0] != '\0';
    if (strncmp(error, words, sizeof words - 1) != 0)
        return false;
    host = error + sizeof words - 1;
    length = strcspn(host, " ");
    curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
    if (url == NULL || (url = strstr(url, "://")) == NULL)
        return false;
    url += url[3] == '[' ? 4 : 3;
    return strncasecmp(url, host, length) != 0;
}

/* Whether somebody broke off before TLS began: only a proxy is spoken to without it. */
static bool broke_off_at_proxy(CURL *easy, CURLcode code)
{
    curl_off_t tls_time = 0;

    if (code != CURLE_RECV_ERROR && code != CURLE_GOT_NOTHING && code != CURLE_WEIRD_SERVER_REPLY)
        return false;
    curl_easy_getinfo(easy, CURLINFO_APPCONNECT_TIME_T, &tls_time);
    return tls_time == 0;
}

const char *https_stage(void *easy, int code, const char *proxy, const char *error)
{
    long proxy_status = 0;

    /* A proxy that answered CONNECT, but not with success: 407, 403, 502. */
    curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
    if (proxy_status >= 300)
        return "proxy";
    if (code == CURLE_COULDNT_CONNECT && failed_at_proxy(easy, proxy, error))
        return "proxy";
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        if (stages[i].code == (CURLcode)code)
            return stages[i].stage;
    }
    return broke_off_at_proxy(easy, (CURLcode)code) ? "proxy" : "http";
}

static const char *stage_of(const struct https_transfer *transfer, CURLcode code)
{
    const char *stage =
        https_stage(transfer->loop_transfer.easy, (int)code, transfer->proxy, transfer->error);

    /* A kept connection has no time of TLS either; but where something was sent, it had come about. */
    return transfer->sent != 0 && broke_off_at_proxy(transfer->loop_transfer.easy, code) ? "http" : stage;
}

/* The server's clock, -1 when it did not tell. */
static time_t server_date(const struct https_transfer *transfer)
{
    return transfer->date[0] == '\0' ? -1 : curl_getdate(transfer->date, NULL);
}

const char *https_words(int code, const char *error)
{
    static const char with_url[] = "Unsupported proxy"; /* with the whole URL behind it */

    return error[0] == '\0' || strncmp(error, with_url, sizeof with_url - 1) == 0
               ? curl_easy_strerror((CURLcode)code)
               : error;
}

void https_transfer_answer(struct https_transfer *transfer, CURLcode code, struct https_answer *answer)
{
    const char *detail = transfer->error;

    curl_easy_getinfo(transfer->loop_transfer.easy, CURLINFO_RESPONSE_CODE, &answer->status);
    answer->request_id = transfer->request_id;
    answer->milliseconds = loop_monotonic_ms() - transfer->started;
    answer->too_long = transfer->too_long;
    answer->redirected = answer->status >= 300 && answer->status < 400;
    answer->date = server_date(transfer);
    /* A date is counted from the server's own, so that a wrong clock here does not matter. */
    answer->retry_after =
        retry_after_seconds(transfer->retry_after, answer->date == -1 ? time(NULL) : answer->date);
    if (code == CURLE_OK) {
        transfer->body.length = transfer->used;
        secret_move(&answer->body, &transfer->body);
        return;
    }
    if (transfer->too_long)
        return;
    answer->failed_stage = stage_of(transfer, code);
    if (transfer->out_of_memory)
        detail = "Out of memory";
    else
        detail = https_words((int)code, detail);
    snprintf(answer->detail, sizeof answer->detail, "%s", detail);
}
