/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The AADSTS numbers that Entra puts into its errors: what each means, in our own plain words, for the user
 * and for the administrator. The numbers are no interface (FACTS 0.11): what becomes of a refresh token is
 * decided elsewhere, by core/diagnosis.
 */
#ifndef THUNDERSEAL_CORE_ENTRA_ERROR_H
#define THUNDERSEAL_CORE_ENTRA_ERROR_H

#include "core/problem.h"

#define ENTRA_NUMBERS_MAX 8 /* numbers that share one row, with the closing 0 */

/* The classes of FACTS 4, by their letters T U M A C W R B. */
enum entra_class {
    ENTRA_TRANSIENT,
    ENTRA_USER,
    ENTRA_INTERACTION,
    ENTRA_ADMINISTRATOR,
    ENTRA_REGISTRATION,
    ENTRA_WRONG_ACCOUNT,
    ENTRA_REVOKED,
    ENTRA_BLOCKED
};

struct entra_error {
    int numbers[ENTRA_NUMBERS_MAX]; /* closed by 0 */
    enum entra_class class;
    enum problem_kind kind; /* what the number says by itself */
    const char *cause;
    const char *remedy;
    const char *admin_remedy; /* NULL when there is nothing to do for an administrator */
};

/* The row of the number, or NULL when it is not known; then the kind of the error has words for its class. */
const struct entra_error *entra_error_find(int number);

#endif
