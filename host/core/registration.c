/* SPDX-License-Identifier: MPL-2.0 */
#include "core/registration.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GRAPH_APP "00000003-0000-0000-c000-000000000000" /* Microsoft Graph, in every tenant */

/*
 * The delegated permissions that consent_make asks for, by their ids in Microsoft's permissions reference.
 * The mail permissions are listed under Graph, though a token for them is asked for at the outlook resource
 * (FACTS 1.6).
 */
static const struct permission {
    const char *name, *id;
} permissions[] = {
    {"IMAP.AccessAsUser.All", "652390e4-393a-48de-9484-05f9b1212954"},
    {"POP.AccessAsUser.All", "d7b7f2d9-0f45-4ea1-9d42-e50810c06991"},
    {"SMTP.Send", "258f6531-6087-4cc4-bb90-092c5fb3ed3f"},
    {"User.Read", "e1fe6dd8-ba31-4d61-89e7-88639da4683d"},
    {"offline_access", "7427e0e9-2fba-42fe-b0c0-848c9e6a8182"},
    {"openid", "37f7f235-527c-4136-accd-4a02d197296e"},
    {"profile", "14dad69e-099b-42c9-810b-d002981feec1"},
};
#define PERMISSIONS (sizeof permissions / sizeof permissions[0])

/* What the tools call a cloud, by the names of core/cloud. */
static const struct tool_names {
    const char *cloud, *az, *powershell;
} tool_names[] = {
    {"worldwide", "AzureCloud", "Global"},
    {"usgov", "AzureUSGovernment", "USGov"},
    {"usgov-dod", "AzureUSGovernment", "USGovDoD"},
    {"china", "AzureChinaCloud", "China"},
};

static const struct tool_names *names_of(const struct cloud *cloud)
{
    size_t i = 0;

    while (strcmp(tool_names[i].cloud, cloud->name) != 0)
        i++;
    return &tool_names[i];
}

/* Whether the tenant is one organisation, rather than a word for several. */
static bool is_organisation(const char *tenant)
{
    return strcmp(tenant, "common") != 0 && strcmp(tenant, "organizations") != 0 &&
           !settings_tenant_is_personal(tenant);
}

static const char *audience(const char *tenant)
{
    if (strcmp(tenant, "common") == 0)
        return "AzureADandPersonalMicrosoftAccount";
    if (settings_tenant_is_personal(tenant))
        return "PersonalMicrosoftAccount";
    return is_organisation(tenant) ? "AzureADMyOrg" : "AzureADMultipleOrgs";
}

static json_t *required_access(void)
{
    json_t *access = json_array();
    size_t i;

    for (i = 0; i < PERMISSIONS; i++)
        json_array_append_new(access, json_pack("{s:s, s:s}", "id", permissions[i].id, "type", "Scope"));
    return json_pack("[{s:s, s:o}]", "resourceAppId", GRAPH_APP, "resourceAccess", access);
}

json_t *registration_manifest(const struct registration *registration)
{
    const char *who = audience(registration->tenant);
    json_t *manifest = json_pack(
        "{s:s, s:s, s:b, s:{s:[o]}, s:o}", "displayName", REGISTRATION_NAME, "signInAudience", who,
        "isFallbackPublicClient", registration->device, "publicClient", "redirectUris",
        json_sprintf("http://%s", registration->redirect_host), "requiredResourceAccess", required_access());

    /* Entra refuses apps for personal accounts with an older one (FACTS 1.6). */
    if (strstr(who, "Personal") != NULL)
        json_object_set_new(manifest, "api", json_pack("{s:i}", "requestedAccessTokenVersion", 2));
    return manifest;
}

static void az_commands(FILE *out, const struct registration *registration)
{
    json_t *access = required_access();
    char *text = json_dumps(access, JSON_COMPACT);

    fprintf(out, "az cloud set --name %s\n", names_of(registration->cloud)->az);
    fputs("az login --allow-no-subscriptions", out);
    if (is_organisation(registration->tenant))
        fprintf(out, " --tenant %s", registration->tenant);
    fprintf(
        out,
        "\napp=$(az ad app create --display-name %s --sign-in-audience %s --is-fallback-public-client %s \\\n"
        "  --public-client-redirect-uris http://%s --query appId --output tsv \\\n"
        "  --required-resource-accesses '%s')\n"
        "az ad sp create --id \"$app\"\n"
        "az ad app permission admin-consent --id \"$app\"\n"
        "echo \"clientId: $app\"\n",
        REGISTRATION_NAME, audience(registration->tenant), registration->device ? "true" : "false",
        registration->redirect_host, text == NULL ? "" : text);
    free(text);
    json_decref(access);
}

static void powershell_commands(FILE *out, const struct registration *registration)
{
    size_t i;

    fprintf(out, "Connect-MgGraph -Environment %s -Scopes Application.ReadWrite.All",
            names_of(registration->cloud)->powershell);
    if (is_organisation(registration->tenant))
        fprintf(out, " -TenantId %s", registration->tenant);
    fputs("\n$access = @(\n", out);
    for (i = 0; i < PERMISSIONS; i++)
        fprintf(out, "  @{ Id = '%s'; Type = 'Scope' } # %s\n", permissions[i].id, permissions[i].name);
    fprintf(out,
            ")\n"
            "$app = New-MgApplication -DisplayName %s -SignInAudience %s -IsFallbackPublicClient:$%s `\n"
            "  -PublicClient @{ RedirectUris = @('http://%s') } `\n"
            "  -RequiredResourceAccess @(@{ ResourceAppId = '%s'; ResourceAccess = $access })\n"
            "New-MgServicePrincipal -AppId $app.AppId\n"
            "\"clientId: $($app.AppId)\"\n",
            REGISTRATION_NAME, audience(registration->tenant), registration->device ? "true" : "false",
            registration->redirect_host, GRAPH_APP);
}

static void graph_commands(FILE *out, const struct registration *registration)
{
    json_t *manifest = registration_manifest(registration);
    char *text = json_dumps(manifest, JSON_INDENT(2));

    fprintf(out, "POST %s/v1.0/applications\nContent-Type: application/json\n\n%s\n",
            registration->cloud->graph, text == NULL ? "" : text);
    free(text);
    json_decref(manifest);
}

char *registration_commands(const struct registration *registration, enum registration_tool tool)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    bool failed;

    if (out == NULL)
        return NULL;
    if (tool == REGISTRATION_AZ)
        az_commands(out, registration);
    else if (tool == REGISTRATION_POWERSHELL)
        powershell_commands(out, registration);
    else
        graph_commands(out, registration);
    failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}
