/* SPDX-License-Identifier: MPL-2.0 */
/* A new address or route is told once it has settled, and nothing else is. The tests have a network of their
 * own, with a loopback that is down at first. */
#include "net/https.h"
#include "net/network_watch.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_MS 10000
/* More than the kernel keeps for a reader who does not read (net.core.rmem_default). */
#define FLOOD 2000

struct fixture {
    struct loop *loop;
    struct network_watch *watch;
    int control; /* a socket to set interfaces by */
    int changes;
    bool close_in_callback;
};

static void on_deadline(void *context)
{
    (void)context;
    fail_msg("the event did not come");
}

static void on_change(void *context)
{
    struct fixture *fixture = context;

    fixture->changes++;
    if (fixture->close_in_callback) {
        network_watch_close(fixture->watch);
        fixture->watch = NULL;
    }
    loop_stop(fixture->loop);
}

static void stop(void *context)
{
    loop_stop(((struct fixture *)context)->loop);
}

static void set_flags(const struct fixture *fixture, const char *name, short flags)
{
    struct ifreq wish = {.ifr_flags = flags};

    snprintf(wish.ifr_name, sizeof wish.ifr_name, "%s", name);
    assert_int_equal(ioctl(fixture->control, SIOCSIFFLAGS, &wish), 0);
}

/* One of the addresses 192.0.1.1 and up, on an alias of its own. Each is in a network of its own, or the
 * first would take the others with it. */
static void add_address(const struct fixture *fixture, unsigned number)
{
    struct ifreq wish = {0};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(0xc0000001 + (number << 8))};

    snprintf(wish.ifr_name, sizeof wish.ifr_name, "lo:%u", number);
    memcpy(&wish.ifr_addr, &address, sizeof address);
    assert_int_equal(ioctl(fixture->control, SIOCSIFADDR, &wish), 0);
}

static void remove_address(const struct fixture *fixture, unsigned number)
{
    char name[IF_NAMESIZE];

    snprintf(name, sizeof name, "lo:%u", number);
    set_flags(fixture, name, 0);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    fixture->loop = loop_new();
    assert_non_null(fixture->loop);
    loop_timer_start(fixture->loop, DEADLINE_MS, on_deadline, NULL);
    fixture->control = socket(AF_INET, SOCK_DGRAM, 0);
    set_flags(fixture, "lo", 0);
    fixture->watch = network_watch_open(fixture->loop, on_change, fixture);
    assert_non_null(fixture->watch);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    network_watch_close(fixture->watch);
    loop_free(fixture->loop);
    close(fixture->control);
    free(fixture);
    return 0;
}

/* Runs the loop for longer than a change needs to be told. */
static void look(struct fixture *fixture)
{
    loop_timer_start(fixture->loop, NETWORK_SETTLE_MS + 200, stop, fixture);
    loop_run(fixture->loop);
}

static void several_changes_are_told_once_when_they_have_settled(void **state)
{
    struct fixture *fixture = *state;
    int64_t start = loop_monotonic_ms();

    set_flags(fixture, "lo", IFF_UP);
    add_address(fixture, 1);
    loop_run(fixture->loop);
    assert_int_equal(fixture->changes, 1);
    assert_true(loop_monotonic_ms() - start >= NETWORK_SETTLE_MS);
    look(fixture);
    assert_int_equal(fixture->changes, 1);
    remove_address(fixture, 1);
}

static void later_changes_are_told_again(void **state)
{
    struct fixture *fixture = *state;

    set_flags(fixture, "lo", IFF_UP);
    loop_run(fixture->loop);
    add_address(fixture, 1);
    loop_run(fixture->loop);
    assert_int_equal(fixture->changes, 2);
    remove_address(fixture, 1);
}

static void what_goes_away_is_not_told(void **state)
{
    struct fixture *fixture = *state;

    set_flags(fixture, "lo", IFF_UP);
    add_address(fixture, 1);
    loop_run(fixture->loop);
    remove_address(fixture, 1);
    set_flags(fixture, "lo", 0);
    look(fixture);
    assert_int_equal(fixture->changes, 1);
}

static void a_message_that_is_not_the_kernel_s_does_not_count(void **state)
{
    struct fixture *fixture = *state;
    struct sockaddr_nl ourselves = {.nl_family = AF_NETLINK, .nl_pid = (unsigned)getpid()};
    const struct nlmsghdr forged = {.nlmsg_len = NLMSG_LENGTH(0), .nlmsg_type = RTM_NEWADDR};
    int sender = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    ssize_t sent = sendto(sender, &forged, sizeof forged, 0, (struct sockaddr *)&ourselves, sizeof ourselves);

    close(sender);
    assert_int_equal(sent, sizeof forged);
    look(fixture);
    assert_int_equal(fixture->changes, 0);
}

static void more_than_the_kernel_keeps_is_a_change_and_no_end(void **state)
{
    struct fixture *fixture = *state;

    network_watch_close(fixture->watch);
    set_flags(fixture, "lo", IFF_UP);
    for (unsigned i = 1; i <= FLOOD; i++)
        add_address(fixture, i);
    fixture->watch = network_watch_open(fixture->loop, on_change, fixture);
    /* Messages of these alone would be no change: that some were lost is one. */
    for (unsigned i = 1; i <= FLOOD; i++)
        remove_address(fixture, i);
    loop_run(fixture->loop);
    assert_int_equal(fixture->changes, 1);
    add_address(fixture, 1);
    loop_run(fixture->loop);
    assert_int_equal(fixture->changes, 2);
    remove_address(fixture, 1);
}

static void closed_while_a_change_settles_it_tells_nothing(void **state)
{
    struct fixture *fixture = *state;

    set_flags(fixture, "lo", IFF_UP);
    loop_timer_start(fixture->loop, NETWORK_SETTLE_MS / 10, stop, fixture);
    loop_run(fixture->loop);
    network_watch_close(fixture->watch);
    fixture->watch = NULL;
    look(fixture);
    assert_int_equal(fixture->changes, 0);
}

static void whoever_is_told_may_close_the_watch(void **state)
{
    struct fixture *fixture = *state;

    fixture->close_in_callback = true;
    set_flags(fixture, "lo", IFF_UP);
    loop_run(fixture->loop);
    add_address(fixture, 1);
    look(fixture);
    assert_int_equal(fixture->changes, 1);
    remove_address(fixture, 1);
}

static void without_a_descriptor_there_is_no_watch(void **state)
{
    struct fixture *fixture = *state;
    struct network_watch *watch;
    struct rlimit all;
    struct rlimit none;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = all.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    watch = network_watch_open(fixture->loop, on_change, fixture);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
    assert_null(watch);
    network_watch_close(NULL);
}

/* Root may have a network of its own; anybody else only as root of a user namespace. */
static int own_network(void **state)
{
    (void)state;
    if (unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0)
        return 0;
    fprintf(stderr,
            "no network namespace (%s): run these tests as root, or allow user namespaces "
            "(sysctl kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns)\n",
            strerror(errno));
    return -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(several_changes_are_told_once_when_they_have_settled),
        TEST(later_changes_are_told_again),
        TEST(what_goes_away_is_not_told),
        TEST(a_message_that_is_not_the_kernel_s_does_not_count),
        TEST(more_than_the_kernel_keeps_is_a_change_and_no_end),
        TEST(closed_while_a_change_settles_it_tells_nothing),
        TEST(whoever_is_told_may_close_the_watch),
        TEST(without_a_descriptor_there_is_no_watch),
    };

    if (https_global_init() != 0)
        return 1;
    return cmocka_run_group_tests(tests, own_network, NULL);
}
