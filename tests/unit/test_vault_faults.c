/* SPDX-License-Identifier: MPL-2.0 */
/* Every call that changes the disk fails, or is the process's last, in turn: the old or the new, never
 * neither. */
#include "test_vault_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

/* More calls than any one operation makes; reached only if a loop does not end. */
#define CALLS_MAX 200

static const int errors[] = {ENOSPC, EDQUOT, EROFS, EACCES, EIO};
#define ERRORS (sizeof errors / sizeof *errors)

static int count_drafts(const char *folder_name)
{
    DIR *folder = opendir(in_state(folder_name));
    const struct dirent *found;
    int count = 0;

    if (folder == NULL)
        return 0;
    while ((found = readdir(folder)) != NULL)
        count += strstr(found->d_name, ".tmp-") != NULL;
    closedir(folder);
    return count;
}

static int replace_with(struct vault *vault, uint64_t generation, const char *text, struct problem *problem)
{
    struct secret payload = {0};
    json_t *header = json_pack("{s:s}", "account", NAME);
    int result;

    assert_int_equal(secret_set(&payload, text, strlen(text)), 0);
    result = vault_replace(vault, NAME, generation, header, &payload, problem);
    json_decref(header);
    secret_wipe(&payload);
    return result;
}

/* The vault has "old" as generation 2 or, when result says so, "new" as 3; and no problem with it. */
static void assert_old_or_new(int result, bool replaced)
{
    struct vault *vault = open_vault();
    struct vault_entry entry = {0};
    struct problem problem = {0};
    bool is_new;

    assert_int_equal(vault_read(vault, NAME, &entry, &problem), 0);
    assert_int_equal(entry.problem.kind, PROBLEM_NONE);
    is_new = entry.generation == 3;
    assert_string_equal(secret_expose(&entry.payload), is_new ? "new" : "old");
    if (result == 0)
        assert_true(is_new);
    if (is_new && replaced)
        assert_false(exists(PREVIOUS));
    vault_entry_clear(&entry);
    vault_close(vault);
}

static struct vault *vault_with_two_generations(void **state)
{
    struct vault *vault;

    assert_int_equal(start_afresh(state), 0);
    vault = open_vault();
    must_write(vault, NAME, 1, "older");
    must_write(vault, NAME, 2, "old");
    return vault;
}

/* ---- failures ---- */

static void assert_explained(const struct problem *problem)
{
    assert_int_equal(problem->kind, PROBLEM_STORAGE);
    assert_non_null(strstr(problem->cause, base_folder));
    assert_non_null(strstr(problem->remedy, base_folder));
    assert_null(strstr(problem->cause, "new"));
}

/* Runs write with the call number at failing; whether that call was made at all. */
static bool fail_write(void **state, long at, int error, bool lasts, bool replaces)
{
    struct vault *vault = vault_with_two_generations(state);
    struct problem problem = {0};
    int result;

    disk_fault = (struct disk_fault){.at = at, .error = error, .lasts = lasts};
    result = replaces ? replace_with(vault, 3, "new", &problem) : write_text(vault, NAME, 3, "new", &problem);
    bool reached = disk_fault.calls >= at;
    disk_fault = (struct disk_fault){0};
    assert_int_equal(result, reached ? -1 : 0);
    if (reached)
        assert_explained(&problem);
    if (!lasts)
        assert_int_equal(count_drafts("identities"), 0);
    assert_old_or_new(result, replaces);
    /* The same vault goes on, with a higher generation. */
    must_write(vault, NAME, 4, "later");
    assert_reads(vault, 4, "later", PROBLEM_NONE);
    vault_close(vault);
    /* What a disk that took nothing at all kept from being removed is swept at the next start. */
    assert_reads_afresh(4, "later", PROBLEM_NONE);
    assert_int_equal(count_drafts("identities"), 0);
    return reached;
}

