/* SPDX-License-Identifier: MPL-2.0 */
/* rtnetlink(7). What exactly changed is not looked at: whether a host can be reached now shows only by
 * trying. */
#include "net/network_watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* netlink(7): a datagram of the kernel's fits into 8 KiB. */
#define DATAGRAM_SIZE 8192
/* After so many the loop sees to its other descriptors first. */
#define DATAGRAMS_A_TURN 64

struct network_watch {
    struct loop *loop;
    struct loop_watch *watch;
    struct loop_timer *settling; /* runs from the first change to the telling */
    int fd;
    void (*changed)(void *context);
    void *context;
};

/* Returns the socket, or -1. */
static int open_socket(void)
{
    const struct sockaddr_nl address = {.nl_family = AF_NETLINK,
                                        .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
                                                     RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

    if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool tells_something_new(const struct nlmsghdr *message, size_t length)
{
    for (; NLMSG_OK(message, length); message = NLMSG_NEXT(message, length)) {
        if (message->nlmsg_type == RTM_NEWADDR || message->nlmsg_type == RTM_NEWROUTE)
            return true;
    }
    return false;
}

/* Takes what is there. True when something counts. */
static bool drain(int fd)
{
    _Alignas(struct nlmsghdr) char datagram[DATAGRAM_SIZE];
    bool new = false;

    for (int i = 0; i < DATAGRAMS_A_TURN; i++) {
        struct sockaddr_nl sender = {0};
        socklen_t size = sizeof sender;
        ssize_t length = recvfrom(fd, datagram, sizeof datagram, 0, (struct sockaddr *)&sender, &size);

        if (length < 0 && errno == ENOBUFS)
            new = true; /* so much changed that messages were lost */
        else if (length < 0 && errno != EINTR)
            break;
        else if (length > 0 && sender.nl_pid == 0) /* the kernel's; root's programs may write here too */
            new = tells_something_new((const struct nlmsghdr *)(void *)datagram, (size_t)length) || new;
    }
    return new;
}

static void on_settled(void *context)
{
    struct network_watch *watch = context;

    watch->settling = NULL;
    watch->changed(watch->context);
}

static void on_readable(void *context, int fd, unsigned ready)
{
    struct network_watch *watch = context;

    (void)ready;
    if (!drain(fd) || watch->settling != NULL)
        return;
    watch->settling = loop_timer_start(watch->loop, NETWORK_SETTLE_MS, on_settled, watch);
    if (watch->settling == NULL)
        watch->changed(watch->context);
}

struct network_watch *network_watch_open(struct loop *loop, void (*changed)(void *context), void *context)
{
    struct network_watch *watch = calloc(1, sizeof *watch);

    if (watch == NULL)
        return NULL;
    *watch =
        (struct network_watch){.loop = loop, .fd = open_socket(), .changed = changed, .context = context};
    if (watch->fd >= 0)
        watch->watch = loop_watch_fd(loop, watch->fd, LOOP_READ, on_readable, watch);
    if (watch->watch == NULL) {
        network_watch_close(watch);
        return NULL;
    }
    return watch;
}

void network_watch_close(struct network_watch *watch)
{
    if (watch == NULL)
        return;
    loop_timer_cancel(watch->loop, watch->settling);
    loop_unwatch(watch->loop, watch->watch);
    if (watch->fd >= 0)
        close(watch->fd);
    free(watch);
}
