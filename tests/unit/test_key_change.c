/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Changes of the device key, killed at every call that changes the disk: afterwards each sign-in opens, with
 * a key that is found, and what was begun is finished or undone. The service runs as in the program; its
 * child is this program again, with a keyring that is a folder.
 */
#include "test_vault_fixture.h"

#include "core/wiping_alloc.h"
#include "net/https.h"
#include "net/loop.h"
#include "service/service.h"
#include "vault/key_task.h"
#include "vault/vault_change.h"
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

/* More calls than any change makes here. */
#define CALLS_MAX 120
#define PASSPHRASE "a passphrase"

static const char *const names[] = {"00000000000000000000000000000001", "00000000000000000000000000000002"};
#define NAMES (sizeof names / sizeof *names)

/* ---- the keyring in the child: one file a key ---- */

static void keyring_path(char path[256], const unsigned char id[ENVELOPE_KEY_ID_SIZE])
{
    char hex[2 * ENVELOPE_KEY_ID_SIZE + 1];

    sodium_bin2hex(hex, sizeof hex, id, ENVELOPE_KEY_ID_SIZE);
    snprintf(path, 256, "%s/keyring/%s", getenv("HOME"), hex);
}

static void ask_keyring(const struct key_task *task, struct key_answer *answer)
{
    unsigned char secret[ENVELOPE_KEY_SIZE];
    char path[256];
    FILE *file;

    keyring_path(path, task->key_id);
    answer->outcome = KEY_DONE;
    if (task->kind == KEY_TASK_DROP) {
        (void)unlink(path);
        return;
    }
    file = fopen(path, task->kind == KEY_TASK_STORE ? "w" : "r");
    if (file == NULL)
        answer->outcome = KEY_ABSENT;
    else if (task->kind == KEY_TASK_STORE)
        (void)!fwrite(task->secret.bytes, 1, ENVELOPE_KEY_SIZE, file);
    else if (fread(secret, 1, sizeof secret, file) == sizeof secret)
        (void)secret_set(&answer->secret, secret, sizeof secret);
    if (file != NULL)
        fclose(file);
}

static int run_child(void)
{
    struct key_task task = {0};
    struct key_answer answer = {.outcome = KEY_FAILED};

    passphrase_cost_default = (struct passphrase_cost){.passes = 1, .kib = 8};
    if (key_task_receive(KEY_CHILD_FD, &task) != 0)
        return 1;
    if (task.kind == KEY_TASK_WRAP) {
        if (passphrase_wrap(answer.wrapped, &task.secret, task.key_id, &task.passphrase,
                            &passphrase_cost_default) == 0)
            answer.outcome = KEY_DONE;
    } else if (task.kind == KEY_TASK_OPEN) {
        answer.outcome = passphrase_open(&answer.secret, task.wrapped, &task.passphrase) == PASSPHRASE_OPENED
                             ? KEY_DONE
                             : KEY_WRONG_PASSPHRASE;
    } else {
        ask_keyring(&task, &answer);
    }
    return key_answer_send(KEY_CHILD_FD, &answer) == 0 ? 0 : 1;
}

/* ---- a session of the service ---- */

struct session {
    struct loop *loop;
    struct service *service;
    json_t *reply;
};

static void take_message(void *context, json_t *message)
{
    struct session *session = context;

    if (json_object_get(message, "id") == NULL)
        return;
    json_decref(session->reply);
    session->reply = json_incref(message);
    loop_stop(session->loop);
}

static void settled(void *context)
{
    loop_stop(((struct session *)context)->loop);
}

/* The result, borrowed; NULL for an error. */
static json_t *call(struct session *session, const char *method, json_t *params)
{
    json_decref(session->reply);
    session->reply = NULL;
    service_handle(session->service, json_pack("{s:s, s:i, s:s, s:o}", "jsonrpc", "2.0", "id", 1, "method",
                                               method, "params", params));
    while (session->reply == NULL)
        loop_run(session->loop);
    return json_object_get(session->reply, "result");
}

/* Starts as a command does: waits for the key, gives the passphrase when it is needed, and for what is left
 * of a change. */
