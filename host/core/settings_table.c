/* SPDX-License-Identifier: MPL-2.0 */
/* The keys of the configuration and how each is checked. manifest/policy.schema.json says the same in JSON
 * Schema. */
#include "core/settings.h"

#include "core/scope.h"
#include "core/settings_values.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 6901 section 3: "~" and "/" in a name go as "~0" and "~1". */
static void descend(char *pointer, const char *member)
{
    char escaped[SETTINGS_POINTER_SIZE];
    size_t used = strlen(pointer), length = 0;

    escaped[length++] = '/';
    for (; *member != '\0' && length + 2 < sizeof escaped; member++) {
        bool special = *member == '~' || *member == '/';
        if (special)
            escaped[length++] = '~';
        escaped[length++] = special ? (*member == '~' ? '0' : '1') : *member;
    }
    escaped[length] = '\0';
    problem_copy_text(pointer + used, SETTINGS_POINTER_SIZE - used, escaped);
}

/* The text without NUL inside, or NULL. */
static const char *plain_text(const json_t *value)
{
    const char *text = json_string_value(value);

    return text != NULL && strlen(text) == json_string_length(value) ? text : NULL;
}

static bool one_of(const json_t *value, const char *const *names, size_t count)
{
    const char *text = plain_text(value);
    size_t i;

    for (i = 0; text != NULL && i < count; i++)
        if (strcmp(text, names[i]) == 0)
            return true;
    return false;
}

