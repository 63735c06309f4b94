/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Who is at the other end of a loopback connection, from /proc/net/tcp and tcp6.
 */
#ifndef THUNDERSEAL_NET_PEER_OWNER_H
#define THUNDERSEAL_NET_PEER_OWNER_H

#include <stdbool.h>

/* False when the kernel's table names another user than ours as the owner of fd's peer, or is too long to be
 * read to the end; true when it names us or does not have the connection. */
bool peer_may_be_ours(int fd);

#endif
