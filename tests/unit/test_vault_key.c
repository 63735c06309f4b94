/* SPDX-License-Identifier: MPL-2.0 */
/* The device key and the files around it: what is refused, and that nothing is lost by refusing. */
#include "test_vault_fixture.h"

#include <sys/syscall.h>

static unsigned char bytes[FILE_ROOM];
static unsigned char key_bytes[FILE_ROOM];

/* ---- another process, at the last moment: before something is renamed to this name ---- */

static const char *awaited;
static void (*meanwhile)(void);

static void come_in_between(const char *to)
{
    if (awaited == NULL || strcmp(to, awaited) != 0)
        return;
    awaited = NULL;
    meanwhile();
}

/* In the place of the C library's. */
int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    come_in_between(to);
    return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, 0);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    come_in_between(to);
    return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
}

/* Opens, expects kind with a next step, and that neither reading nor writing changed or renamed anything. */
static void assert_locked(enum problem_kind kind)
{
    struct vault *vault = open_vault();
    struct problem problem;
    struct stat before;
    struct stat after;
    bool had_key = exists("key");

    assert_int_equal(stat(in_state(SEALED), &before), 0);
    assert_int_equal(vault_locked(vault)->kind, kind);
    assert_true(vault_locked(vault)->cause[0] != '\0');
    assert_true(vault_locked(vault)->remedy[0] != '\0');
    assert_reads(vault, 0, NULL, kind);
    assert_int_equal(vault_prepare(vault, &problem), -1);
    assert_int_equal(problem.kind, kind);
    assert_int_equal(write_text(vault, NAME, 2, "two", &problem), -1);
    assert_int_equal(problem.kind, kind);
    assert_int_equal(stat(in_state(SEALED), &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(exists("key"), had_key);
    assert_false(exists(DAMAGED "1"));
    vault_close(vault);
}

static void note_header(void *context, struct vault_entry *entry)
{
    *(bool *)context = json_object_get(entry->header, "account") != NULL;
    assert_null(entry->payload.bytes);
    assert_int_equal(entry->problem.kind, PROBLEM_VAULT_LOCKED);
}

/* ---- the key ---- */

static void test_a_missing_key_locks_and_none_is_made(void **state)
{
    struct problem problem;
    struct vault *vault;
    bool header = false;

    (void)state;
    make_vault("one");
    assert_int_equal(rename(in_state("key"), in_state("key.away")), 0);
    assert_locked(PROBLEM_VAULT_LOCKED);
    assert_int_equal(rename(in_state("vault.json"), in_state("vault.away")), 0);
    assert_locked(PROBLEM_VAULT_LOCKED);
    vault = open_vault();
    assert_int_equal(vault_each(vault, note_header, &header, &problem), 0);
    assert_true(header);
    /* Once the key is back, so are the sign-ins, without a restart. */
    assert_int_equal(rename(in_state("key.away"), in_state("key")), 0);
    assert_reads(vault, 1, "one", PROBLEM_NONE);
    assert_int_equal(vault_locked(vault)->kind, PROBLEM_NONE);
    vault_close(vault);
}

/* Without the key, nobody can tell damage from a file that only the key would open. */
static void test_nothing_is_renamed_while_the_key_is_missing(void **state)
{
    (void)state;
    make_vault("one");
    assert_int_equal(unlink(in_state("key")), 0);
    write_bytes(SEALED, "broken", 6);
    assert_locked(PROBLEM_VAULT_LOCKED);
    assert_int_equal(rename(in_state(SEALED), in_state(PREVIOUS)), 0);
    assert_reads_afresh(0, NULL, PROBLEM_VAULT_LOCKED);
    assert_true(exists(PREVIOUS));
}

static void test_a_record_without_key_makes_no_new_one(void **state)
{
    struct problem problem;
    struct vault *vault = open_vault();

    (void)state;
    assert_int_equal(vault_prepare(vault, &problem), 0);
    vault_close(vault);
    assert_int_equal(unlink(in_state("key")), 0);
    vault = open_vault();
    assert_int_equal(vault_locked(vault)->kind, PROBLEM_VAULT_LOCKED);
    assert_int_equal(vault_prepare(vault, &problem), -1);
    assert_false(exists("key"));
    vault_close(vault);
}

static void test_a_key_cut_short_or_changed_locks(void **state)
{
    size_t length;
    size_t cut;

    (void)state;
    make_vault("one");
    length = read_bytes("key", key_bytes);
    for (cut = 0; cut < length; cut++) {
        write_bytes("key", key_bytes, cut);
        assert_locked(PROBLEM_VAULT_LOCKED);
    }
    write_bytes("key", key_bytes, length + 1);
    assert_locked(PROBLEM_VAULT_LOCKED);
    write_bytes("key", key_bytes, length);
    for (cut = 0; cut < length; cut++) {
        flip_byte("key", cut);
        assert_locked(PROBLEM_VAULT_LOCKED);
        flip_byte("key", cut);
    }
    assert_reads_afresh(1, "one", PROBLEM_NONE);
}

static void test_another_devices_key_opens_nothing_and_renames_nothing(void **state)
{
    size_t length;
    struct vault *vault;

    (void)state;
    make_vault("one");
    flip_byte("key", 20);
    assert_int_equal(unlink(in_state("vault.json")), 0);
    assert_reads_afresh(0, NULL, PROBLEM_VAULT_LOCKED);
    assert_true(exists(SEALED));
    assert_false(exists(DAMAGED "1"));
    /* A new sign-in heals, and what the other key may still open is kept. */
    length = read_bytes(SEALED, bytes);
    vault = open_vault();
    must_write(vault, NAME, 1, "anew");
    assert_reads(vault, 1, "anew", PROBLEM_NONE);
    assert_int_equal(read_bytes(DAMAGED "1", bytes), length);
    vault_close(vault);
}

static void test_a_key_that_others_may_read_is_refused(void **state)
{
    static const mode_t modes[] = {0644, 0640, 0604, 0620, 0601};
    size_t i;

    (void)state;
    make_vault("one");
    for (i = 0; i < sizeof modes / sizeof *modes; i++) {
        assert_int_equal(chmod(in_state("key"), modes[i]), 0);
        assert_locked(PROBLEM_VAULT_LOCKED);
    }
    assert_int_equal(chmod(in_state("key"), 0400), 0);
    assert_reads_afresh(1, "one", PROBLEM_NONE);
}

static void test_a_key_that_is_a_link_or_a_pipe_is_refused(void **state)
{
    (void)state;
    make_vault("one");
    assert_int_equal(rename(in_state("key"), in_state("real")), 0);
    assert_int_equal(symlink("real", in_state("key")), 0);
    assert_locked(PROBLEM_VAULT_LOCKED);
    assert_int_equal(unlink(in_state("key")), 0);
    assert_int_equal(mkfifo(in_state("key"), 0600), 0);
    assert_locked(PROBLEM_VAULT_LOCKED);
}

static void test_a_key_is_not_replaced_while_in_use(void **state)
{
    struct vault *vault = open_vault();
    struct problem problem;

    (void)state;
    must_write(vault, NAME, 1, "one");
    assert_int_equal(unlink(in_state("key")), 0);
    assert_reads(vault, 1, "one", PROBLEM_NONE);
    /* What is sealed now could not be opened after the next start. */
    assert_int_equal(write_text(vault, NAME, 2, "two", &problem), -1);
    assert_int_equal(problem.kind, PROBLEM_VAULT_LOCKED);
    assert_false(exists("key"));
    vault_close(vault);
}

static void test_a_vault_made_anew_by_another_process_is_taken_over(void **state)
{
    struct vault *vault = open_vault();

    must_write(vault, NAME, 1, "one");
    assert_int_equal(start_afresh(state), 0);
    make_vault("anew");
    assert_reads(vault, 1, "anew", PROBLEM_NONE);
    must_write(vault, NAME, 2, "two");
    assert_reads_afresh(2, "two", PROBLEM_NONE);
    assert_int_equal(start_afresh(state), 0);
    must_write(vault, NAME, 1, "three");
    vault_close(vault);
    assert_reads_afresh(1, "three", PROBLEM_NONE);
}

/* ---- vault.json ---- */

static void test_a_damaged_record_locks(void **state)
{
    static const char *const records[] = {
        "",
        "{",
        "[]",
        "{\"version\":1}",
        "{\"version\":\"1\",\"keystore\":\"file\",\"keyId\":\"0011223344556677\"}",
        "{\"version\":1,\"keystore\":\"file\",\"keyId\":\"001122334455667\"}",
        "{\"version\":1,\"keystore\":\"file\",\"keyId\":\"001122334455667z\"}",
        "{\"version\":1,\"keystore\":\"file\",\"keyId\":\"0011223344556677\"}",
        "{\"version\":2,\"keystore\":\"file\",\"keyId\":\"0011223344556677\"}",
    };
    size_t i;

    (void)state;
    make_vault("one");
    for (i = 0; i < sizeof records / sizeof *records; i++) {
        write_bytes("vault.json", records[i], strlen(records[i]));
        assert_locked(PROBLEM_VAULT_LOCKED);
    }
    assert_int_equal(unlink(in_state("vault.json")), 0);
    assert_int_equal(symlink("key", in_state("vault.json")), 0);
    assert_locked(PROBLEM_VAULT_LOCKED);
}

static const char others_record[] =
    "{\"version\":1,\"keystore\":\"secret-service\",\"keyId\":\"0011223344556677\"}";

static void make_others_record(void)
{
    write_bytes("vault.json", others_record, strlen(others_record));
}

/* Its sign-ins may be sealed already to the key that it chose. */
static void test_a_vault_that_another_process_made_meanwhile_counts(void **state)
{
    struct vault *vault = open_vault();
    struct problem problem;

    (void)state;
    awaited = "vault.json";
    meanwhile = make_others_record;
    assert_int_equal(vault_prepare(vault, &problem), -1);
    assert_null(awaited);
    assert_int_equal(problem.kind, PROBLEM_VAULT_LOCKED);
    assert_true(vault_want(vault) == VAULT_WANTS_LOOK_UP);
    assert_int_equal(read_bytes("vault.json", bytes), strlen(others_record));
    vault_close(vault);
}

static void test_a_lost_record_is_written_anew(void **state)
{
    struct vault *vault;

    (void)state;
    make_vault("one");
    assert_int_equal(unlink(in_state("vault.json")), 0);
    vault = open_vault();
    assert_reads(vault, 1, "one", PROBLEM_NONE);
    must_write(vault, NAME, 2, "two");
    assert_true(exists("vault.json"));
    vault_close(vault);
    assert_reads_afresh(2, "two", PROBLEM_NONE);
}

static void test_a_recorded_store_counts_and_not_the_configured(void **state)
{
    static const char record[] = "{\"version\":1,\"keystore\":\"passphrase\",\"keyId\":\"0011223344556677\"}";
    static const char unknown[] = "{\"version\":1,\"keystore\":\"tpm\",\"keyId\":\"0011223344556677\"}";
    struct problem problem;
    struct vault *vault;

    (void)state;
    make_vault("one");
    vault = vault_open(state_folder, "secret-service", &problem);
    assert_non_null(vault);
    assert_reads(vault, 1, "one", PROBLEM_NONE);
    assert_string_equal(vault_keystore_name(vault), "file");
    vault_close(vault);
    write_bytes("vault.json", record, strlen(record));
    assert_locked(PROBLEM_VAULT_LOCKED);
    write_bytes("vault.json", unknown, strlen(unknown));
    assert_locked(PROBLEM_VAULT_LOCKED);
}

/* ---- sealed files and folders ---- */

static void assert_folder_refused(void)
{
    struct problem problem;

    assert_null(vault_open(state_folder, "auto", &problem));
    assert_int_equal(problem.kind, PROBLEM_STORAGE);
    assert_true(problem.remedy[0] != '\0');
}

static void test_folders_open_to_others_are_closed_again(void **state)
{
    static const char *const folders[] = {".", "identities"};
    struct problem problem;
    struct vault *vault;
    struct stat status;
    size_t i;

    (void)state;
    make_vault("one");
    for (i = 0; i < 2; i++)
        assert_int_equal(chmod(in_state(folders[i]), 0755), 0);
    vault = vault_open(state_folder, "auto", &problem);
    assert_non_null(vault);
    vault_close(vault);
    for (i = 0; i < 2; i++) {
        assert_int_equal(stat(in_state(folders[i]), &status), 0);
        assert_int_equal(status.st_mode & 07777, 0700);
    }
}

static void test_linked_folders_are_refused(void **state)
{
    char slash[80];
    struct problem problem;

    (void)state;
    make_vault("one");
    assert_int_equal(rename(in_state("identities"), in_state("moved")), 0);
    assert_int_equal(symlink("moved", in_state("identities")), 0);
    assert_folder_refused();
    assert_int_equal(unlink(in_state("identities")), 0);
    assert_int_equal(rename(in_state("moved"), in_state("identities")), 0);
    assert_int_equal(rename(in_state("."), in_state("../elsewhere")), -1);
    assert_int_equal(rename(state_folder, in_state("../elsewhere")), 0);
    assert_int_equal(symlink("elsewhere", state_folder), 0);
    assert_folder_refused();
    snprintf(slash, sizeof slash, "%s/", state_folder);
    assert_null(vault_open(slash, "auto", &problem));
}

static void test_what_belongs_to_another_user_is_refused(void **state)
{
    struct vault *vault;
    struct vault_entry entry = {0};
    struct problem problem;

    (void)state;
    if (geteuid() != 0) { /* who can give nothing away looks at what is root's */
        assert_null(vault_open("/usr", "auto", &problem));
        assert_int_equal(problem.kind, PROBLEM_STORAGE);
        return;
    }
    make_vault("one");
    assert_int_equal(chown(in_state("key"), 65534, 65534), 0);
    assert_locked(PROBLEM_VAULT_LOCKED);
    assert_int_equal(chown(in_state("key"), 0, 0), 0);
    assert_int_equal(chown(in_state(SEALED), 65534, 65534), 0);
    vault = open_vault();
    assert_int_equal(vault_read(vault, NAME, &entry, &problem), -1);
    assert_int_equal(problem.kind, PROBLEM_STORAGE);
    assert_true(exists(SEALED));
    vault_entry_clear(&entry);
    vault_close(vault);
    assert_int_equal(chown(state_folder, 65534, 65534), 0);
    assert_folder_refused();
}

static void test_a_sealed_file_that_others_may_write_is_refused(void **state)
{
    struct vault *vault;
    struct vault_entry entry = {0};
    struct problem problem;

    (void)state;
    make_vault("one");
    assert_int_equal(chmod(in_state(SEALED), 0660), 0);
    vault = open_vault();
    assert_int_equal(vault_read(vault, NAME, &entry, &problem), -1);
    assert_int_equal(problem.kind, PROBLEM_STORAGE);
    assert_int_equal(write_text(vault, NAME, 2, "two", &problem), -1);
    assert_int_equal(problem.kind, PROBLEM_STORAGE);
    assert_int_equal(chmod(in_state(SEALED), 0600), 0);
    assert_reads(vault, 1, "one", PROBLEM_NONE);
    vault_entry_clear(&entry);
    vault_close(vault);
}

static unsigned char good_bytes[FILE_ROOM];
static size_t good_length;

static void put_good_file(void)
{
    write_bytes("identities/new", good_bytes, good_length);
    assert_int_equal(syscall(SYS_rename, in_state("identities/new"), in_state(SEALED)), 0);
}

/* A reader has no lock: between its look and its renaming another process may write. */
static void test_a_good_file_that_comes_meanwhile_is_not_set_aside(void **state)
{
    (void)state;
    make_vault("one");
    good_length = read_bytes(SEALED, good_bytes);
    flip_byte(SEALED, 40);
    awaited = NAME ".sealed.damaged-1";
    meanwhile = put_good_file;
    assert_reads_afresh(0, NULL, PROBLEM_VAULT_DAMAGED);
    assert_null(awaited);
    assert_reads_afresh(1, "one", PROBLEM_NONE);
}

/* A link is never followed, a pipe never waited for, a huge file never read: each is set aside. */
static void test_what_is_no_plain_file_is_set_aside(void **state)
{
    struct vault *vault;
    struct stat status;

    (void)state;
    make_vault("one");
    vault = open_vault();
    assert_int_equal(rename(in_state(SEALED), in_state("identities/real")), 0);
    assert_int_equal(symlink("real", in_state(SEALED)), 0);
    assert_reads(vault, 0, NULL, PROBLEM_VAULT_DAMAGED);
    assert_int_equal(lstat(in_state(DAMAGED "1"), &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_true(exists("identities/real"));
    assert_int_equal(mkfifo(in_state(SEALED), 0600), 0);
    assert_reads(vault, 0, NULL, PROBLEM_VAULT_DAMAGED);
    assert_true(exists(DAMAGED "2"));
    assert_int_equal(mkdir(in_state(SEALED), 0700), 0);
    assert_reads(vault, 0, NULL, PROBLEM_VAULT_DAMAGED);
    assert_true(exists(DAMAGED "3"));
    write_bytes(SEALED, "TSEAL", 5);
    assert_int_equal(truncate(in_state(SEALED), (off_t)1 << 40), 0);
    assert_reads(vault, 0, NULL, PROBLEM_VAULT_DAMAGED);
    assert_true(exists(DAMAGED "4"));
    must_write(vault, NAME, 1, "anew");
    vault_close(vault);
}

static void test_paths_in_problems_are_printable(void **state)
{
    char path[96];
    struct problem problem;
    struct vault *vault;
    json_t *json;

    (void)state;
    snprintf(path, sizeof path, "%s/state-\xff\n/thunderseal", base_folder);
    vault = vault_open(path, "auto", &problem);
    assert_non_null(vault);
    disk_fault = (struct disk_fault){.at = 1, .error = 28};
    assert_int_equal(vault_prepare(vault, &problem), -1);
    assert_null(strchr(problem.cause, '\n'));
    json = json_string(problem.cause);
    assert_non_null(json);
    json_decref(json);
    vault_close(vault);
}

#define FRESH(test) cmocka_unit_test_setup(test, start_afresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(test_a_missing_key_locks_and_none_is_made),
        FRESH(test_nothing_is_renamed_while_the_key_is_missing),
        FRESH(test_a_record_without_key_makes_no_new_one),
        FRESH(test_a_key_cut_short_or_changed_locks),
        FRESH(test_another_devices_key_opens_nothing_and_renames_nothing),
        FRESH(test_a_key_that_others_may_read_is_refused),
        FRESH(test_a_key_that_is_a_link_or_a_pipe_is_refused),
        FRESH(test_a_key_is_not_replaced_while_in_use),
        FRESH(test_a_vault_made_anew_by_another_process_is_taken_over),
        FRESH(test_a_damaged_record_locks),
        FRESH(test_a_vault_that_another_process_made_meanwhile_counts),
        FRESH(test_a_lost_record_is_written_anew),
        FRESH(test_a_recorded_store_counts_and_not_the_configured),
        FRESH(test_folders_open_to_others_are_closed_again),
        FRESH(test_linked_folders_are_refused),
        FRESH(test_what_belongs_to_another_user_is_refused),
        FRESH(test_a_sealed_file_that_others_may_write_is_refused),
        FRESH(test_a_good_file_that_comes_meanwhile_is_not_set_aside),
        FRESH(test_what_is_no_plain_file_is_set_aside),
        FRESH(test_paths_in_problems_are_printable),
    };

    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
