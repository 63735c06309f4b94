/* SPDX-License-Identifier: MPL-2.0 */
#include "service/keys.h"

#include "service/keys_parts.h"
#include "service/service_parts.h"
#include <stdlib.h>
#include <string.h>

/* While the keyring is locked it is asked again, without a word to the user: so everything goes on by itself.
 */
#define RETRY_FIRST_MS 500
#define RETRY_MAX_MS 30000
/* A request has a keyring asked again, but a burst of them does so once. */
#define RETRY_PAUSE_MS 1000

struct keys *keys_new(struct service *service)
{
    struct keys *keys = calloc(1, sizeof *keys);

    if (keys == NULL)
        return NULL;
    keys->service = service;
    keys->last_try = -RETRY_PAUSE_MS;
    return keys;
}

void keys_free(struct keys *keys)
{
    if (keys == NULL)
        return;
    key_worker_stop(keys->worker);
    key_worker_stop(keys->dropper);
    parked_free(keys);
    key_change_free(keys->change);
    loop_timer_cancel(keys->service->loop, keys->retry);
    key_task_clear(&keys->task);
    secret_wipe(&keys->passphrase);
    free(keys);
}

bool keys_fetching(const struct keys *keys)
{
    return keys->worker != NULL;
}

bool keys_busy(const struct keys *keys)
{
    return keys->dropper != NULL || keys->change != NULL;
}

/* ---- the end of a try ---- */

static void retry(void *context)
{
    struct keys *keys = context;
    struct problem problem;

    keys->retry = NULL;
    (void)keys_fetch(keys, false, NULL, &problem);
}

static void retry_later(struct keys *keys)
{
    if (keys->retry != NULL || vault_want(keys->service->vault) != VAULT_WANTS_LOOK_UP)
        return;
    keys->retry_ms = keys->retry_ms == 0 ? RETRY_FIRST_MS : keys->retry_ms * 2;
    if (keys->retry_ms > RETRY_MAX_MS)
        keys->retry_ms = RETRY_MAX_MS;
    keys->retry = loop_timer_start(keys->service->loop, keys->retry_ms, retry, keys);
}

void keys_dropped(void *context, struct key_answer *answer)
{
    struct keys *keys = context;

    (void)answer;
    keys->dropper = NULL;
    if (keys->service->client.settled != NULL)
        keys->service->client.settled(keys->service->client.context);
}

/* Another key may be wanted, too, while the key is being changed; the same passphrase may open both. */
static bool fetch_next(struct keys *keys, const unsigned char before[ENVELOPE_KEY_ID_SIZE])
{
    struct problem problem;

    if (memcmp(before, vault_wanted_id(keys->service->vault), ENVELOPE_KEY_ID_SIZE) == 0)
        return false;
    switch (vault_want(keys->service->vault)) {
    case VAULT_WANTS_LOOK_UP:
        return keys_fetch(keys, false, NULL, &problem);
    case VAULT_WANTS_PASSPHRASE:
        return keys->passphrase.length > 0 && keys_fetch(keys, false, &keys->passphrase, &problem);
    case VAULT_WANTS_NOTHING:
    case VAULT_WANTS_STORE:
    case VAULT_WANTS_NEW_PASSPHRASE:
    default:
        return false;
    }
}

static void opened(struct keys *keys)
{
    struct service *service = keys->service;

    loop_timer_cancel(service->loop, keys->retry);
    keys->retry = NULL;
    if (vault_want(service->vault) != VAULT_WANTS_LOOK_UP) /* a second key may still be missing */
        keys->retry_ms = 0;
    log_simple(service, LOG_VAULT_UNLOCKED);
    store_unlocked(service);
    if (service->retry_when_open) {
        service->retry_when_open = false;
        step_all(service, EVENT_RETRY);
    }
    audit_events_unlocked(service);
    key_change_resume(keys);
}

static void fetched(void *context, struct key_answer *answer)
{
    struct keys *keys = context;
    struct service *service = keys->service;
    unsigned char id[ENVELOPE_KEY_ID_SIZE];
    int result;

    keys->worker = NULL;
    keys->last_try = loop_monotonic_ms();
    if (keys->task.may_ask)
        keys->dismissed = answer->outcome == KEY_DISMISSED;
    memcpy(id, keys->task.key_id, sizeof id);
    result = vault_key_take(service->vault, &keys->task, answer, &keys->failure);
    if (result == 1 && keys->dropper == NULL)
        keys->dropper = key_worker_start(service->loop, &keys->task, keys_dropped, keys);
    key_task_clear(&keys->task);
    if (answer->outcome == KEY_DONE && fetch_next(keys, id))
        return;
    secret_wipe(&keys->passphrase);
    if (vault_locked(service->vault)->kind == PROBLEM_NONE)
        opened(keys);
    else {
        if (keys->retry_ms == 0) /* told once, however often it is tried again */
            log_problem(service, LOG_VAULT_LOCKED, vault_locked(service->vault));
        store_tell_locked(service);
    }
    retry_later(keys);
    parked_run(keys);
    entries_sweep(service);
    service_tell_changes(service);
    if (service->client.settled != NULL)
        service->client.settled(service->client.context);
}

/* ---- sending for it ---- */

