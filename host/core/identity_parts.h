/* SPDX-License-Identifier: MPL-2.0 */
/* What the files of the identity machine share; nobody else includes this. */
#ifndef THUNDERSEAL_CORE_IDENTITY_PARTS_H
#define THUNDERSEAL_CORE_IDENTITY_PARTS_H

#include "core/identity.h"

/* --- identity.c --- */
/* Never fails: see EFFECTS_MAX. */
struct effect *effect_add(struct effects *effects, enum effect_kind kind);
void effect_reply_problem(struct effects *effects, uint64_t request, const struct problem *problem);
void effect_sign_in(struct effects *effects, enum effect_kind kind, uint64_t id,
                    const struct problem *problem);
/* Suspended grants may be tried again before their hour is over (DESIGN 3.5). */
void allow_retry(struct identity *identity);
/* Forgets all but the resource's name and whether it is used. */
void access_clear(struct access *access);
void grant_clear(struct grant *grant);
void sign_in_clear(struct sign_in *sign_in);
void before_clear(struct identity *identity);
/* Index of the resource's access, made when there is room and make is set; -1 otherwise. */
int access_index(struct identity *identity, const char *resource, bool make);
/* Whether the grant has any scope of the resource: without one there is nothing to ask for. */
bool access_granted(const struct identity *identity, const struct access *access);
/* Puts a token into the place of the one held; it is moved. */
void access_take_token(struct access *access, struct secret *token);
/* Whether the token held is the one whose SHA-256 is given (NULL: no). */
bool access_is_rejected(const struct access *access, const unsigned char *rejected);

/* --- identity_time.c --- */
/* A number from 0 to bound - 1. */
int64_t random_below(struct identity *identity, int64_t bound);
/* Seconds since the token was issued; negative when the clock was set back since. */
int64_t access_age(const struct access *access, struct moment now);
bool access_living(const struct access *access, struct moment now);
/* Whether the token is so young that another would not be better. */
bool access_just_issued(const struct access *access, struct moment now);
/* Whether the time to renew the token has come, jitter aside. */
bool access_due(const struct access *access, struct moment now);
/* Seconds until a suspended grant may be tried again, 0 or less when it may. */
int64_t suspension_left(const struct access *access, struct moment now);
void set_back_off(struct identity *identity, struct access *access, int retry_after, struct moment now);
/* The resource whose token is to be renewed ahead now, or -1. */
int due_ahead(const struct identity *identity, struct moment now);
/* The latest times come first; 0 is no time. */
void remember_time(int64_t *times, size_t count, int64_t now);
void forget_latest_time(int64_t *times, size_t count);

/* --- identity_hand_out.c --- */
void token_wanted(struct identity *identity, const struct event *event, struct moment now,
                  struct effects *effects);
void request_ended(struct identity *identity, const struct event *event, struct moment now,
                   struct effects *effects);
/* Answers every waiter of the resource (-1: all): with the token when problem is NULL, else with what still
 * lives, else with the problem. */
void answer_waiters(struct identity *identity, int resource, bool renewed, const struct problem *problem,
                    struct moment now, struct effects *effects);
/* Answers those who wait for no request any more: a token came from elsewhere, or none can be asked for. */
void settle_waiters(struct identity *identity, struct moment now, struct effects *effects);
/* PROBLEM_SIGN_IN_REQUIRED for an identity without grant, in identity->reply. */
const struct problem *not_signed_in(struct identity *identity);
/* PROBLEM_CONSENT_REQUIRED for a resource that the grant lacks, in identity->reply. */
const struct problem *not_granted(struct identity *identity, const char *resource);

/* --- identity_renewal.c --- */
void token_answered(struct identity *identity, struct token_answer *answer, struct moment now,
                    struct effects *effects);
/* Why no renewal can be sent for the resource, or NULL when one can. */
const struct problem *hindrance(struct identity *identity, int resource, struct moment now);
/* Whether a renewal for the resource is on the wire that still counts. */
bool renewal_in_flight(const struct identity *identity, int resource);
/* Whether the renewal on its way, or just answered, serves nobody but probes: it shows in no state. */
bool flight_is_look(const struct identity *identity);
/* Answers whom it can, and sends what is due next if the line is free: a sign-in first, then the first
 * waiter's resource, then what is renewed ahead. */
void start_next(struct identity *identity, struct moment now, struct effects *effects);
/* Takes over a good answer's access token for the resource. */
void access_store(struct identity *identity, int resource, struct token_answer *answer, struct moment now);

/* --- identity_save.c --- */
void save(struct identity *identity, enum saving saving, struct effects *effects);
void saved(struct identity *identity, const struct problem *problem, struct moment now,
           struct effects *effects);
void replaced(struct identity *identity, struct identity *stored, struct moment now, struct effects *effects);

/* --- identity_sign_in.c --- */
void sign_in_start(struct identity *identity, const struct event *event, struct moment now,
                   struct effects *effects);
void sign_in_redirect(struct identity *identity, const struct event *event, struct moment now,
                      struct effects *effects);
void sign_in_end(struct identity *identity, const struct problem *problem, struct effects *effects);
/* Whether there is something that the token endpoint is to redeem now. */
bool sign_in_due(const struct identity *identity, struct moment now);
void sign_in_answered(struct identity *identity, struct token_answer *answer, struct moment now,
                      struct effects *effects);
void sign_in_saved(struct identity *identity, const struct problem *problem, struct effects *effects);
void sign_out(struct identity *identity, struct moment now, struct effects *effects);

#endif
