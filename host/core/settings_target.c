/* SPDX-License-Identifier: MPL-2.0 */
/* What the configuration means for one account: where its tokens come from, and whether it may have any. */
#include "core/settings.h"

#include "core/settings_values.h"
#include <stdio.h>
#include <string.h>

#define FILE_REMEDY "Correct the file, or ask your administrator to, and restart Thunderbird."

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
    return wish[0] != '\0' ? wish : otherwise;
}

static void find_cloud(const struct settings *settings, struct account_target *target, const char **authority)
{
    const struct cloud *cloud = cloud_find(target->cloud);
    const json_t *custom = json_object_get(settings->values, "custom");
    const json_t *resources = json_object_get(custom, "resources");

    *authority = NULL;
    if (cloud != NULL) {
        target->cloud = cloud->name; /* which outlives wish and configuration */
        *authority = cloud->authority;
        target->outlook = cloud->outlook;
        target->graph = cloud->graph;
    } else if (strcmp(target->cloud, CLOUD_CUSTOM) == 0) {
        target->cloud = CLOUD_CUSTOM;
        *authority = json_string_value(json_object_get(custom, "authority"));
        target->outlook = json_string_value(json_object_get(resources, "outlook"));
        target->graph = json_string_value(json_object_get(resources, "graph"));
    }
}

/* Who signs in. The entry's "ask" leaves that to the user, and until they say a name it is the account
 * itself. */
static void find_sign_in_name(const json_t *entry, const char *wish, const char *account,
                              struct account_target *target)
{
    const char *named = first_text(entry, "signInAs", "", account);
    bool ask = strcmp(named, SIGN_IN_ASK) == 0;

    if (ask || json_object_get(entry, "signInAs") == NULL)
        named = wish[0] != '\0' && strcmp(wish, SIGN_IN_ASK) != 0 ? wish : account;
    account_name_fold(target->key.sign_in_as, named);
    target->ask = ask && account_name_equal(named, account);
}

/* All but who signs in. */
static void find_app(const struct settings *settings, const json_t *entry, const struct account_wish *wish,
                     struct account_target *target)
{
    const char *authority, *client_id = settings_text(settings, "clientId");

    memset(target, 0, sizeof *target);
    target->cloud = first_text(entry, "cloud", wish->cloud, settings_text(settings, "cloud"));
    find_cloud(settings, target, &authority);
    problem_copy_text(target->key.authority, AUTHORITY_SIZE, authority);
    problem_copy_text(target->key.tenant, TENANT_SIZE,
                      first_text(entry, "tenant", wish->tenant, settings_text(settings, "tenant")));
    problem_copy_text(target->key.client_id, CLIENT_ID_SIZE, client_id);
}

void settings_target(const struct settings *settings, const char *account, const struct account_wish *wish,
                     struct account_target *target)
{
    const json_t *entry = account_entry(settings, account);

    find_app(settings, entry, wish, target);
    find_sign_in_name(entry, wish->sign_in_as, account, target);
}

void settings_default_target(const struct settings *settings, struct account_target *target)
{
    const struct account_wish nothing = {0};

    find_app(settings, NULL, &nothing, target);
}

bool settings_mail_server(const struct settings *settings, const struct account_target *target,
                          enum mail_protocol protocol, struct mail_server *server)
{
    static const char *const keys[MAIL_PROTOCOLS] = {"imap", "pop3", "smtp"};
    const struct cloud *cloud = cloud_find(target->cloud);
    const json_t *custom = json_object_get(settings->values, "custom");

    if (cloud == NULL)
        return strcmp(target->cloud, CLOUD_CUSTOM) == 0 &&
               value_mail_server(json_string_value(json_object_get(custom, keys[protocol])), server);
    *server = cloud->mail[protocol];
    return true;
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
    problem_admin_remedy(problem, "Add the domain to allowedDomains in policy.json.");
    return false;
}

/* FACTS 3: no personal accounts in national clouds. `common` is accepted there: it means those of
 * organisations then, and Entra decides. */
static bool asks_where_nobody_is(const struct account_target *target)
{
    const struct cloud *cloud = cloud_find(target->cloud);

    return cloud != NULL && !cloud->personal_accounts && settings_tenant_is_personal(target->key.tenant);
}

static void no_client_id(const struct account_target *target, struct problem *problem)
{
    const struct cloud *cloud = cloud_find(target->cloud);

    problem_set(problem, PROBLEM_MISCONFIGURED, "No client id is set, so Microsoft would not know who asks.",
                "Ask your administrator for the client id of the app registration, and set it with "
                "\"thunderseal setup --client-id ID --tenant DOMAIN\".");
    /* Each cloud has its own portal, and knows no app of another's (FACTS 3). */
    problem_admin_remedy(
        problem,
        "Register an app in Entra (%s), as \"thunderseal setup --print az\" shows, and set its id as "
        "clientId in policy.json.",
        cloud == NULL ? cloud_find("worldwide")->portal : cloud->portal);
}

bool settings_can_sign_in(const struct settings *settings, const struct account_target *target,
                          struct problem *problem)
{
    if (settings->broken.kind != PROBLEM_NONE) {
        *problem = settings->broken;
        return false;
    }
    if (target->outlook == NULL) {
        problem_set(problem, PROBLEM_MISCONFIGURED,
                    "The cloud is \"custom\", but no \"custom\" endpoints are set.", FILE_REMEDY);
        return false;
    }
    if (asks_where_nobody_is(target)) {
        problem_setf(problem, PROBLEM_MISCONFIGURED,
                     "Set tenant to your organisation's domain or GUID, or to \"organizations\"; personal "
                     "accounts sign in with the cloud \"worldwide\".",
                     "The tenant is that of personal accounts, and the cloud \"%s\" has none.",
                     target->cloud);
        return false;
    }
    if (target->key.client_id[0] == '\0') {
        no_client_id(target, problem);
        return false;
    }
    return true;
}
