/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a JSON Web Token (RFC 7519) says, without a look at its signature: for an id token that came over TLS
 * from its issuer, and for the diagnosis of an access token, by which nothing is decided.
 */
#ifndef THUNDERSEAL_CORE_JWT_H
#define THUNDERSEAL_CORE_JWT_H

#include "core/account_name.h"
#include "core/scope.h"
#include "core/secret.h"
#include "core/token_answer.h"
#include <jansson.h>
#include <stdint.h>

/* A base64url part into JSON: new reference, or NULL when it is none. */
json_t *jwt_part(const char *text, size_t length);
/* The claims of a compact token: new reference, or NULL when it is none (Microsoft's personal accounts have
 * opaque tokens, FACTS 1.12). */
json_t *jwt_claims(const char *token);
/* Copies a text member, or leaves "" when it is absent, not a text, too long or has control characters. */
void jwt_text(char *to, size_t size, const json_t *object, const char *key);

/* What Entra's access tokens say (FACTS 1.12). "" and 0 when absent. */
struct access_claims {
    bool readable;
    char audience[RESOURCE_SIZE];
    char scopes[SCOPE_LIST_SIZE]; /* short names */
    char user[ACCOUNT_NAME_SIZE];
    char tenant[DIRECTORY_ID_SIZE];
    char client_id[DIRECTORY_ID_SIZE];
    int64_t issued_at, expires_at; /* Unix seconds */
};

void access_claims_read(struct access_claims *claims, const struct secret *token);
/* Whether a token for this audience serves the resource: Exchange, and Graph, go by several names. */
bool access_audience_fits(const char *audience, const char *resource, bool graph);

#endif
