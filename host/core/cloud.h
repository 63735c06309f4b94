/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Microsoft's clouds: who signs in, what scopes begin with, which mail servers may get a token. Hosts come
 * from this table or from the configuration's `custom`, and from nowhere else (DESIGN section 5).
 */
#ifndef THUNDERSEAL_CORE_CLOUD_H
#define THUNDERSEAL_CORE_CLOUD_H

#include <stdbool.h>

#define CLOUD_CUSTOM "custom" /* the cloud whose endpoints stand in the configuration */
#define MAIL_HOST_SIZE 254    /* a host name (RFC 1035 section 2.3.4) with its NUL */

enum mail_protocol { MAIL_IMAP, MAIL_POP3, MAIL_SMTP, MAIL_PROTOCOLS };
enum mail_security { MAIL_TLS /* from the first byte */, MAIL_STARTTLS };

struct mail_server {
    char host[MAIL_HOST_SIZE];
    unsigned short port;
    enum mail_security security;
};

struct cloud {
    const char *name;                        /* the value of the key `cloud` */
    const char *authority;                   /* https://host, without tenant */
    const char *outlook, *graph;             /* resources: what stands before a permission */
    struct mail_server mail[MAIL_PROTOCOLS]; /* by enum mail_protocol */
    const char *other_mail_host;             /* that answers for the same mailboxes; NULL: none */
    const char *portal;                      /* where an app is registered for this cloud */
    bool personal_accounts;                  /* whether outlook.com accounts live there */
};

/* The cloud of this name, or NULL: also for "custom", which has no row. */
const struct cloud *cloud_find(const char *name);
/* Whether a mail server of this cloud goes by that name. */
bool cloud_has_mail_host(const struct cloud *cloud, const char *host);
/*
 * Whether "https://host[:port]" names a host that signs in for a built-in cloud, by whatever spelling: letter
 * case, a port, and the dot of a fully qualified name lead to the same servers.
 */
bool cloud_authority_is_built_in(const char *authority);

#endif
