/* SPDX-License-Identifier: MPL-2.0 */
/* A jump of the wall clock is told once, and nothing else is. The clock itself cannot be set here: an event
 * descriptor stands for the timer. */
#include "net/clock_watch.h"
#include "net/https.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_MS 5000

struct fixture {
    struct loop *loop;
    struct clock_watch *watch;
    int event;
    int jumps;
    bool close_in_callback;
};

static void on_deadline(void *context)
{
    (void)context;
    fail_msg("the event did not come");
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    fixture->loop = loop_new();
    assert_non_null(fixture->loop);
    loop_timer_start(fixture->loop, DEADLINE_MS, on_deadline, NULL);
    fixture->event = eventfd(0, EFD_NONBLOCK);
    assert_true(fixture->event >= 0);
    clock_watch_test_fd = -1;
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    clock_watch_close(fixture->watch);
    loop_free(fixture->loop);
    close(fixture->event);
    free(fixture);
    return 0;
}

static void on_jump(void *context)
{
    struct fixture *fixture = context;

    fixture->jumps++;
    if (fixture->close_in_callback) {
        clock_watch_close(fixture->watch);
        fixture->watch = NULL;
    }
    loop_stop(fixture->loop);
}

static void stop(void *context)
{
    loop_stop(((struct fixture *)context)->loop);
}

static void open_watch(struct fixture *fixture, int fd)
{
    clock_watch_test_fd = fd;
    fixture->watch = clock_watch_open(fixture->loop, on_jump, fixture);
    assert_non_null(fixture->watch);
}

static void jump(const struct fixture *fixture)
{
    assert_int_equal(eventfd_write(fixture->event, 1), 0);
}

/* Runs the loop for as long as something that is ready, or comes at once, would need to be told. */
static void look(struct fixture *fixture)
{
    loop_timer_start(fixture->loop, 100, stop, fixture);
    loop_run(fixture->loop);
}

static void a_clock_that_runs_is_quiet(void **state)
{
    struct fixture *fixture = *state;
    struct rusage before;
    struct rusage after;

    open_watch(fixture, -1);
    getrusage(RUSAGE_SELF, &before);
    look(fixture);
    getrusage(RUSAGE_SELF, &after);
    assert_int_equal(fixture->jumps, 0);
    assert_true(after.ru_nvcsw - before.ru_nvcsw < 20);
}

static void each_jump_is_told_once(void **state)
{
    struct fixture *fixture = *state;

    open_watch(fixture, fixture->event);
    for (int jumps = 1; jumps <= 3; jumps++) {
        jump(fixture);
        loop_run(fixture->loop);
        assert_int_equal(fixture->jumps, jumps);
    }
    look(fixture);
    assert_int_equal(fixture->jumps, 3);
}

static void whoever_is_told_may_close_the_watch(void **state)
{
    struct fixture *fixture = *state;

    open_watch(fixture, fixture->event);
    fixture->close_in_callback = true;
    jump(fixture);
    loop_run(fixture->loop);
    jump(fixture);
    look(fixture);
    assert_int_equal(fixture->jumps, 1);
}

static void without_a_descriptor_there_is_no_watch(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit all;
    struct rlimit none;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = all.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    fixture->watch = clock_watch_open(fixture->loop, on_jump, fixture);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
    assert_null(fixture->watch);
    clock_watch_close(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_clock_that_runs_is_quiet),
        TEST(each_jump_is_told_once),
        TEST(whoever_is_told_may_close_the_watch),
        TEST(without_a_descriptor_there_is_no_watch),
    };

    if (https_global_init() != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
