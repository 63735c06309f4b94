/* SPDX-License-Identifier: MPL-2.0 */
/* The audit log when things go wrong, or go on at once: crashes, full disks, several processes. */
#include "test_audit_fixture.h"

#include <errno.h>
#include <sys/wait.h>

static void test_a_half_line_is_no_tampering_and_is_healed(void **state)
{
    struct audit *audit = log_of(3);
    struct audit_verdict verdict;
    struct problem problem;

    (void)state;
    append_to_log("{\"seq\":6,\"time\":10", 18);
    assert_int_equal(audit_check(audit, NULL, NULL, &verdict, &problem), 0);
    assert_true(verdict.intact);
    assert_int_equal(verdict.half_line, 18);
    note(audit, "later", 1001);
    assert_intact(audit, 7);
    assert_event(6, "log-healed");
    assert_event(7, "later");
    close_log(audit);
}

static void test_the_log_survives_a_disk_that_refuses(void **state)
{
    static const int errors[] = {ENOSPC, EROFS, EIO};
    struct problem problem;
    size_t i;
    long at;

    (void)state;
    for (i = 0; i < sizeof errors / sizeof errors[0]; i++)
        for (at = 1; at <= 8; at++) {
            struct audit *audit;
            assert_int_equal(start_afresh(state), 0);
            audit = log_of(0);
            disk_fault = (struct disk_fault){.at = at, .error = errors[i], .lasts = 1};
            note(audit, "refused", 1001);
            disk_fault = (struct disk_fault){0};
            if (audit_due(audit))
                assert_int_equal(audit_failed(audit)->kind, PROBLEM_STORAGE);
            assert_int_equal(audit_flush(audit, &problem), 0);
            assert_false(audit_due(audit));
            assert_int_equal(audit_failed(audit)->kind, PROBLEM_NONE);
            assert_int_equal(count_events("refused"), 1);
            assert_intact(audit, lines_of_log());
            close_log(audit);
        }
}

static void test_a_process_killed_at_any_call_leaves_a_good_log(void **state)
{
    long at;

    (void)state;
    for (at = 1; at <= 8; at++) {
        struct audit *audit;
        pid_t child;
        int status;
        assert_int_equal(start_afresh(state), 0);
        make_vault("x");
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            audit = open_log(&usual);
            disk_fault = (struct disk_fault){.at = at, .error = DISK_FAULT_KILL};
            note(audit, "killed", 1001);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        audit = open_log(&usual);
        note(audit, "later", 1002);
        assert_intact(audit, lines_of_log());
        assert_int_equal(count_events("later"), 1);
        close_log(audit);
    }
}

static void test_what_finds_no_room_in_memory_is_counted(void **state)
{
    struct audit *audit = log_of(0);
    struct problem problem;
    int i;

    (void)state;
    disk_fault = (struct disk_fault){.at = 1, .error = ENOSPC, .lasts = 1};
    for (i = 0; i < AUDIT_PENDING_MAX + 3; i++)
        note(audit, "refused", 1001);
    disk_fault = (struct disk_fault){0};
    assert_int_equal(audit_flush(audit, &problem), 0);
    assert_int_equal(count_events("refused"), AUDIT_PENDING_MAX);
    assert_int_equal(count_events("events-lost"), 1);
    assert_non_null(memmem(log_bytes, log_length, "\"count\":3", 9));
    close_log(audit);
}

/* ---- several writers ---- */

static void test_processes_append_at_once(void **state)
{
    enum { WRITERS = 4, EACH = 50 };
    struct audit *audit;
    int i, k, status;

    (void)state;
    make_vault("x");
    for (i = 0; i < WRITERS; i++)
        if (fork() == 0) {
            struct problem problem;
            audit = open_log(&usual);
            for (k = 0; k < EACH; k++)
                note(audit, "together", 1000 + k);
            _exit(audit_due(audit) && audit_flush(audit, &problem) != 0);
        }
    for (i = 0; i < WRITERS; i++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    audit = open_log(&usual);
    assert_intact(audit, WRITERS * EACH + 2);
    assert_int_equal(count_events("together"), WRITERS * EACH);
    close_log(audit);
}

static void test_without_a_vault_nothing_is_made_and_nothing_lost(void **state)
{
    struct audit *audit = open_log(&usual);

    (void)state;
    note(audit, "early", 1000);
    assert_true(audit_due(audit));
    assert_false(exists("."));
    assert_int_equal(audit_failed(audit)->kind, PROBLEM_NONE);
    must_write(log_vault, NAME, 1, "x");
    note(audit, "later", 1001);
    assert_int_equal(count_events("early"), 1);
    assert_intact(audit, 4);
    close_log(audit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_half_line_is_no_tampering_and_is_healed, start_afresh),
        cmocka_unit_test_setup(test_the_log_survives_a_disk_that_refuses, start_afresh),
        cmocka_unit_test_setup(test_a_process_killed_at_any_call_leaves_a_good_log, start_afresh),
        cmocka_unit_test_setup(test_what_finds_no_room_in_memory_is_counted, start_afresh),
        cmocka_unit_test_setup(test_processes_append_at_once, start_afresh),
        cmocka_unit_test_setup(test_without_a_vault_nothing_is_made_and_nothing_lost, start_afresh),
    };

    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