bool keys_fetch(struct keys *keys, bool may_ask, const struct secret *passphrase, struct problem *problem)
{
    struct service *service = keys->service;

    /* A question that nobody may be asked gives way to one that somebody waits for. */
    if (keys->worker != NULL && passphrase == NULL && (keys->task.may_ask || !may_ask))
        return true;
    key_worker_stop(keys->worker);
    keys->worker = NULL;
    key_task_clear(&keys->task);
    if (passphrase != NULL && passphrase != &keys->passphrase &&
        secret_copy(&keys->passphrase, passphrase) != 0) {
        problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
        return false;
    }
    if (vault_key_task(service->vault, passphrase, &keys->task, problem) != 0 ||
        keys->task.kind == KEY_TASK_NONE) {
        secret_wipe(&keys->passphrase);
        return false;
    }
    keys->task.may_ask = may_ask;
    keys->worker = key_worker_start(service->loop, &keys->task, fetched, keys);
    if (keys->worker != NULL)
        return true;
    key_task_clear(&keys->task);
    problem_set(problem, PROBLEM_VAULT_LOCKED, "The program that asks for the key could not be started.",
                "Close other programs, then try again.");
    return false;
}

void keys_start(struct keys *keys)
{
    struct problem problem;

    if (vault_want(keys->service->vault) == VAULT_WANTS_LOOK_UP)
        (void)keys_fetch(keys, keys->service->client.may_ask, NULL, &problem);
    else
        key_change_resume(keys);
}

void keys_notice(struct keys *keys)
{
    struct problem problem;

    if (vault_want(keys->service->vault) == VAULT_WANTS_LOOK_UP && keys->worker == NULL &&
        keys->retry == NULL)
        (void)keys_fetch(keys, false, NULL, &problem);
}

/* ---- requests that wait ---- */

/* Those that hand out, or look at, what only the key opens; what writes is refused first, and then waits. */
static bool needs_open_vault(const char *method)
{
    static const char *const methods[] = {"token.get", "renew", "renewable", "health.check"};
    size_t i;

    for (i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(method, methods[i]) == 0)
            return true;
    return false;
}

bool keys_wait_before(struct keys *keys, const struct rpc_request *request)
{
    struct problem problem;

    if (keys->handling_again || !needs_open_vault(request->method))
        return false;
    if (vault_want(keys->service->vault) == VAULT_WANTS_LOOK_UP && keys->worker == NULL &&
        loop_monotonic_ms() - keys->last_try >= RETRY_PAUSE_MS)
        (void)keys_fetch(keys, false, NULL, &problem);
    return keys->worker != NULL && parked_add(keys, request);
}

bool keys_wait_after(struct keys *keys, const struct rpc_request *request, const struct problem *problem)
{
    enum vault_want want = vault_want(keys->service->vault);
    /* Somebody who signs in is there to be asked. */
    bool may_ask =
        strcmp(request->method, "signIn.start") == 0 || strcmp(request->method, "account.import") == 0;
    struct problem ignored;

    if (keys->handling_again || problem->kind != PROBLEM_VAULT_LOCKED)
        return false;
    /* A command is one wish of the user's, who has answered it: its start asked. */
    if (keys->service->client.own && keys->dismissed)
        return false;
    if (want == VAULT_WANTS_STORE || want == VAULT_WANTS_LOOK_UP)
        (void)keys_fetch(keys, may_ask, NULL, &ignored);
    return keys->worker != NULL && parked_add(keys, request);
}

/* ---- vault.unlock ---- */

static int read_passphrase(const json_t *params, struct secret *passphrase, struct problem *problem)
{
    const char *text = NULL;
    size_t length;

    if (rpc_param_text(params, "passphrase", false, &text, problem) != 0)
        return -1;
    if (text == NULL)
        return 0;
    length = strlen(text);
    if (length == 0 || length > PASSPHRASE_MAX)
        return rpc_param_bad(problem, "passphrase", "a text of 1 to 1,024 bytes");
    if (secret_set(passphrase, text, length) == 0)
        return 0;
    problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
    return -1;
}

static json_t *unlock_result(struct keys *keys, struct problem *problem)
{
    const struct problem *locked = vault_locked(keys->service->vault);
    json_t *result = NULL;

    *problem = keys->failure.kind != PROBLEM_NONE ? keys->failure : *locked;
    if (problem->kind == PROBLEM_NONE && (result = json_object()) == NULL)
        problem_set_no_memory(problem);
    return result;
}

/* So that a client asks for a passphrase only where one would open the vault. */
static void name_parameter(const struct keys *keys, struct problem *problem)
{
    enum vault_want want = vault_want(keys->service->vault);

    if (problem->kind == PROBLEM_VAULT_LOCKED &&
        (want == VAULT_WANTS_PASSPHRASE || want == VAULT_WANTS_NEW_PASSPHRASE))
        problem_copy_text(problem->field, sizeof problem->field, "passphrase");
}

json_t *method_vault_unlock(struct service *service, struct rpc_request *request, struct problem *problem)
{
    static const char *const names[] = {"passphrase"};
    struct keys *keys = service->keys;
    struct secret passphrase = {0};
    enum vault_want want;
    json_t *result = NULL;

    if (rpc_params_known(request->params, names, 1, problem) != 0 ||
        read_passphrase(request->params, &passphrase, problem) != 0)
        return NULL;
    if (keys->handling_again) {
        result = unlock_result(keys, problem);
        goto out;
    }
    vault_look_again(service->vault);
    memset(&keys->failure, 0, sizeof keys->failure);
    want = vault_want(service->vault);
    if (want == VAULT_WANTS_NOTHING || want == VAULT_WANTS_STORE)
        result = unlock_result(keys, problem);
    else if (keys_fetch(keys, true, passphrase.length > 0 ? &passphrase : NULL, problem) &&
             !parked_add(keys, request))
        problem_set(problem, PROBLEM_THROTTLED, "Too many requests are waiting.", "Wait for some of them.");
out:
    name_parameter(keys, problem);
    secret_wipe(&passphrase);
    return result;
}
