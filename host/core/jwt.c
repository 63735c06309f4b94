/* SPDX-License-Identifier: MPL-2.0 */
#include "core/jwt.h"

#include "core/json_read.h"
#include "core/wiping_alloc.h"
#include <sodium.h>
#include <string.h>
#include <strings.h>

#define ENCODED_PART_MAX 16384 /* encoded payload: Entra's are under 4 KiB */

json_t *jwt_part(const char *text, size_t length)
{
    unsigned char *bytes = NULL;
    json_t *object = NULL;
    size_t decoded = 0;

    if (length == 0 || length > ENCODED_PART_MAX)
        return NULL;
    bytes = wiping_malloc(length);
    if (bytes != NULL && sodium_base642bin(bytes, length, text, length, NULL, &decoded, NULL,
                                           sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0)
        object = json_read((const char *)bytes, decoded, JSON_REJECT_DUPLICATES, NULL, NULL);
    wiping_free(bytes);
    return object;
}

json_t *jwt_claims(const char *token)
{
    const char *payload = token == NULL ? NULL : strchr(token, '.');
    const char *end = payload == NULL ? NULL : strchr(payload + 1, '.');
    json_t *object = end == NULL ? NULL : jwt_part(payload + 1, (size_t)(end - payload - 1));

    if (json_is_object(object))
        return object;
    json_decref(object);
    return NULL;
}

void jwt_text(char *to, size_t size, const json_t *object, const char *key)
{
    const json_t *member = json_object_get(object, key);
    size_t length = json_string_length(member), i;

    to[0] = '\0';
    if (!json_is_string(member) || length >= size)
        return;
    for (i = 0; i < length; i++)
        if ((unsigned char)json_string_value(member)[i] < 0x20)
            return;
    memcpy(to, json_string_value(member), length + 1);
}

/* The first of these claims that is there. */
static void first_text(char *to, size_t size, const json_t *object, const char *const *keys)
{
    for (to[0] = '\0'; *keys != NULL && to[0] == '\0'; keys++)
        jwt_text(to, size, object, *keys);
}

void access_claims_read(struct access_claims *claims, const struct secret *token)
{
    static const char *const users[] = {"upn", "preferred_username", "unique_name", NULL};
    static const char *const apps[] = {"appid", "azp", NULL};
    json_t *object = jwt_claims(secret_expose(token));

    memset(claims, 0, sizeof *claims);
    if (object == NULL)
        return;
    claims->readable = true;
    jwt_text(claims->audience, sizeof claims->audience, object, "aud");
    jwt_text(claims->scopes, sizeof claims->scopes, object, "scp");
    first_text(claims->user, sizeof claims->user, object, users);
    jwt_text(claims->tenant, sizeof claims->tenant, object, "tid");
    first_text(claims->client_id, sizeof claims->client_id, object, apps);
    claims->issued_at = json_integer_value(json_object_get(object, "iat"));
    claims->expires_at = json_integer_value(json_object_get(object, "exp"));
    json_decref(object);
}

bool access_audience_fits(const char *audience, const char *resource, bool graph)
{
    /* FACTS 1.12 and 2.1. */
    static const char *const outlook_names[] = {"https://outlook.office.com", "https://outlook.office365.com",
                                                "00000002-0000-0ff1-ce00-000000000000", NULL};
    static const char *const graph_names[] = {"https://graph.microsoft.com",
                                              "00000003-0000-0000-c000-000000000000", NULL};
    const char *const *name = graph ? graph_names : outlook_names;
    size_t length = strlen(audience);

    if (length > 0 && audience[length - 1] == '/')
        length--;
    if (strlen(resource) == length && strncasecmp(audience, resource, length) == 0)
        return true;
    for (; *name != NULL; name++)
        if (strlen(*name) == length && strncasecmp(audience, *name, length) == 0)
            return true;
    return false;
}
