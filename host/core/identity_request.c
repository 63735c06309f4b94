/* SPDX-License-Identifier: MPL-2.0 */
/* The token request that EFFECT_SEND_TOKEN asks for: RFC 6749 sections 4.1.3 and 6, RFC 8628 section 3.4. */
#include "core/identity.h"

#include "core/authorization.h"
#include <string.h>

const char *identity_token_tenant(const struct identity *identity)
{
    bool general =
        strcmp(identity->key.tenant, "common") == 0 || strcmp(identity->key.tenant, "organizations") == 0;
    bool known =
        strlen(identity->grant.tid) == 36 && strspn(identity->grant.tid, "0123456789abcdefABCDEF-") == 36;

    /* A code is redeemed where it came from (AADSTS700005). */
    return identity->flight.purpose == PURPOSE_REFRESH && general && known ? identity->grant.tid
                                                                           : identity->key.tenant;
}

/* The scopes of a code request are those of its first resource: one resource per token request (FACTS 1.3).
 */
static void code_scopes(const struct sign_in *sign_in, char scopes[SCOPE_LIST_SIZE])
{
    char scope[SCOPE_SIZE], resource[RESOURCE_SIZE] = "";
    const char *rest = sign_in->scopes;

    while (resource[0] == '\0' && scope_list_next(&rest, scope))
        if (!scope_is_openid(scope))
            (void)scope_resource(resource, scope);
    scope_list_of_resource(scopes, sign_in->scopes, resource);
    (void)scope_list_add(scopes, "offline_access");
    (void)scope_list_add(scopes, "openid");
    (void)scope_list_add(scopes, "profile");
}

static void sign_in_form(const struct sign_in *sign_in, struct token_request *request)
{
    switch (sign_in->method) {
    case METHOD_BROWSER:
        request->code = &sign_in->code;
        request->redirect_uri = sign_in->redirect_uri;
        request->verifier = &sign_in->verifier;
        break;
    case METHOD_DEVICE:
        request->device_code = &sign_in->code;
        break;
    case METHOD_IMPORT:
        request->refresh_token = &sign_in->code;
        break;
    }
}

int identity_token_form(const struct identity *identity, struct secret *form)
{
    char scopes[SCOPE_LIST_SIZE];
    struct token_request request = {.client_id = identity->key.client_id, .scopes = scopes};

    if (identity->flight.purpose == PURPOSE_SIGN_IN) {
        code_scopes(&identity->sign_in, scopes);
        sign_in_form(&identity->sign_in, &request);
    } else {
        scope_list_of_resource(scopes, identity->grant.scopes,
                               identity->access[identity->flight.resource].resource);
        (void)scope_list_add(scopes, "offline_access");
        request.refresh_token = &identity->grant.refresh_token;
    }
    return token_request_form(form, &request);
}