static void open_session(struct session *session)
{
    const struct service_client client = {
        .send = take_message, .own = true, .settled = settled, .context = session};
    struct problem problem = {0};

    memset(session, 0, sizeof *session);
    session->loop = loop_new();
    session->service = service_new(session->loop, &client, &problem);
    assert_non_null(session->service);
    assert_non_null(call(session, "hello",
                         json_pack("{s:i, s:{s:s}, s:{s:s}}", "protocol", 1, "extension", "version", "0",
                                   "thunderbird", "version", "0")));
    while (service_key_comes(session->service))
        loop_run(session->loop);
    if (service_passphrase(session->service) == PASSPHRASE_NEEDED)
        assert_non_null(call(session, "vault.unlock", json_pack("{s:s}", "passphrase", PASSPHRASE)));
    while (service_must_wait(session->service) || service_key_comes(session->service))
        loop_run(session->loop);
}

static void close_session(struct session *session)
{
    json_decref(session->reply);
    service_free(session->service);
    loop_free(session->loop);
}

static json_t *change_to(struct session *session, const char *store)
{
    json_t *params = json_object();

    if (store != NULL)
        json_object_set_new(params, "to", json_string(store));
    json_object_set_new(params, "passphrase", json_string(PASSPHRASE));
    return call(session, "key.change", params);
}

/* ---- what must hold ---- */

static int count_files(const char *folder, const char *part)
{
    char command_path[256];
    DIR *stream;
    const struct dirent *found;
    int count = 0;

    snprintf(command_path, sizeof command_path, "%s/%s", base_folder, folder);
    stream = opendir(command_path);
    if (stream == NULL)
        return 0;
    while ((found = readdir(stream)) != NULL)
        count += found->d_name[0] != '.' && strstr(found->d_name, part) != NULL;
    closedir(stream);
    return count;
}

static size_t copied_length;
static const char *copied_to;

static int copy_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    static unsigned char bytes[FILE_ROOM];
    char target[256];
    int from, to;
    ssize_t length;

    (void)place;
    snprintf(target, sizeof target, "%s/%s%s", base_folder, copied_to, path + copied_length);
    if (type == FTW_D)
        return mkdir(target, status->st_mode & 0777);
    from = open(path, O_RDONLY);
    to = open(target, O_WRONLY | O_CREAT | O_EXCL, status->st_mode & 0777);
    length = read(from, bytes, sizeof bytes);
    if (length < 0 || write(to, bytes, (size_t)length) != length)
        return -1;
    close(from);
    close(to);
    return 0;
}

static void copy_tree(const char *from, const char *to)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", base_folder, to);
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    snprintf(path, sizeof path, "%s/%s", base_folder, from);
    copied_length = strlen(path);
    copied_to = to;
    assert_int_equal(nftw(path, copy_one, 16, FTW_PHYS), 0);
}

/* A vault with this store, made once and then copied. */
static void make_home(const char *store)
{
    struct session session;
    struct vault *vault;
    char made[64], keyring[64], path[128];
    size_t i;

    (void)start_afresh(NULL);
    snprintf(made, sizeof made, "made-%s", store);
    snprintf(keyring, sizeof keyring, "keyring-%s", store);
    snprintf(path, sizeof path, "%s/%s", base_folder, made);
    if (access(path, F_OK) == 0) {
        copy_tree(made, "state");
        copy_tree(keyring, "keyring");
        return;
    }
    snprintf(path, sizeof path, "%s/keyring", base_folder);
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    assert_int_equal(mkdir(path, 0700), 0);
    vault = open_vault();
    for (i = 0; i < NAMES; i++) {
        must_write(vault, names[i], 1, "before");
        must_write(vault, names[i], 2, "one");
    }
    vault_close(vault);
    if (strcmp(store, "file") != 0) {
        open_session(&session);
        assert_non_null(change_to(&session, store));
        close_session(&session);
    }
    copy_tree("state", made);
    copy_tree("keyring", keyring);
}

static void assert_payload(struct vault *vault, const char *name)
{
    struct vault_entry entry = {0};
    struct problem problem = {0};

    assert_int_equal(vault_read(vault, name, &entry, &problem), 0);
    if (entry.payload.bytes == NULL || entry.problem.kind != PROBLEM_NONE)
        fail_msg("%s: %s", name, entry.problem.cause);
    assert_string_equal(secret_expose(&entry.payload), "one");
    assert_int_equal(entry.generation, 2);
    vault_entry_clear(&entry);
}

