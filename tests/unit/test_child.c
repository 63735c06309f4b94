/* SPDX-License-Identifier: MPL-2.0 */
#include "net/child.h"
#include "net/https.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define RESULT_SIZE ((size_t)32)
#define LONG_MS 20000

static struct loop *loop;
static struct {
    int calls;
    size_t length;
    unsigned char first, last;
} outcome;

static int open_loop(void **state)
{
    (void)state;
    if (sodium_init() < 0 || secret_arena_open() != 0 || https_global_init() != 0)
        return -1;
    loop = loop_new();
    return loop == NULL ? -1 : 0;
}

static int close_loop(void **state)
{
    (void)state;
    loop_free(loop);
    secret_arena_close();
    return 0;
}

static void note(void *context, struct secret *result)
{
    (void)context;
    outcome.calls++;
    outcome.length = result->length;
    outcome.first = result->length > 0 ? result->bytes[0] : 0;
    outcome.last = result->length > 0 ? result->bytes[result->length - 1] : 0;
    loop_stop(loop);
}

static void run(child_work *work, int64_t deadline_ms)
{
    memset(&outcome, 0, sizeof outcome);
    assert_non_null(child_start(loop, RESULT_SIZE, deadline_ms, work, note, NULL));
    loop_run(loop);
    assert_int_equal(outcome.calls, 1);
}

static void assert_no_child_left(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static int fill(void *context, unsigned char *result, size_t size)
{
    (void)context;
    memset(result, 0x5a, size);
    return 0;
}

static void test_the_result_comes_through_the_loop(void **state)
{
    (void)state;
    run(fill, LONG_MS);
    assert_int_equal(outcome.length, RESULT_SIZE);
    assert_int_equal(outcome.first, 0x5a);
    assert_int_equal(outcome.last, 0x5a);
    assert_no_child_left();
}

static int give_up(void *context, unsigned char *result, size_t size)
{
    (void)context;
    (void)result;
    (void)size;
    return -1;
}

static int die(void *context, unsigned char *result, size_t size)
{
    (void)result;
    (void)size;
    (void)context;
    return raise(SIGKILL);
}

static void test_failure_and_death_give_nothing(void **state)
{
    (void)state;
    run(give_up, LONG_MS);
    assert_int_equal(outcome.length, 0);
    run(die, LONG_MS);
    assert_int_equal(outcome.length, 0);
    assert_no_child_left();
}

static int hang(void *context, unsigned char *result, size_t size)
{
    (void)context;
    (void)result;
    (void)size;
    for (;;)
        pause();
    return 0;
}

static void test_who_hangs_is_killed_at_the_deadline(void **state)
{
    int64_t before = loop_monotonic_ms();

    (void)state;
    run(hang, 100);
    assert_int_equal(outcome.length, 0);
    assert_true(loop_monotonic_ms() - before < LONG_MS / 2);
    assert_no_child_left();
}

static void stop(void *context)
{
    (void)context;
    loop_stop(loop);
}

static void test_who_is_stopped_says_nothing(void **state)
{
    struct child *child = child_start(loop, RESULT_SIZE, LONG_MS, hang, note, NULL);

    (void)state;
    memset(&outcome, 0, sizeof outcome);
    assert_non_null(child);
    child_stop(child);
    assert_no_child_left();
    assert_non_null(loop_timer_start(loop, 50, stop, NULL));
    loop_run(loop);
    assert_int_equal(outcome.calls, 0);
    child_stop(NULL);
}

/* An inherited pipe to Thunderbird would keep it from seeing our end, and could corrupt the framing. */
static int count_descriptors(void *context, unsigned char *result, size_t size)
{
    DIR *folder = opendir("/proc/self/fd");
    const struct dirent *found;
    char path[300], target[300];
    ssize_t length;

    (void)context;
    memset(result, 0, size);
    while (folder != NULL && (found = readdir(folder)) != NULL) {
        if (found->d_name[0] == '.' || atoi(found->d_name) == dirfd(folder))
            continue;
        snprintf(path, sizeof path, "/proc/self/fd/%s", found->d_name);
        length = readlink(path, target, sizeof target - 1);
        target[length > 0 ? length : 0] = '\0';
        if (strcmp(target, "/dev/null") == 0)
            result[0]++;
        else
            result[size - 1]++;
    }
    return 0;
}

static void test_it_has_no_descriptor_but_its_pipe(void **state)
{
    (void)state;
    run(count_descriptors, LONG_MS);
    assert_int_equal(outcome.first, 3);
    assert_int_equal(outcome.last, 1);
}

static void test_what_the_pipe_could_not_hold_at_once_is_refused(void **state)
{
    (void)state;
    assert_null(child_start(loop, CHILD_RESULT_MAX + 1, LONG_MS, fill, note, NULL));
    assert_no_child_left();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_result_comes_through_the_loop),
        cmocka_unit_test(test_failure_and_death_give_nothing),
        cmocka_unit_test(test_who_hangs_is_killed_at_the_deadline),
        cmocka_unit_test(test_who_is_stopped_says_nothing),
        cmocka_unit_test(test_it_has_no_descriptor_but_its_pipe),
        cmocka_unit_test(test_what_the_pipe_could_not_hold_at_once_is_refused),
    };

    return cmocka_run_group_tests(tests, open_loop, close_loop);
}
