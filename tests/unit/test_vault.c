/* SPDX-License-Identifier: MPL-2.0 */
#include "test_vault_fixture.h"
#include "vault/sealed_file.h"

#include <dirent.h>
#include <errno.h>
#include <sys/wait.h>

static unsigned char bytes[FILE_ROOM];

/* ---- writing and reading ---- */

static void test_opening_creates_nothing(void **state)
{
    struct vault *vault = open_vault();
    struct vault_entry entry = {0};
    struct problem problem;

    (void)state;
    assert_int_equal(vault_locked(vault)->kind, PROBLEM_NONE);
    assert_int_equal(vault_read(vault, NAME, &entry, &problem), 1);
    assert_string_equal(vault_keystore_name(vault), "file");
    assert_int_equal(vault_erase(vault, NAME, &problem), 0);
    vault_close(vault);
    assert_false(exists("."));
}

static void test_what_is_written_is_read_by_the_next_process(void **state)
{
    struct vault *vault = open_vault();
    struct problem problem;

    (void)state;
    assert_int_equal(vault_prepare(vault, &problem), 0);
    must_write(vault, NAME, 1, "one");
    assert_reads(vault, 1, "one", PROBLEM_NONE);
    must_write(vault, NAME, 2, "two");
    vault_close(vault);
    assert_reads_afresh(2, "two", PROBLEM_NONE);
    assert_true(exists(PREVIOUS));
}

