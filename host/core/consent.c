/* SPDX-License-Identifier: MPL-2.0 */
#include "core/consent.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Nobody listens for the answer, which the administrator only reads: there is nothing that a secret would
 * guard. */
#define STATE "admin-consent"

/*
 * Everything that a sign-in may come to ask for, since what is left out is refused to every user who may not
 * consent (FACTS 0.1): POP too, though only accounts that use it ask for it; and Graph's User.Read, which
 * checks ask for. Graph's mail permissions stay out: nothing asks for them, and nobody should be asked to
 * grant them.
 */
static const char *const mail_permissions[] = {"IMAP.AccessAsUser.All", "POP.AccessAsUser.All", "SMTP.Send"};
static const char *const graph_permissions[] = {"User.Read"};
static const char *const openid_scopes[] = {"offline_access", "openid", "profile"};

static int add_permissions(char scopes[SCOPE_LIST_SIZE], const char *resource, const char *const *permissions,
                           size_t count)
{
    char scope[SCOPE_SIZE];
    size_t i;

    for (i = 0; i < count; i++) {
        int length =
            snprintf(scope, sizeof scope, "%s%s%s", resource, resource[0] == '\0' ? "" : "/", permissions[i]);
        if (length < 0 || (size_t)length >= sizeof scope || scope_list_add(scopes, scope) != 0)
            return -1;
    }
    return 0;
}

static int add_own(char scopes[SCOPE_LIST_SIZE], const struct account_target *target, const char *more)
{
    char scope[SCOPE_SIZE], resource[RESOURCE_SIZE];

    while (scope_list_next(&more, scope))
        if (scope_resource(resource, scope) &&
            (strcasecmp(resource, target->outlook) == 0 || strcasecmp(resource, target->graph) == 0) &&
            scope_list_add(scopes, scope) != 0)
            return -1;
    return 0;
}

#define ADD_PERMISSIONS(scopes, resource, list)                                                              \
    add_permissions(scopes, resource, list, sizeof(list) / sizeof(list)[0])

/* An organisation consents. Entra takes its domain or GUID, or "organizations" for whoever signs in; a
 * personal account has no organisation to speak for, which is what "common" and "consumers" would let sign
 * in. */
static const char *consenting_tenant(const char *tenant)
{
    return strcmp(tenant, "common") == 0 || settings_tenant_is_personal(tenant) ? "organizations" : tenant;
}

int consent_make(struct consent *consent, const struct account_target *target, const char *redirect_host,
                 const char *more)
{
    char redirect_uri[REDIRECT_URI_SIZE];
    const struct consent_request request = {.authority = target->key.authority,
                                            .tenant = consenting_tenant(target->key.tenant),
                                            .client_id = target->key.client_id,
                                            .redirect_uri = redirect_uri,
                                            .scopes = consent->scopes,
                                            .state = STATE};

    consent->tenant = request.tenant;
    consent->scopes[0] = '\0';
    snprintf(redirect_uri, sizeof redirect_uri, "http://%s", redirect_host);
    if (ADD_PERMISSIONS(consent->scopes, target->outlook, mail_permissions) != 0 ||
        ADD_PERMISSIONS(consent->scopes, target->graph, graph_permissions) != 0 ||
        add_own(consent->scopes, target, more) != 0 ||
        ADD_PERMISSIONS(consent->scopes, "", openid_scopes) != 0)
        return -1;
    return admin_consent_url(consent->url, &request);
}
