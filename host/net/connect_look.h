/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Connects to a server over TLS, sends nothing, and tells how: name, address family, times, certificate. For
 * the health check, which sees the parts that a request goes through as one.
 */
#ifndef THUNDERSEAL_NET_CONNECT_LOOK_H
#define THUNDERSEAL_NET_CONNECT_LOOK_H

#include "net/loop.h"
#include <stdbool.h>
#include <stdint.h>

struct connect_look; /* owned by the loop until its callback, or by whoever cancels it */

enum connect_family { CONNECT_ANY, CONNECT_IPV4, CONNECT_IPV6 };

/* Borrowed, and copied where it is needed later. */
struct connect_wish {
    const char *url; /* https://host[:port] */
    enum connect_family family;
    /* false: the certificate is looked at, and believed whatever it is: to name who issued one that was not
     * believed before. Nothing is sent either way. */
    bool verified;
    const char *ca_file; /* PEM, besides the system's anchors; may be NULL */
    const char *proxy;   /* NULL: the environment's; "": none at all */
    int64_t timeout_ms;
};

#define CERTIFICATE_NAME_SIZE 256

/* Valid during the callback only. */
struct connect_facts {
    const char *failed_stage; /* NULL: TLS stands; else "dns" "connect" "tls" "proxy" "timeout" */
    char words[256];          /* libcurl's about the failure */
    char address[46];         /* "" before one was tried */
    char tls_version[16];     /* "TLSv1.3" */
    char subject[CERTIFICATE_NAME_SIZE], issuer[CERTIFICATE_NAME_SIZE]; /* of the server's certificate */
    char root[CERTIFICATE_NAME_SIZE];   /* issuer of the last certificate that was shown */
    int64_t expires;                    /* Unix seconds, 0 when not seen */
    int64_t dns_ms, connect_ms, tls_ms; /* spent in each, -1 where it was not reached */
};
typedef void connect_callback(void *context, const struct connect_facts *facts);

/* The callback comes exactly once, from the loop, never from inside this call. NULL out of memory. */
struct connect_look *connect_look_start(struct loop *loop, const struct connect_wish *wish,
                                        connect_callback *callback, void *context);
/* Ends it at once; the callback does not come. Not after it came. NULL is harmless. */
void connect_look_cancel(struct connect_look *look);

#endif
