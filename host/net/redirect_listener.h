/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The loopback redirect (RFC 8252 section 7.3): listens on 127.0.0.1 and [::1] on one port for the browser's
 * answer. Anything but the one right request gets 404 and the listener stays. See DESIGN section 5.
 */
#ifndef THUNDERSEAL_NET_REDIRECT_LISTENER_H
#define THUNDERSEAL_NET_REDIRECT_LISTENER_H

#include "core/problem.h"
#include "core/secret.h"
#include "net/loop.h"
#include <stdint.h>

#define REDIRECT_CONNECTIONS_MAX 16
#define REDIRECT_CONNECTION_TIMEOUT_S 5
#define REDIRECT_REQUEST_MAX 32768 /* bytes of request line and headers of one connection */

struct redirect_listener; /* owned by the caller of redirect_listener_open */

/* What the browser brought. Exactly one of code and error is set. Valid during the callback only. */
struct redirect_answer {
    struct secret code; /* the callback may move it out */
    const char *error;  /* a literal: the error's name, or "invalid_answer" when it is none that we know */
    int aadsts;         /* the first "AADSTSn" number found in error_description, or 0 */
    bool access_denied_by_user; /* error_subcode=cancel, or error=access_denied */
};
typedef void redirect_callback(void *context, struct redirect_answer *answer);

/* Opens the sockets. redirect_host is "localhost" or "127.0.0.1". The callback comes from the loop for each
 * right request; the listener stays open until closed. NULL with *problem filled. */
struct redirect_listener *redirect_listener_open(struct loop *loop, const char *redirect_host,
                                                 redirect_callback *callback, void *context,
                                                 struct problem *problem);
/* Sets the state that the answer must carry (copied); until then everything is refused. 0 or -1 out of
 * memory. */
int redirect_listener_expect(struct redirect_listener *listener, const struct secret *state);
uint16_t redirect_listener_port(const struct redirect_listener *listener);
/* Stops listening at once, from inside the callback too. The pages of right answers are still sent, by the
 * loop, within two seconds. NULL is harmless. */
void redirect_listener_close(struct redirect_listener *listener);

/* The checks on a pasted redirect URL and on a request line are the same: parses the query of url (after '?',
 * NUL terminated) against state. True when it is the one right answer; *answer is then filled and owned by
 * the caller, who wipes answer->code. */
bool redirect_query_parse(const char *query, const struct secret *state, struct redirect_answer *answer);

#endif
