/* SPDX-License-Identifier: MPL-2.0 */
#include "net/mail_connection_parts.h"

#include "net/https.h"
#include "net/mail_certificate.h"
#include "net/trust_anchors.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The caller's deadline ends a connection; libcurl's own is only to come later. */
#define CONNECT_TIMEOUT_MS 120000L
#define URL_SIZE (MAIL_HOST_SIZE + 32)

/* CURLOPT_CONNECT_TO: instead of any host, an address of its own; the port stays. libcurl counts by address,
 * and over its bound would close a connection that waits for its server. */
static void name_nowhere(char nowhere[MAIL_NOWHERE_SIZE])
{
    static unsigned last;
    const unsigned number = ++last;

    snprintf(nowhere, MAIL_NOWHERE_SIZE, "::127.%u.%u.%u:", number >> 16 & 255, number >> 8 & 255,
             number & 255);
}

/* --- libcurl's callbacks --- */

/* No child of ours inherits a connection. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct mail_connection *connection = context;

    (void)purpose;
    if (connection->tls) {
        curl_socket_t plain = connection->plain;
        connection->plain = -1;
        return plain; /* once: there is no other */
    }
    if (connection->resolved == 0)
        connection->resolved = loop_monotonic_ms();
    connection->result->family = address->family == AF_INET6 ? 6 : 4;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int set_up_socket(void *context, curl_socket_t socket_fd, curlsocktype purpose)
{
    const struct mail_connection *connection = context;

    (void)socket_fd;
    (void)purpose;
    return connection->tls ? CURL_SOCKOPT_ALREADY_CONNECTED : CURL_SOCKOPT_OK;
}

/* libcurl tells the version of TLS in these words only. On while connecting, when nothing secret is sent. */
static int on_trace(CURL *easy, curl_infotype type, char *text, size_t length, void *context)
{
    static const char words[] = "SSL connection using ";
    struct mail_connection *connection = context;
    char *version = connection->result->tls_version;
    size_t i;

    (void)easy;
    if (type != CURLINFO_TEXT || length < sizeof words || memcmp(text, words, sizeof words - 1) != 0)
        return 0;
    text += sizeof words - 1;
    length -= sizeof words - 1;
    for (i = 0; i < length && i < MAIL_TLS_VERSION_SIZE - 1 && text[i] > ' '; i++)
        version[i] = text[i];
    version[i] = '\0';
    return 0;
}

/* --- connecting --- */

static void note_address(struct mail_connection *connection)
{
    const char *address = NULL;

    curl_easy_getinfo(connection->transfer.easy, CURLINFO_PRIMARY_IP, &address);
    if (address == NULL || address[0] == '\0')
        return;
    snprintf(connection->result->address, sizeof connection->result->address, "%s", address);
    connection->result->family = strchr(address, ':') != NULL ? 6 : 4;
}

void mail_connection_note_stage(struct mail_connection *connection)
{
    struct mail_result *result = connection->result;
    int64_t now = loop_monotonic_ms();

    if (connection->watch != NULL)
        return;
    if (connection->tls) {
        result->milliseconds[MAIL_STAGE_TLS] = now - connection->started;
        return;
    }
    result->milliseconds[MAIL_STAGE_DNS] =
        (connection->resolved == 0 ? now : connection->resolved) - connection->started;
    if (connection->resolved == 0)
        return;
    note_address(connection);
    result->milliseconds[MAIL_STAGE_CONNECT] = now - connection->resolved;
    result->stage = MAIL_STAGE_CONNECT;
}

static enum mail_failure failure_of(const struct mail_connection *connection, CURLcode code)
{
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
        return MAIL_CERTIFICATE;
    case CURLE_OUT_OF_MEMORY:
        return MAIL_NO_MEMORY;
    case CURLE_OPERATION_TIMEDOUT:
        return MAIL_TIMED_OUT;
    default:
        return !connection->tls ? MAIL_UNREACHABLE : MAIL_TLS_FAILED;
    }
}

static void tell_failed(struct mail_connection *connection, CURLcode code)
{
    struct mail_result *result = connection->result;
    const char *words = https_words((int)code, connection->error);
    enum mail_failure failure = failure_of(connection, code);

    mail_copy_line(result->detail, sizeof result->detail, words, strlen(words));
    if (failure == MAIL_CERTIFICATE)
        result->certificate.fault = mail_certificate_fault_of(connection->transfer.easy);
    connection->user->failed(connection->context, failure);
}

static int begin(struct mail_connection *connection);

static void drop_easy(struct mail_connection *connection)
{
    if (connection->transfer.easy == NULL)
        return;
    loop_transfer_stop(connection->loop, &connection->transfer);
    curl_easy_cleanup(connection->transfer.easy);
    connection->transfer.easy = NULL;
}

/* Lays TLS over the connection as it is. */
static enum mail_failure lay_tls(struct mail_connection *connection)
{
    curl_socket_t plain = CURL_SOCKET_BAD;

    curl_easy_getinfo(connection->transfer.easy, CURLINFO_ACTIVESOCKET, &plain);
    if (plain == CURL_SOCKET_BAD)
        return MAIL_CLOSED;
    connection->plain = fcntl(plain, F_DUPFD_CLOEXEC, 3);
    if (connection->plain < 0)
        return MAIL_NO_MEMORY;
    drop_easy(connection);
    connection->tls = true;
    connection->result->stage = MAIL_STAGE_TLS;
    return begin(connection) == 0 ? MAIL_FINE : MAIL_NO_MEMORY;
}

enum mail_failure mail_connection_start_tls(struct mail_connection *connection)
{
    char more;
    size_t count = 0;

