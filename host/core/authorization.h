/* SPDX-License-Identifier: MPL-2.0 */
/* Authorization and admin-consent URL, token request forms (RFC 6749, RFC 7636 PKCE S256, RFC 8252; FACTS 1.1
 * to 1.3). */
#ifndef THUNDERSEAL_CORE_AUTHORIZATION_H
#define THUNDERSEAL_CORE_AUTHORIZATION_H

#include "core/scope.h"
#include "core/secret.h"

#define PKCE_RANDOM_BYTES 32 /* RFC 7636 section 4.1 recommends 32 octets */
#define AUTHORIZATION_URL_MAX                                                                                \
    12288 /* with its NUL: scopes 3 x 1 KiB encoded, claims 3 x 2 KiB, the rest under 2 KiB */

struct authorization_request {
    const char *authority; /* https://host[:port] */
    const char *tenant;
    const char *client_id;
    const char *redirect_uri;
    const char *scopes;
    const char *login_hint; /* or NULL: the user is to choose the account (never both, FACTS 1.2) */
    const char *claims;     /* JSON that an error demanded, or "" */
    const struct secret *state;
    const struct secret *nonce;
    const struct secret *verifier;
};

struct consent_request {
    const char *authority; /* https://host[:port] */
    const char *tenant;
    const char *client_id;
    const char *redirect_uri;
    const char *scopes;
    const char *state;
};

/* Random bytes as base64url text into *text. 0 or -1. */
int authorization_random_text(struct secret *text, const unsigned char *bytes, size_t length);
/* The URL for the browser into url. 0, or -1 when it does not fit. */
int authorization_url(char url[AUTHORIZATION_URL_MAX], const struct authorization_request *request);

/* The same for an administrator who consents for the whole tenant. */
int admin_consent_url(char url[AUTHORIZATION_URL_MAX], const struct consent_request *request);

struct token_request {
    const char *client_id;
    const char *scopes;        /* of one resource, and openid ones */
    const struct secret *code; /* code grant: with redirect_uri and verifier; else NULL */
    const char *redirect_uri;
    const struct secret *verifier;
    const struct secret *refresh_token; /* refresh grant; else NULL */
    const struct secret *device_code;   /* device grant (RFC 8628 section 3.4); else NULL */
};

/* The encoded form into *form. 0, or -1 out of memory. */
int token_request_form(struct secret *form, const struct token_request *request);
/* The encoded form that asks for a device code (RFC 8628 section 3.1). 0, or -1 out of memory. */
int device_code_form(struct secret *form, const char *client_id, const char *scopes);
/* "authority/tenant" + path into url; 0, or -1 when it does not fit. */
int endpoint_url(char *url, size_t size, const char *authority, const char *tenant, const char *path);

#endif
