/* SPDX-License-Identifier: MPL-2.0 */
#include "core/settings_checks.h"

#include "core/nearest.h"
#include "core/scope.h"
#include "core/settings_values.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const char *const custom_members[] = {"authority", "resources", "imap", "smtp", "pop3", "graph", NULL};
static const char *const resource_members[] = {"outlook", "graph", NULL};
static const char *const account_members[] = {"signInAs", "tenant", "cloud", NULL};
static const char *const audit_members[] = {"enabled", "retentionDays", NULL};

void settings_tell(struct settings_faults *faults, const char *expected)
{
    const struct settings_fault fault = {.pointer = faults->pointer, .expected = expected};

    if (expected != NULL)
        faults->tell(faults->context, &fault);
}

static void tell_of(struct settings_faults *faults, const char *member, const char *expected TEXTS)
{
    size_t outer = strlen(faults->pointer);

    json_pointer_add(faults->pointer, member);
    settings_tell(faults, expected);
    faults->pointer[outer] = '\0';
}

static void tell_of_item(struct settings_faults *faults, size_t index, const char *expected TEXTS)
{
    char number[24];

    snprintf(number, sizeof number, "%zu", index);
    tell_of(faults, number, expected);
}

void settings_tell_unknown(struct settings_faults *faults, const json_t *object, const char *member,
                           const char *near)
{
    size_t outer = strlen(faults->pointer);
    const struct settings_fault fault = {
        .pointer = faults->pointer, .near = near, .object = object, .member = member};

    json_pointer_add(faults->pointer, member);
    faults->tell(faults->context, &fault);
    faults->pointer[outer] = '\0';
}

/* The text without NUL inside, or NULL. */
static const char *plain_text(const json_t *value)
{
    const char *text = json_string_value(value);

    return text != NULL && strlen(text) == json_string_length(value) ? text : NULL;
}

bool settings_one_of(const json_t *value, const char *const *names)
{
    const char *text = plain_text(value);

    for (; text != NULL && *names != NULL; names++)
        if (strcmp(text, *names) == 0)
            return true;
    return false;
}

/* Tells of each member whose name is none of these. */
static void check_names(const json_t *object, const char *const *names, struct settings_faults *faults)
{
    const char *key;
    json_t *member;
    void *next;

    json_object_foreach_safe((json_t *)object, next, key, member)
    {
        struct nearest nearest = {.name = key};
        size_t i;
        for (i = 0; names[i] != NULL && strcmp(names[i], key) != 0; i++)
            nearest_try(&nearest, names[i]);
        if (names[i] == NULL)
            settings_tell_unknown(faults, object, key, nearest.found);
    }
}

bool settings_cloud_valid(const char *cloud)
{
    return cloud_find(cloud) != NULL || strcmp(cloud, CLOUD_CUSTOM) == 0;
}

static const char *check_url(const json_t *value)
{
    return value_is_https_url(plain_text(value)) ? NULL : TEXT("an https URL without a slash at its end");
}

static const char *check_authority(const json_t *value)
{
    return value_is_https_origin(plain_text(value)) ? NULL
                                                    : TEXT("\"https://host\" or \"https://host:port\"");
}

static const char *check_server(const json_t *value)
{
    struct mail_server server;

    return value_mail_server(plain_text(value), &server) ? NULL
                                                         : TEXT("\"host:port\" or \"host:port/starttls\"");
}

/* A member that may be absent. */
static void check_member(const json_t *object, const char *name, const char *(*check)(const json_t *value),
                         struct settings_faults *faults)
{
    const json_t *value = json_object_get(object, name);

    if (value != NULL)
        tell_of(faults, name, check(value));
}

static void check_resources(const json_t *value, struct settings_faults *faults)
{
    if (json_object_get(value, "outlook") == NULL || json_object_get(value, "graph") == NULL)
        settings_tell(faults, "an object with \"outlook\" and \"graph\"");
    check_member(value, "outlook", check_url, faults);
    check_member(value, "graph", check_url, faults);
    check_names(value, resource_members, faults);
}

void settings_check_custom(const json_t *value, struct settings_faults *faults)
{
    const json_t *resources = json_object_get(value, "resources");
    size_t outer = strlen(faults->pointer);

    if (resources == NULL || json_object_get(value, "authority") == NULL ||
        json_object_get(value, "imap") == NULL || json_object_get(value, "smtp") == NULL)
        settings_tell(faults, "an object with \"authority\", \"resources\", \"imap\" and \"smtp\"");
    check_member(value, "authority", check_authority, faults);
    if (resources != NULL) {
        json_pointer_add(faults->pointer, "resources");
        check_resources(resources, faults);
        faults->pointer[outer] = '\0';
    }
    check_member(value, "imap", check_server, faults);
    check_member(value, "smtp", check_server, faults);
    check_member(value, "pop3", check_server, faults);
    check_member(value, "graph", check_url, faults);
    check_names(value, custom_members, faults);
}

