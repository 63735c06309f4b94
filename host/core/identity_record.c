/* SPDX-License-Identifier: MPL-2.0 */
#include "core/identity_record.h"

#include "core/diagnosis.h"
#include "core/identity_parts.h"
#include "core/json_read.h"
#include "core/settings.h"
#include "core/wiping_alloc.h"
#include <string.h>

#define RECORD_VERSION 1
#define TIME_MAX 253402300799 /* the year 9999: sums of two times never overflow */

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

    if (!json_is_integer(member) || json_integer_value(member) < 0 || json_integer_value(member) > TIME_MAX)
        return -1;
    *time = json_integer_value(member);
    return 0;
}

/* The same for what older versions did not write. */
static int read_time_or(int64_t *time, const json_t *object, const char *name, int64_t otherwise)
{
    *time = otherwise;
    return json_object_get(object, name) == NULL ? 0 : read_time(time, object, name);
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
    /* What this version does not know asks for nothing. */
    if (!settings_tenant_valid(extra->tenant))
        extra->tenant[0] = '\0';
    if (!settings_cloud_valid(extra->cloud))
        extra->cloud[0] = '\0';
    extra->addresses = json_incref(addresses);
    return 0;
}

/* --- the payload --- */

static const char *const method_names[] = {"browser", "device", "import"};

const char *method_name(enum sign_in_method method)
{
    return method_names[method];
}

/* A problem is kept as what it was made of; its texts are the program's that reads it. */
static json_t *problem_write(const struct problem *problem)
{
    if (problem->kind == PROBLEM_NONE)
        return json_null();
    return json_pack("{s:s, s:i, s:i, s:I, s:s, s:s, s:s}", "kind", problem_kind_name(problem->kind),
                     "aadsts", problem->aadsts, "words", problem->words, "since", (json_int_t)problem->since,
                     "correlationId", problem->correlation_id, "traceId", problem->trace_id, "missingScopes",
                     problem->missing_scopes);
}

static json_t *access_write(const struct access *access)
{
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "resource", access->resource, "accessToken",
                     secret_expose(&access->access_token), "renewal", (json_int_t)access->renewal, "issuedAt",
                     (json_int_t)access->issued_at, "expiresAt", (json_int_t)access->expires_at, "refreshAt",
                     (json_int_t)access->refresh_at, "triedAt",
                     (json_int_t)(access->suspended ? access->tried_at : 0), "problem",
                     access->suspended ? problem_write(&access->problem) : json_null());
}

static json_t *resources_write(const struct identity *identity)
{
    json_t *resources = json_array();
    int i;

    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++) {
        const struct access *access = &identity->access[i];
        if ((access->access_token.length != 0 || access->suspended) &&
            json_array_append_new(resources, access_write(access)) != 0) {
            json_decref(resources);
            return NULL;
        }
    }
    return resources;
}

