/* SPDX-License-Identifier: MPL-2.0 */
/* timerfd_create(2): every discontinuous change of the wall clock, of which a resume is one, cancels a timer
 * that has TFD_TIMER_CANCEL_ON_SET. */
#include "net/clock_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* The year 2286: only a clock that is set gets there. */
#define NEVER_S 9999999999

struct clock_watch {
    struct loop *loop;
    struct loop_watch *watch;
    int fd;
    void (*jumped)(void *context);
    void *context;
};

#ifdef THUNDERSEAL_FAULTS
int clock_watch_test_fd = -1;
#endif

/* ECANCELED says that the clock was set meanwhile; the timer is armed all the same. */
static int arm(int fd)
{
    const struct itimerspec never = {.it_value.tv_sec = NEVER_S};

    if (timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) == 0)
        return 0;
    return errno == ECANCELED ? 0 : -1;
}

/* Returns the timer, or -1. */
static int new_timer(void)
{
    int fd;

#ifdef THUNDERSEAL_FAULTS
    if (clock_watch_test_fd >= 0)
        return dup(clock_watch_test_fd);
#endif
    fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd >= 0 && arm(fd) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void on_readable(void *context, int fd, unsigned ready)
{
    struct clock_watch *watch = context;
    uint64_t expirations;

    (void)ready;
    if (read(fd, &expirations, sizeof expirations) < 0 && errno != ECANCELED)
        return;
    /* Before the telling: a jump while somebody acts on this one is told again. */
    (void)arm(fd);
    watch->jumped(watch->context);
}

struct clock_watch *clock_watch_open(struct loop *loop, void (*jumped)(void *context), void *context)
{
    struct clock_watch *watch = calloc(1, sizeof *watch);

    if (watch == NULL)
        return NULL;
    *watch = (struct clock_watch){.loop = loop, .fd = new_timer(), .jumped = jumped, .context = context};
    if (watch->fd >= 0)
        watch->watch = loop_watch_fd(loop, watch->fd, LOOP_READ, on_readable, watch);
    if (watch->watch == NULL) {
        clock_watch_close(watch);
        return NULL;
    }
    return watch;
}

void clock_watch_close(struct clock_watch *watch)
{
    if (watch == NULL)
        return;
    loop_unwatch(watch->loop, watch->watch);
    if (watch->fd >= 0)
        close(watch->fd);
    free(watch);
}
