/* SPDX-License-Identifier: MPL-2.0 */
/* Checks that `doctor` and the health report have in common. Each gives a new Check, NULL out of memory. */
#ifndef THUNDERSEAL_SERVICE_SHARED_CHECKS_H
#define THUNDERSEAL_SERVICE_SHARED_CHECKS_H

#include "core/check.h"
#include "core/settings.h"
#include "net/https.h"
#include <stdbool.h>
#include <time.h>

/* --- doctor_clock.c --- */
/* How far the clock is off, by the authority's: date -1 when that is not known. */
json_t *check_of_clock(long long date, long long now);
/* --- doctor_settings.c --- */
json_t *check_of_settings(const struct settings *settings);
/* --- doctor_state.c --- */
/* The folder of the saved sign-ins, from outside. */
json_t *check_of_state_folder(void);

/* --- authority_check.c --- */
/* OpenID Connect Discovery section 4. */
#define AUTHORITY_DISCOVERY "/v2.0/.well-known/openid-configuration"

/* What the sign-in service answered to the question for its discovery document. */
struct authority_answer {
    bool asked;
    const char *stage; /* where that failed, else NULL */
    char words[256];   /* libcurl's */
    long status;
    bool is_discovery; /* the answer is what such a service answers */
    /* From the document, "" where it does not say. */
    char token_endpoint[256], instance[64];
    time_t date, now; /* the server's clock, -1 when not told, and ours at the same moment */
    int64_t milliseconds;
};
void authority_answer_take(struct authority_answer *taken, struct https_answer *answer);
/* Where a request goes through. settings: has the key `proxy`; thunderbirds: what hello said, or NULL.
 * "configuration", "thunderbird", "environment" or "none". */
const char *proxy_source(const struct settings *settings, const char *thunderbirds);
/* What the answer means for sign-ins of this target, into check. */
void authority_judge(json_t *check, const struct account_target *target,
                     const struct authority_answer *answer);

/* Beyond that, where the service answers: whether its document is the one that the configuration means. */
void authority_judge_document(json_t *check, const struct account_target *target,
                              const struct authority_answer *answer);

#endif
