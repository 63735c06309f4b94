/* SPDX-License-Identifier: MPL-2.0 */
/* The address where an administrator consents: asked for by itself, and beside an error that consent would
 * cure. */
#include "service/service_parts.h"

#include "core/consent.h"
#include <string.h>

json_t *service_consent(struct problem *problem)
{
    struct settings settings;
    struct account_target target;
    struct consent consent;
    json_t *result = NULL;

    if (settings_init(&settings) != 0) {
        problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
        goto out;
    }
    settings_read_files(&settings);
    settings_default_target(&settings, &target);
    if (!settings_can_sign_in(&settings, &target, problem))
        goto out;
    if (consent_make(&consent, &target, settings_text(&settings, "redirectHost"), "") != 0) {
        problem_set(problem, PROBLEM_MISCONFIGURED, "The address for consent would be too long.",
                    "Shorten the resources of the \"custom\" cloud.");
        goto out;
    }
    result = json_pack("{s:s, s:o, s:s, s:s}", "consentUrl", consent.url, "scopes",
                       scopes_to_json(consent.scopes), "tenant", consent.tenant, "cloud", target.cloud);
out:
    settings_clear(&settings);
    return result;
}

/* What the identity itself would ask for, and what it lacks: its own authority, tenant and app. False when
 * its cloud is not known any more. */
static bool consent_of(const struct entry *entry, const char *missing, struct consent *consent)
{
    const struct settings *settings = &entry->service->settings;
    const char *account = json_string_value(json_array_get(entry->addresses, 0));
    const char *host = settings_text(settings, "redirectHost");
    /* In a list that was cut the last scope may be another. */
    const char *more = strlen(missing) < PROBLEM_TEXT_MAX - 1 ? missing : "";
    struct account_target target;

    if (account == NULL)
        return false;
    settings_target(settings, account, &entry->wish, &target);
    if (target.outlook == NULL || strcmp(target.key.authority, entry->identity.key.authority) != 0)
        return false;
    target.key = entry->identity.key;
    return consent_make(consent, &target, host, more) == 0 || consent_make(consent, &target, host, "") == 0;
}

json_t *entry_error(const struct entry *entry, json_t *id, const struct problem *problem)
{
    json_t *message = rpc_error(id, problem);
    struct consent consent;

    if (problem->kind == PROBLEM_CONSENT_REQUIRED && consent_of(entry, problem->missing_scopes, &consent))
        json_object_set_new(json_object_get(json_object_get(message, "error"), "data"), "consentUrl",
                            json_string(consent.url));
    return message;
}
