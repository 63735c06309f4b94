/* SPDX-License-Identifier: MPL-2.0 */
/* What the device authorization endpoint answered (RFC 8628 section 3.2). Everything in it is hostile until
 * checked here. */
#ifndef THUNDERSEAL_CORE_DEVICE_ANSWER_H
#define THUNDERSEAL_CORE_DEVICE_ANSWER_H

#include "core/token_answer.h"

#define USER_CODE_SIZE 33 /* Entra's have nine characters */
#define VERIFICATION_URI_SIZE 256

struct device_answer {
    struct secret device_code;
    char user_code[USER_CODE_SIZE];               /* letters, digits and dashes */
    char verification_uri[VERIFICATION_URI_SIZE]; /* https */
    int64_t expires_in;                           /* seconds, at least 1 */
    int64_t interval;                             /* seconds, at least 1 */
};

/* Fills *answer (zeroed by the caller). 0, or -1 with *problem, in words as for a token request. */
int device_answer_read(struct device_answer *answer, const struct token_http *http, struct problem *problem);
void device_answer_clear(struct device_answer *answer);

#endif
