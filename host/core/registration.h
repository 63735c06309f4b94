/* SPDX-License-Identifier: MPL-2.0 */
/*
 * How the app is registered in Entra: as the application object of Microsoft Graph ("application resource
 * type"; the portal's manifest editor takes the same), and as the commands that make it (FACTS 1.5, 1.6).
 */
#ifndef THUNDERSEAL_CORE_REGISTRATION_H
#define THUNDERSEAL_CORE_REGISTRATION_H

#include "core/settings.h"

/* The id that Mozilla registered for Thunderbird (FACTS 0.1). */
#define REGISTRATION_THUNDERBIRD "9e5f94bc-e8a4-4e73-b8be-63364c29d753"

#define REGISTRATION_NAME "Thunderseal" /* of the app, for users and sign-in logs */

struct registration {
    const struct cloud *cloud;
    const char *tenant;        /* as configured: decides who may sign in */
    const char *redirect_host; /* as configured */
    bool device;               /* the device flow is allowed, which has no redirect URI */
};

/* New reference, or NULL out of memory. */
json_t *registration_manifest(const struct registration *registration);

enum registration_tool { REGISTRATION_AZ, REGISTRATION_POWERSHELL, REGISTRATION_GRAPH };
/*
 * The commands as lines of text, for a person to read and paste; to be freed. NULL out of memory. Nothing in
 * them is quoted by us: a tenant holds letters, digits, dots and hyphens alone (settings_tenant_valid).
 */
char *registration_commands(const struct registration *registration, enum registration_tool tool);

#endif
