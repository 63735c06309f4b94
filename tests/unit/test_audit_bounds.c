/* SPDX-License-Identifier: MPL-2.0 */
/* The audit log in the long run: what is too old or too much goes, a new device key takes over, and the chain
 * holds through both. */
#include "test_audit_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <sys/wait.h>

#define DAY ((int64_t)86400)

static const struct audit_options ten_days = {.enabled = true, .retention_days = 10, .policy = "{}"};

static struct audit *log_with_times(const int64_t *times, int count)
{
    struct audit *audit;
    int i;

    make_vault("x");
    audit = open_log(&usual);
    for (i = 0; i < count; i++)
        note(audit, "event", times[i]);
    return audit;
}

/* ---- time ---- */

static void test_what_is_too_old_goes_and_the_chain_goes_on(void **state)
{
    static const int64_t times[] = {1 * DAY, 2 * DAY, 30 * DAY, 35 * DAY};
    struct audit *audit = log_with_times(times, 4);
    json_t *anchor = audit_anchor(audit, 35 * DAY);

    (void)state;
    close_log(audit);
    audit = open_log(&ten_days);
    audit_expect(audit, anchor);
    note(audit, "today", 36 * DAY);
    assert_int_equal(lines_of_log(), 4);
    assert_event(1, "log-pruned");
    assert_int_equal(count_events("event"), 2);
    assert_int_equal(count_events("today"), 1);
    assert_intact(audit, 4);
    /* The policy is the same as before: it is not told again. */
    assert_int_equal(count_events("policy-changed"), 0);
    note(audit, "more", 36 * DAY + 1);
    assert_int_equal(count_events("policy-changed"), 0);
    close_log(audit);
    audit = open_log(&ten_days);
    audit_expect(audit, anchor);
    assert_intact(audit, 5);
    close_log(audit);
    json_decref(anchor);
}

static void test_what_carries_the_chain_on_cannot_be_moved_or_changed(void **state)
{
    static const int64_t times[] = {1 * DAY, 30 * DAY};
    struct audit *audit = log_with_times(times, 2);

    (void)state;
    close_log(audit);
    audit = open_log(&ten_days);
    note(audit, "today", 31 * DAY);
    (void)lines_of_log();
    *(char *)memmem(log_bytes, log_length, "\"count\":", 8) = 'C';
    write_log();
    assert_finding(audit, AUDIT_CHANGED, 1);
    *(char *)memmem(log_bytes, log_length, "Ccount\":", 8) = '"';
    write_log();
    assert_intact(audit, 3);
    remove_line(1);
    assert_finding(audit, AUDIT_MISSING, 1);
    insert_back();
    exchange_lines(1, 2);
    assert_finding(audit, AUDIT_MISSING, 1);
    exchange_lines(1, 2);
    remove_line(2);
    assert_finding(audit, AUDIT_MISSING, 2);
    close_log(audit);
}

static void test_the_file_is_rewritten_once_a_day_at_most(void **state)
{
    static const int64_t times[] = {1 * DAY, 2 * DAY, 12 * DAY, 12 * DAY + 100, 30 * DAY};
    struct audit *audit = log_with_times(times, 5);

    (void)state;
    close_log(audit);
    audit = open_log(&ten_days);
    note(audit, "today", 22 * DAY + 50);
    assert_int_equal(count_events("event"), 2);
    note(audit, "today", 22 * DAY + 200);
    assert_int_equal(count_events("event"), 2);
    note(audit, "tomorrow", 23 * DAY + 50);
    assert_int_equal(count_events("event"), 1);
    assert_intact(audit, lines_of_log());
    close_log(audit);
}

static void test_other_processes_follow_a_rewriting(void **state)
{
    static const int64_t times[] = {1 * DAY, 30 * DAY};
    struct audit *audit = log_with_times(times, 2), *other;
    struct vault *other_vault = open_vault();

    (void)state;
    other = audit_open(other_vault, &ten_days);
    note(other, "prunes", 31 * DAY);
    assert_event(1, "log-pruned");
    note(audit, "follows", 31 * DAY);
    note(other, "follows", 31 * DAY);
    assert_intact(audit, lines_of_log());
    assert_int_equal(count_events("log-damaged"), 0);
    assert_int_equal(count_events("follows"), 2);
    audit_close(other);
    vault_close(other_vault);
    close_log(audit);
}