#define ONE_OF(value, ...)                                                                                   \
    one_of(value, (const char *const[]){__VA_ARGS__},                                                        \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

bool settings_cloud_valid(const char *cloud)
{
    return cloud_find(cloud) != NULL || strcmp(cloud, CLOUD_CUSTOM) == 0;
}

static const char *check_cloud(const json_t *value, char *pointer)
{
    (void)pointer;
    if (plain_text(value) != NULL && settings_cloud_valid(json_string_value(value)))
        return NULL;
    return "one of \"worldwide\", \"usgov\", \"usgov-dod\", \"china\", \"custom\"";
}

static const char *check_resources(const json_t *value, char *pointer)
{
    const char *key;
    json_t *member;

    descend(pointer, "resources");
    if (json_object_get(value, "outlook") == NULL || json_object_get(value, "graph") == NULL)
        return "an object with \"outlook\" and \"graph\"";
    json_object_foreach((json_t *)value, key, member)
    {
        descend(pointer, key);
        if (strcmp(key, "outlook") != 0 && strcmp(key, "graph") != 0)
            return "absent: the key is not known";
        if (!value_is_https_url(plain_text(member)))
            return "an https URL without a slash at its end";
        *strrchr(pointer, '/') = '\0';
    }
    return NULL;
}

static const char *check_custom_member(const char *key, const json_t *member, char *pointer)
{
    const char *text = plain_text(member);
    struct mail_server server;

    if (strcmp(key, "resources") == 0)
        return check_resources(member, pointer);
    descend(pointer, key);
    if (strcmp(key, "authority") == 0)
        return value_is_https_origin(text) ? NULL : "\"https://host\" or \"https://host:port\"";
    if (strcmp(key, "imap") == 0 || strcmp(key, "smtp") == 0 || strcmp(key, "pop3") == 0)
        return value_mail_server(text, &server) ? NULL : "\"host:port\" or \"host:port/starttls\"";
    if (strcmp(key, "graph") == 0)
        return value_is_https_url(text) ? NULL : "an https URL without a slash at its end";
    return "absent: the key is not known";
}

static const char *check_custom(const json_t *value, char *pointer)
{
    static const char *const required[] = {"authority", "resources", "imap", "smtp"};
    size_t start = strlen(pointer), i;
    const char *key;
    json_t *member;

    if (!json_is_object(value))
        return "an object";
    for (i = 0; i < sizeof required / sizeof required[0]; i++)
        if (json_object_get(value, required[i]) == NULL)
            return "an object with \"authority\", \"resources\", \"imap\" and \"smtp\"";
    json_object_foreach((json_t *)value, key, member)
    {
        const char *expected = check_custom_member(key, member, pointer);
        if (expected != NULL)
            return expected;
        pointer[start] = '\0';
    }
    return NULL;
}

static const char *check_tenant(const json_t *value, char *pointer)
{
    (void)pointer;
    if (plain_text(value) != NULL && settings_tenant_valid(json_string_value(value)))
        return NULL;
    return "\"common\", \"organizations\", \"consumers\", a GUID or a domain";
}

static const char *check_client_id(const json_t *value, char *pointer)
{
    const char *text = plain_text(value);

    (void)pointer;
    return text != NULL && scope_valid(text) && strlen(text) < CLIENT_ID_SIZE ? NULL
                                                                              : "the application (client) id";
}

static const char *check_redirect_host(const json_t *value, char *pointer)
{
    (void)pointer;
    return ONE_OF(value, "localhost", "127.0.0.1") ? NULL : "\"localhost\" or \"127.0.0.1\"";
}

static const char *check_flows(const json_t *value, char *pointer)
{
    json_t *flow;
    size_t i;

    (void)pointer;
    if (!json_is_array(value) || json_array_size(value) == 0)
        return "a list of \"browser\" and \"device\"";
    json_array_foreach((json_t *)value, i, flow)
    {
        if (!ONE_OF(flow, "browser", "device"))
            return "a list of \"browser\" and \"device\"";
    }
    return NULL;
}

static const char *check_domains(const json_t *value, char *pointer)
{
    json_t *domain;
    size_t i;
    char index[24];

    if (!json_is_array(value))
        return "a list of domains";
    json_array_foreach((json_t *)value, i, domain)
    {
        if (plain_text(domain) == NULL || !value_is_domain(json_string_value(domain))) {
            snprintf(index, sizeof index, "%zu", i);
            descend(pointer, index);
            return "a domain";
        }
    }
    return NULL;
}

static const char *check_account_member(const char *key, const json_t *member)
{
    const char *text = plain_text(member);

    if (strcmp(key, "signInAs") == 0)
        return text != NULL && (strcmp(text, SIGN_IN_ASK) == 0 || account_name_valid(text))
                   ? NULL
                   : "a sign-in name or \"ask\"";
    if (strcmp(key, "tenant") == 0)
        return text != NULL && settings_tenant_valid(text) ? NULL : "a tenant";
    if (strcmp(key, "cloud") == 0)
        return text != NULL && settings_cloud_valid(text) ? NULL : "a cloud";
    return "absent: the key is not known";
}

static const char *check_accounts(const json_t *value, char *pointer)
{
    const char *address, *key;
    json_t *account, *member;

    if (!json_is_object(value))
        return "an object by address or \"*@domain\"";
    json_object_foreach((json_t *)value, address, account)
    {
        size_t start = strlen(pointer);
        descend(pointer, address);
        if (!account_name_valid(address))
            return "named by an address or \"*@domain\"";
        if (!json_is_object(account))
            return "an object";
        json_object_foreach(account, key, member)
        {
            const char *expected = check_account_member(key, member);
            if (expected != NULL) {
                descend(pointer, key);
                return expected;
            }
        }
        pointer[start] = '\0';
    }
    return NULL;
}

static const char *check_keystore(const json_t *value, char *pointer)
{
    (void)pointer;
    return ONE_OF(value, "auto", "secret-service", "file", "passphrase")
               ? NULL
               : "one of \"auto\", \"secret-service\", \"file\", \"passphrase\"";
}

/* A point of small order is refused, as nothing can be sealed to it: everybody would know what comes out. */
static const char *check_public_key(const json_t *value, char *pointer)
{
    const char *text = plain_text(value);
    static const unsigned char any_scalar[crypto_scalarmult_SCALARBYTES] = {1};
    unsigned char key[crypto_box_PUBLICKEYBYTES], shared[crypto_scalarmult_BYTES];
    size_t length = 0;

    (void)pointer;
    if (text != NULL &&
        sodium_base642bin(key, sizeof key, text, strlen(text), NULL, &length, NULL,
                          sodium_base64_VARIANT_ORIGINAL) == 0 &&
        length == sizeof key && crypto_scalarmult(shared, any_scalar, key) == 0)
        return NULL;
    return "an X25519 public key in base64";
}

static const char *check_path(const json_t *value, char *pointer)
{
    const char *text = plain_text(value);

    (void)pointer;
    return text != NULL && text[0] == '/' && strlen(text) < 4096 ? NULL : "an absolute path";
}

static const char *check_proxy(const json_t *value, char *pointer)
{
    const char *text = plain_text(value);

    (void)pointer;
    return text != NULL && strstr(text, "://") != NULL && scope_valid(text) ? NULL : "a proxy URL";
}

static const char *check_bool(const json_t *value, char *pointer)
{
    (void)pointer;
    return json_is_boolean(value) ? NULL : "true or false";
}

static const char *check_audit(const json_t *value, char *pointer)
{
    const char *key;
    json_t *member;

    if (!json_is_object(value))
        return "an object";
    json_object_foreach((json_t *)value, key, member)
    {
        descend(pointer, key);
        if (strcmp(key, "enabled") == 0 && !json_is_boolean(member))
            return "true or false";
        if (strcmp(key, "retentionDays") == 0 &&
            (!json_is_integer(member) || json_integer_value(member) < 1 ||
             json_integer_value(member) > 36500))
            return "a number of days from 1 to 36500";
        if (strcmp(key, "enabled") != 0 && strcmp(key, "retentionDays") != 0)
            return "absent: the key is not known";
        *strrchr(pointer, '/') = '\0';
    }
    return NULL;
}

static const char *check_manage(const json_t *value, char *pointer)
{
    (void)pointer;
    return ONE_OF(value, "listed", "domains", "all") ? NULL : "one of \"listed\", \"domains\", \"all\"";
}

static const char *check_migrate(const json_t *value, char *pointer)
{
    (void)pointer;
    return ONE_OF(value, "off", "offer", "auto") ? NULL : "one of \"off\", \"offer\", \"auto\"";
}

static const char *check_fallback(const json_t *value, char *pointer)
{
    (void)pointer;
    return ONE_OF(value, "thunderbird", "none") ? NULL : "\"thunderbird\" or \"none\"";
}

static const char *check_locale(const json_t *value, char *pointer)
{
    const char *text = plain_text(value);

    (void)pointer;
    return text != NULL && value_is_host_name(text, strlen(text)) && strlen(text) <= 35 ? NULL
                                                                                        : "a language tag";
}

static const struct settings_key keys[] = {
    {"cloud", "\"worldwide\"", check_cloud, false, false, false},
    {"custom", NULL, check_custom, false, false, false},
    {"tenant", "\"organizations\"", check_tenant, false, false, false},
    {"clientId", NULL, check_client_id, false, false, false},
    {"redirectHost", "\"localhost\"", check_redirect_host, false, false, false},
    {"flows", "[\"browser\"]", check_flows, false, false, false},
    {"allowedDomains", "[]", check_domains, false, false, false},
    {"accounts", "{}", check_accounts, false, false, false},
    {"keystore", "\"auto\"", check_keystore, false, false, false},
    {"recoveryPublicKey", NULL, check_public_key, true, false, false},
    {"caFile", NULL, check_path, false, false, false},
    {"proxy", NULL, check_proxy, false, false, false},
    {"audit", "{\"enabled\":true,\"retentionDays\":365}", check_audit, false, false, false},
    {"renewAhead", "true", check_bool, false, false, false},
    {"manage", "\"listed\"", check_manage, false, true, false},
    {"migrate", "\"offer\"", check_migrate, false, true, true},
    {"fallback", "\"thunderbird\"", check_fallback, false, true, false},
    {"welcome", "true", check_bool, false, true, true},
    {"locale", NULL, check_locale, false, true, true},
};

const struct settings_key *settings_keys(size_t *count)
{
    *count = sizeof keys / sizeof keys[0];
    return keys;
}
