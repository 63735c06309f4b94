/* SPDX-License-Identifier: MPL-2.0 */
#include "core/authorization.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PATH_AUTHORIZE "/oauth2/v2.0/authorize"
#define PATH_ADMIN_CONSENT "/v2.0/adminconsent"

/* Text that grows up to a fixed end; once it did not fit it stays marked. */
struct writer {
    char *text;
    size_t used, size;
    bool overflow;
};

static void put(struct writer *writer, const char *bytes, size_t length)
{
    if (writer->overflow || length >= writer->size - writer->used) {
        writer->overflow = true;
        return;
    }
    memcpy(writer->text + writer->used, bytes, length);
    writer->used += length;
    writer->text[writer->used] = '\0';
}

/* RFC 3986 section 2.3: what is not unreserved goes as %XX. */
static void put_encoded(struct writer *writer, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";

    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        char escaped[3] = {'%', hex[c >> 4], hex[c & 15]};
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            strchr("-._~", c) != NULL)
            put(writer, text, 1);
        else
            put(writer, escaped, 3);
    }
}

static void put_field(struct writer *writer, const char *name, const char *value)
{
    if (writer->used != 0 && writer->text[writer->used - 1] != '?')
        put(writer, "&", 1);
    put(writer, name, strlen(name));
    put(writer, "=", 1);
    put_encoded(writer, value);
}

int authorization_random_text(struct secret *text, const unsigned char *bytes, size_t length)
{
    size_t size = sodium_base64_ENCODED_LEN(length, sodium_base64_VARIANT_URLSAFE_NO_PADDING);

    if (secret_reserve(text, size - 1) != 0)
        return -1;
    sodium_bin2base64((char *)text->bytes, size, bytes, length, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return 0;
}

int authorization_url(char url[AUTHORIZATION_URL_MAX], const struct authorization_request *request)
{
    struct writer writer = {.text = url, .size = AUTHORIZATION_URL_MAX};
    unsigned char digest[crypto_hash_sha256_BYTES];
    char challenge[sodium_base64_ENCODED_LEN(sizeof digest, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];

    if (endpoint_url(url, AUTHORIZATION_URL_MAX, request->authority, request->tenant, PATH_AUTHORIZE "?") !=
        0)
        return -1;
    writer.used = strlen(url);
    crypto_hash_sha256(digest, request->verifier->bytes, request->verifier->length);
    sodium_bin2base64(challenge, sizeof challenge, digest, sizeof digest,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    put_field(&writer, "client_id", request->client_id);
    put_field(&writer, "response_type", "code");
    put_field(&writer, "response_mode", "query");
    put_field(&writer, "redirect_uri", request->redirect_uri);
    put_field(&writer, "scope", request->scopes);
    put_field(&writer, "state", secret_expose(request->state));
    put_field(&writer, "nonce", secret_expose(request->nonce));
    put_field(&writer, "code_challenge", challenge);
    put_field(&writer, "code_challenge_method", "S256");
    if (request->login_hint != NULL)
        put_field(&writer, "login_hint", request->login_hint);
    else
        put_field(&writer, "prompt", "select_account");
    if (request->claims[0] != '\0')
        put_field(&writer, "claims", request->claims);
    return writer.overflow ? -1 : 0;
}

static void put_grant(struct writer *writer, const struct token_request *request)
{
    if (request->code != NULL) {
        put_field(writer, "grant_type", "authorization_code");
        put_field(writer, "code", secret_expose(request->code));
        put_field(writer, "redirect_uri", request->redirect_uri);
        put_field(writer, "code_verifier", secret_expose(request->verifier));
    } else if (request->device_code != NULL) {
        put_field(writer, "grant_type", "urn:ietf:params:oauth:grant-type:device_code");
        put_field(writer, "device_code", secret_expose(request->device_code));
    } else {
        put_field(writer, "grant_type", "refresh_token");
        put_field(writer, "refresh_token", secret_expose(request->refresh_token));
    }
}

static size_t grant_length(const struct token_request *request)
{
    if (request->code != NULL)
        return request->code->length;
    return request->device_code != NULL ? request->device_code->length : request->refresh_token->length;
}

int admin_consent_url(char url[AUTHORIZATION_URL_MAX], const struct consent_request *request)
{
    struct writer writer = {.text = url, .size = AUTHORIZATION_URL_MAX};

    if (endpoint_url(url, AUTHORIZATION_URL_MAX, request->authority, request->tenant,
                     PATH_ADMIN_CONSENT "?") != 0)
        return -1;
    writer.used = strlen(url);
    put_field(&writer, "client_id", request->client_id);
    put_field(&writer, "scope", request->scopes);
    put_field(&writer, "redirect_uri", request->redirect_uri);
    put_field(&writer, "state", request->state);
    return writer.overflow ? -1 : 0;
}

int token_request_form(struct secret *form, const struct token_request *request)
{
    size_t size = grant_length(request) * 3 + AUTHORIZATION_URL_MAX;
    struct writer writer = {.size = size};

    if (secret_reserve(form, size) != 0)
        return -1;
    writer.text = (char *)form->bytes;
    put_field(&writer, "client_id", request->client_id);
    put_field(&writer, "client_info", "1");
    put_field(&writer, "scope", request->scopes);
    put_grant(&writer, request);
    if (writer.overflow) {
        secret_wipe(form);
        return -1;
    }
    form->length = writer.used;
    return 0;
}

int device_code_form(struct secret *form, const char *client_id, const char *scopes)
{
    struct writer writer = {.size = AUTHORIZATION_URL_MAX};

    if (secret_reserve(form, AUTHORIZATION_URL_MAX) != 0)
        return -1;
    writer.text = (char *)form->bytes;
    put_field(&writer, "client_id", client_id);
    put_field(&writer, "scope", scopes);
    form->length = writer.used;
    return writer.overflow ? -1 : 0;
}

int endpoint_url(char *url, size_t size, const char *authority, const char *tenant, const char *path)
{
    int length = snprintf(url, size, "%s/%s%s", authority, tenant, path);

    return length < 0 || (size_t)length >= size ? -1 : 0;
}