static void test_a_rewriting_that_fails_changes_nothing(void **state)
{
    static const int64_t times[] = {1 * DAY, 30 * DAY};
    long at;

    for (at = 1; at <= 12; at++) {
        struct audit *audit;
        assert_int_equal(start_afresh(state), 0);
        close_log(log_with_times(times, 2));
        audit = open_log(&ten_days);
        disk_fault = (struct disk_fault){.at = at, .error = ENOSPC};
        note(audit, "today", 31 * DAY);
        disk_fault = (struct disk_fault){0};
        note(audit, "today", 31 * DAY + 60);
        assert_int_equal(count_events("today"), 2);
        assert_intact(audit, lines_of_log());
        close_log(audit);
    }
}

static int count_drafts(void)
{
    DIR *folder = opendir(state_folder);
    const struct dirent *found;
    int count = 0;

    assert_non_null(folder);
    while ((found = readdir(folder)) != NULL)
        count += strstr(found->d_name, ".tmp-") != NULL;
    closedir(folder);
    return count;
}

static void test_a_process_killed_while_rewriting_leaves_a_good_log_and_no_draft(void **state)
{
    static const int64_t times[] = {1 * DAY, 30 * DAY};
    long at;

    for (at = 1; at <= 12; at++) {
        struct audit *audit;
        pid_t child;
        int status;
        assert_int_equal(start_afresh(state), 0);
        close_log(log_with_times(times, 2));
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            audit = open_log(&ten_days);
            disk_fault = (struct disk_fault){.at = at, .error = DISK_FAULT_KILL};
            note(audit, "killed", 31 * DAY);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        audit = open_log(&ten_days);
        assert_int_equal(count_drafts(), 0);
        note(audit, "later", 31 * DAY + 1);
        assert_intact(audit, lines_of_log());
        assert_event(1, "log-pruned");
        assert_int_equal(count_events("later"), 1);
        close_log(audit);
    }
}

/* A file system gives the number of a file that has gone to the next one. */
static void test_another_file_in_the_same_place_is_noticed(void **state)
{
    struct audit *audit = log_of(5);
    int lines = lines_of_log();

    (void)state;
    exchange_lines(4, 5);
    note(audit, "later", 1001);
    assert_int_equal(count_events("log-damaged"), 0); /* behind what this process has to read again */
    (void)lines_of_log();
    exchange_lines(lines, lines + 1);
    note(audit, "later", 1001);
    assert_int_equal(count_events("log-damaged"), 1);
    close_log(audit);
}

/* ---- size ---- */

static void test_the_file_stays_bounded(void **state)
{
    static char filler[8 * 1024 * 1024];
    const size_t bound = (size_t)4 * 1024 * 1024;
    struct stat status;
    struct audit *audit;
    size_t length = 0;
    int i;

    (void)state;
    audit = log_of(1);
    /* Lines that nobody proved, so that they need not be written one by one. */
    memset(filler, ' ', sizeof filler);
    for (length = 1000; length < bound; length += 1000)
        filler[length - 1] = '\n';
    (void)lines_of_log();
    for (i = 0; i < 20; i++)
        note(audit, "event", 1000);
    close_log(audit);
    {
        int descriptor = open(in_state(LOG), O_WRONLY | O_APPEND);
        assert_int_equal(write(descriptor, filler, length - 1000), length - 1000);
        close(descriptor);
    }
    audit = open_log(&usual);
    note(audit, "later", 1001);
    note(audit, "later", 1002);
    assert_int_equal(stat(in_state(LOG), &status), 0);
    assert_true(status.st_size < (off_t)bound);
    close_log(audit);
}

/* ---- a new device key ---- */

static void make_key(struct envelope_key *key, unsigned char fill)
{
    struct secret secret = {0};
    unsigned char bytes[ENVELOPE_KEY_SIZE];

    memset(bytes, fill, sizeof bytes);
    assert_int_equal(secret_set(&secret, bytes, sizeof bytes), 0);
    assert_int_equal(envelope_key_derive(key, &secret), 0);
    secret_wipe(&secret);
}

