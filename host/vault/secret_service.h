/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The desktop's keyring, by libsecret, which is loaded when first needed: only the child that talks to the
 * keyring pays for it, and a computer without it works. Every call may wait long; see key_task.h.
 */
#ifndef THUNDERSEAL_VAULT_SECRET_SERVICE_H
#define THUNDERSEAL_VAULT_SECRET_SERVICE_H

#include "vault/key_task.h"

/* Called once before the user is asked. */
typedef void secret_service_asking(void *context);

/* Whether there may be a keyring: there is a session bus to ask on. Cheap; needs no child. */
bool secret_service_thinkable(void);

/* Does a KEY_TASK_LOOK_UP, KEY_TASK_STORE or KEY_TASK_DROP. Fills answer->secret after a look-up. */
void secret_service_do(const struct key_task *task, struct key_answer *answer, secret_service_asking *asking,
                       void *context);

#endif
