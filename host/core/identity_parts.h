/* SPDX-License-Identifier: MPL-2.0 */
/* What the files of the identity machine share; nobody else includes this. */
#ifndef THUNDERSEAL_CORE_IDENTITY_PARTS_H
#define THUNDERSEAL_CORE_IDENTITY_PARTS_H

#include "core/identity.h"

/* identity.c. effect_add never fails: identity_step made room for one per waiter and some besides. */
struct effect *effect_add(struct effects *effects, enum effect_kind kind);
void effect_reply_problem(struct effects *effects, uint64_t request, const struct problem *problem);
void effect_sign_in(struct effects *effects, enum effect_kind kind, uint64_t id,
                    const struct problem *problem);
/* Forgets all but the resource's name and whether it is used. */
void access_clear(struct access *access);
void grant_clear(struct grant *grant);
void sign_in_clear(struct sign_in *sign_in);
void before_clear(struct identity *identity);
/* Index of the resource's access, made when there is room and make is set; -1 otherwise. */
int access_index(struct identity *identity, const char *resource, bool make);
bool access_living(const struct access *access, int64_t now);
/* Whether the token held is the one whose SHA-256 is given (NULL: no). */
bool access_is_rejected(const struct access *access, const unsigned char *rejected);

/* identity_hand_out.c */
void token_wanted(struct identity *identity, const struct event *event, int64_t now, struct effects *effects);
void request_ended(struct identity *identity, const struct event *event, int64_t now,
                   struct effects *effects);
/* Whether the token is so young that another would not be better. */
bool just_issued(const struct access *access, int64_t now);
/* Answers one waiter: with the token when problem is NULL, else with what still lives, else with the problem.
 */
void waiter_answer(struct identity *identity, const struct waiter *waiter, bool renewed,
                   const struct problem *problem, int64_t now, struct effects *effects);
void waiter_remove(struct identity *identity, size_t index);
/* Answers every waiter of the resource (-1: all) from what there is now. */
void answer_waiters(struct identity *identity, int resource, bool renewed, const struct problem *problem,
                    int64_t now, struct effects *effects);
/* PROBLEM_SIGN_IN_REQUIRED for an identity without grant, in identity->reply. */
const struct problem *not_signed_in(struct identity *identity);

/* identity_renewal.c */
void token_answered(struct identity *identity, struct token_answer *answer, int64_t now,
                    struct effects *effects);
void saved(struct identity *identity, const struct problem *problem, int64_t now, struct effects *effects);
/* Why no renewal can be sent for the resource, or NULL when one can. */
const struct problem *hindrance(struct identity *identity, int resource, int64_t now);
/* Sends what is due next, if the line is free: a code first, then the first waiter's resource. */
void start_next(struct identity *identity, int64_t now, struct effects *effects);
/* Takes over a good answer's access token for the resource. */
void access_store(struct identity *identity, int resource, struct token_answer *answer, int64_t now);

/* identity_sign_in.c */
void sign_in_start(struct identity *identity, const struct event *event, struct effects *effects);
void sign_in_redirect(struct identity *identity, const struct event *event, int64_t now,
                      struct effects *effects);
void sign_in_end(struct identity *identity, const struct problem *problem, struct effects *effects);
void sign_in_answered(struct identity *identity, struct token_answer *answer, int64_t now,
                      struct effects *effects);
void sign_in_saved(struct identity *identity, const struct problem *problem, struct effects *effects);
void sign_out(struct identity *identity, struct effects *effects);

#endif
