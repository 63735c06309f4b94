/* SPDX-License-Identifier: MPL-2.0 */
/* The sign-in service and the key store: both may be slow, so they are asked side by side. */
#include "service/doctor.h"

#include "core/authorization.h"
#include "core/diagnosis.h"
#include "core/json_read.h"
#include "net/https.h"
#include "service/key_worker.h"
#include "service/service_parts.h"
#include "vault/device_key.h"
#include "vault/key_problem.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* With the key store's 5 s beside it, doctor ends well within ten. */
#define AUTHORITY_TIMEOUT_MS 6000
#define DISCOVERY "/v2.0/.well-known/openid-configuration" /* OpenID Connect Discovery section 4 */

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
    struct account_target target;
    bool asked;        /* the sign-in service */
    const char *stage; /* where that failed, else NULL */
    char words[256];
    long status;
    bool is_discovery; /* the answer is what such a service answers */
    time_t date, now;
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
    json_t *document = answer->body.length > 0
                           ? json_read(secret_expose(&answer->body), answer->body.length, 0, NULL, NULL)
                           : NULL;

    waits->now = time(NULL);
    waits->date = answer->failed_stage == NULL ? answer->date : -1;
    waits->stage = answer->failed_stage;
    waits->status = answer->status;
    waits->is_discovery = json_is_string(json_object_get(document, "token_endpoint"));
    problem_copy_text(waits->words, sizeof waits->words, answer->detail);
    json_decref(document);
    ended(waits);
}

static void ask_authority(struct doctor_waits *waits)
{
    const struct settings *settings = &waits->doctor->settings;
    char url[1024];

    waits->date = -1;
    settings_default_target(settings, &waits->target);
    if (waits->target.key.authority[0] == '\0' ||
        endpoint_url(url, sizeof url, waits->target.key.authority, waits->target.key.tenant, DISCOVERY) != 0)
        return;
    waits->https = https_new(waits->loop, settings_ca_file_for(settings, waits->target.key.authority),
                             settings_text(settings, "proxy"));
    if (waits->https == NULL ||
        https_get(waits->https, url, HTTPS_DOCUMENT_MAX, AUTHORITY_TIMEOUT_MS, answered, waits) != 0)
        return;
    waits->asked = true;
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
    if (waits->vault == NULL || vault_want(waits->vault) != VAULT_WANTS_LOOK_UP ||
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
            key_problem_keyring(&problem, waits->outcome);
        else
            problem = (struct problem){0};
        check_worsen(check, waits->outcome == KEY_LOCKED   ? CHECK_WARN
                            : problem.kind == PROBLEM_NONE ? CHECK_OK
                                                           : CHECK_FAIL);
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

static const char *proxy_source(const struct doctor *doctor)
{
    static const char *const variables[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    size_t i;

    if (settings_text(&doctor->settings, "proxy") != NULL)
        return "configuration";
    for (i = 0; i < sizeof variables / sizeof variables[0]; i++)
        if (getenv(variables[i]) != NULL && getenv(variables[i])[0] != '\0')
            return "environment";
    return "none";
}

static void judge_authority(const struct doctor_waits *waits, json_t *check)
{
    const char *authority = waits->target.key.authority;
    struct problem problem;

    check_evidence_text(check, "authority", authority);
    check_evidence_text(check, "proxy", proxy_source(waits->doctor));
    if (waits->stage != NULL) {
        check_worsen(check, CHECK_FAIL);
        check_cause(check, waits->stage);
        diagnose_transport(waits->stage, &problem);
        check_problem(check, &problem);
        check_evidence_text(check, "words", waits->words);
        return;
    }
    check_evidence(check, "httpStatus", json_integer(waits->status));
    if (waits->is_discovery && waits->status == 200) {
        check_detail(check, "%s answers.", authority);
    } else if (waits->status == 400 || waits->status == 404) {
        check_worsen(check, CHECK_FAIL);
        check_cause(check, "tenant");
        check_detail(check, "%s does not know the tenant \"%s\".", authority, waits->target.key.tenant);
        check_remedy(check,
                     "Set \"tenant\" in policy.json or config.json to your organisation's domain or GUID.");
    } else {
        check_worsen(check, CHECK_WARN);
        diagnose_strange_answer(waits->status, 0, &problem);
        check_problem(check, &problem);
    }
}

static void tell(struct doctor_waits *waits)
{
    struct check_list *checks = &waits->doctor->checks;
    json_t *key = check_new("key-store", NULL, waits->no_folder ? CHECK_SKIPPED : CHECK_OK, "Key store");
    json_t *authority =
        check_new("authority", NULL, waits->asked ? CHECK_OK : CHECK_SKIPPED, "Sign-in service");

    if (waits->no_folder)
        check_detail(key, "Without a home folder there is none.");
    else
        judge_key(waits, key);
    check_list_add(checks, key);
    if (waits->asked)
        judge_authority(waits, authority);
    else
        check_detail(authority, "The configuration names none.");
    check_list_add(checks, authority);
    doctor_clock(waits->doctor, (long long)waits->date, (long long)waits->now);
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
