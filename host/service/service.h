/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The service: the protocol's methods on top of core, vault and net. One client at a time talks to it:
 * Thunderbird through native messaging, or a command of our own.
 */
#ifndef THUNDERSEAL_SERVICE_SERVICE_H
#define THUNDERSEAL_SERVICE_SERVICE_H

#include "core/problem.h"
#include "core/settings.h"
#include "net/loop.h"
#include "service/log.h"
#include <jansson.h>
#include <stdbool.h>

struct service; /* owned by the caller of service_new */

struct service_client {
    /* One message to the client; borrowed. NULL: one that there was no memory to make. */
    void (*send)(void *context, json_t *message);
    /* Whether the client is slow to read: account.changed then waits for service_tell_changes. NULL: never.
     */
    bool (*congested)(void *context);
    bool own;     /* a command of this program: may call what is not part of the protocol */
    bool may_ask; /* somebody is there whom a keyring may ask for its password when we start */
    /* A token request is over: service_must_wait may have changed. NULL: of no interest. */
    void (*settled)(void *context);
    struct log *log; /* borrowed; NULL: nothing is logged */
    void *context;
};

/* Reads configuration and vault. NULL with *problem filled. The loop and what client points to stay the
 * caller's. */
struct service *service_new(struct loop *loop, const struct service_client *client, struct problem *problem);
void service_free(struct service *service);

/* One parsed message; takes it over. Replies come through the client, before the call returns or later. */
void service_handle(struct service *service, json_t *message);
/* Tells the client of a message that could not be parsed. */
void service_refuse(struct service *service, const struct problem *problem);
/* Sends the account.changed notifications that are due. */
void service_tell_changes(struct service *service);

/* Grants that are suspended may be tried again: once per start of a native-messaging host (DESIGN 3.5). */
void service_retry(struct service *service);
/* Whether the key is being fetched: what there is may be better told once it has come. */
bool service_key_comes(const struct service *service);
/* Ends the checks that ask others, unanswered: nobody is left who would cancel them. */
void service_drop_checks(struct service *service);
/* Whether something still has to reach the disk: a token request is on the wire, the key is
 * being changed. */
bool service_must_wait(const struct service *service);
/* Before leaving: a last try to save what could not be saved. */
void service_finish(struct service *service);
/* Name and protection of the key store, and why it is this one, for `status`. */
const char *service_keystore(const struct service *service);
const char *service_keystore_protection(const struct service *service);
const char *service_keystore_reason(const struct service *service);
/* Whether vault.unlock needs a passphrase: the one that opens the key, or one for a vault that is to be made.
 */
enum service_passphrase { PASSPHRASE_NONE, PASSPHRASE_NEEDED, PASSPHRASE_TO_CHOOSE };
enum service_passphrase service_passphrase(const struct service *service);
/* {consentUrl, scopes, tenant, cloud} for the administrator, by the configuration alone: no service is
 * needed. New reference, or NULL with *problem. */
json_t *service_consent(struct problem *problem);
/* {policy, sources, locked: [keys], files: [{path, source, state}], warnings: [Problem]}: the configuration
 * that a start now would have. No service is needed, no vault. New reference, or NULL with *problem. */
json_t *service_policy(struct problem *problem);
/* {file, ok, faults, warnings}, both [{message, pointer?, line?, column?}], of a configuration file ("-":
 * standard input). New reference, or NULL with *problem. */
json_t *service_policy_check(const char *path, struct problem *problem);
/* The settings that would be in force with these answers over the files; to be cleared in any case. 0, or -1
 * with *problem: among others, when the administrator has set one of them and it is not for everybody. */
int service_settings(struct settings *settings, const json_t *answers, bool for_everybody,
                     struct problem *problem);
/* Writes them into the user's file, or the administrator's; null takes a key out. Its path, to be freed, or
 * NULL with *problem: then the file is as it was. */
char *service_settings_write(const json_t *answers, bool for_everybody, struct problem *problem);
/* Adds ours to Thunderbird's policies.json at path, or takes it out: {file, changed, created}. NULL with
 * *problem: then the file is as it was. */
json_t *service_policy_merge(const char *path, bool remove, struct problem *problem);
/* {overall, checks} of the installation, each a Check of the protocol: it reads and asks, and changes
 * nothing; done within ten seconds. NULL out of memory. */
json_t *service_doctor(void);
/* A redirect URL pasted by the user, for the sign-in under way: true when it was the right answer. */
bool service_paste_redirect(struct service *service, const char *url);

#endif
