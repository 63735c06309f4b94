/* SPDX-License-Identifier: MPL-2.0 */
/* The configuration in force: protocol section 5. */
#include "service/shared_checks.h"

#include "service/doctor.h"
#include "service/service_parts.h"
#include <stdlib.h>

static bool believed(json_t *check)
{
    struct problem problem;
    char *user_file = environment_config_file(&problem);
    bool trusted = (user_file == NULL || doctor_trusted(check, user_file)) &&
                   doctor_trusted(check, THUNDERSEAL_SYSCONFDIR "/thunderseal/policy.json");

    free(user_file);
    return trusted;
}

json_t *check_of_settings(const struct settings *settings)
{
    json_t *check = check_new("policy", NULL, CHECK_OK, "Configuration");
    const json_t *warning = json_array_get(settings->warnings, 0);
    struct account_target target;
    struct problem problem;

    settings_default_target(settings, &target);
    if (!believed(check)) {
        check_cause(check, "owner-or-mode");
    } else if (settings->broken.kind != PROBLEM_NONE) {
        check_worsen(check, CHECK_FAIL);
        check_problem(check, &settings->broken);
    } else if (!settings_can_sign_in(settings, &target, &problem)) {
        check_worsen(check, CHECK_FAIL);
        check_problem(check, &problem);
    } else if (warning != NULL) {
        check_worsen(check, CHECK_WARN);
        check_told(check, warning);
    } else {
        check_detail(check, "Cloud %s, tenant %s, app %s.", target.cloud, target.key.tenant,
                     target.key.client_id);
    }
    check_evidence(check, "sources", json_incref(settings->sources));
    check_evidence(check, "warnings", json_incref(settings->warnings));
    return check;
}
