/* SPDX-License-Identifier: MPL-2.0 */
/* `key show`, `key rotate`, `key move`: the steps of vault/vault_change.h, one a turn of the loop. */
#include "service/keys_parts.h"
#include "service/service_parts.h"

#include "vault/vault_change.h"
#include <stdlib.h>
#include <string.h>

struct key_change_run {
    struct keys *keys;
    json_t *id; /* of the request that the end answers, or NULL: it was begun by a process that died */
    struct key_task task;
    struct key_worker *worker;
    struct loop_timer *turn;
    bool rewraps;
};

static json_t *show(struct service *service)
{
    struct vault *vault = service->vault;

    return json_pack("{s:s, s:s, s:s, s:s, s:b}", "name", vault_keystore_name(vault), "protection",
                     vault_keystore_protection(vault), "reason", vault_keystore_reason(vault), "keyId",
                     vault_key_id(vault), "changing", vault_change_state(vault) != KEY_CHANGE_NONE);
}

void key_change_free(struct key_change_run *change)
{
    if (change == NULL)
        return;
    key_worker_stop(change->worker);
    loop_timer_cancel(change->keys->service->loop, change->turn);
    key_task_clear(&change->task);
    json_decref(change->id);
    free(change);
}

/* Answers, with what went wrong unless that is NULL. What could not be finished is at the next start, by this
 * program or another. */
static void end(struct key_change_run *change, const struct problem *problem)
{
    struct keys *keys = change->keys;
    struct service *service = keys->service;

    keys->change = NULL;
    vault_change_leave(service->vault);
    if (change->id != NULL)
        send_message(service, problem == NULL ? rpc_result(change->id, show(service))
                                              : rpc_error(change->id, problem));
    key_change_free(change);
    if (service->client.settled != NULL)
        service->client.settled(service->client.context);
}

/* ---- the last step: the old key goes ---- */

static void old_dropped(void *context, struct key_answer *answer)
{
    struct key_change_run *change = context;
    struct problem problem = {0};
    bool dropped = answer->outcome == KEY_DONE || answer->outcome == KEY_ABSENT;

    change->worker = NULL;
    end(change, vault_change_end(change->keys->service->vault, dropped, &problem) == 0 ? NULL : &problem);
}

/* The task, if there is one, is what drops a key from a keyring. */
static void drop_old(struct key_change_run *change)
{
    struct key_answer done = {.outcome = KEY_DONE};

    if (change->task.kind == KEY_TASK_NONE) {
        old_dropped(change, &done);
        return;
    }
    change->worker = key_worker_start(change->keys->service->loop, &change->task, old_dropped, change);
    if (change->worker == NULL) {
        done.outcome = KEY_FAILED;
        old_dropped(change, &done);
    }
}

static void tidy_up(struct key_change_run *change)
{
    struct problem problem = {0};

    key_task_clear(&change->task);
    if (vault_change_tidy(change->keys->service->vault, &change->task, &problem) == 0)
        drop_old(change);
    else
        end(change, &problem);
}

/* ---- resealing ---- */

static void next_turn(struct key_change_run *change);

static json_t *all_addresses(const struct service *service)
{
    json_t *addresses = json_array();
    const struct entry *entry;

    for (entry = service->entries; entry != NULL; entry = entry->next)
        json_array_extend(addresses, entry->addresses);
    return addresses;
}

static void reseal_one(void *context)
{
    struct key_change_run *change = context;
    struct service *service = change->keys->service;
    const char *store = vault_keystore_name(service->vault);
    json_t *addresses = all_addresses(service);
    struct problem problem = {0};
    bool done = false;

    change->turn = NULL;
    if (vault_change_go_on(service->vault, addresses, wall_clock(), &done, &problem) != 0)
        end(change, &problem);
    else if (done) {
        audit_key_changed(service,
                          strcmp(store, vault_keystore_name(service->vault)) == 0 ? "rotated" : "moved");
        tidy_up(change);
    } else {
        next_turn(change);
    }
    json_decref(addresses);
}

