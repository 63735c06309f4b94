/* SPDX-License-Identifier: MPL-2.0 */
/* The configuration in force: protocol section 5. */
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

void doctor_settings(struct doctor *doctor)
{
    json_t *check = check_new("policy", NULL, CHECK_OK, "Configuration");
    const json_t *warning = json_array_get(doctor->settings.warnings, 0);
    struct account_target target;
    struct problem problem;

    settings_default_target(&doctor->settings, &target);
    if (!believed(check)) {
        check_cause(check, "owner-or-mode");
    } else if (doctor->settings.broken.kind != PROBLEM_NONE) {
        check_worsen(check, CHECK_FAIL);
        check_problem(check, &doctor->settings.broken);
    } else if (!settings_can_sign_in(&doctor->settings, &target, &problem)) {
        check_worsen(check, CHECK_FAIL);
        check_problem(check, &problem);
    } else if (warning != NULL) {
        check_worsen(check, CHECK_WARN);
        check_detail(check, "%s", json_string_value(json_object_get(warning, "cause")));
        check_remedy(check, "%s", json_string_value(json_object_get(warning, "remedy")));
    } else {
        check_detail(check, "Cloud %s, tenant %s, app %s.", target.cloud, target.key.tenant,
                     target.key.client_id);
    }
    check_evidence(check, "sources", json_incref(doctor->settings.sources));
    check_evidence(check, "warnings", json_incref(doctor->settings.warnings));
    check_list_add(&doctor->checks, check);
}
