/* SPDX-License-Identifier: MPL-2.0 */
/* Where an administrator consents to the app for everybody of the organisation (FACTS 1.6; Entra: "Admin
 * consent on the Microsoft identity platform"). */
#ifndef THUNDERSEAL_CORE_CONSENT_H
#define THUNDERSEAL_CORE_CONSENT_H

#include "core/authorization.h"
#include "core/settings.h"

struct consent {
    char scopes[SCOPE_LIST_SIZE];
    const char *tenant; /* the target's, or a literal */
    char url[AUTHORIZATION_URL_MAX];
};

/* For the app, cloud and tenant of target, whose resources must be known; redirect_host is the
 * configuration's. more: a list of scopes, of which those of these resources are added. 0, or -1 when it does
 * not fit. */
int consent_make(struct consent *consent, const struct account_target *target, const char *redirect_host,
                 const char *more);

#endif
