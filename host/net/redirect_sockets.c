/* SPDX-License-Identifier: MPL-2.0 */
#include "net/redirect_sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* Each try meets an unrelated port; somebody would have to sit on nearly all of them to use these up. */
#define PORT_TRIES_MAX 32
/* The queue of those who wait for one of the listener's places: too short a one would make a browser wait a
 * second for its next try. */
#define BACKLOG 128

/* Returns the socket, or -1 with errno. */
static int listen_at(const struct sockaddr *address, socklen_t size)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    int saved;

    if (fd < 0)
        return -1;
    if (address->sa_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
        goto failed;
    if (bind(fd, address, size) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
failed:
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static int listen_four(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = listen_at((struct sockaddr *)&address, size);

    if (fd < 0)
        return -1;
    getsockname(fd, (struct sockaddr *)&address, &size);
    *port = ntohs(address.sin_port);
    return fd;
}

static int listen_six(uint16_t port)
{
    struct sockaddr_in6 address = {
        .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT, .sin6_port = htons(port)};

    return listen_at((struct sockaddr *)&address, sizeof address);
}

static bool without_ipv6(int error)
{
    return error == EAFNOSUPPORT || error == EADDRNOTAVAIL || error == EPROTONOSUPPORT;
}

int redirect_sockets_open(struct redirect_sockets *sockets, bool both)
{
    for (int tries = 0; tries < PORT_TRIES_MAX; tries++) {
        sockets->six = -1;
        sockets->four = listen_four(&sockets->port);
        if (sockets->four < 0)
            return -1;
        if (!both)
            return 0;
        /* A browser tries ::1 first for "localhost": with somebody else there, this port is no use. */
        sockets->six = listen_six(sockets->port);
        if (sockets->six >= 0 || without_ipv6(errno))
            return 0;
        if (errno != EADDRINUSE)
            break;
        redirect_sockets_close(sockets);
        errno = EADDRINUSE;
    }
    redirect_sockets_close(sockets);
    return -1;
}

void redirect_sockets_close(struct redirect_sockets *sockets)
{
    int saved = errno;

    if (sockets->four >= 0)
        close(sockets->four);
    if (sockets->six >= 0)
        close(sockets->six);
    sockets->four = -1;
    sockets->six = -1;
    errno = saved;
}