    /* A server that answers what it was not asked yet is no better. */
    if (connection->heard_length > 0 || connection->unsent.length > 0)
        return MAIL_EARLY_TEXT;
    if (curl_easy_recv(connection->transfer.easy, &more, 1, &count) == CURLE_OK)
        return count == 0 ? MAIL_CLOSED : MAIL_EARLY_TEXT;
    loop_unwatch(connection->loop, connection->watch);
    connection->watch = NULL;
    return lay_tls(connection);
}

/* Ready for lines. */
static enum mail_failure settle(struct mail_connection *connection)
{
    curl_socket_t fd = CURL_SOCKET_BAD;

    curl_easy_getinfo(connection->transfer.easy, CURLINFO_ACTIVESOCKET, &fd);
    if (fd == CURL_SOCKET_BAD)
        return MAIL_CLOSED;
    connection->watch = loop_watch_fd(connection->loop, fd, LOOP_READ, mail_lines_ready, connection);
    if (connection->watch == NULL)
        return MAIL_NO_MEMORY;
    /* Something may have come with the last of the handshake, where no poll sees it. */
    if (connection->user->ready(connection->context))
        mail_lines_ready(connection, fd, LOOP_READ);
    return MAIL_FINE;
}

static void finished(struct loop_transfer *transfer, int code)
{
    struct mail_connection *connection = (struct mail_connection *)(void *)transfer;
    enum mail_failure failure;

    curl_easy_setopt(transfer->easy, CURLOPT_VERBOSE, 0L);
    mail_connection_note_stage(connection);
    mail_certificate_read(transfer->easy, &connection->result->certificate);
    if (code != CURLE_OK) {
        tell_failed(connection, (CURLcode)code);
        return;
    }
    failure = connection->options.tls && !connection->tls ? lay_tls(connection) : settle(connection);
    if (failure != MAIL_FINE)
        connection->user->failed(connection->context, failure);
}

/* Where the connection goes. 0, or -1 out of memory. */
static int set_way(const struct mail_connection *connection, CURL *easy)
{
    const struct mail_connection_options *options = &connection->options;
    const char *proxy = options->proxy == NULL || connection->tls ? "" : options->proxy;
    const char *bracket = strchr(options->host, ':') != NULL ? "[" : "";
    char url[URL_SIZE];

    snprintf(url, sizeof url, "%s://%s%s%s:%u", connection->tls ? "https" : "http", bracket, options->host,
             bracket[0] == '[' ? "]" : "", (unsigned)options->port);
    if (curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, connection->tls ? "https" : "http") != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_URL, url) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_PROXY, proxy) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "") != CURLE_OK)
        return -1;
    /* The connection is there: no name is looked up again, and an address is only asked for by form. */
    if (connection->tls && curl_easy_setopt(easy, CURLOPT_CONNECT_TO, &connection->nowhere) != CURLE_OK)
        return -1;
    curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXYAUTH, (long)CURLAUTH_ANY);
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(easy, CURLOPT_IPRESOLVE,
                     options->ipv4_only ? (long)CURL_IPRESOLVE_V4 : (long)CURL_IPRESOLVE_WHATEVER);
    return 0;
}

/* Nobody gets a connection of CURLOPT_CONNECT_ONLY to use again; CURLOPT_FORBID_REUSE would close it at once.
 */
static void set_fresh(struct mail_connection *connection, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, connection);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, set_up_socket);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, connection);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, connection->error);
    curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_trace);
    curl_easy_setopt(easy, CURLOPT_DEBUGDATA, connection);
}

static void set_tls(const struct mail_connection *connection, CURL *easy)
{
    const struct mail_connection_options *options = &connection->options;

    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, options->unverified ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, options->unverified ? 0L : 2L);
    curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_ENABLE_ALPN, 0L); /* it would offer HTTP */
    curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
    trust_anchors_apply(easy, options->ca_file, options->all_anchors);
}

/* Starts connecting, or TLS, with a new easy handle. 0, or -1 out of memory. */
static int begin(struct mail_connection *connection)
{
    CURL *easy = curl_easy_init();

    if (easy == NULL)
        return -1;
    connection->started = loop_monotonic_ms();
    connection->error[0] = '\0';
    set_fresh(connection, easy);
    if (connection->tls)
        set_tls(connection, easy);
    connection->transfer = (struct loop_transfer){.easy = easy, .stays = true, .finished = finished};
    if (set_way(connection, easy) == 0 && loop_transfer_start(connection->loop, &connection->transfer) == 0)
        return 0;
    curl_easy_cleanup(easy);
    connection->transfer.easy = NULL;
    return -1;
}

struct mail_connection *mail_connection_open(struct loop *loop, const struct mail_connection_options *options,
                                             struct mail_result *result,
                                             const struct mail_connection_user *user, void *context)
{
    struct mail_connection *connection = calloc(1, sizeof *connection);

    if (connection == NULL)
        return NULL;
    connection->loop = loop;
    connection->plain = -1;
    name_nowhere(connection->nowhere_text);
    connection->nowhere.data = connection->nowhere_text;
    connection->options = *options;
    connection->result = result;
    connection->user = user;
    connection->context = context;
    result->stage = MAIL_STAGE_DNS;
    if (begin(connection) != 0) {
        free(connection);
        return NULL;
    }
    return connection;
}

void mail_connection_close(struct mail_connection *connection)
{
    if (connection == NULL)
        return;
    loop_unwatch(connection->loop, connection->watch);
    drop_easy(connection);
    if (connection->plain >= 0)
        close(connection->plain);
    secret_wipe(&connection->unsent);
    sodium_memzero(connection, sizeof *connection); /* a server may have sent the token back */
    free(connection);
}