const char *settings_check_tenant(const json_t *value)
{
    if (plain_text(value) != NULL && settings_tenant_valid(json_string_value(value)))
        return NULL;
    return TEXT("\"common\", \"organizations\", \"consumers\", a GUID or a domain");
}

const char *settings_check_client_id(const json_t *value)
{
    const char *text = plain_text(value);

    return text != NULL && scope_valid(text) && strlen(text) < CLIENT_ID_SIZE
               ? NULL
               : TEXT("the application (client) id");
}

void settings_check_flows(const json_t *value, struct settings_faults *faults)
{
    size_t outer = strlen(faults->pointer), i;
    json_t *flow;
    char number[24];

    if (!json_is_array(value) || json_array_size(value) == 0)
        settings_tell(faults, "a list of \"browser\" and \"device\"");
    json_array_foreach((json_t *)value, i, flow)
    {
        snprintf(number, sizeof number, "%zu", i);
        json_pointer_add(faults->pointer, number);
        if (!settings_one_of(flow, settings_flows))
            settings_tell(faults, settings_flows_text);
        faults->pointer[outer] = '\0';
    }
}

void settings_check_domains(const json_t *value, struct settings_faults *faults)
{
    json_t *domain;
    size_t i;

    if (!json_is_array(value))
        settings_tell(faults, "a list of domains");
    json_array_foreach((json_t *)value, i, domain)
    {
        if (plain_text(domain) == NULL || !value_is_domain(json_string_value(domain)))
            tell_of_item(faults, i, "a domain");
    }
}

static const char *check_sign_in_as(const json_t *value)
{
    const char *text = plain_text(value);

    return text != NULL && (strcmp(text, SIGN_IN_ASK) == 0 || account_name_valid(text))
               ? NULL
               : TEXT("a sign-in name or \"ask\"");
}

static void check_account(const json_t *account, struct settings_faults *faults)
{
    const json_t *cloud = json_object_get(account, "cloud");
    size_t outer = strlen(faults->pointer);

    if (!json_is_object(account))
        settings_tell(faults, "an object");
    check_member(account, "signInAs", check_sign_in_as, faults);
    check_member(account, "tenant", settings_check_tenant, faults);
    if (cloud != NULL && !settings_one_of(cloud, settings_clouds)) {
        json_pointer_add(faults->pointer, "cloud");
        settings_tell(faults, settings_clouds_text);
        faults->pointer[outer] = '\0';
    }
    check_names(account, account_members, faults);
}

void settings_check_accounts(const json_t *value, struct settings_faults *faults)
{
    size_t outer = strlen(faults->pointer);
    const char *address;
    json_t *account;

    if (!json_is_object(value))
        settings_tell(faults, "an object by address or \"*@domain\"");
    json_object_foreach((json_t *)value, address, account)
    {
        json_pointer_add(faults->pointer, address);
        if (!account_name_valid(address))
            settings_tell(faults, "named by an address or \"*@domain\"");
        check_account(account, faults);
        faults->pointer[outer] = '\0';
    }
}

/* A point of small order is refused, as nothing can be sealed to it: everybody would know what comes out. */
const char *settings_check_public_key(const json_t *value)
{
    const char *text = plain_text(value);
    static const unsigned char any_scalar[crypto_scalarmult_SCALARBYTES] = {1};
    unsigned char key[crypto_box_PUBLICKEYBYTES], shared[crypto_scalarmult_BYTES];
    size_t length = 0;

    if (text != NULL &&
        sodium_base642bin(key, sizeof key, text, strlen(text), NULL, &length, NULL,
                          sodium_base64_VARIANT_ORIGINAL) == 0 &&
        length == sizeof key && crypto_scalarmult(shared, any_scalar, key) == 0)
        return NULL;
    return TEXT("an X25519 public key in base64");
}

const char *settings_check_path(const json_t *value)
{
    const char *text = plain_text(value);

    return text != NULL && text[0] == '/' && strlen(text) < 4096 ? NULL : TEXT("an absolute path");
}

const char *settings_check_proxy(const json_t *value)
{
    const char *text = plain_text(value);

    return text != NULL && strstr(text, "://") != NULL && scope_valid(text) ? NULL : TEXT("a proxy URL");
}

const char *settings_check_bool(const json_t *value)
{
    return json_is_boolean(value) ? NULL : TEXT("true or false");
}

static const char *check_days(const json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) >= 1 && json_integer_value(value) <= 36500
               ? NULL
               : TEXT("a number of days from 1 to 36500");
}

void settings_check_audit(const json_t *value, struct settings_faults *faults)
{
    if (!json_is_object(value))
        settings_tell(faults, "an object");
    check_member(value, "enabled", settings_check_bool, faults);
    check_member(value, "retentionDays", check_days, faults);
    check_names(value, audit_members, faults);
}

const char *settings_check_locale(const json_t *value)
{
    const char *text = plain_text(value);

    return text != NULL && value_is_host_name(text, strlen(text)) && strlen(text) <= 35
               ? NULL
               : TEXT("a language tag");
}
