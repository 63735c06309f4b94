/* SPDX-License-Identifier: MPL-2.0 */
/* What the configuration means for one account: where its tokens come from, and whether it may have any. */
#include "core/settings.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FILE_REMEDY "Correct the file, or ask your administrator to, and restart Thunderbird."

/* FACTS 2: endpoints by cloud. The national clouds are accepted as values and refused when a sign-in needs
 * them. */
static const struct {
    const char *cloud, *authority, *outlook, *graph;
} clouds[] = {
    {"worldwide", "https://login.microsoftonline.com", "https://outlook.office.com",
     "https://graph.microsoft.com"},
};

bool settings_authority_is_built_in(const char *authority)
{
    size_t i;

    for (i = 0; i < sizeof clouds / sizeof clouds[0]; i++)
        if (strcasecmp(authority, clouds[i].authority) == 0)
            return true;
    return false;
}

/* The `accounts` entry for the address itself, else for its domain. */
static const json_t *account_entry(const struct settings *settings, const char *account)
{
    json_t *accounts = json_object_get(settings->values, "accounts"), *entry;
    const char *name;
    char wildcard[ACCOUNT_NAME_SIZE + 2];

    json_object_foreach(accounts, name, entry)
    {
        if (account_name_equal(name, account))
            return entry;
    }
    snprintf(wildcard, sizeof wildcard, "*@%s", account_name_domain(account));
    json_object_foreach(accounts, name, entry)
    {
        if (account_name_equal(name, wildcard))
            return entry;
    }
    return NULL;
}

static const char *first_text(const json_t *entry, const char *key, const char *wish, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(entry, key));

    if (text != NULL)
        return text;
    return wish != NULL && wish[0] != '\0' ? wish : otherwise;
}

static void find_cloud(const struct settings *settings, struct account_target *target, const char **authority)
{
    const json_t *custom = json_object_get(settings->values, "custom");
    const json_t *resources = json_object_get(custom, "resources");
    size_t i;

    *authority = NULL;
    for (i = 0; i < sizeof clouds / sizeof clouds[0]; i++)
        if (strcmp(target->cloud, clouds[i].cloud) == 0) {
            *authority = clouds[i].authority;
            target->outlook = clouds[i].outlook;
            target->graph = clouds[i].graph;
        }
    if (strcmp(target->cloud, "custom") == 0 && custom != NULL) {
        *authority = json_string_value(json_object_get(custom, "authority"));
        target->outlook = json_string_value(json_object_get(resources, "outlook"));
        target->graph = json_string_value(json_object_get(resources, "graph"));
    }
}

void settings_target(const struct settings *settings, const char *account, const struct account_wish *wish,
                     struct account_target *target)
{
    const json_t *entry = account_entry(settings, account);
    const char *authority, *client_id = settings_text(settings, "clientId");
    const char *sign_in_as = first_text(entry, "signInAs", wish->sign_in_as, account);

    memset(target, 0, sizeof *target);
    target->cloud = first_text(entry, "cloud", wish->cloud, settings_text(settings, "cloud"));
    find_cloud(settings, target, &authority);
    problem_copy_text(target->key.authority, AUTHORITY_SIZE, authority);
    problem_copy_text(target->key.tenant, TENANT_SIZE,
                      first_text(entry, "tenant", wish->tenant, settings_text(settings, "tenant")));
    problem_copy_text(target->key.client_id, CLIENT_ID_SIZE, client_id);
    account_name_fold(target->key.sign_in_as, sign_in_as);
}

static bool domain_allowed(const struct settings *settings, const char *name)
{
    json_t *domains = json_object_get(settings->values, "allowedDomains"), *domain;
    char wanted[ACCOUNT_NAME_SIZE], allowed[ACCOUNT_NAME_SIZE];
    size_t i;

    if (json_array_size(domains) == 0)
        return true;
    account_name_fold(wanted, account_name_domain(name));
    json_array_foreach(domains, i, domain)
    {
        account_name_fold(allowed, json_string_value(domain));
        if (strcmp(wanted, allowed) == 0)
            return true;
    }
    return false;
}

bool settings_allow(const struct settings *settings, const char *account, const char *sign_in_as,
                    struct problem *problem)
{
    const char *name = domain_allowed(settings, account) ? sign_in_as : account;

    if (!account_name_valid(name) || domain_allowed(settings, name))
        return true;
    problem_setf(
        problem, PROBLEM_POLICY_DENIED, "Use an account of your organisation, or ask your administrator.",
        "Your organisation's policy allows no accounts of the domain %s.", account_name_domain(name));
    problem_copy_text(problem->admin_remedy, sizeof problem->admin_remedy,
                      "Add the domain to allowedDomains in policy.json.");
    return false;
}

static bool not_built(struct problem *problem, const char *what)
{
    problem_setf(problem, PROBLEM_MISCONFIGURED, "Ask your administrator to change the setting.",
                 "%s is not built yet in this version.", what);
    return false;
}

bool settings_can_sign_in(const struct settings *settings, const struct account_target *target,
                          struct problem *problem)
{
    const char *keystore = settings_text(settings, "keystore");

    if (settings->broken.kind != PROBLEM_NONE) {
        *problem = settings->broken;
        return false;
    }
    if (strcmp(target->cloud, "custom") == 0 && target->outlook == NULL) {
        problem_set(problem, PROBLEM_MISCONFIGURED,
                    "The cloud is \"custom\", but no \"custom\" endpoints are set.", FILE_REMEDY);
        return false;
    }
    if (target->outlook == NULL)
        return not_built(problem, "Sign-in to national clouds");
    if (strcmp(target->key.sign_in_as, "ask") == 0)
        return not_built(problem, "The sign-in name \"ask\"");
    if (strcmp(keystore, "secret-service") == 0 || strcmp(keystore, "passphrase") == 0)
        return not_built(problem, "The key store that is configured");
    if (settings_text(settings, "recoveryPublicKey") != NULL)
        return not_built(problem, "The recovery key");
    if (target->key.client_id[0] == '\0') {
        problem_set(
            problem, PROBLEM_MISCONFIGURED, "No client id is set, so Microsoft would not know who asks.",
            "Ask your administrator for the client id of the app registration and set it as clientId in "
            "config.json.");
        problem_copy_text(
            problem->admin_remedy, sizeof problem->admin_remedy,
            "Register an app in Entra as README.md says and set its id as clientId in policy.json.");
        return false;
    }
    return true;
}