static void fail_each_call(void **state, bool replaces)
{
    size_t i;
    long at;

    for (i = 0; i < ERRORS; i++) {
        for (at = 1; at < CALLS_MAX && fail_write(state, at, errors[i], false, replaces); at++)
            assert_true(fail_write(state, at, errors[i], true, replaces));
        assert_true(at > 5 && at < CALLS_MAX);
    }
}

static void test_a_failed_write_leaves_old_or_new(void **state)
{
    fail_each_call(state, false);
}

static void test_a_failed_replacement_leaves_old_or_new(void **state)
{
    fail_each_call(state, true);
}

static void test_a_failed_beginning_can_be_begun_again(void **state)
{
    long at;

    for (at = 1; at < CALLS_MAX; at++) {
        struct vault *vault;
        struct problem problem = {0};
        bool reached;
        assert_int_equal(start_afresh(state), 0);
        vault = open_vault();
        disk_fault = (struct disk_fault){.at = at, .error = ENOSPC};
        int result = vault_prepare(vault, &problem);
        reached = disk_fault.calls >= at;
        disk_fault = (struct disk_fault){0};
        if (!reached)
            assert_int_equal(result, 0);
        else if (result != 0)
            assert_explained(&problem);
        assert_int_equal(count_drafts("."), 0);
        must_write(vault, NAME, 1, "one");
        vault_close(vault);
        assert_reads_afresh(1, "one", PROBLEM_NONE);
        if (!reached)
            break;
    }
    assert_true(at > 5 && at < CALLS_MAX);
}

static void test_a_failed_erasure_says_so_and_can_be_repeated(void **state)
{
    long at;

    for (at = 1; at < CALLS_MAX; at++) {
        struct vault *vault = vault_with_two_generations(state);
        struct problem problem = {0};
        bool reached;
        disk_fault = (struct disk_fault){.at = at, .error = EIO};
        int result = vault_erase(vault, NAME, &problem);
        reached = disk_fault.calls >= at;
        disk_fault = (struct disk_fault){0};
        assert_int_equal(result, reached ? -1 : 0);
        assert_int_equal(vault_erase(vault, NAME, &problem), 0);
        assert_false(exists(SEALED));
        assert_false(exists(PREVIOUS));
        vault_close(vault);
        if (!reached)
            break;
    }
    assert_int_equal(at, 4); /* .prev, the file, the folder's sync */
}

static void test_damage_on_a_disk_that_takes_no_rename_is_survived(void **state)
{
    struct vault *vault = vault_with_two_generations(state);

    flip_byte(SEALED, 50);
    disk_fault = (struct disk_fault){.at = 1, .error = EROFS, .lasts = 1};
    assert_reads(vault, 1, "older", PROBLEM_VAULT_DAMAGED);
    assert_reads(vault, 1, "older", PROBLEM_VAULT_DAMAGED);
    assert_true(exists(SEALED));
    vault_close(vault);
}

/* ---- kills ---- */

