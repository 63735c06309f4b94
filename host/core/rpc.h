/* SPDX-License-Identifier: MPL-2.0 */
/* JSON-RPC 2.0 messages as the protocol bounds them: parsing and checking of one request, and reading its
 * params. */
#ifndef THUNDERSEAL_CORE_RPC_H
#define THUNDERSEAL_CORE_RPC_H

#include "core/problem.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define RPC_DEPTH_MAX 32 /* nothing in the protocol nests deeper than six */
#define RPC_ID_MAX 64    /* bytes of a string id */
#define RPC_KEY_SIZE 68  /* an id with its type before it, and the NUL */

struct rpc_request {
    json_t *message;    /* owns the rest */
    json_t *id;         /* borrowed; NULL for a notification */
    const char *method; /* borrowed */
    json_t *params;     /* borrowed; NULL when absent */
};

/* Text of length bytes into a JSON value, any type at top level: no duplicate keys, nesting at most
 * RPC_DEPTH_MAX. New reference, or NULL with *problem PROBLEM_PARSE_ERROR. */
json_t *rpc_parse(const char *text, size_t length, struct problem *problem);
/* Checks the envelope; takes over message. 0, or -1 with *problem PROBLEM_INVALID_REQUEST (message is
 * released). */
int rpc_request_check(json_t *message, struct rpc_request *request, struct problem *problem);
void rpc_request_clear(struct rpc_request *request);
/* "s…" or "i…": the same id gives the same key. id must have passed rpc_request_check. */
void rpc_id_key(char key[RPC_KEY_SIZE], const json_t *id);

/* New references, NULL out of memory; result and params are taken over, id NULL is null. What there is no
 * memory for becomes an error that says so, if there is enough for that. */
json_t *rpc_result(json_t *id, json_t *result);
json_t *rpc_error(json_t *id, const struct problem *problem);
json_t *rpc_notification(const char *method, json_t *params);

/*
 * Params: each getter returns 0 and the value, or -1 with *problem PROBLEM_INVALID_PARAMS naming the field.
 * Texts are borrowed, without NUL inside. An optional field that is absent leaves *value as it was.
 */
/* A text without NUL inside, borrowed; NULL: it is none. */
const char *rpc_text(const json_t *value);
int rpc_params_known(const json_t *params, const char *const *names, size_t count, struct problem *problem);
int rpc_param_text(const json_t *params, const char *name, bool required, const char **value,
                   struct problem *problem);
int rpc_param_account(const json_t *params, const char *name, bool required, const char **value,
                      struct problem *problem);
int rpc_param_integer(const json_t *params, const char *name, json_int_t low, json_int_t high,
                      json_int_t *value, struct problem *problem);
int rpc_param_bool(const json_t *params, const char *name, bool *value, struct problem *problem);
/* Fills *problem for a field with a bad value; always returns -1. */
int rpc_param_bad(struct problem *problem, const char *name, const char *expected TEXTS);

#endif
