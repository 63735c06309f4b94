/* SPDX-License-Identifier: MPL-2.0 */
/* hello: the first message of a session, protocol section 3. It alone ignores fields that it does not know.
 */
#include "service/service_parts.h"

#include "core/jwt.h"

#include <stdlib.h>
#include <string.h>

#define PROTOCOL_VERSION 1

static int check_version_of(const json_t *params, const char *name, struct problem *problem)
{
    const json_t *part = json_object_get(params, name);

    if (!json_is_object(part))
        return rpc_param_bad(problem, name, "an object with a version");
    if (!json_is_string(json_object_get(part, "version")))
        return rpc_param_bad(problem, name, "an object with a version as text");
    return 0;
}

static void take_version(char version[VERSION_SIZE], const json_t *params, const char *name)
{
    jwt_text(version, VERSION_SIZE, json_object_get(params, name), "version");
}

static int check_protocol(const json_t *params, struct problem *problem)
{
    const json_t *protocol = json_object_get(params, "protocol");

    if (!json_is_object(params) || !json_is_integer(protocol))
        return rpc_param_bad(problem, "protocol", "a whole number");
    if (json_integer_value(protocol) == PROTOCOL_VERSION)
        return 0;
    problem_set(problem, PROBLEM_PROTOCOL_UNSUPPORTED,
                "This Thunderseal speaks protocol 1, and the add-on speaks another.",
                "Update the older one of the two: the program or the add-on.");
    return -1;
}

static int take_proxy(struct service *service, const json_t *params, struct problem *problem)
{
    const char *proxy = NULL;

    if (rpc_param_text(params, "proxy", false, &proxy, problem) != 0)
        return -1;
    if (proxy == NULL || strstr(proxy, "://") == NULL) /* none: "direct", or nothing */
        return 0;
    free(service->proxy);
    service->proxy = strdup(proxy);
    return 0;
}

/* What was found when the files were read is known since then; the reader has no clock. */
static void date_warnings(json_t *warnings)
{
    json_t *warning;
    size_t i;

    json_array_foreach(warnings, i, warning)
    {
        if (json_integer_value(json_object_get(warning, "since")) == 0)
            json_object_set_new(warning, "since", json_integer(wall_clock()));
    }
}

json_t *hello_result(struct service *service, const json_t *params, struct problem *problem)
{
    const json_t *managed = json_object_get(params, "managed");
    const char *locale = NULL;
    json_t *result, *policy;

    if (check_protocol(params, problem) != 0 || check_version_of(params, "extension", problem) != 0 ||
        check_version_of(params, "thunderbird", problem) != 0 ||
        rpc_param_text(params, "locale", false, &locale, problem) != 0 ||
        take_proxy(service, params, problem) != 0)
        return NULL;
    if (managed != NULL && !json_is_object(managed)) {
        rpc_param_bad(problem, "managed", "an object");
        return NULL;
    }
    if (managed != NULL) {
        service->managed = json_incref((json_t *)managed);
        settings_apply(&service->settings, managed, SETTINGS_THUNDERBIRD, "Thunderbird's policies");
    }
    policy = policy_shown(&service->settings);
    date_warnings(service->settings.warnings);
    take_version(service->extension_version, params, "extension");
    take_version(service->thunderbird_version, params, "thunderbird");
    result = account_page(service, "", LIST_MAX);
    /* Features are methods and fields beyond protocol 1. */
    json_object_update_new(result,
                           json_pack("{s:i, s:{s:s}, s:[s, s, s, s], s:o, s:O}", "protocol", PROTOCOL_VERSION,
                                     "host", "version", THUNDERSEAL_VERSION, "features", "audit.names",
                                     "audit.verify", "backup.missing", "texts", "policy", policy, "warnings",
                                     service->settings.warnings));
    return result;
}