/* What the program has its child do. */
static void bring_key(struct vault *vault, const struct secret *passphrase)
{
    struct key_task task = {0};
    struct key_answer answer = {0};
    struct problem problem;

    if (vault_want(vault) == VAULT_WANTS_NOTHING)
        return;
    assert_int_equal(vault_key_task(vault, passphrase, &task, &problem), 0);
    if (task.kind == KEY_TASK_LOOK_UP)
        ask_keyring(&task, &answer);
    else if (passphrase_open(&answer.secret, task.wrapped, &task.passphrase) != PASSPHRASE_OPENED)
        answer.outcome = KEY_WRONG_PASSPHRASE;
    assert_int_equal(vault_key_take(vault, &task, &answer, &problem), 0);
    key_task_clear(&task);
    secret_wipe(&answer.secret);
}

/* Opens the vault on its own, as another process would, with what the stores have. */
static void assert_all_open(void)
{
    struct vault *vault = open_vault();
    struct secret passphrase = {0};
    size_t i;

    assert_int_equal(secret_set(&passphrase, PASSPHRASE, strlen(PASSPHRASE)), 0);
    bring_key(vault, &passphrase);
    for (i = 0; i < NAMES; i++)
        assert_payload(vault, names[i]);
    assert_int_equal(count_files("state/thunderseal/identities", "damaged"), 0);
    assert_int_equal(count_files("state/thunderseal/identities", ".prev"), NAMES);
    secret_wipe(&passphrase);
    vault_close(vault);
}

/* No second key is left anywhere, and no draft. */
static void assert_tidy(void)
{
    static unsigned char record[FILE_ROOM];
    size_t length = read_bytes("vault.json", record);

    record[length] = '\0';
    assert_null(strstr((char *)record, "next"));
    assert_null(strstr((char *)record, "old"));
    assert_false(exists("key.next"));
    assert_int_equal(count_files("keyring", ""), strstr((char *)record, "secret-service") != NULL);
    assert_int_equal(exists("key"), strstr((char *)record, "secret-service") == NULL);
    assert_int_equal(count_files("state/thunderseal", ".tmp-"), 0);
    assert_int_equal(count_files("state/thunderseal/identities", ".tmp-"), 0);
}

/* ---- killed at every call ---- */

/* In a child: the change with the call number at being its last. Whether that call was made. */
static bool killed(const char *to, long at)
{
    struct session session;
    int status;
    pid_t process = fork();

    assert_true(process >= 0);
    if (process == 0) {
        open_session(&session);
        disk_fault = (struct disk_fault){.at = at, .error = DISK_FAULT_KILL};
        if (change_to(&session, to) == NULL)
            _exit(1);
        while (service_must_wait(session.service))
            loop_run(session.loop);
        _exit(0);
    }
    assert_int_equal(waitpid(process, &status, 0), process);
    if (WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGKILL);
        return true;
    }
    assert_int_equal(WEXITSTATUS(status), 0);
    return false;
}

/* Each child that stands for a keyring or for Argon2id costs a tenth of a second: where there are two of
 * them, step is more than 1. */
static void kill_everywhere(const char *from, const char *to, long step)
{
    struct session session;
    bool reached = true;
    long at;

    for (at = 1; at < CALLS_MAX && reached; at += step) {
        make_home(from);
        reached = killed(to, at);
        open_session(&session);
        close_session(&session);
        assert_all_open();
        assert_tidy();
    }
    assert_true(at > 20 && at < CALLS_MAX);
    print_message("%s to %s: killed at each %ld of %ld calls\n", from, to == NULL ? "itself" : to, step,
                  at - step - 1);
}

static void test_a_killed_rotation_of_a_key_file(void **state)
{
    (void)state;
    kill_everywhere("file", NULL, 1);
}

static void test_a_killed_move_into_the_keyring(void **state)
{
    (void)state;
    kill_everywhere("file", "secret-service", 2);
}

static void test_a_killed_move_from_the_keyring_under_a_passphrase(void **state)
{
    (void)state;
    kill_everywhere("secret-service", "passphrase", 4);
}

static void test_a_killed_move_from_a_passphrase_into_a_file(void **state)
{
    (void)state;
    kill_everywhere("passphrase", "file", 4);
}

/* ---- failures, and what goes on meanwhile ---- */

static void test_a_failed_change_leaves_a_vault_that_opens(void **state)
{
    struct session session;
    bool reached = true;
    long at;

    (void)state;
    for (at = 1; at < CALLS_MAX && reached; at++) {
        make_home("file");
        open_session(&session);
        disk_fault = (struct disk_fault){.at = at, .error = ENOSPC};
        (void)change_to(&session, NULL);
        reached = disk_fault.calls >= at;
        disk_fault = (struct disk_fault){0};
        assert_all_open();
        close_session(&session);
        /* The next start finishes, or has nothing to do. */
        open_session(&session);
        close_session(&session);
        assert_all_open();
        assert_tidy();
    }
    assert_true(at > 20 && at < CALLS_MAX);
}

