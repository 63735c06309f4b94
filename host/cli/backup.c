/* SPDX-License-Identifier: MPL-2.0 */
/* backup and restore: a file of the user's choice, outside of the state folder. */
#include "cli/cli.h"

#include "cli/prompt.h"
#include "core/wiping_alloc.h"
#include "vault/backup.h"
#include "vault/disk.h"
#include "vault/draft.h"
#include "vault/storage_problem.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

/* Not the name that the user chose: with the mark behind it, that could be too long for the disk. */
#define DRAFT_OF_BACKUP "thunderseal-backup"

#define PASSPHRASE_CHARACTERS 12 /* of a shorter one is warned */

static int tell(const struct problem *problem)
{
    json_t *told = problem_to_json(problem);
    int status = cli_tell_problem(told);

    json_decref(told);
    return status;
}

static int refuse(const char *sentences)
{
    fprintf(stderr, "thunderseal: %s\n", sentences);
    return EX_USAGE;
}

static int tell_errno(const char *done, const char *path, int error)
{
    struct problem problem = {0};

    if (error == EEXIST)
        problem_setf(&problem, PROBLEM_STORAGE, "Choose another name: a backup never replaces a file.",
                     "%s is there already.", path);
    else
        storage_problem(&problem, done, path, error);
    return tell(&problem);
}

/* ---- backup ---- */

/* The folder that holds path, and in *name what path is called there. */
static int open_folder_of(const char *path, const char **name)
{
    const char *slash = strrchr(path, '/');
    char *folder;
    int descriptor;

    *name = slash == NULL ? path : slash + 1;
    if (slash == NULL)
        return disk_open(AT_FDCWD, ".", O_RDONLY | O_DIRECTORY);
    folder = strndup(path, slash == path ? 1 : (size_t)(slash - path));
    if (folder == NULL)
        return -1;
    descriptor = disk_open(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY);
    free(folder);
    return descriptor;
}

/* The file has its name only once it is whole. What a killed backup left in this folder is swept away first.
 */
static int write_new(int folder, const char *name, const unsigned char *bytes, size_t length)
{
    struct draft draft;
    int error;

    draft_sweep(folder, DRAFT_OF_BACKUP DRAFT_MARK);
    if (draft_write(&draft, folder, DRAFT_OF_BACKUP, bytes, length) != 0)
        return -1;
    if (draft_publish_new(&draft, name) == 0) {
        if (disk_sync_folder(folder) == 0)
            return 0;
        error = errno;
        (void)disk_remove(folder, name);
    } else {
        error = errno;
        draft_drop(&draft);
    }
    errno = error;
    return -1;
}

static int write_backup(const char *path, const char *data)
{
    size_t room = strlen(data) / 4 * 3 + 3, length = 0;
    unsigned char *bytes = malloc(room);
    const char *name;
    int folder = open_folder_of(path, &name), status = 0;

    if (bytes == NULL)
        errno = ENOMEM;
    if (bytes == NULL || folder < 0 ||
        sodium_base642bin(bytes, room, data, strlen(data), NULL, &length, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        write_new(folder, name, bytes, length) != 0)
        status = tell_errno("written", path, errno);
    if (folder >= 0)
        close(folder);
    free(bytes);
    return status;
}

/* Said before a passphrase is asked for. */
static int check_free(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0 ? tell_errno("written", path, EEXIST) : 0;
}

static int refuse_passphrase(void)
{
    return wiping_refused() != 0 ? cli_no_memory()
                                 : refuse("The passphrase is not valid UTF-8. Check where it comes from.");
}

/* Refused it is not: the file may lie where nobody gets at it. */
static void warn_of_short(const struct secret *passphrase)
{
    const char *text = secret_expose(passphrase);
    size_t characters = 0, i;

    for (i = 0; i < passphrase->length; i++)
        characters += ((unsigned char)text[i] & 0xc0) != 0x80; /* but what continues one in UTF-8 */
    if (characters < PASSPHRASE_CHARACTERS)
        fprintf(
            stderr,
            "thunderseal: The passphrase has fewer than %d characters, so whoever gets the file may guess "
            "it. Make another backup with a longer one, such as five random words.\n",
            PASSPHRASE_CHARACTERS);
}

static int key_params(const struct cli_options *options, json_t *params)
{
    struct secret passphrase = {0};
    int status;

    if (options->recipient != NULL)
        return json_object_set_new(params, "recipient", json_string(options->recipient)) == 0 ? 0 : EX_USAGE;
    status = cli_read_passphrase(options->passphrase_fd, "Passphrase for the backup", true, &passphrase);
    if (status == 0 && json_object_set_new(params, "passphrase",
                                           json_stringn(secret_expose(&passphrase), passphrase.length)) != 0)
        status = refuse_passphrase();
    if (status == 0)
        warn_of_short(&passphrase);
    secret_wipe(&passphrase);
    return status;
}

/* What is not in the backup, though it was to be. */
static void tell_missing(const json_t *accounts)
{
    json_t *account;
    size_t i;

    json_array_foreach((json_t *)accounts, i, account)
    {
        fputs("thunderseal: The sign-in of ", stderr);
        cli_print_text(stderr, json_string_value(account));
        fputs(" is not in it: it cannot be read. \"thunderseal status\" says why.\n", stderr);
    }
}

/* Whether an account is signed in; told only to a person, so a list that fails is a yes. */
static bool any_signed_in(struct cli *cli)
{
    int status = 0;
    json_t *accounts = cli_all_accounts(cli, &status), *account;
    bool any = accounts == NULL;
    size_t i;

    json_array_foreach(accounts, i, account)
    {
        any = any || json_is_object(json_object_get(account, "refreshToken"));
    }
    json_decref(accounts);
    return any;
}

int command_backup(struct cli *cli)
{
    const char *path = cli->options.arguments[0];
    json_t *params, *result;
    int status;

    status = check_free(path);
    if (status != 0)
        return status;
    params = json_pack("{s:b}", "tokens", !cli->options.without_tokens);
    status = key_params(&cli->options, params);
    if (status != 0) {
        json_decref(params);
        return status;
    }
    result = cli_call(cli, "backup.create", params, &status);
    if (result == NULL)
        return status;
    status = write_backup(path, json_string_value(json_object_get(result, "data")));
    if (status != 0)
        return status;
    tell_missing(json_object_get(result, "missing"));
    if (cli->options.json) {
        json_t *told = json_pack("{s:s, s:O*}", "file", path, "missing", json_object_get(result, "missing"));
        status = cli_print_json(told);
        json_decref(told);
        return status;
    }
    fputs("The backup is in ", stdout);
    cli_print_text(stdout, path);
    puts(cli->options.without_tokens ? ": accounts without their sign-ins."
         : any_signed_in(cli)        ? ": whoever opens it can read the mail of its accounts."
                                     : ": no account is signed in, so there are no sign-ins in it.");
    return 0;
}

/* ---- restore ---- */

/* Whoever owns it and wherever it lies: what is in it must prove itself. The length, or -1 with errno;
 * EFBIG is no plain file either. */
static ssize_t read_file(const char *path, unsigned char *bytes, size_t size)
{
    int descriptor = disk_open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY), error;
    struct stat status;
    size_t length = 0;
    ssize_t got = -1;

    if (descriptor < 0)
        return -1;
    if (fstat(descriptor, &status) == 0 && !S_ISREG(status.st_mode))
        errno = EFBIG;
    else
        do {
            got = read(descriptor, bytes + length, size - length);
            length += got > 0 ? (size_t)got : 0;
        } while ((got > 0 && length < size) || (got < 0 && errno == EINTR));
    error = errno;
    close(descriptor);
    errno = length == size ? EFBIG : error;
    return got < 0 || length == size ? -1 : (ssize_t)length;
}

