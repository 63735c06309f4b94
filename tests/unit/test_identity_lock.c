/* SPDX-License-Identifier: MPL-2.0 */
#include "test_vault_fixture.h"
#include "vault/identity_lock.h"

#include <sys/wait.h>

#define LOCK_FILE "locks/" NAME ".lock"
#define AUDIT_LOCK_FILE "locks/" IDENTITY_LOCK_OF_AUDIT ".lock"
#define PROCESSES 4
#define ROUNDS 300
#define PATIENCE_MS 120000 /* nobody is first in line: the others may be done before one gets its turn */

static struct vault *vault;

static int open_fresh_vault(void **state)
{
    if (start_afresh(state) != 0)
        return -1;
    make_vault("one");
    vault = open_vault();
    return 0;
}

static int close_vault(void **state)
{
    (void)state;
    vault_close(vault);
    return 0;
}

static enum identity_lock_state try_lock(struct identity_lock *lock, enum identity_lock_kind kind)
{
    return identity_lock_try(lock, vault, NAME, kind);
}

static void test_a_lock_keeps_others_out_until_it_is_released(void **state)
{
    struct identity_lock one = {.descriptor = -1}, two = {.descriptor = -1};

    (void)state;
    assert_int_equal(try_lock(&one, IDENTITY_LOCK_WRITE), IDENTITY_LOCK_HAD);
    assert_int_equal(try_lock(&two, IDENTITY_LOCK_WRITE), IDENTITY_LOCK_BUSY);
    identity_lock_release(&one);
    assert_int_equal(try_lock(&two, IDENTITY_LOCK_WRITE), IDENTITY_LOCK_HAD);
    assert_int_equal(try_lock(&one, IDENTITY_LOCK_REQUEST), IDENTITY_LOCK_HAD);
    identity_lock_release(&one);
    identity_lock_release(&two);
}

static void test_the_file_goes_with_the_identity_but_not_while_it_is_held(void **state)
{
    struct identity_lock lock = {.descriptor = -1};

    (void)state;
    assert_int_equal(try_lock(&lock, IDENTITY_LOCK_REQUEST), IDENTITY_LOCK_HAD);
    identity_lock_erase(vault, NAME);
    assert_true(exists(LOCK_FILE));
    identity_lock_release(&lock);
    identity_lock_erase(vault, NAME);
    assert_false(exists(LOCK_FILE));
    identity_lock_erase(vault, NAME);
    identity_lock_erase(vault, OTHER_NAME);
}

/* Two that waited for a file that has gone must not each hold a lock that the other cannot see. */
static void test_who_waited_for_a_file_that_has_gone_begins_again(void **state)
{
    struct identity_lock holder = {.descriptor = -1}, waiting = {.descriptor = -1}, late = {.descriptor = -1};

    (void)state;
    assert_int_equal(try_lock(&holder, IDENTITY_LOCK_WRITE), IDENTITY_LOCK_HAD);
    assert_int_equal(try_lock(&waiting, IDENTITY_LOCK_WRITE), IDENTITY_LOCK_BUSY);
    identity_lock_release(&holder);
    identity_lock_erase(vault, NAME);
    assert_int_equal(try_lock(&late, IDENTITY_LOCK_WRITE), IDENTITY_LOCK_HAD);
    assert_int_equal(try_lock(&waiting, IDENTITY_LOCK_WRITE), IDENTITY_LOCK_BUSY);
    identity_lock_release(&late);
    assert_int_equal(try_lock(&waiting, IDENTITY_LOCK_WRITE), IDENTITY_LOCK_HAD);
    identity_lock_release(&waiting);
}

static void test_what_a_killed_process_left_is_swept_and_nothing_else(void **state)
{
    (void)state;
    vault_close(vault);
    assert_int_equal(mkdir(in_state("locks"), 0700), 0);
    write_bytes(LOCK_FILE, "", 0);
    write_bytes("locks/" OTHER_NAME ".lock", "", 0);
    write_bytes("locks/notes.txt", "x", 1);
    write_bytes(AUDIT_LOCK_FILE, "", 0);
    vault = open_vault();
    assert_true(exists(LOCK_FILE));
    assert_false(exists("locks/" OTHER_NAME ".lock"));
    assert_true(exists("locks/notes.txt"));
    assert_true(exists(AUDIT_LOCK_FILE));
}

/* Whoever has the lock makes a file that must not be there, and erases the lock as an identity's end would.
 */
static void compete(void)
{
    struct identity_lock lock = {.descriptor = -1};
    int round, inside;

    for (round = 0; round < ROUNDS; round++) {
        if (identity_lock_wait(&lock, vault, NAME, IDENTITY_LOCK_WRITE, PATIENCE_MS) != IDENTITY_LOCK_HAD)
            _exit(1);
        inside = open(in_state("inside"), O_CREAT | O_EXCL | O_WRONLY, 0600);
        if (inside < 0)
            _exit(2);
        close(inside);
        if (unlink(in_state("inside")) != 0)
            _exit(3);
        identity_lock_release(&lock);
        identity_lock_erase(vault, NAME);
    }
    _exit(0);
}

static void test_two_are_never_inside_at_once_though_the_file_is_erased_all_the_time(void **state)
{
    int i, status;

    (void)state;
    for (i = 0; i < PROCESSES; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            compete();
    }
    for (i = 0; i < PROCESSES; i++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    printf("%d locks by %d processes, erased as often: never two inside\n", PROCESSES * ROUNDS, PROCESSES);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, open_fresh_vault, close_vault)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(test_a_lock_keeps_others_out_until_it_is_released),
        FRESH(test_the_file_goes_with_the_identity_but_not_while_it_is_held),
        FRESH(test_who_waited_for_a_file_that_has_gone_begins_again),
        FRESH(test_what_a_killed_process_left_is_swept_and_nothing_else),
        FRESH(test_two_are_never_inside_at_once_though_the_file_is_erased_all_the_time),
    };

    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
