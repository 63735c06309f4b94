/* SPDX-License-Identifier: MPL-2.0 */
/* The sign-in service and the key store: both may be slow, so they are asked side by side. */
#include "service/doctor.h"

#include "core/authorization.h"
#include "net/https.h"
#include "service/key_worker.h"
#include "service/service_parts.h"
#include "service/shared_checks.h"
#include "vault/device_key.h"
#include "vault/key_problem.h"
#include <stdlib.h>
#include <string.h>

/* With the key store's 5 s beside it, doctor ends well within ten. */
#define AUTHORITY_TIMEOUT_MS 6000

struct doctor_waits {
    struct doctor *doctor;
    struct loop *loop;
    struct https *https;
    struct vault *vault;
    struct problem vault_problem;
    struct key_worker *worker;
    struct key_task task;
    enum key_outcome outcome;
    bool other_key, no_folder;
    bool is_new; /* there is no vault, and the configuration wants its key in a keyring */
    struct account_target target;
    struct authority_answer authority;
    int pending;
};

static void ended(struct doctor_waits *waits)
{
    waits->pending--;
    if (waits->pending == 0)
        loop_stop(waits->loop);
}

/* ---- asking ---- */

static void answered(void *context, struct https_answer *answer)
{
    struct doctor_waits *waits = context;

    authority_answer_take(&waits->authority, answer);
    ended(waits);
}

static void ask_authority(struct doctor_waits *waits)
{
    const struct settings *settings = &waits->doctor->settings;
    char url[1024];

    waits->authority.date = -1;
    settings_default_target(settings, &waits->target);
    if (waits->target.key.authority[0] == '\0' ||
        endpoint_url(url, sizeof url, waits->target.key.authority, waits->target.key.tenant,
                     AUTHORITY_DISCOVERY) != 0)
        return;
    waits->https = https_new(waits->loop, settings_ca_file_for(settings, waits->target.key.authority),
                             settings_text(settings, "proxy"));
    if (waits->https == NULL ||
        https_get(waits->https, url, HTTPS_DOCUMENT_MAX, AUTHORITY_TIMEOUT_MS, answered, waits) != 0)
        return;
    waits->pending++;
}

static void key_came(void *context, struct key_answer *answer)
{
    struct doctor_waits *waits = context;
    struct device_key key = {0};

    waits->worker = NULL;
    waits->outcome = answer->outcome;
    if (answer->outcome == KEY_DONE)
        waits->other_key =
            device_key_set(&key, &answer->secret) == 0 && !device_key_is(&key, waits->task.key_id);
    device_key_wipe(&key);
    ended(waits);
}

static void ask_keyring(struct doctor_waits *waits)
{
    const char *keystore = settings_text(&waits->doctor->settings, "keystore");
    char *folder = environment_state_folder(&waits->vault_problem);

    waits->outcome = KEY_FAILED;
    waits->no_folder = folder == NULL;
    if (folder != NULL)
        waits->vault = vault_look(folder, keystore == NULL ? "auto" : keystore, &waits->vault_problem);
    free(folder);
    if (waits->vault == NULL)
        return;
    waits->is_new =
        vault_want(waits->vault) == VAULT_WANTS_STORE && keystore != NULL && strcmp(keystore, "auto") != 0;
    if (waits->is_new)
        waits->task.kind = KEY_TASK_LOOK_UP; /* of a key that is nobody's: an answer is all that is wanted */
    else if (vault_want(waits->vault) != VAULT_WANTS_LOOK_UP ||
             vault_key_task(waits->vault, NULL, &waits->task, &waits->vault_problem) != 0)
        return;
    waits->task.may_ask = false;
    waits->worker = key_worker_start(waits->loop, &waits->task, key_came, waits);
    if (waits->worker != NULL)
        waits->pending++;
}

struct doctor_waits *doctor_waits_start(struct doctor *doctor)
{
    struct doctor_waits *waits = calloc(1, sizeof *waits);

    if (waits == NULL)
        return NULL;
    waits->doctor = doctor;
    waits->loop = loop_new();
    if (waits->loop == NULL) {
        free(waits);
        return NULL;
    }
    ask_authority(waits);
    ask_keyring(waits);
    return waits;
}

/* ---- what came of it ---- */

static void judge_key(struct doctor_waits *waits, json_t *check)
{
    struct problem problem = waits->vault_problem;
    enum vault_want want = waits->vault == NULL ? VAULT_WANTS_NOTHING : vault_want(waits->vault);

    if (waits->vault != NULL && want == VAULT_WANTS_LOOK_UP) {
        if (waits->other_key)
            key_problem_other_key(&problem);
        else if (waits->outcome != KEY_DONE)
            key_problem_keyring(&problem, waits->outcome, false);
        else
            problem = (struct problem){0};
        check_worsen(check, waits->outcome == KEY_LOCKED   ? CHECK_WARN
                            : problem.kind == PROBLEM_NONE ? CHECK_OK
                                                           : CHECK_FAIL);
    } else if (waits->is_new && waits->outcome != KEY_ABSENT) {
        key_problem_keyring(&problem, waits->outcome, true);
        check_worsen(check, CHECK_FAIL);
    } else if (want == VAULT_WANTS_NOTHING) {
        if (waits->vault != NULL)
            problem = *vault_locked(waits->vault);
        check_worsen(check, problem.kind == PROBLEM_NONE ? CHECK_OK : CHECK_FAIL);
    } else {
        problem = (struct problem){0}; /* a passphrase, or a key that is yet to be made */
    }
    if (problem.kind != PROBLEM_NONE)
        check_problem(check, &problem);
    else if (vault_key_id(waits->vault)[0] == '\0')
        check_detail(check, "The first sign-in makes the key.");
    else if (want == VAULT_WANTS_PASSPHRASE)
        check_detail(check, "The key is under a passphrase, which is asked for when it is needed.");
    else
        check_detail(check, "The key can be had. %s", vault_keystore_protection(waits->vault));
    if (waits->vault != NULL)
        check_evidence_text(check, "store", vault_keystore_name(waits->vault));
}

static void tell(struct doctor_waits *waits)
{
    struct check_list *checks = &waits->doctor->checks;
    json_t *key = check_new("key-store", NULL, waits->no_folder ? CHECK_SKIPPED : CHECK_OK, "Key store");
    json_t *authority =
        check_new("authority", NULL, waits->authority.asked ? CHECK_OK : CHECK_SKIPPED, "Sign-in service");

    if (waits->no_folder)
        check_detail(key, "Without a home folder there is none.");
    else
        judge_key(waits, key);
    check_list_add(checks, key);
    if (waits->authority.asked) {
        check_evidence_text(authority, "proxy", proxy_source(&waits->doctor->settings, NULL));
        authority_judge(authority, &waits->target, &waits->authority);
    } else {
        check_detail(authority, "The configuration names none.");
    }
    check_list_add(checks, authority);
    check_list_add(checks, check_of_clock((long long)waits->authority.date, (long long)waits->authority.now));
}

void doctor_waits_end(struct doctor *doctor, struct doctor_waits *waits)
{
    if (waits == NULL) {
        doctor->checks.incomplete = true;
        return;
    }
    while (waits->pending > 0)
        loop_run(waits->loop);
    tell(waits);
    key_worker_stop(waits->worker);
    key_task_clear(&waits->task);
    vault_close(waits->vault);
    https_free(waits->https);
    loop_free(waits->loop);
    free(waits);
}
