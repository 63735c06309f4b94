/* SPDX-License-Identifier: MPL-2.0 */
/* Who can open what is sealed: the device and, if there is a recovery key, who holds its other half. */
#include "vault/identity_lock.h"
#include "vault/vault_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A write of another process takes some milliseconds. */
#define LOCK_WAIT_MS 500

_Static_assert(VAULT_RECOVERY_KEY_SIZE == ENVELOPE_KEY_SIZE, "a recovery key is a recipient like any other");

void vault_set_recovery_key(struct vault *vault, const unsigned char public_key[VAULT_RECOVERY_KEY_SIZE])
{
    memcpy(vault->recovery.public_key, public_key, ENVELOPE_KEY_SIZE);
    envelope_recipient_identify(&vault->recovery);
    vault->has_recovery = true;
}

int vault_seal(const struct vault *vault, const struct envelope_key *key, struct envelope_content *content,
               unsigned char **sealed, size_t *sealed_length)
{
    content->others = vault->has_recovery ? &vault->recovery : NULL;
    content->other_count = vault->has_recovery ? 1 : 0;
    errno = ENOMEM;
    if (envelope_seal(key, content, sealed, sealed_length) != 0)
        return -1;
    if (*sealed_length <= VAULT_FILE_MAX)
        return 0;
    /* Nobody would read it again. */
    free(*sealed);
    *sealed = NULL;
    errno = EFBIG;
    return -1;
}

/* ---- when they change ---- */

static bool is_outdated(const struct vault *vault, const struct envelope_key *key,
                        const struct envelope *envelope)
{
    const struct envelope_recipient *const recipients[] = {&key->recipient, &vault->recovery};

    return !envelope_sealed_to(envelope, recipients, vault->has_recovery ? 2 : 1);
}

/* By what it says, which costs nothing: each start asks it of every file. */
static bool looks_outdated(struct vault *vault, int folder, const char *file)
{
    struct file_read read = {
        .buffer = vault->buffer, .size = VAULT_FILE_MAX + 1, .forbidden = FILE_NOT_WRITABLE_BY_OTHERS};
    struct envelope envelope;

    return file_read(folder, file, &read) == FILE_READ &&
           envelope_parse(vault->buffer, read.length, &envelope) == 0 &&
           is_outdated(vault, &vault->key, &envelope);
}

/* To the device key that it is sealed to: while that is being changed, the other one is right, too. */
static void follow(struct vault *vault, int folder, const char *name, const char *file)
{
    struct identity_lock lock = {.descriptor = -1};
    struct secret payload = {0};
    struct problem ignored;
    struct copy copy;

    if (identity_lock_wait(&lock, vault, name, IDENTITY_LOCK_WRITE, LOCK_WAIT_MS) == IDENTITY_LOCK_HAD) {
        vault_examine(vault, folder, name, file + strlen(name), &copy, &payload, &ignored);
        if (copy.state == COPY_GENUINE && is_outdated(vault, copy.key, &copy.envelope))
            (void)vault_seal_anew(vault, folder, name, file, copy.key, &copy, &payload, &ignored);
    }
    secret_wipe(&payload);
    identity_lock_release(&lock);
}

/*
 * The previous generation is sealed anew and not removed: its refresh token may be good for as long as the
 * current one, so a key that was withdrawn must not open it; and it still serves when the current one is
 * damaged. What was set aside as damaged stays as it is: nobody can tell what is in it.
 */
void vault_follow_recipients(struct vault *vault)
{
    struct folder_names list;
    struct problem ignored;
    char name[VAULT_NAME_SIZE];
    int folder = vault->has_key ? folder_open(vault->identities, &ignored) : -1;
    size_t i;

    if (folder < 0)
        return;
    if (folder_list(folder, "", &list) == 0) {
        for (i = 0; i < list.count; i++)
            if (vault_name_in(list.names[i], name) && looks_outdated(vault, folder, list.names[i]))
                follow(vault, folder, name, list.names[i]);
        folder_names_clear(&list);
    }
    close(folder);
}
