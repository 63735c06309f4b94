/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A connection to a mail server on the loop: lines out, lines in, TLS from the start or later. For
 * mail_probe.c. libcurl resolves, connects and does TLS (CURLOPT_CONNECT_ONLY); the lines go through
 * curl_easy_send and curl_easy_recv.
 */
#ifndef THUNDERSEAL_NET_MAIL_CONNECTION_H
#define THUNDERSEAL_NET_MAIL_CONNECTION_H

#include "core/mail_result.h"
#include "core/secret.h"
#include "net/loop.h"

#define MAIL_HEARD_LINE_MAX 8192           /* RFC 7162 section 4: what an IMAP client should take */
#define MAIL_HEARD_MAX ((size_t)64 * 1024) /* all lines of a probe; a real one hears under 2 KiB */

struct mail_connection;

/* Each may close the connection; the first two return false then. */
struct mail_connection_user {
    bool (*ready)(void *context); /* connected, with TLS where that was asked for */
    /* A line without its end. */
    bool (*line)(void *context, const char *line, size_t length);
    void (*failed)(void *context, enum mail_failure failure); /* close it; once */
};

struct mail_connection_options {
    const char *host;
    unsigned short port;
    const char *ca_file; /* borrowed for the life of the connection, as host and proxy */
    const char *proxy;
    bool tls; /* from the first byte */
    bool ipv4_only;
    bool all_anchors; /* see trust_anchors.h */
    bool unverified;  /* to look at a certificate that was refused; such a connection sends nothing */
};

/*
 * Opens one. What is learnt of address, TLS, certificate, times and libcurl's words goes into *result, and
 * its stage goes along from MAIL_STAGE_DNS to MAIL_STAGE_TLS. NULL out of memory.
 */
struct mail_connection *mail_connection_open(struct loop *loop, const struct mail_connection_options *options,
                                             struct mail_result *result,
                                             const struct mail_connection_user *user, void *context);
/* Sends the bytes and a line end; they are taken over, whatever is returned. 0, or -1 out of memory. */
int mail_connection_say(struct mail_connection *connection, struct secret *bytes);
/* Sends what goes at once, for a word of farewell before closing. */
void mail_connection_say_last(struct mail_connection *connection, const char *text);
/* TLS on the connection as it is: ready follows. MAIL_FINE, or MAIL_EARLY_TEXT where the server sent more
 * already, MAIL_NO_MEMORY. */
enum mail_failure mail_connection_start_tls(struct mail_connection *connection);
/* The stage that it is at while it is being connected, and the times up to here, into the result. */
void mail_connection_note_stage(struct mail_connection *connection);
/* NULL is harmless. */
void mail_connection_close(struct mail_connection *connection);

#endif