static void next_turn(struct key_change_run *change)
{
    struct problem problem;

    change->turn = loop_timer_start(change->keys->service->loop, 0, reseal_one, change);
    if (change->turn != NULL)
        return;
    problem_set(&problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
    end(change, &problem);
}

/* ---- the first step: a store gets the new key ---- */

static void kept(void *context, struct key_answer *answer)
{
    struct key_change_run *change = context;
    struct vault *vault = change->keys->service->vault;
    struct problem problem = {0};
    int result;

    change->worker = NULL;
    result = change->rewraps ? vault_rewrapped(vault, answer, &problem)
                             : vault_change_kept(vault, &change->task, answer, &problem);
    key_task_clear(&change->task);
    if (result != 0 || change->rewraps)
        end(change, result == 0 ? NULL : &problem);
    else
        next_turn(change);
}

static void have_it_kept(struct key_change_run *change)
{
    struct key_answer answer = {.outcome = KEY_DONE};

    if (change->task.kind == KEY_TASK_NONE) {
        kept(change, &answer);
        return;
    }
    change->task.may_ask = true;
    change->worker = key_worker_start(change->keys->service->loop, &change->task, kept, change);
    if (change->worker == NULL) {
        answer.outcome = KEY_DIED;
        kept(change, &answer);
    }
}

static struct key_change_run *make_run(struct keys *keys)
{
    struct key_change_run *change = calloc(1, sizeof *change);

    if (change != NULL)
        change->keys = keys;
    return change;
}

void key_change_resume(struct keys *keys)
{
    struct vault *vault = keys->service->vault;
    enum key_change state = vault_change_state(vault);
    struct problem problem;

    if (keys->change != NULL || state == KEY_CHANGE_NONE || !vault_change_take_on(vault) ||
        (keys->change = make_run(keys)) == NULL)
        return;
    state = vault_change_state(vault);
    if (state == KEY_CHANGE_OLD) {
        tidy_up(keys->change);
    } else if (state == KEY_CHANGE_NEXT && vault_change_can_go_on(vault)) {
        next_turn(keys->change);
    } else if (state == KEY_CHANGE_NEXT && vault_change_can_go_back(vault) &&
               vault_change_go_back(vault, &keys->change->task, &problem) == 0) {
        /* The key may have reached its keyring. */
        if (keys->change->task.kind != KEY_TASK_NONE && keys->dropper == NULL)
            keys->dropper = key_worker_start(keys->service->loop, &keys->change->task, keys_dropped, keys);
        end(keys->change, NULL);
    } else {
        end(keys->change, NULL);
    }
}

/* ---- methods of our own commands ---- */

json_t *method_key_show(struct service *service, struct rpc_request *request, struct problem *problem)
{
    (void)request;
    (void)problem;
    vault_look_again(service->vault);
    return show(service);
}

static int read_change(const json_t *params, enum key_store *store, bool *moves, struct secret *passphrase,
                       struct problem *problem)
{
    const char *to = NULL, *text = NULL;

    if (rpc_param_text(params, "to", false, &to, problem) != 0 ||
        rpc_param_text(params, "passphrase", false, &text, problem) != 0)
        return -1;
    *moves = to != NULL;
    if (to != NULL)
        *store = key_store_by_name(to);
    if (*store == KEY_STORE_UNKNOWN)
        return rpc_param_bad(problem, "to", "\"secret-service\", \"file\" or \"passphrase\"");
    if (text != NULL && (text[0] == '\0' || strlen(text) > PASSPHRASE_MAX))
        return rpc_param_bad(problem, "passphrase", "a text of 1 to 1,024 bytes");
    if (text == NULL || secret_set(passphrase, text, strlen(text)) == 0)
        return 0;
    problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
    return -1;
}

static int begin(struct key_change_run *change, enum key_store store, bool moves,
                 const struct secret *passphrase, struct problem *problem)
{
    struct vault *vault = change->keys->service->vault;
    bool same = strcmp(key_store_name(store), vault_keystore_name(vault)) == 0;

    if (same && moves && store != KEY_STORE_PASSPHRASE)
        return rpc_param_bad(problem, "to", "another store than the one that has the key");
    change->rewraps = same && moves;
    if (store == KEY_STORE_PASSPHRASE && passphrase == NULL)
        return rpc_param_bad(problem, "passphrase", "a text: the key is to be put under it");
    return change->rewraps ? vault_rewrap_task(vault, passphrase, &change->task, problem)
                           : vault_change_begin(vault, store, passphrase, &change->task, problem);
}

json_t *method_key_change(struct service *service, struct rpc_request *request, struct problem *problem)
{
    struct keys *keys = service->keys;
    struct secret passphrase = {0};
    struct key_change_run *change = NULL;
    enum key_store store = key_store_by_name(vault_keystore_name(service->vault));
    bool moves = false;

    if (read_change(request->params, &store, &moves, &passphrase, problem) != 0)
        goto out;
    if (keys->change != NULL || vault_locked(service->vault)->kind != PROBLEM_NONE) {
        *problem = *vault_locked(service->vault);
        if (problem->kind == PROBLEM_NONE)
            problem_set(problem, PROBLEM_THROTTLED, "The key is being changed already.", "Wait a moment.");
        goto out;
    }
    change = make_run(keys);
    if (change == NULL) {
        problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
    } else if (begin(change, store, moves, passphrase.length > 0 ? &passphrase : NULL, problem) != 0) {
        key_change_free(change);
    } else {
        keys->change = change;
        change->id = json_incref(request->id);
        have_it_kept(change);
    }
out:
    secret_wipe(&passphrase);
    return NULL;
}
