/* SPDX-License-Identifier: MPL-2.0 */
/* An identity as it is kept: a clear header without secrets, and the payload that is sealed. */
#ifndef THUNDERSEAL_CORE_IDENTITY_RECORD_H
#define THUNDERSEAL_CORE_IDENTITY_RECORD_H

#include "core/identity.h"
#include <jansson.h>

/* What the header holds besides the identity's own fields. */
struct record_header {
    json_t *addresses; /* array of texts as first written; borrowed when writing, new reference when read */
    char tenant[TENANT_SIZE]; /* asked for by account.add, or "" */
    char cloud[32];           /* the same */
};

/* New reference, or NULL out of memory. */
json_t *identity_header_write(const struct identity *identity, const struct record_header *extra);
/* Fills key and extra. 0, or -1 when a field is missing, of the wrong type or too long; then nothing is held.
 */
int identity_header_read(const json_t *header, struct identity *identity, struct record_header *extra);
/* "browser", "device", "import". */
const char *method_name(enum sign_in_method method);
/* The JSON text of the tokens. 0, or -1 out of memory. */
int identity_payload_write(const struct identity *identity, struct secret *payload);
/* Fills what is kept (grant, access, serial, dead, claims) of an identity that is zeroed; for EVENT_REPLACED.
 * 0, -1 when the payload is not valid, or 1 out of memory: then nothing is held. */
int identity_payload_read(const struct secret *payload, struct identity *identity);

#endif