/* The vault's key file, so that the old key is the one the log was made with. */
static void vault_key(struct envelope_key *key)
{
    unsigned char bytes[FILE_ROOM];
    struct secret secret = {0};

    assert_int_equal(read_bytes("key", bytes), 38);
    assert_int_equal(secret_set(&secret, bytes + 6, ENVELOPE_KEY_SIZE), 0);
    assert_int_equal(envelope_key_derive(key, &secret), 0);
    secret_wipe(&secret);
}

static int commits;

static int commit(void *context, struct problem *problem)
{
    (void)context;
    (void)problem;
    commits++;
    return 0;
}

static void rekey(const struct envelope_key *from, const struct envelope_key *to)
{
    json_t *addresses = json_pack("[s]", "Anna@example.org");
    const struct audit_rekeying rekeying = {
        .old_key = from, .new_key = to, .addresses = addresses, .now = 2000, .commit = commit};
    struct problem problem;
    int before = commits;

    assert_int_equal(audit_rekey(log_vault, &rekeying, &problem), 0);
    assert_int_equal(commits, before + 1);
    json_decref(addresses);
}

static void test_a_key_is_not_changed_when_the_log_cannot_be(void **state)
{
    struct envelope_key old = {0}, fresh = {0};
    struct audit *audit = log_of(2);
    const struct audit_rekeying rekeying = {.old_key = &old, .new_key = &fresh, .commit = commit};
    struct problem problem;
    int before = commits;

    (void)state;
    vault_key(&old);
    make_key(&fresh, 7);
    disk_fault = (struct disk_fault){.at = 1, .error = ENOSPC, .lasts = 1};
    assert_int_equal(audit_rekey(log_vault, &rekeying, &problem), -1);
    disk_fault = (struct disk_fault){0};
    assert_int_equal(problem.kind, PROBLEM_STORAGE);
    assert_int_equal(commits, before);
    assert_intact(audit, 4);
    close_log(audit);
    envelope_key_wipe(&old);
    envelope_key_wipe(&fresh);
}

/* There and back again: the vault itself keeps its key. */
static void test_a_new_key_takes_the_log_over(void **state)
{
    struct audit *audit = log_of(3);
    struct envelope_key old = {0}, fresh = {0};
    char hash[AUDIT_HASH_SIZE];

    (void)state;
    vault_key(&old);
    make_key(&fresh, 7);
    rekey(&old, &fresh);
    assert_finding(audit, AUDIT_CHANGED, 1);
    rekey(&old, &fresh); /* after a crash: once more does no harm */
    rekey(&fresh, &old);
    assert_intact(audit, 5);
    assert_event(1, "log-rekeyed");
    assert_int_equal(audit_hash_of(audit, "anna@example.org", hash), 0);
    (void)lines_of_log();
    assert_non_null(memmem(log_bytes, log_length, hash, strlen(hash)));
    close_log(audit);
    audit = log_again(1);
    assert_int_equal(count_events("log-damaged"), 0);
    assert_intact(audit, lines_of_log());
    close_log(audit);
    envelope_key_wipe(&old);
    envelope_key_wipe(&fresh);
}

static void test_a_log_made_afresh_grows_no_older_than_another(void **state)
{
    static const int64_t times[] = {1 * DAY, 2 * DAY, 30 * DAY};
    struct envelope_key old = {0}, fresh = {0};
    struct audit *audit = log_with_times(times, 3);

    (void)state;
    vault_key(&old);
    make_key(&fresh, 7);
    rekey(&old, &fresh);
    rekey(&fresh, &old);
    close_log(audit);
    audit = open_log(&ten_days);
    note(audit, "today", 31 * DAY);
    assert_event(1, "log-pruned");
    assert_int_equal(count_events("event"), 1);
    assert_intact(audit, 3);
    close_log(audit);
    envelope_key_wipe(&old);
    envelope_key_wipe(&fresh);
}

/* Another process has changed the key to this one. */
static void put_key_file(unsigned char fill)
{
    unsigned char file[6 + ENVELOPE_KEY_SIZE] = {'T', 'S', 'K', 'E', 'Y', 0x01};

    memset(file + 6, fill, ENVELOPE_KEY_SIZE);
    write_bytes("key", file, sizeof file);
    assert_int_equal(unlink(in_state("vault.json")), 0);
}

