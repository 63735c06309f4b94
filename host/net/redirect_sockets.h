/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The listening sockets of the loopback redirect.
 */
#ifndef THUNDERSEAL_NET_REDIRECT_SOCKETS_H
#define THUNDERSEAL_NET_REDIRECT_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

/* -1 where there is none. The owner closes them. */
struct redirect_sockets {
    int four; /* 127.0.0.1 */
    int six;  /* [::1]; -1 also when the system has no IPv6 */
    uint16_t port;
};

/* Listens on 127.0.0.1 and, with both, on [::1] at one free port. 0, or -1 with errno and nothing open. */
int redirect_sockets_open(struct redirect_sockets *sockets, bool both);
void redirect_sockets_close(struct redirect_sockets *sockets);

#endif
