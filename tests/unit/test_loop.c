/* SPDX-License-Identifier: MPL-2.0 */
/* The loop's promises: timers in order, removal from any callback, descriptors, no busy waiting. */
#include "net/https.h"
#include "net/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_MS 5000

struct fixture {
    struct loop *loop;
    struct loop_timer *deadline;
    int pipe[2];
    struct loop_watch *watch;
    struct loop_timer *victim;
    struct loop_watch *victim_watch;
    char trace[64];
    int count;
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
    fixture->deadline = loop_timer_start(fixture->loop, DEADLINE_MS, on_deadline, NULL);
    assert_int_equal(pipe(fixture->pipe), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    loop_free(fixture->loop);
    close(fixture->pipe[0]);
    close(fixture->pipe[1]);
    free(fixture);
    return 0;
}

static void stop(void *context)
{
    struct fixture *fixture = context;

    loop_stop(fixture->loop);
}

static void trace_a(void *context)
{
    strcat(((struct fixture *)context)->trace, "a");
}

static void trace_b(void *context)
{
    strcat(((struct fixture *)context)->trace, "b");
}

static void trace_c(void *context)
{
    strcat(((struct fixture *)context)->trace, "c");
}

static void timers_fire_in_the_order_of_their_time(void **state)
{
    struct fixture *fixture = *state;

    loop_timer_start(fixture->loop, 30, trace_c, fixture);
    loop_timer_start(fixture->loop, 10, trace_a, fixture);
    loop_timer_start(fixture->loop, 20, trace_b, fixture);
    loop_timer_start(fixture->loop, 40, stop, fixture);
    loop_run(fixture->loop);
    assert_string_equal(fixture->trace, "abc");
}

static void equal_timers_fire_in_the_order_of_their_start(void **state)
{
    struct fixture *fixture = *state;

    loop_timer_start(fixture->loop, 0, trace_a, fixture);
    loop_timer_start(fixture->loop, -5, trace_b, fixture);
    loop_timer_start(fixture->loop, 0, trace_c, fixture);
    loop_timer_start(fixture->loop, 0, stop, fixture);
    loop_run(fixture->loop);
    assert_int_equal(strlen(fixture->trace), 3);
    assert_true(strchr(fixture->trace, 'a') < strchr(fixture->trace, 'c'));
}

static void a_timer_is_never_early(void **state)
{
    struct fixture *fixture = *state;
    int64_t start = loop_monotonic_ms();

    loop_timer_start(fixture->loop, 50, stop, fixture);
    loop_run(fixture->loop);
    assert_true(loop_monotonic_ms() - start >= 50);
}

static void cancel_victim(void *context)
{
    struct fixture *fixture = context;

    loop_timer_cancel(fixture->loop, fixture->victim);
    fixture->victim = NULL;
}

static void a_timer_can_cancel_another_that_is_due(void **state)
{
    struct fixture *fixture = *state;

    loop_timer_start(fixture->loop, 0, cancel_victim, fixture);
    fixture->victim = loop_timer_start(fixture->loop, 0, trace_a, fixture);
    loop_timer_start(fixture->loop, 10, stop, fixture);
    loop_run(fixture->loop);
    assert_string_equal(fixture->trace, "");
}

static void a_timer_can_cancel_itself(void **state)
{
    struct fixture *fixture = *state;

    fixture->victim = loop_timer_start(fixture->loop, 0, cancel_victim, fixture);
    loop_timer_start(fixture->loop, 1, stop, fixture);
    loop_run(fixture->loop);
    assert_null(fixture->victim);
}

static void restart(void *context)
{
    struct fixture *fixture = context;

    fixture->count++;
    loop_timer_start(fixture->loop, 0, restart, fixture);
}

static void on_readable_stop(void *context, int fd, unsigned ready)
{
    struct fixture *fixture = context;

    (void)fd;
    assert_true(ready & LOOP_READ);
    loop_stop(fixture->loop);
}

static void a_timer_that_starts_itself_anew_does_not_shut_out_descriptors(void **state)
{
    struct fixture *fixture = *state;

    loop_timer_start(fixture->loop, 0, restart, fixture);
    assert_int_equal(write(fixture->pipe[1], "x", 1), 1);
    assert_non_null(loop_watch_fd(fixture->loop, fixture->pipe[0], LOOP_READ, on_readable_stop, fixture));
    loop_run(fixture->loop);
    assert_true(fixture->count <= 2);
}

static void a_stop_before_the_run_ends_it_at_once(void **state)
{
    struct fixture *fixture = *state;

    loop_stop(fixture->loop);
    loop_run(fixture->loop);
    loop_timer_start(fixture->loop, 0, stop, fixture);
    loop_run(fixture->loop);
}

static void on_writable(void *context, int fd, unsigned ready)
{
    struct fixture *fixture = context;

    assert_int_equal(ready, LOOP_WRITE);
    assert_int_equal(write(fd, "x", 1), 1);
    loop_watch_interest(fixture->watch, 0);
}

static void a_watch_with_interest_0_is_silent(void **state)
{
    struct fixture *fixture = *state;

    fixture->watch = loop_watch_fd(fixture->loop, fixture->pipe[1], LOOP_WRITE, on_writable, fixture);
    loop_watch_fd(fixture->loop, fixture->pipe[0], LOOP_READ, on_readable_stop, fixture);
    loop_run(fixture->loop);
    loop_timer_start(fixture->loop, 0, stop, fixture);
    loop_run(fixture->loop);
}

static void a_hang_up_counts_as_readable(void **state)
{
    struct fixture *fixture = *state;

    loop_watch_fd(fixture->loop, fixture->pipe[0], LOOP_READ, on_readable_stop, fixture);
    close(fixture->pipe[1]);
    loop_run(fixture->loop);
    fixture->pipe[1] = dup(fixture->pipe[0]);
}

static void on_readable_remove_both(void *context, int fd, unsigned ready)
{
    struct fixture *fixture = context;

    (void)fd;
    (void)ready;
    fixture->count++;
    loop_unwatch(fixture->loop, fixture->watch);
    loop_unwatch(fixture->loop, fixture->victim_watch);
}

static void a_watch_can_remove_itself_and_another_that_is_ready(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(write(fixture->pipe[1], "x", 1), 1);
    fixture->watch =
        loop_watch_fd(fixture->loop, fixture->pipe[0], LOOP_READ, on_readable_remove_both, fixture);
    fixture->victim_watch =
        loop_watch_fd(fixture->loop, fixture->pipe[0], LOOP_READ, on_readable_remove_both, fixture);
    loop_timer_start(fixture->loop, 5, stop, fixture);
    loop_run(fixture->loop);
    assert_int_equal(fixture->count, 1);
}

static void on_readable_add_many(void *context, int fd, unsigned ready)
{
    struct fixture *fixture = context;

    (void)ready;
    loop_unwatch(fixture->loop, fixture->watch);
    for (int i = 0; i < 100; i++)
        assert_non_null(loop_watch_fd(fixture->loop, fd, LOOP_READ, on_readable_stop, fixture));
}

static void a_watch_can_add_others(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(write(fixture->pipe[1], "x", 1), 1);
    fixture->watch = loop_watch_fd(fixture->loop, fixture->pipe[0], LOOP_READ, on_readable_add_many, fixture);
    loop_run(fixture->loop);
}

static long processor_us(const struct rusage *usage)
{
    return (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000 + usage->ru_utime.tv_usec +
           usage->ru_stime.tv_usec;
}

static void waiting_takes_no_processor_time(void **state)
{
    struct fixture *fixture = *state;
    struct rusage before;
    struct rusage after;

    /* A paused watch with a hang-up, and a due timer cancelled: both could wake poll again and again. */
    fixture->watch = loop_watch_fd(fixture->loop, fixture->pipe[0], 0, on_readable_stop, fixture);
    close(fixture->pipe[1]);
    fixture->pipe[1] = dup(fixture->pipe[0]);
    loop_timer_start(fixture->loop, 0, cancel_victim, fixture);
    fixture->victim = loop_timer_start(fixture->loop, 0, trace_a, fixture);
    loop_timer_start(fixture->loop, 300, stop, fixture);
    getrusage(RUSAGE_SELF, &before);
    loop_run(fixture->loop);
    getrusage(RUSAGE_SELF, &after);
    assert_true(after.ru_nvcsw - before.ru_nvcsw < 20);
    assert_true(processor_us(&after) - processor_us(&before) < 50000);
}

static void loop_free_calls_the_timers_that_ask_for_it(void **state)
{
    struct fixture *fixture = *state;

    loop_timer_fire_at_free(loop_timer_start(fixture->loop, 60000, trace_a, fixture));
    loop_timer_start(fixture->loop, 0, trace_b, fixture);
    loop_free(fixture->loop);
    assert_string_equal(fixture->trace, "a");
    fixture->loop = NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(timers_fire_in_the_order_of_their_time),
        TEST(equal_timers_fire_in_the_order_of_their_start),
        TEST(a_timer_is_never_early),
        TEST(a_timer_can_cancel_another_that_is_due),
        TEST(a_timer_can_cancel_itself),
        TEST(a_timer_that_starts_itself_anew_does_not_shut_out_descriptors),
        TEST(a_stop_before_the_run_ends_it_at_once),
        TEST(a_watch_with_interest_0_is_silent),
        TEST(a_hang_up_counts_as_readable),
        TEST(a_watch_can_remove_itself_and_another_that_is_ready),
        TEST(a_watch_can_add_others),
        TEST(waiting_takes_no_processor_time),
        TEST(loop_free_calls_the_timers_that_ask_for_it),
    };

    if (https_global_init() != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