/* Runs act in a child that is killed at its call number at; whether the kill came. */
static bool killed_at(long at, void (*act)(void))
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        disk_fault = (struct disk_fault){.at = at, .error = DISK_FAULT_KILL};
        act();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status))
        assert_int_equal(WEXITSTATUS(status), 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void act_write(void)
{
    struct problem problem;
    struct vault *vault = vault_open(state_folder, "auto", &problem);

    if (vault == NULL || write_text(vault, NAME, 3, "new", &problem) != 0)
        _exit(1);
}

static void act_replace(void)
{
    struct problem problem;
    struct vault *vault = vault_open(state_folder, "auto", &problem);

    if (vault == NULL || replace_with(vault, 3, "new", &problem) != 0)
        _exit(1);
}

static void act_erase(void)
{
    struct problem problem;
    struct vault *vault = vault_open(state_folder, "auto", &problem);

    if (vault == NULL || vault_erase(vault, NAME, &problem) != 0)
        _exit(1);
}

static void act_begin(void)
{
    struct problem problem;
    struct vault *vault = vault_open(state_folder, "auto", &problem);

    if (vault == NULL || vault_prepare(vault, &problem) != 0)
        _exit(1);
}

static void kill_at_each_call(void **state, void (*act)(void))
{
    bool killed = true;
    long at;

    for (at = 1; killed && at < CALLS_MAX; at++) {
        vault_close(vault_with_two_generations(state));
        killed = killed_at(at, act);
        assert_old_or_new(killed ? -1 : 0, act == act_replace);
        assert_int_equal(count_drafts("identities"), 0);
    }
    assert_true(at > 5 && at < CALLS_MAX);
}

static void test_a_kill_while_writing_leaves_old_or_new(void **state)
{
    kill_at_each_call(state, act_write);
}

static void test_a_kill_while_replacing_leaves_old_or_new(void **state)
{
    kill_at_each_call(state, act_replace);
    assert_false(exists(PREVIOUS));
}

/* Half erased, it is either still there or gone; no older generation takes its place. */
static void test_a_kill_while_erasing_brings_nothing_older_back(void **state)
{
    bool killed = true;
    long at;

    for (at = 1; killed && at < CALLS_MAX; at++) {
        struct vault_entry entry = {0};
        struct problem problem = {0};
        struct vault *vault;
        int result;
        vault_close(vault_with_two_generations(state));
        killed = killed_at(at, act_erase);
        vault = open_vault();
        result = vault_read(vault, NAME, &entry, &problem);
        assert_true(result == 1 || (result == 0 && entry.generation == 2 && killed));
        vault_entry_clear(&entry);
        vault_close(vault);
    }
    assert_int_equal(at, 5);
}

/* ---- the order ---- */

/* Draft and its sync come before .prev, and that before the rename; the folder's sync is the last word. */
static void test_a_write_returns_after_everything_is_synced(void **state)
{
    struct vault *vault = vault_with_two_generations(state);
    struct problem problem;

    disk_fault = (struct disk_fault){0};
    assert_int_equal(write_text(vault, NAME, 3, "new", &problem), 0);
    assert_string_equal(disk_fault.journal, "cws"
                                            "cwsrs"
                                            "rs");
    disk_fault = (struct disk_fault){0};
    assert_int_equal(replace_with(vault, 4, "newer", &problem), 0);
    assert_string_equal(disk_fault.journal, "cws"
                                            "u"
                                            "rs"
                                            "s");
    vault_close(vault);
}

static void test_a_kill_while_beginning_leaves_a_vault_that_can_begin(void **state)
{
    bool killed = true;
    long at;

    for (at = 1; killed && at < CALLS_MAX; at++) {
        struct vault *vault;
        assert_int_equal(start_afresh(state), 0);
        killed = killed_at(at, act_begin);
        vault = open_vault();
        assert_int_equal(vault_locked(vault)->kind, PROBLEM_NONE);
        must_write(vault, NAME, 1, "one");
        vault_close(vault);
        assert_reads_afresh(1, "one", PROBLEM_NONE);
        assert_int_equal(count_drafts(".") + count_drafts("identities"), 0);
    }
    assert_true(at > 5 && at < CALLS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_failed_write_leaves_old_or_new),
        cmocka_unit_test(test_a_failed_replacement_leaves_old_or_new),
        cmocka_unit_test(test_a_failed_beginning_can_be_begun_again),
        cmocka_unit_test(test_a_failed_erasure_says_so_and_can_be_repeated),
        cmocka_unit_test(test_damage_on_a_disk_that_takes_no_rename_is_survived),
        cmocka_unit_test(test_a_kill_while_writing_leaves_old_or_new),
        cmocka_unit_test(test_a_kill_while_replacing_leaves_old_or_new),
        cmocka_unit_test(test_a_kill_while_erasing_brings_nothing_older_back),
        cmocka_unit_test(test_a_write_returns_after_everything_is_synced),
        cmocka_unit_test(test_a_kill_while_beginning_leaves_a_vault_that_can_begin),
    };

    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