/* One recipient more makes a file longer than any that is read. */
static void test_a_file_that_would_grow_too_large_is_not_sealed_anew(void **state)
{
    static char text[VAULT_FILE_MAX];
    static const size_t around = 6 + 8 + 4 + sizeof "{\"account\":\"\"}" - 1 + 32 + 1 + 88 + 24 + 16 + 32;
    const unsigned char recovery[VAULT_RECOVERY_KEY_SIZE] = {9};
    const struct key_answer answer = {.outcome = KEY_DONE};
    struct key_task task = {0};
    struct problem problem = {0};
    struct vault *vault;
    bool done;

    (void)state;
    make_home("file");
    vault = open_vault();
    memset(text, 'x', sizeof text - around);
    must_write(vault, names[0], 3, text);
    vault_set_recovery_key(vault, recovery);
    assert_int_equal(vault_change_begin(vault, KEY_STORE_FILE, NULL, &task, &problem), 0);
    assert_int_equal(vault_change_kept(vault, &task, &answer, &problem), 0);
    key_task_clear(&task);
    assert_int_equal(vault_change_go_on(vault, NULL, 0, &done, &problem), -1);
    assert_int_equal(problem.kind, PROBLEM_STORAGE);
    vault_close(vault);
    vault = open_vault();
    assert_int_equal(write_text(vault, names[0], 3, "one", &problem), -1); /* it is still there */
    must_write(vault, names[0], 4, "one");
    assert_int_equal(count_files("state/thunderseal/identities", "damaged"), 0);
    vault_close(vault);
}

/* A program that runs on keeps no other from finishing what it could not. */
static void test_what_one_program_could_not_finish_another_may(void **state)
{
    struct session runs_on, other;
    char sealed[128];

    (void)state;
    make_home("file");
    assert_true(killed(NULL, 20));
    snprintf(sealed, sizeof sealed, "identities/%s.sealed", names[1]);
    assert_int_equal(chmod(in_state(sealed), 0660), 0);
    open_session(&runs_on);
    assert_int_equal(chmod(in_state(sealed), 0600), 0);
    open_session(&other);
    assert_all_open();
    assert_tidy();
    close_session(&other);
    close_session(&runs_on);
}

/* A vault that was open all the time goes on reading and writing, and what it writes opens afterwards. */
static void test_a_vault_that_is_open_takes_over_the_new_key(void **state)
{
    static const char *const targets[] = {"secret-service", "file"};
    struct secret passphrase = {0};
    struct session session;
    struct problem problem;
    struct vault *vault;
    size_t i;

    (void)state;
    make_home("file");
    vault = open_vault();
    for (i = 0; i < sizeof targets / sizeof *targets; i++) {
        open_session(&session);
        assert_non_null(change_to(&session, targets[i]));
        close_session(&session);
        if (i == 0) { /* refused until the keyring was asked; nothing is set aside meanwhile */
            assert_int_equal(write_text(vault, names[0], 3, "one", &problem), -1);
            assert_int_equal(problem.kind, PROBLEM_VAULT_LOCKED);
            assert_true(vault_want(vault) == VAULT_WANTS_LOOK_UP);
            bring_key(vault, &passphrase);
        }
        must_write(vault, names[0], 3 + i, "one");
        assert_int_equal(count_files("state/thunderseal/identities", "damaged"), 0);
    }
    vault_close(vault);
    vault = open_vault();
    assert_payload(vault, names[1]);
    must_write(vault, names[0], 9, "one");
    vault_close(vault);
}

/* ---- whoever can write to the folder ---- */

/* Puts a plain key of a stranger's under this name. The id of it in hex, static. */
static const char *put_stranger(const char *file)
{
    static char hex[2 * ENVELOPE_KEY_ID_SIZE + 1];
    unsigned char bytes[6 + ENVELOPE_KEY_SIZE] = {'T', 'S', 'K', 'E', 'Y', 1};
    struct secret secret = {0};
    struct envelope_key key = {0};

    memset(bytes + 6, 0x5a, ENVELOPE_KEY_SIZE);
    write_bytes(file, bytes, sizeof bytes);
    assert_int_equal(secret_set(&secret, bytes + 6, ENVELOPE_KEY_SIZE), 0);
    assert_int_equal(envelope_key_derive(&key, &secret), 0);
    sodium_bin2hex(hex, sizeof hex, key.recipient.id, ENVELOPE_KEY_ID_SIZE);
    envelope_key_wipe(&key);
    secret_wipe(&secret);
    return hex;
}

