/* SPDX-License-Identifier: MPL-2.0 */
/* The sign-in service's discovery document: does it answer, and is it the one that the configuration means?
 */
#include "service/shared_checks.h"

#include "core/diagnosis.h"
#include "core/json_read.h"
#include "core/jwt.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void authority_answer_take(struct authority_answer *taken, struct https_answer *answer)
{
    json_t *document = answer->body.length == 0 ? NULL
                                                : json_read(secret_expose(&answer->body), answer->body.length,
                                                            JSON_REJECT_DUPLICATES, NULL, NULL);

    taken->asked = true;
    taken->now = time(NULL);
    taken->date = answer->failed_stage == NULL ? answer->date : -1;
    taken->stage = answer->failed_stage;
    taken->status = answer->status;
    taken->milliseconds = answer->milliseconds;
    taken->is_discovery = json_is_string(json_object_get(document, "token_endpoint"));
    jwt_text(taken->token_endpoint, sizeof taken->token_endpoint, document, "token_endpoint");
    jwt_text(taken->instance, sizeof taken->instance, document, "cloud_instance_name");
    problem_copy_text(taken->words, sizeof taken->words, answer->detail);
    json_decref(document);
}

const char *proxy_source(const struct settings *settings, const char *thunderbirds)
{
    static const char *const variables[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    size_t i;

    if (settings_text(settings, "proxy") != NULL)
        return "configuration";
    if (thunderbirds != NULL)
        return "thunderbird";
    for (i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *value = getenv(variables[i]);
        if (value != NULL && value[0] != '\0')
            return "environment";
    }
    return "none";
}

/* Whether the endpoint lies at the authority, by whatever of a cloud's names. */
static bool is_of_authority(const char *endpoint, const char *authority)
{
    size_t length = strlen(authority);

    if (strncasecmp(endpoint, authority, length) == 0 &&
        (endpoint[length] == '/' || endpoint[length] == '\0'))
        return true;
    return cloud_authority_is_built_in(authority) && cloud_authority_is_built_in(endpoint);
}

/* A tenant lives in one cloud. Entra's document names it, whichever cloud's authority is asked (FACTS 1.9).
 */
static const char *other_cloud(const struct account_target *target, const char *instance)
{
    static const struct {
        const char *instance, *cloud;
    } instances[] = {{"microsoftonline.com", "worldwide"},
                     {"microsoftonline.us", "usgov"},
                     {"partner.microsoftonline.cn", "china"}};
    size_t i;

    for (i = 0; i < sizeof instances / sizeof instances[0]; i++)
        if (strcasecmp(instances[i].instance, instance) == 0 && cloud_find(target->cloud) != NULL)
            return strncmp(target->cloud, instances[i].cloud, strlen(instances[i].cloud)) == 0
                       ? NULL
                       : instances[i].cloud;
    return NULL;
}

void authority_judge_document(json_t *check, const struct account_target *target,
                              const struct authority_answer *answer)
{
    const char *authority = target->key.authority, *cloud = other_cloud(target, answer->instance);

    if (!is_of_authority(answer->token_endpoint, authority)) {
        check_worsen(check, CHECK_FAIL);
        check_cause(check, "discovery");
        check_detail(check, "%s names another server as its own: somebody may stand in between.", authority);
        check_remedy(check, "Ask your administrator what answers in the place of %s.", authority);
        check_evidence_text(check, "tokenEndpoint", answer->token_endpoint);
    } else if (cloud != NULL) {
        check_worsen(check, CHECK_FAIL);
        check_cause(check, "other-cloud");
        check_detail(check, "The tenant \"%s\" lives in the cloud \"%s\".", target->key.tenant, cloud);
        check_remedy(check, "Set \"cloud\" to \"%s\" in policy.json or config.json.", cloud);
    }
}

void authority_judge(json_t *check, const struct account_target *target,
                     const struct authority_answer *answer)
{
    const char *authority = target->key.authority;
    struct problem problem;

    check_evidence_text(check, "authority", authority);
    if (answer->stage != NULL) {
        check_worsen(check, CHECK_FAIL);
        check_cause(check, answer->stage);
        diagnose_transport(answer->stage, &problem);
        check_problem(check, &problem);
        check_evidence_text(check, "words", answer->words);
        return;
    }
    check_evidence(check, "httpStatus", json_integer(answer->status));
    if (answer->is_discovery && answer->status == 200) {
        check_detail(check, "%s answers.", authority);
    } else if (answer->status == 400 || answer->status == 404) {
        check_worsen(check, CHECK_FAIL);
        check_cause(check, "tenant");
        check_detail(check, "%s does not know the tenant \"%s\".", authority, target->key.tenant);
        check_remedy(check,
                     "Set \"tenant\" in policy.json or config.json to your organisation's domain or GUID.");
    } else {
        check_worsen(check, CHECK_WARN);
        diagnose_strange_answer(answer->status, 0, &problem);
        check_problem(check, &problem);
    }
}
