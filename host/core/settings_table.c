/* SPDX-License-Identifier: MPL-2.0 */
/* The keys of the configuration. manifest/policy.schema.json and packaging/man/thunderseal-policy.5 say the
 * same. */
#include "core/settings.h"

#include "core/nearest.h"
#include "core/settings_checks.h"
#include <string.h>

const char *const settings_clouds[] = {"worldwide", "usgov", "usgov-dod", "china", CLOUD_CUSTOM, NULL};
const char settings_clouds_text[] TEXTS =
    "one of \"worldwide\", \"usgov\", \"usgov-dod\", \"china\", \"custom\"";
static const char *const redirect_hosts[] = {"localhost", "127.0.0.1", NULL};
const char *const settings_flows[] = {"browser", "device", NULL};
const char settings_flows_text[] TEXTS = "one of \"browser\", \"device\"";
static const char *const keystores[] = {"auto", "secret-service", "file", "passphrase", NULL};
static const char *const manage[] = {"listed", "domains", "all", NULL};
static const char *const migrate[] = {"off", "offer", "auto", NULL};
static const char *const fallback[] = {"thunderbird", "none", NULL};

static const struct settings_key keys[] = {
    {.name = "cloud",
     .default_json = "\"worldwide\"",
     .allowed = settings_clouds,
     .expected = settings_clouds_text},
    {.name = "custom", .check_parts = settings_check_custom},
    {.name = "tenant", .default_json = "\"organizations\"", .check = settings_check_tenant},
    {.name = "clientId", .check = settings_check_client_id},
    {.name = "redirectHost",
     .default_json = "\"localhost\"",
     .allowed = redirect_hosts,
     .expected = TEXT("one of \"localhost\", \"127.0.0.1\"")},
    {.name = "flows",
     .default_json = "[\"browser\"]",
     .allowed = settings_flows,
     .check_parts = settings_check_flows},
    {.name = "allowedDomains", .default_json = "[]", .check_parts = settings_check_domains},
    {.name = "accounts", .default_json = "{}", .check_parts = settings_check_accounts},
    {.name = "keystore",
     .default_json = "\"auto\"",
     .allowed = keystores,
     .expected = TEXT("one of \"auto\", \"secret-service\", \"file\", \"passphrase\"")},
    {.name = "recoveryPublicKey", .check = settings_check_public_key, .admin_only = true},
    {.name = "caFile", .check = settings_check_path, .with_custom_cloud = true},
    {.name = "proxy", .check = settings_check_proxy},
    {.name = "audit",
     .default_json = "{\"enabled\":true,\"retentionDays\":365}",
     .check_parts = settings_check_audit},
    {.name = "renewAhead", .default_json = "true", .check = settings_check_bool},
    {.name = "manage",
     .default_json = "\"listed\"",
     .allowed = manage,
     .expected = TEXT("one of \"listed\", \"domains\", \"all\""),
     .for_extension = true},
    {.name = "migrate",
     .default_json = "\"offer\"",
     .allowed = migrate,
     .expected = TEXT("one of \"off\", \"offer\", \"auto\""),
     .for_extension = true},
    {.name = "fallback",
     .default_json = "\"thunderbird\"",
     .allowed = fallback,
     .expected = TEXT("one of \"thunderbird\", \"none\""),
     .for_extension = true},
    {.name = "welcome", .default_json = "true", .check = settings_check_bool, .for_extension = true},
    {.name = "locale", .check = settings_check_locale, .for_extension = true},
};

const struct settings_key *settings_keys(size_t *count)
{
    *count = sizeof keys / sizeof keys[0];
    return keys;
}

const struct settings_key *settings_key_find(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

void settings_check_value(const struct settings_key *key, const json_t *value, struct settings_faults *faults)
{
    faults->pointer[0] = '\0';
    json_pointer_add(faults->pointer, key->name);
    if (key->check_parts != NULL)
        key->check_parts(value, faults);
    else if (key->check != NULL)
        settings_tell(faults, key->check(value));
    else if (!settings_one_of(value, key->allowed))
        settings_tell(faults, key->expected);
}

const char *settings_key_near(const char *name)
{
    struct nearest nearest = {.name = name};
    size_t i;

    for (i = 0; i < sizeof keys / sizeof keys[0]; i++)
        nearest_try(&nearest, keys[i].name);
    return nearest.found;
}

void settings_check(const json_t *object, enum settings_source source, bool custom_cloud,
                    struct settings_faults *faults)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)object, name, value)
    {
        const struct settings_key *key = settings_key_find(name);
        faults->pointer[0] = '\0';
        if (key != NULL && settings_ignored(key, value, source, custom_cloud) == NULL)
            settings_check_value(key, value, faults);
        else if (key == NULL)
            settings_tell_unknown(faults, object, name, settings_key_near(name));
    }
}