static json_t *read_record(void)
{
    json_t *record = json_load_file(in_state("vault.json"), 0, NULL);

    assert_non_null(record);
    return record;
}

static void write_record(json_t *record)
{
    assert_int_equal(json_dump_file(record, in_state("vault.json"), 0), 0);
    json_decref(record);
}

static void test_a_key_that_others_put_there_does_not_become_the_next(void **state)
{
    static const char *const stores[] = {"secret-service", "passphrase"};
    struct session session;
    json_t *before, *after, *planted;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof stores / sizeof *stores; i++) {
        make_home(stores[i]);
        before = read_record();
        planted = json_deep_copy(before);
        json_object_set_new(planted, "next",
                            json_pack("{s:s, s:s}", "keystore", "file", "keyId", put_stranger("key.next")));
        write_record(planted);
        open_session(&session);
        close_session(&session);
        after = read_record();
        assert_true(json_equal(before, after));
        assert_all_open();
        assert_tidy();
        json_decref(before);
        json_decref(after);
    }
}

static void test_a_key_that_others_put_there_does_not_become_that_of_a_running_program(void **state)
{
    static const char *const stores[] = {"secret-service", "passphrase"};
    static const bool recorded[] = {true, false};
    struct secret passphrase = {0};
    struct problem problem;
    struct vault *vault;
    json_t *before;
    size_t i, j;

    (void)state;
    assert_int_equal(secret_set(&passphrase, PASSPHRASE, strlen(PASSPHRASE)), 0);
    for (i = 0; i < sizeof stores / sizeof *stores; i++)
        for (j = 0; j < sizeof recorded / sizeof *recorded; j++) {
            make_home(stores[i]);
            vault = open_vault();
            bring_key(vault, &passphrase);
            assert_payload(vault, names[0]);
            before = read_record();
            if (exists("key"))
                assert_int_equal(rename(in_state("key"), in_state("key.away")), 0);
            if (recorded[j])
                write_record(json_pack("{s:i, s:s, s:s}", "version", 1, "keystore", "file", "keyId",
                                       put_stranger("key")));
            else
                assert_int_equal(unlink(in_state("vault.json")), 0);
            (void)put_stranger("key");
            assert_int_equal(write_text(vault, names[0], 3, "three", &problem), -1);
            assert_int_equal(problem.kind, PROBLEM_VAULT_LOCKED);
            assert_payload(vault, names[0]);
            vault_close(vault);
            assert_int_equal(unlink(in_state("key")), 0);
            if (exists("key.away"))
                assert_int_equal(rename(in_state("key.away"), in_state("key")), 0);
            write_record(before);
            assert_all_open();
        }
    secret_wipe(&passphrase);
}

static int open_all(void **state)
{
    if (open_arena(state) != 0 || https_global_init() != 0)
        return -1;
    json_set_alloc_funcs(wiping_malloc, wiping_free);
    setenv("HOME", base_folder, 1);
    snprintf(state_folder, sizeof state_folder, "%s/state", base_folder);
    setenv("XDG_STATE_HOME", state_folder, 1);
    snprintf(state_folder, sizeof state_folder, "%s/state/thunderseal", base_folder);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_killed_rotation_of_a_key_file),
        cmocka_unit_test(test_a_killed_move_into_the_keyring),
        cmocka_unit_test(test_a_killed_move_from_the_keyring_under_a_passphrase),
        cmocka_unit_test(test_a_killed_move_from_a_passphrase_into_a_file),
        cmocka_unit_test(test_a_failed_change_leaves_a_vault_that_opens),
        cmocka_unit_test(test_a_file_that_would_grow_too_large_is_not_sealed_anew),
        cmocka_unit_test(test_what_one_program_could_not_finish_another_may),
        cmocka_unit_test(test_a_vault_that_is_open_takes_over_the_new_key),
        cmocka_unit_test(test_a_key_that_others_put_there_does_not_become_the_next),
        cmocka_unit_test(test_a_key_that_others_put_there_does_not_become_that_of_a_running_program),
    };

    if (argc == 2 && strcmp(argv[1], KEY_CHILD_ARGUMENT) == 0)
        return sodium_init() < 0 || secret_arena_open() != 0 ? 1 : run_child();
    return cmocka_run_group_tests(tests, open_all, close_arena);
}
