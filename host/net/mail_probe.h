/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One probe of an IMAP, POP3 or SMTP server: connect, TLS, sign in with XOAUTH2, one harmless command (IMAP
 * LIST, POP3 STAT, SMTP NOOP), and leave. Nothing secret is sent before TLS with a verified certificate
 * stands; no connection and no TLS session is reused; no mail is ever sent. Connections and TLS are
 * libcurl's, the few lines of each protocol are ours: libcurl keeps the server's words to itself, and its
 * sign-in cannot answer XOAUTH2's challenge. Sources: RFC 9051 and 3501 (IMAP), RFC 1939, 2449, 2595 and 5034
 * (POP3), RFC 5321, 3207 and 4954 (SMTP), Microsoft's "Authenticate an IMAP, POP or SMTP connection using
 * OAuth" (XOAUTH2).
 */
#ifndef THUNDERSEAL_NET_MAIL_PROBE_H
#define THUNDERSEAL_NET_MAIL_PROBE_H

#include "core/mail_result.h"
#include "core/secret.h"
#include "net/loop.h"

#define MAIL_PROBE_TIMEOUT_MS 10000 /* a reachable Exchange Online is through in two seconds */

struct mail_probe; /* owned by the loop until its callback, or by whoever cancels it */

enum mail_family { MAIL_FAMILY_ANY, MAIL_FAMILY_IPV4 };

/* All borrowed, and copied. */
struct mail_probe_request {
    enum mail_protocol protocol;
    /* The caller has made sure that this host may get the token (DESIGN section 5). */
    struct mail_server server;
    const char *user;    /* the mailbox: XOAUTH2's user= */
    struct secret token; /* borrowed like the rest */
    const char *ca_file; /* PEM; NULL: the system's anchors alone */
    const char *proxy;   /* an HTTP or SOCKS proxy; NULL or "": none */
    enum mail_family family;
    int64_t timeout_ms; /* 0: MAIL_PROBE_TIMEOUT_MS; for all tries together */
};

/* Valid during the callback only. */
typedef void mail_probe_callback(void *context, const struct mail_result *result);

/*
 * Starts a probe. The callback comes exactly once, from the loop, never from inside this call, no later than
 * the deadline; the probe is gone then. "User is authenticated but not connected" over IPv6 is tried once
 * more over IPv4 within the same deadline. NULL out of memory, or when user has control characters.
 */
struct mail_probe *mail_probe_start(struct loop *loop, const struct mail_probe_request *request,
                                    mail_probe_callback *callback, void *context);
/* Ends the probe at once; the callback does not come. Not after it came. Before loop_free. NULL is harmless.
 */
void mail_probe_cancel(struct mail_probe *probe);

#endif