/* The file as base64 in *data, the caller's. 0, or an exit status after telling. */
static int read_backup(const char *path, struct backup_head *head, char **data)
{
    struct problem problem = {0};
    unsigned char *bytes = malloc(BACKUP_MAX + 1);
    ssize_t length = bytes == NULL ? -1 : read_file(path, bytes, BACKUP_MAX + 1);
    size_t size = length < 0 ? 0 : sodium_base64_encoded_len((size_t)length, sodium_base64_VARIANT_ORIGINAL);
    int status = 0;

    *data = length < 0 ? NULL : malloc(size);
    if (length < 0 && errno == EFBIG) {
        problem_setf(&problem, PROBLEM_VAULT_DAMAGED,
                     "Give the name of a file that \"thunderseal backup\" has made.",
                     "%s is no plain file, or too large for a backup.", path);
        status = tell(&problem);
    } else if (*data == NULL) {
        status = tell_errno("read", path, errno);
    } else {
        (void)backup_parse(bytes, (size_t)length, head); /* for the prompt; the service judges */
        sodium_bin2base64(*data, size, bytes, (size_t)length, sodium_base64_VARIANT_ORIGINAL);
    }
    free(bytes);
    return status;
}

static void tell_each(const json_t *accounts, const char *what)
{
    json_t *account;
    size_t i;

    json_array_foreach((json_t *)accounts, i, account)
    {
        cli_print_text(stdout, json_string_value(account));
        printf("  %s\n", what);
    }
}

static int tell_restored(const struct cli *cli, const json_t *result)
{
    if (cli->options.json)
        return cli_print_json(result);
    tell_each(json_object_get(result, "accounts"), "is back");
    tell_each(json_object_get(result, "signedOut"), "needs a sign-in: thunderseal login");
    tell_each(json_object_get(result, "kept"),
              "stays as it is here: the backup has nothing newer, or policy does not allow it");
    return 0;
}

int command_restore(struct cli *cli)
{
    const char *path = cli->options.arguments[0];
    struct backup_head head = {0};
    struct secret passphrase = {0};
    json_t *params = NULL, *result;
    char *data = NULL;
    int status = read_backup(path, &head, &data);

    if (status == 0 && head.way != 0)
        status =
            cli_read_passphrase(cli->options.passphrase_fd,
                                head.way == BACKUP_BY_PASSPHRASE ? "Passphrase of the backup"
                                                                 : "Secret key of its recipient (base64)",
                                false, &passphrase);
    if (status == 0) {
        params = json_pack("{s:s}", "data", data);
        if (passphrase.length > 0 &&
            json_object_set_new(params, "passphrase",
                                json_stringn(secret_expose(&passphrase), passphrase.length)) != 0)
            status = refuse_passphrase();
    }
    secret_wipe(&passphrase);
    free(data);
    if (status != 0) {
        json_decref(params);
        return status;
    }
    result = cli_call(cli, "backup.restore", params, &status);
    return result == NULL ? status : tell_restored(cli, result);
}
