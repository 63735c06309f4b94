/* SPDX-License-Identifier: MPL-2.0 */
#include "core/identity_record.h"

#include "core/diagnosis.h"
#include "core/identity_parts.h"
#include "core/wiping_alloc.h"
#include <string.h>

#define RECORD_VERSION 1

json_t *identity_header_write(const struct identity *identity, const struct record_header *extra)
{
    const struct identity_key *key = &identity->key;
    json_t *header = json_pack("{s:i, s:O, s:s, s:s, s:s, s:s, s:I, s:I}", "version", RECORD_VERSION,
                               "addresses", extra->addresses, "signInAs", key->sign_in_as, "authority",
                               key->authority, "tenant", key->tenant, "clientId", key->client_id,
                               "obtainedAt", (json_int_t)identity->grant.obtained_at, "lastUsedAt",
                               (json_int_t)identity->grant.last_used_at);

    if (header == NULL)
        return NULL;
    if ((extra->tenant[0] != '\0' &&
         json_object_set_new(header, "askedTenant", json_string(extra->tenant)) != 0) ||
        (extra->cloud[0] != '\0' &&
         json_object_set_new(header, "askedCloud", json_string(extra->cloud)) != 0)) {
        json_decref(header);
        return NULL;
    }
    return header;
}

/* Copies a text that must fit; absent is "" when it is optional. -1 otherwise. */
static int read_text(char *to, size_t size, const json_t *object, const char *name, bool optional)
{
    const json_t *member = json_object_get(object, name);

    to[0] = '\0';
    if (member == NULL)
        return optional ? 0 : -1;
    if (!json_is_string(member) || json_string_length(member) >= size ||
        strlen(json_string_value(member)) != json_string_length(member))
        return -1;
    memcpy(to, json_string_value(member), json_string_length(member) + 1);
    return 0;
}

static int read_time(int64_t *time, const json_t *object, const char *name)
{
    const json_t *member = json_object_get(object, name);

    if (!json_is_integer(member) || json_integer_value(member) < 0)
        return -1;
    *time = json_integer_value(member);
    return 0;
}

static bool addresses_valid(const json_t *addresses)
{
    json_t *address;
    size_t i;

    if (!json_is_array(addresses))
        return false;
    json_array_foreach((json_t *)addresses, i, address)
    {
        if (!json_is_string(address) || strlen(json_string_value(address)) != json_string_length(address) ||
            !account_name_valid(json_string_value(address)))
            return false;
    }
    return true;
}

int identity_header_read(const json_t *header, struct identity *identity, struct record_header *extra)
{
    struct identity_key *key = &identity->key;
    json_t *addresses = json_object_get(header, "addresses");

    if (json_integer_value(json_object_get(header, "version")) != RECORD_VERSION ||
        !addresses_valid(addresses) ||
        read_text(key->sign_in_as, sizeof key->sign_in_as, header, "signInAs", false) != 0 ||
        read_text(key->authority, sizeof key->authority, header, "authority", false) != 0 ||
        read_text(key->tenant, sizeof key->tenant, header, "tenant", false) != 0 ||
        read_text(key->client_id, sizeof key->client_id, header, "clientId", false) != 0 ||
        read_text(extra->tenant, sizeof extra->tenant, header, "askedTenant", true) != 0 ||
        read_text(extra->cloud, sizeof extra->cloud, header, "askedCloud", true) != 0 ||
        !account_name_valid(key->sign_in_as))
        return -1;
    extra->addresses = json_incref(addresses);
    return 0;
}

static json_t *access_write(const struct access *access)
{
    return json_pack("{s:s, s:s, s:I, s:I}", "resource", access->resource, "accessToken",
                     secret_expose(&access->access_token), "issuedAt", (json_int_t)access->issued_at,
                     "expiresAt", (json_int_t)access->expires_at);
}

static json_t *payload_object(const struct identity *identity)
{
    const struct grant *grant = &identity->grant;
    json_t *resources = json_array();
    int i;

    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++)
        if (identity->access[i].access_token.length != 0 &&
            json_array_append_new(resources, access_write(&identity->access[i])) != 0) {
            json_decref(resources);
            return NULL;
        }
    return json_pack("{s:i, s:I, s:I, s:s, s:I, s:I, s:s, s:s, s:s, s:s, s:o}", "version", RECORD_VERSION,
                     "serial", (json_int_t)grant->serial, "lastSerial", (json_int_t)identity->serial,
                     "refreshToken", secret_expose(&grant->refresh_token), "obtainedAt",
                     (json_int_t)grant->obtained_at, "lastUsedAt", (json_int_t)grant->last_used_at, "oid",
                     grant->oid, "tid", grant->tid, "homeAccountId", grant->home_account_id, "scopes",
                     grant->scopes, "access", resources);
}

