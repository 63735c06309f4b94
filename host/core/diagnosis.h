/* SPDX-License-Identifier: MPL-2.0 */
/*
 * From what went wrong to what it means: the kind, plain words, the next step, and what becomes of the
 * refresh token (DESIGN 3.4 to 3.6). Behaviour is decided by HTTP status, error, suberror and claims; the
 * AADSTS number finds the words, may choose among the kinds that somebody has to answer, and those of passing
 * trouble make an answer transient.
 */
#ifndef THUNDERSEAL_CORE_DIAGNOSIS_H
#define THUNDERSEAL_CORE_DIAGNOSIS_H

#include "core/problem.h"
#include "core/token_answer.h"

#define RETRY_AFTER_DEFAULT 60 /* seconds, when a throttling answer names none (FACTS 1.7) */
#define RETRY_AFTER_MAX 3600   /* seconds; a longer demand is not believed */

/* An OAuth error (RFC 6749 section 5.2) with Entra's additions. Texts are borrowed, may be NULL or hostile.
 */
struct oauth_error {
    long status;
    int retry_after;
    const char *error;
    const char *suberror;
    bool has_claims; /* claims that the browser can satisfy came along */
    int aadsts;
    char correlation_id[PROBLEM_CORRELATION_MAX];
    char trace_id[PROBLEM_CORRELATION_MAX];
};

enum token_failure diagnose_token_error(const struct oauth_error *error, struct problem *problem);
/* What the error says to a client that polls with a device code (RFC 8628 section 3.5); it may be NULL. */
enum device_poll diagnose_device_poll(const char *error);
/* The authorization endpoint's error, as the redirect brought it. */
void diagnose_authorization_error(const char *error, int aadsts, bool refused_by_user,
                                  struct problem *problem);
/* stage is a literal of the protocol: "dns" … "http". */
void diagnose_transport(const char *stage, struct problem *problem);
/* Neither success nor an OAuth error: HTML, too long, a redirect, a missing field. status 0 when unknown. */
void diagnose_strange_answer(long status, int retry_after, struct problem *problem);
/* The texts for a kind that has no closer cause. */
void diagnose_kind(enum problem_kind kind, struct problem *problem);
/* A problem that was kept as two numbers: in the words in which it was first told. since, ids and names are
 * the caller's to add. A kind that no answer of the identity provider has becomes sign-in-required. */
void diagnose_restore(enum problem_kind kind, int aadsts, struct problem *problem);

#endif