static void test_files_are_private_and_hold_no_plain_secret(void **state)
{
    static const char *const files[] = {"key", "vault.json", SEALED, PREVIOUS};
    struct vault *vault = open_vault();
    struct stat status;
    size_t i;

    (void)state;
    must_write(vault, NAME, 1, "a-refresh-token");
    must_write(vault, NAME, 2, "a-refresh-token");
    vault_close(vault);
    for (i = 0; i < sizeof files / sizeof *files; i++) {
        size_t length = read_bytes(files[i], bytes);
        assert_null(memmem(bytes, length, "refresh", strlen("refresh")));
        assert_int_equal(stat(in_state(files[i]), &status), 0);
        assert_int_equal(status.st_mode & 07777, 0600);
    }
    assert_int_equal(stat(in_state("identities"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    assert_int_equal(stat(in_state("."), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
}

static void test_an_older_generation_is_refused(void **state)
{
    struct vault *vault = open_vault();
    struct problem problem;

    (void)state;
    must_write(vault, NAME, 5, "five");
    assert_int_equal(write_text(vault, NAME, 5, "again", &problem), -1);
    assert_int_equal(problem.kind, PROBLEM_STORAGE);
    assert_int_equal(write_text(vault, NAME, 4, "four", &problem), -1);
    assert_reads(vault, 5, "five", PROBLEM_NONE);
    must_write(vault, NAME, 6, "six");
    flip_byte(SEALED, 30);
    assert_int_equal(write_text(vault, NAME, 5, "five", &problem), -1);
    must_write(vault, NAME, 6, "six again");
    vault_close(vault);
}

#define BEGINNERS 8

static void begin_as(int number)
{
    char name[VAULT_NAME_SIZE] = NAME;
    struct vault *vault = open_vault();
    struct problem problem;

    name[0] = (char)('0' + number);
    _exit(write_text(vault, name, 1, "begun", &problem) == 0 ? 0 : 1);
}

static void test_processes_that_begin_at_once_share_one_key(void **state)
{
    char name[VAULT_NAME_SIZE] = NAME;
    struct problem problem;
    struct vault *vault;
    int number;
    int status;

    (void)state;
    for (number = 0; number < BEGINNERS; number++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            begin_as(number);
    }
    while (wait(&status) > 0)
        assert_int_equal(status, 0);
    vault = open_vault();
    for (number = 0; number < BEGINNERS; number++) {
        struct vault_entry entry = {0};
        name[0] = (char)('0' + number);
        assert_int_equal(vault_read(vault, name, &entry, &problem), 0);
        assert_string_equal(secret_expose(&entry.payload), "begun");
        vault_entry_clear(&entry);
    }
    vault_close(vault);
}

static void test_a_vault_opened_before_it_was_made_can_read_it(void **state)
{
    struct vault *one = open_vault();
    struct vault *two = open_vault();

    (void)state;
    must_write(one, NAME, 1, "one");
    must_write(two, OTHER_NAME, 1, "two");
    assert_reads(two, 1, "one", PROBLEM_NONE);
    vault_close(one);
    vault_close(two);
}

static void test_what_is_made_once_is_never_replaced(void **state)
{
    int folder;

    (void)state;
    make_vault("one");
    folder = open(in_state("."), O_RDONLY | O_DIRECTORY);
    assert_int_equal(file_make(folder, "once", "first", 5), 0);
    assert_int_equal(file_make(folder, "once", "second", 6), -1);
    assert_int_equal(errno, EEXIST);
    assert_int_equal(read_bytes("once", bytes), 5);
    close(folder);
}

static void test_a_payload_too_large_changes_nothing(void **state)
{
    struct vault *vault = open_vault();
    struct problem problem;
    char *text = malloc(VAULT_FILE_MAX + 1);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', VAULT_FILE_MAX);
    text[VAULT_FILE_MAX] = '\0';
    must_write(vault, NAME, 1, "one");
    assert_int_equal(write_text(vault, NAME, 2, text, &problem), -1);
    assert_int_equal(problem.kind, PROBLEM_STORAGE);
    text[VAULT_FILE_MAX - 1000] = '\0';
    assert_reads(vault, 1, "one", PROBLEM_NONE);
    must_write(vault, NAME, 2, text);
    assert_reads(vault, 2, text, PROBLEM_NONE);
    vault_close(vault);
    free(text);
}

static void test_names_depend_on_every_part_and_its_place(void **state)
{
    static const char *const identity[] = {"login.microsoftonline.com",
                                           "9e5f94bc-e8a4-4e73-b8be-63364c29d753", "organizations",
                                           "anna@example.org"};
    static const char *const split[] = {"ab", "c"};
    static const char *const other_split[] = {"a", "bc"};
    char name[VAULT_NAME_SIZE];
    char other[VAULT_NAME_SIZE];

    (void)state;
    vault_name(name, identity, 4);
    assert_string_equal(name, "a67237cd21a0eeafb1788afa771ba592");
    vault_name(name, split, 2);
    vault_name(other, other_split, 2);
    assert_string_not_equal(name, other);
}

/* ---- all of them ---- */

struct seen {
    char names[8][VAULT_NAME_SIZE];
    enum problem_kind problems[8];
    bool headers[8];
    size_t count;
};

static void note(void *context, struct vault_entry *entry)
{
    struct seen *seen = context;

    assert_true(seen->count < 8);
    memcpy(seen->names[seen->count], entry->name, VAULT_NAME_SIZE);
    seen->headers[seen->count] = entry->header != NULL;
    seen->problems[seen->count++] = entry->problem.kind;
}

static void test_each_identity_is_visited_once_in_order(void **state)
{
    struct vault *vault = open_vault();
    struct seen seen = {.count = 0};
    struct problem problem;

    (void)state;
    must_write(vault, OTHER_NAME, 1, "other");
    must_write(vault, NAME, 1, "one");
    must_write(vault, NAME, 2, "two");
    write_bytes("identities/notes.txt", "x", 1);
    write_bytes("identities/" NAME ".sealed~", "x", 1);
    assert_int_equal(vault_each(vault, note, &seen, &problem), 0);
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.names[0], NAME);
    assert_string_equal(seen.names[1], OTHER_NAME);
    assert_int_equal(seen.problems[0], PROBLEM_NONE);
    vault_close(vault);
}

static void test_a_damaged_identity_stays_listed_until_it_signs_in(void **state)
{
    struct vault *vault;
    int round;

    (void)state;
    make_vault("one");
    flip_byte(SEALED, 6 + 8 + 4 + 60); /* in the recipient: the header can still be read */
    vault = open_vault();
    for (round = 0; round < 2; round++) {
        struct seen seen = {.count = 0};
        struct problem problem;
        assert_int_equal(vault_each(vault, note, &seen, &problem), 0);
        assert_int_equal(seen.count, 1);
        assert_int_equal(seen.problems[0], PROBLEM_VAULT_DAMAGED);
        assert_true(seen.headers[0]);
    }
    assert_false(exists(SEALED));
    must_write(vault, NAME, 1, "anew");
    assert_reads(vault, 1, "anew", PROBLEM_NONE);
    assert_true(exists(DAMAGED "1"));
    vault_close(vault);
}

/* ---- damage ---- */

static void test_any_damage_falls_back_to_the_previous_generation(void **state)
{
    struct vault *vault;
    size_t length;
    size_t at;
    uint64_t generation = 1;

    (void)state;
    make_vault("old");
    vault = open_vault();
    must_write(vault, NAME, ++generation, "new");
    length = read_bytes(SEALED, bytes);
    for (at = 0; at < length; at += 7) {
        must_write(vault, NAME, ++generation, "old");
        must_write(vault, NAME, ++generation, "new");
        flip_byte(SEALED, at);
        assert_reads(vault, generation - 1, "old", PROBLEM_VAULT_DAMAGED);
        assert_reads(vault, generation - 1, "old", PROBLEM_VAULT_DAMAGED);
        assert_true(exists(DAMAGED "1"));
        assert_int_equal(unlink(in_state(DAMAGED "1")), 0);
    }
    must_write(vault, NAME, ++generation, "healed");
    assert_reads(vault, generation, "healed", PROBLEM_NONE);
    vault_close(vault);
}

static void test_damaged_files_are_numbered_and_never_overwritten(void **state)
{
    struct vault *vault;
    uint64_t generation = 1;
    int round;
    char aside[128];

    (void)state;
    make_vault("one");
    vault = open_vault();
    for (round = 1; round <= 3; round++) {
        must_write(vault, NAME, ++generation, "more");
        write_bytes(SEALED, "broken", (size_t)round);
        assert_reads(vault, generation - 1, round == 1 ? "one" : "more", PROBLEM_VAULT_DAMAGED);
        must_write(vault, NAME, ++generation, "more");
    }
    for (round = 1; round <= 3; round++) {
        snprintf(aside, sizeof aside, DAMAGED "%d", round);
        assert_int_equal(read_bytes(aside, bytes), round);
    }
    vault_close(vault);
}

static void test_a_write_over_damage_keeps_the_damaged_file_and_the_good_one(void **state)
{
    struct vault *vault;

    (void)state;
    make_vault("one");
    vault = open_vault();
    must_write(vault, NAME, 2, "two");
    write_bytes(SEALED, "broken", 6);
    must_write(vault, NAME, 3, "three");
    assert_int_equal(read_bytes(DAMAGED "1", bytes), 6);
    assert_int_equal(unlink(in_state(SEALED)), 0);
    assert_reads(vault, 1, "one", PROBLEM_VAULT_DAMAGED);
    vault_close(vault);
}

static void test_damage_of_both_generations_is_reported_and_kept(void **state)
{
    struct vault *vault;

    (void)state;
    make_vault("one");
    vault = open_vault();
    must_write(vault, NAME, 2, "two");
    write_bytes(SEALED, "broken", 6);
    write_bytes(PREVIOUS, "also", 4);
    assert_reads(vault, 0, NULL, PROBLEM_VAULT_DAMAGED);
    assert_int_equal(read_bytes(DAMAGED "1", bytes), 6);
    assert_int_equal(read_bytes(DAMAGED "2", bytes), 4);
    vault_close(vault);
}

static void test_identities_cannot_be_swapped(void **state)
{
    struct vault *vault = open_vault();

    (void)state;
    must_write(vault, NAME, 1, "anna");
    must_write(vault, OTHER_NAME, 1, "bert");
    assert_int_equal(rename(in_state("identities/" OTHER_NAME ".sealed"), in_state(SEALED)), 0);
    assert_reads(vault, 0, NULL, PROBLEM_VAULT_DAMAGED);
    vault_close(vault);
}

/* ---- sign-out ---- */

static void test_replacing_leaves_no_older_generation(void **state)
{
    struct vault *vault;
    struct secret payload = {0};
    json_t *header = json_pack("{s:s}", "account", NAME);
    struct problem problem;

    (void)state;
    make_vault("one");
    vault = open_vault();
    write_bytes(SEALED, "broken", 6);
    assert_reads(vault, 0, NULL, PROBLEM_VAULT_DAMAGED);
    must_write(vault, NAME, 2, "two");
    must_write(vault, NAME, 3, "three");
    assert_int_equal(secret_set(&payload, "", 0), 0);
    assert_int_equal(vault_replace(vault, NAME, 4, header, &payload, &problem), 0);
    assert_reads(vault, 4, "", PROBLEM_NONE);
    assert_false(exists(PREVIOUS));
    assert_false(exists(DAMAGED "1"));
    json_decref(header);
    vault_close(vault);
}

static int files_in_identities(void)
{
    DIR *folder = opendir(in_state("identities"));
    int count = 0;

    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count - 2;
}

static void test_erasing_leaves_nothing(void **state)
{
    struct vault *vault;
    struct problem problem;

    (void)state;
    make_vault("one");
    vault = open_vault();
    must_write(vault, NAME, 2, "two");
    write_bytes(SEALED, "broken", 6);
    assert_reads(vault, 1, "one", PROBLEM_VAULT_DAMAGED);
    must_write(vault, NAME, 3, "three");
    write_bytes(SEALED ".tmp-0123456789abcdef", "draft", 5);
    must_write(vault, OTHER_NAME, 1, "other");
    assert_int_equal(vault_erase(vault, NAME, &problem), 0);
    assert_int_equal(files_in_identities(), 1);
    assert_int_equal(vault_erase(vault, NAME, &problem), 0);
    vault_close(vault);
}

/* ---- drafts ---- */

static void test_drafts_of_dead_processes_are_swept_and_living_ones_kept(void **state)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int living;

    (void)state;
    make_vault("one");
    write_bytes(SEALED ".tmp-0123456789abcdef", "dead", 4);
    write_bytes("key.tmp-0123456789abcdef", "dead", 4);
    write_bytes(SEALED ".tmp-0123456789abcde0", "living", 6);
    living = open(in_state(SEALED ".tmp-0123456789abcde0"), O_RDWR);
    assert_int_equal(fcntl(living, F_OFD_SETLK, &whole), 0);
    assert_reads_afresh(1, "one", PROBLEM_NONE);
    assert_int_equal(files_in_identities(), 2);
    assert_false(exists("key.tmp-0123456789abcdef"));
    close(living);
    assert_reads_afresh(1, "one", PROBLEM_NONE);
    assert_int_equal(files_in_identities(), 1);
}

#define FRESH(test) cmocka_unit_test_setup(test, start_afresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(test_opening_creates_nothing),
        FRESH(test_what_is_written_is_read_by_the_next_process),
        FRESH(test_files_are_private_and_hold_no_plain_secret),
        FRESH(test_an_older_generation_is_refused),
        FRESH(test_processes_that_begin_at_once_share_one_key),
        FRESH(test_a_vault_opened_before_it_was_made_can_read_it),
        FRESH(test_what_is_made_once_is_never_replaced),
        FRESH(test_a_payload_too_large_changes_nothing),
        FRESH(test_names_depend_on_every_part_and_its_place),
        FRESH(test_each_identity_is_visited_once_in_order),
        FRESH(test_a_damaged_identity_stays_listed_until_it_signs_in),
        FRESH(test_any_damage_falls_back_to_the_previous_generation),
        FRESH(test_damaged_files_are_numbered_and_never_overwritten),
        FRESH(test_a_write_over_damage_keeps_the_damaged_file_and_the_good_one),
        FRESH(test_damage_of_both_generations_is_reported_and_kept),
        FRESH(test_identities_cannot_be_swapped),
        FRESH(test_replacing_leaves_no_older_generation),
        FRESH(test_erasing_leaves_nothing),
        FRESH(test_drafts_of_dead_processes_are_swept_and_living_ones_kept),
    };

    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