int identity_payload_write(const struct identity *identity, struct secret *payload)
{
    json_t *object = payload_object(identity);
    char *text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT);
    int result = text == NULL ? -1 : secret_set(payload, text, strlen(text));

    wiping_free(text);
    json_decref(object);
    return result;
}

static int read_secret(struct secret *secret, const json_t *object, const char *name)
{
    const json_t *member = json_object_get(object, name);

    return json_is_string(member) ? secret_set(secret, json_string_value(member), json_string_length(member))
                                  : -1;
}

static int access_read(struct identity *identity, const json_t *object)
{
    char resource[RESOURCE_SIZE];
    struct access *access;
    int index;

    if (read_text(resource, sizeof resource, object, "resource", false) != 0 || resource[0] == '\0')
        return -1;
    index = access_index(identity, resource, true);
    if (index < 0)
        return 0; /* no place left: what is lost can be renewed */
    access = &identity->access[index];
    return read_secret(&access->access_token, object, "accessToken") != 0 ||
                   read_time(&access->issued_at, object, "issuedAt") != 0 ||
                   read_time(&access->expires_at, object, "expiresAt") != 0
               ? -1
               : 0;
}

static int grant_read(struct grant *grant, const json_t *object)
{
    int64_t serial = 0;

    if (json_integer_value(json_object_get(object, "version")) != RECORD_VERSION ||
        read_time(&serial, object, "serial") != 0 ||
        read_secret(&grant->refresh_token, object, "refreshToken") != 0 ||
        read_time(&grant->obtained_at, object, "obtainedAt") != 0 ||
        read_time(&grant->last_used_at, object, "lastUsedAt") != 0 ||
        read_text(grant->oid, sizeof grant->oid, object, "oid", false) != 0 ||
        read_text(grant->tid, sizeof grant->tid, object, "tid", false) != 0 ||
        read_text(grant->home_account_id, sizeof grant->home_account_id, object, "homeAccountId", false) !=
            0 ||
        read_text(grant->scopes, sizeof grant->scopes, object, "scopes", false) != 0)
        return -1;
    grant->serial = (uint64_t)serial;
    return 0;
}

int identity_payload_read(const struct secret *payload, struct identity *identity)
{
    json_t *object = json_loadb(secret_expose(payload), payload->length, JSON_REJECT_DUPLICATES, NULL);
    json_t *accesses = json_object_get(object, "access"), *access;
    int64_t last_serial = 0;
    size_t i;

    if (grant_read(&identity->grant, object) != 0 || read_time(&last_serial, object, "lastSerial") != 0 ||
        !json_is_array(accesses) || json_array_size(accesses) > IDENTITY_RESOURCES_MAX)
        goto fail;
    json_array_foreach(accesses, i, access)
    {
        if (access_read(identity, access) != 0)
            goto fail;
    }
    if (identity->serial < (uint64_t)last_serial)
        identity->serial = (uint64_t)last_serial;
    if (identity->grant.serial != 0 && identity->grant.refresh_token.length == 0) {
        diagnose_kind(PROBLEM_SIGN_IN_REQUIRED, &identity->dead);
        identity->dead.since = identity->grant.last_used_at;
    }
    json_decref(object);
    return 0;
fail:
    identity_forget_tokens(identity);
    json_decref(object);
    return -1;
}

int identity_payload_replace(const struct secret *payload, struct identity *identity)
{
    uint64_t serial = identity->grant.serial;
    struct secret refresh_token = {0};
    int result;

    secret_move(&refresh_token, &identity->grant.refresh_token);
    identity_forget_tokens(identity);
    memset(&identity->dead, 0, sizeof identity->dead);
    result = identity_payload_read(payload, identity);
    /* What is on the wire was sent for another grant, or with a refresh token that has been replaced. */
    if (identity->flight.purpose == PURPOSE_REFRESH &&
        (identity->grant.serial != serial || !secret_equal(&identity->grant.refresh_token, &refresh_token)))
        identity->flight.detached = true;
    secret_wipe(&refresh_token);
    return result;
}