static json_t *payload_object(const struct identity *identity)
{
    const struct grant *grant = &identity->grant;

    return json_pack("{s:i, s:I, s:I, s:I, s:s, s:s, s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "version",
                     RECORD_VERSION, "serial", (json_int_t)grant->serial, "lastSerial",
                     (json_int_t)identity->serial, "renewals", (json_int_t)grant->renewals, "method",
                     method_names[grant->method], "refreshToken", secret_expose(&grant->refresh_token),
                     "obtainedAt", (json_int_t)grant->obtained_at, "lastUsedAt",
                     (json_int_t)grant->last_used_at, "oid", grant->oid, "tid", grant->tid, "homeAccountId",
                     grant->home_account_id, "scopes", grant->scopes, "claims", identity->claims, "dead",
                     problem_write(&identity->dead), "access", resources_write(identity));
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

/* 0, -1 when it is none, or 1 out of memory; so do all who read one. */
static int read_secret(struct secret *secret, const json_t *object, const char *name)
{
    const json_t *member = json_object_get(object, name);

    if (!json_is_string(member))
        return -1;
    return secret_set(secret, json_string_value(member), json_string_length(member)) == 0 ? 0 : 1;
}

static int problem_read(struct problem *problem, const json_t *object)
{
    const char *kind = json_string_value(json_object_get(object, "kind"));
    int64_t since = 0, aadsts = 0, words = 0;

    memset(problem, 0, sizeof *problem);
    if (object == NULL || json_is_null(object))
        return 0;
    if (kind == NULL || problem_kind_by_name(kind) == PROBLEM_NONE ||
        read_time(&aadsts, object, "aadsts") != 0 || aadsts > INT32_MAX ||
        read_time_or(&words, object, "words", 0) != 0 || words > INT32_MAX ||
        read_time(&since, object, "since") != 0)
        return -1;
    diagnose_restore(problem_kind_by_name(kind), (int)(aadsts != 0 ? aadsts : words), problem);
    problem->aadsts = (int)aadsts;
    problem->words = (int)words;
    problem->since = since;
    return read_text(problem->correlation_id, sizeof problem->correlation_id, object, "correlationId",
                     false) != 0 ||
                   read_text(problem->trace_id, sizeof problem->trace_id, object, "traceId", false) != 0 ||
                   read_text(problem->missing_scopes, sizeof problem->missing_scopes, object, "missingScopes",
                             false) != 0
               ? -1
               : 0;
}

static int access_read(struct identity *identity, const json_t *object)
{
    char resource[RESOURCE_SIZE];
    struct access *access;
    int64_t renewal = 0;
    int index;

    if (read_text(resource, sizeof resource, object, "resource", false) != 0 || resource[0] == '\0')
        return -1;
    index = access_index(identity, resource, true);
    if (index < 0)
        return 0; /* no place left: what is lost can be renewed */
    access = &identity->access[index];
    if (read_time_or(&renewal, object, "renewal", 0) != 0 ||
        read_time(&access->issued_at, object, "issuedAt") != 0 ||
        read_time(&access->expires_at, object, "expiresAt") != 0 ||
        read_time_or(&access->refresh_at, object, "refreshAt", access->expires_at - RENEW_BEFORE_EXPIRY_S) !=
            0 ||
        read_time_or(&access->tried_at, object, "triedAt", 0) != 0 ||
        problem_read(&access->problem, json_object_get(object, "problem")) != 0)
        return -1;
    access->renewal = (uint64_t)renewal;
    access->suspended = access->problem.kind != PROBLEM_NONE;
    problem_copy_text(access->problem.resource, sizeof access->problem.resource, access->resource);
    return read_secret(&access->access_token, object, "accessToken");
}

static int method_read(enum sign_in_method *method, const json_t *object)
{
    const json_t *member = json_object_get(object, "method");
    const char *name = json_string_value(member);
    int i;

    if (member == NULL)
        return 0;
    for (i = METHOD_BROWSER; name != NULL && i <= METHOD_IMPORT; i++)
        if (strcmp(name, method_names[i]) == 0) {
            *method = (enum sign_in_method)i;
            return 0;
        }
    return -1;
}

static int grant_read(struct grant *grant, const json_t *object)
{
    int64_t serial = 0, renewals = 0;

    if (json_integer_value(json_object_get(object, "version")) != RECORD_VERSION ||
        read_time(&serial, object, "serial") != 0 || read_time_or(&renewals, object, "renewals", 0) != 0 ||
        method_read(&grant->method, object) != 0 ||
        read_time(&grant->obtained_at, object, "obtainedAt") != 0 ||
        read_time(&grant->last_used_at, object, "lastUsedAt") != 0 ||
        read_text(grant->oid, sizeof grant->oid, object, "oid", false) != 0 ||
        read_text(grant->tid, sizeof grant->tid, object, "tid", false) != 0 ||
        read_text(grant->home_account_id, sizeof grant->home_account_id, object, "homeAccountId", false) !=
            0 ||
        read_text(grant->scopes, sizeof grant->scopes, object, "scopes", false) != 0)
        return -1;
    grant->serial = (uint64_t)serial;
    grant->renewals = (uint64_t)renewals;
    return read_secret(&grant->refresh_token, object, "refreshToken");
}

static int resources_read(struct identity *identity, const json_t *accesses)
{
    json_t *access;
    int result = 0;
    size_t i;

    if (!json_is_array(accesses) || json_array_size(accesses) > IDENTITY_RESOURCES_MAX)
        return -1;
    json_array_foreach((json_t *)accesses, i, access)
    {
        result = access_read(identity, access);
        if (result != 0)
            return result;
    }
    return 0;
}

int identity_payload_read(const struct secret *payload, struct identity *identity)
{
    bool no_memory;
    json_t *object =
        json_read(secret_expose(payload), payload->length, JSON_REJECT_DUPLICATES, NULL, &no_memory);
    int64_t last_serial = 0;
    int result = no_memory ? 1 : grant_read(&identity->grant, object);

    if (result == 0 && (read_time(&last_serial, object, "lastSerial") != 0 ||
                        read_text(identity->claims, sizeof identity->claims, object, "claims", true) != 0 ||
                        problem_read(&identity->dead, json_object_get(object, "dead")) != 0))
        result = -1;
    if (result == 0)
        result = resources_read(identity, json_object_get(object, "access"));
    if (result != 0) {
        identity_forget_tokens(identity);
        goto out;
    }
    identity->serial = (uint64_t)last_serial;
    if (identity->grant.serial != 0 && identity->grant.refresh_token.length == 0 &&
        identity->dead.kind == PROBLEM_NONE) {
        diagnose_kind(PROBLEM_SIGN_IN_REQUIRED, &identity->dead);
        identity->dead.since = identity->grant.last_used_at;
    }
out:
    json_decref(object);
    return result;
}