static void test_an_anchor_names_the_key_of_the_log_that_it_is_in(void **state)
{
    struct audit *audit = log_of(3);
    struct envelope_key old = {0}, fresh = {0};
    char id[2 * ENVELOPE_KEY_ID_SIZE + 1];
    json_t *anchor;

    (void)state;
    vault_key(&old);
    make_key(&fresh, 7);
    rekey(&old, &fresh);
    put_key_file(7);
    anchor = audit_anchor(audit, 2001);
    sodium_bin2hex(id, sizeof id, fresh.recipient.id, ENVELOPE_KEY_ID_SIZE);
    assert_string_equal(json_string_value(json_object_get(anchor, "key")), id);
    json_decref(anchor);
    close_log(audit);
    envelope_key_wipe(&old);
    envelope_key_wipe(&fresh);
}

/* It reads the key again when nothing in the log is its own any more. */
static void test_a_process_with_the_old_key_goes_on_with_the_new_one(void **state)
{
    struct audit *audit = log_of(3);
    struct envelope_key old = {0}, fresh = {0};

    (void)state;
    vault_key(&old);
    make_key(&fresh, 7);
    rekey(&old, &fresh);
    put_key_file(7);
    note(audit, "later", 2001);
    assert_int_equal(count_events("later"), 1);
    assert_int_equal(count_events("log-damaged"), 0);
    assert_intact(audit, 7); /* the policy's hash is another under the new key */
    close_log(audit);
    envelope_key_wipe(&old);
    envelope_key_wipe(&fresh);
}

static void test_a_new_key_does_not_cover_up_damage(void **state)
{
    struct audit *audit = log_of(3);
    struct envelope_key old = {0}, fresh = {0};

    (void)state;
    vault_key(&old);
    make_key(&fresh, 7);
    (void)lines_of_log();
    remove_line(4);
    rekey(&old, &fresh);
    rekey(&fresh, &old);
    assert_finding(audit, AUDIT_NOTED, lines_of_log());
    close_log(audit);
    envelope_key_wipe(&old);
    envelope_key_wipe(&fresh);
}

static void test_without_a_log_a_new_key_has_nothing_to_do(void **state)
{
    struct envelope_key old = {0}, fresh = {0};

    (void)state;
    make_vault("x");
    log_vault = open_vault();
    make_key(&old, 6);
    make_key(&fresh, 7);
    rekey(&old, &fresh);
    assert_false(exists(LOG));
    vault_close(log_vault);
    envelope_key_wipe(&old);
    envelope_key_wipe(&fresh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_what_is_too_old_goes_and_the_chain_goes_on, start_afresh),
        cmocka_unit_test_setup(test_what_carries_the_chain_on_cannot_be_moved_or_changed, start_afresh),
        cmocka_unit_test_setup(test_the_file_is_rewritten_once_a_day_at_most, start_afresh),
        cmocka_unit_test_setup(test_other_processes_follow_a_rewriting, start_afresh),
        cmocka_unit_test_setup(test_a_rewriting_that_fails_changes_nothing, start_afresh),
        cmocka_unit_test_setup(test_a_process_killed_while_rewriting_leaves_a_good_log_and_no_draft,
                               start_afresh),
        cmocka_unit_test_setup(test_another_file_in_the_same_place_is_noticed, start_afresh),
        cmocka_unit_test_setup(test_the_file_stays_bounded, start_afresh),
        cmocka_unit_test_setup(test_a_key_is_not_changed_when_the_log_cannot_be, start_afresh),
        cmocka_unit_test_setup(test_a_log_made_afresh_grows_no_older_than_another, start_afresh),
        cmocka_unit_test_setup(test_a_new_key_takes_the_log_over, start_afresh),
        cmocka_unit_test_setup(test_an_anchor_names_the_key_of_the_log_that_it_is_in, start_afresh),
        cmocka_unit_test_setup(test_a_process_with_the_old_key_goes_on_with_the_new_one, start_afresh),
        cmocka_unit_test_setup(test_a_new_key_does_not_cover_up_damage, start_afresh),
        cmocka_unit_test_setup(test_without_a_log_a_new_key_has_nothing_to_do, start_afresh),
    };

    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
