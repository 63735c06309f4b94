/* SPDX-License-Identifier: MPL-2.0 */
/* The params of health.check, and which items follow from them. */
#include "service/health.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct account_target health_target(const struct health_account *account)
{
    const struct service *service = account->job->service;
    const struct entry *entry = entry_of(account->job->service, account->name);
    struct account_wish wish = {0};
    struct account_target target;

    if (entry != NULL)
        wish = entry->wish;
    settings_target(&service->settings, account->name, &wish, &target);
    return target;
}

/* ---- params ---- */

static int read_checks(struct health_job *job, const json_t *params, struct problem *problem)
{
    json_t *list = json_object_get(params, "checks"), *name;
    size_t i;
    int id;

    job->wanted = list == NULL ? HEALTH_ALL_IDS : 0;
    if (list != NULL && !json_is_array(list))
        return rpc_param_bad(problem, "checks", "a list of check ids");
    json_array_foreach(list, i, name)
    {
        const char *text = rpc_text(name);
        for (id = 0; id < HEALTH_IDS && (text == NULL || strcmp(health_name((enum health_id)id), text) != 0);
             id++)
            ;
        if (id == HEALTH_IDS)
            return rpc_param_bad(problem, "checks", "a list of check ids");
        job->wanted |= HEALTH_BIT(id);
    }
    return 0;
}

/* Borrowed; NULL when it is not in the job. */
static struct health_account *account_of(const struct health_job *job, const char *name)
{
    struct health_account *account;

    for (account = job->accounts; account != NULL && !account_name_equal(account->name, name);
         account = account->next)
        ;
    return account;
}

/* Borrowed; NULL out of memory, with *problem. */
static struct health_account *add_account(struct health_job *job, const char *name, struct problem *problem)
{
    struct health_account *account = account_of(job, name);

    if (account != NULL)
        return account;
    account = calloc(1, sizeof *account);
    if (account == NULL) {
        problem_set_no_memory(problem);
        return NULL;
    }
    account->job = job;
    (void)account_as_written(job->service, name, account->name);
    *job->accounts_end = account;
    job->accounts_end = &account->next;
    return account;
}

static int add_all_accounts(struct health_job *job, struct problem *problem)
{
    struct listed *all = NULL;
    int count = accounts_sorted(job->service, &all), i;

    if (count < 0)
        problem_set_no_memory(problem);
    for (i = 0; i < count && add_account(job, all[i].account, problem) != NULL; i++)
        ;
    free(all);
    return i == count ? 0 : -1;
}

static int read_accounts(struct health_job *job, const json_t *params, struct problem *problem)
{
    json_t *list = json_object_get(params, "accounts"), *name;
    size_t i;

    if (list == NULL)
        return add_all_accounts(job, problem);
    if (!json_is_array(list) || json_array_size(list) > HEALTH_LIST_MAX)
        return rpc_param_bad(problem, "accounts", "a list of accounts, at most 4000");
    json_array_foreach(list, i, name)
    {
        const char *text = rpc_text(name);
        if (text == NULL || !account_name_valid(text))
            return rpc_param_bad(problem, "accounts", "a list of accounts: user names with one \"@\"");
        if (entry_of(job->service, text) == NULL) {
            problem_setf(problem, PROBLEM_UNKNOWN_ACCOUNT,
                         "Check the spelling; \"thunderseal accounts\" lists those it knows.",
                         "Thunderseal does not know the account %s.", text);
            return -1;
        }
        if (add_account(job, text, problem) == NULL)
            return -1;
    }
    return 0;
}

/* The number of the field's word in the list, or -1 and the problem. */
static int word_of(const json_t *object, const char *field, const char *const *words, int count,
                   const char *expected TEXTS, struct problem *problem)
{
    const char *text = rpc_text(json_object_get(object, field));
    int i;

    for (i = 0; text != NULL && i < count; i++)
        if (strcmp(words[i], text) == 0)
            return i;
    return rpc_param_bad(problem, field, expected);
}

static int read_server(const json_t *object, struct health_server *server, const char **account,
                       struct problem *problem)
{
    static const char *const names[] = {"account",    "type",       "hostname",   "port",
                                        "socketType", "authMethod", "offlineCopy"};
    static const char *const types[] = {"imap", "pop3", "smtp", "graph", "ews"};
    static const char *const sockets[] = {"tls", "starttls", "plain"};
    static const char *const auths[] = {"oauth2", "password", "other"};
    const json_t *offline_copy = json_object_get(object, "offlineCopy");
    const char *hostname = NULL;
    json_int_t port = 0;
    int type, socket, auth;

    memset(server, 0, sizeof *server);
    if (!json_is_object(object))
        return rpc_param_bad(problem, "servers", "a list of servers as the protocol describes them");
    if (rpc_params_known(object, names, sizeof names / sizeof names[0], problem) != 0 ||
        rpc_param_account(object, "account", true, account, problem) != 0 ||
        rpc_param_text(object, "hostname", true, &hostname, problem) != 0 ||
        rpc_param_integer(object, "port", 1, 65535, &port, problem) != 0)
        return -1;
    if (port == 0)
        return rpc_param_bad(problem, "port", "a whole number from 1 to 65535");
    type = word_of(object, "type", types, SERVER_TYPES,
                   "one of \"imap\", \"pop3\", \"smtp\", \"graph\", \"ews\"", problem);
    socket = type < 0 ? -1
                      : word_of(object, "socketType", sockets, 3, "one of \"tls\", \"starttls\", \"plain\"",
                                problem);
    auth = socket < 0 ? -1
                      : word_of(object, "authMethod", auths, 3, "one of \"oauth2\", \"password\", \"other\"",
                                problem);
    if (auth < 0)
        return -1;
    if (strlen(hostname) >= MAIL_HOST_SIZE)
        return rpc_param_bad(problem, "hostname", "a host name");
    if (offline_copy != NULL && !json_is_boolean(offline_copy))
        return rpc_param_bad(problem, "offlineCopy", "true or false");
    server->type = (enum server_type)type;
    server->socket = (enum server_socket)socket;
    server->auth = (enum server_auth)auth;
    server->port = (unsigned short)port;
    server->offline_copy = offline_copy == NULL ? -1 : json_is_true(offline_copy);
    problem_copy_text(server->host, sizeof server->host, hostname);
    return 0;
}

static int add_server(struct health_account *account, const struct health_server *server)
{
    struct health_server *more;

    if (account->server_count >= HEALTH_SERVERS_MAX)
        return -1;
    more = realloc(account->servers, (account->server_count + 1) * sizeof *more);
    if (more == NULL) {
        account->job->no_memory = true;
        return 0;
    }
    account->servers = more;
    account->servers[account->server_count++] = *server;
    return 0;
}

/* The account that a server's entry names, borrowed; NULL: it was not asked for. 0, or -1 with *problem. */
static int find_account(struct health_job *job, const char *name, bool all, struct health_account **account,
                        struct problem *problem)
{
    *account = account_of(job, name);
    if (*account != NULL || !all)
        return 0;
    if (entry_of(job->service, name) == NULL && ++job->unknown_accounts > HEALTH_UNKNOWN_MAX)
        return rpc_param_bad(problem, "servers", "a list with at most 100 accounts that are not known");
    *account = add_account(job, name, problem);
    return *account == NULL ? -1 : 0;
}

/* Those of accounts that were not asked for are left aside. */
static int read_servers(struct health_job *job, const json_t *params, struct problem *problem)
{
    json_t *list = json_object_get(params, "servers"), *object;
    const bool all = json_object_get(params, "accounts") == NULL;
    struct health_account *account;
    struct health_server server;
    size_t i;

    if (list == NULL)
        return 0;
    if (!json_is_array(list) || json_array_size(list) > HEALTH_LIST_MAX)
        return rpc_param_bad(problem, "servers", "a list of servers, at most 4000");
    for (account = job->accounts; account != NULL; account = account->next)
        account->servers_told = true;
    json_array_foreach(list, i, object)
    {
        const char *name = NULL;
        if (read_server(object, &server, &name, problem) != 0 ||
            find_account(job, name, all, &account, problem) != 0)
            return -1;
        if (account == NULL)
            continue;
        account->servers_told = true;
        if (add_server(account, &server) != 0)
            return rpc_param_bad(problem, "servers", "a list with at most 256 servers for an account");
    }
    return 0;
}

/* ---- what nobody has told ---- */

static void add_default(struct health_account *account, const struct account_target *target,
                        enum mail_protocol protocol)
{
    struct health_server server = {.type = (enum server_type)protocol, .offline_copy = -1};
    struct mail_server mail;

    if (!settings_mail_server(&account->job->service->settings, target, protocol, &mail))
        return;
    problem_copy_text(server.host, sizeof server.host, mail.host);
    server.port = mail.port;
    server.socket = mail.security == MAIL_STARTTLS ? SOCKET_STARTTLS : SOCKET_TLS;
    (void)add_server(account, &server);
}

static void add_defaults(struct health_account *account)
{
    const struct account_target target = health_target(account);
    const struct entry *entry = entry_of(account->job->service, account->name);
    char scope[SCOPE_SIZE] = "";

    if (target.outlook != NULL)
        snprintf(scope, sizeof scope, "%.200s/POP.AccessAsUser.All", target.outlook);
    add_default(account, &target, MAIL_IMAP);
    if ((entry != NULL && scope_list_contains(entry->identity.grant.scopes, scope)) ||
        account->job->wanted == HEALTH_BIT(HEALTH_POP3))
        add_default(account, &target, MAIL_POP3);
    add_default(account, &target, MAIL_SMTP);
}

/* ---- the plan ---- */

static struct health_item *add_item(struct health_job *job, enum health_id id, struct health_account *account,
                                    bool hidden)
{
    struct health_item *item = calloc(1, sizeof *item);

    if (item == NULL) {
        job->no_memory = true;
        return NULL;
    }
    item->job = job;
    item->id = id;
    item->account = account;
    item->hidden = hidden;
    job->total += !hidden;
    *job->items_end = item;
    job->items_end = &item->next;
    return item;
}

static bool wanted(const struct health_job *job, enum health_id id)
{
    return (job->wanted & HEALTH_BIT(id)) != 0;
}

/* One for each sign-in service that an account has; without accounts, the one that the configuration names.
 */
static void plan_authorities(struct health_job *job)
{
    bool hidden = !wanted(job, HEALTH_AUTHORITY);
    struct health_item **from = job->items_end, *item;
    struct health_account *account;

    for (account = job->accounts; account != NULL; account = account->next) {
        const struct account_target target = health_target(account);
        for (item = *from; item != NULL; item = item->next)
            if (strcmp(item->target.key.authority, target.key.authority) == 0 &&
                strcmp(item->target.key.tenant, target.key.tenant) == 0)
                break;
        if (item == NULL)
            item = add_item(job, HEALTH_AUTHORITY, NULL, hidden);
        if (item == NULL)
            return;
        item->target = target;
        account->authority = item;
    }
    if (*from == NULL && (item = add_item(job, HEALTH_AUTHORITY, NULL, hidden)) != NULL)
        settings_default_target(&job->service->settings, &item->target);
}

static void plan_probes(struct health_account *account)
{
    struct health_job *job = account->job;
    size_t i;
    int id;

    for (id = HEALTH_IMAP; id <= HEALTH_GRAPH; id++) {
        const enum server_type type = (enum server_type)(id - HEALTH_IMAP);
        bool any = false;
        if (!wanted(job, (enum health_id)id))
            continue;
        for (i = 0; i < account->server_count; i++)
            if (account->servers[i].type == type) {
                struct health_item *item = add_item(job, (enum health_id)id, account, false);
                if (item != NULL)
                    item->server = &account->servers[i];
                any = true;
            }
        if (!any)
            (void)add_item(job, (enum health_id)id, account, false);
    }
}

static void plan_account(struct health_account *account)
{
    static const unsigned upon_token = HEALTH_BIT(HEALTH_TOKEN) | HEALTH_BIT(HEALTH_IMAP) |
                                       HEALTH_BIT(HEALTH_POP3) | HEALTH_BIT(HEALTH_SMTP),
                          upon_settings = HEALTH_BIT(HEALTH_IMAP) | HEALTH_BIT(HEALTH_POP3) |
                                          HEALTH_BIT(HEALTH_SMTP) | HEALTH_BIT(HEALTH_GRAPH),
                          upon_sign_in = upon_token | HEALTH_BIT(HEALTH_SCOPES) | HEALTH_BIT(HEALTH_GRAPH);
    struct health_job *job = account->job;
    static const enum health_id rest[] = {HEALTH_OFFLINE_COPY, HEALTH_DEADLINES};
    size_t i;

    if (wanted(job, HEALTH_SIGN_IN) || (job->wanted & upon_sign_in) != 0)
        account->sign_in = add_item(job, HEALTH_SIGN_IN, account, !wanted(job, HEALTH_SIGN_IN));
    if ((job->wanted & upon_token) != 0)
        account->token = add_item(job, HEALTH_TOKEN, account, !wanted(job, HEALTH_TOKEN));
    if (wanted(job, HEALTH_SCOPES))
        (void)add_item(job, HEALTH_SCOPES, account, false);
    if (wanted(job, HEALTH_SETTINGS) || (job->wanted & upon_settings) != 0)
        account->settings = add_item(job, HEALTH_SETTINGS, account, !wanted(job, HEALTH_SETTINGS));
    plan_probes(account);
    for (i = 0; i < sizeof rest / sizeof rest[0]; i++)
        if (wanted(job, rest[i]))
            (void)add_item(job, rest[i], account, false);
}

int health_plan(struct health_job *job, const json_t *params, struct problem *problem)
{
    static const char *const names[] = {"accounts", "servers", "checks"};
    struct health_account *account;
    int id;

    if (rpc_params_known(params, names, sizeof names / sizeof names[0], problem) != 0 ||
        read_checks(job, params, problem) != 0 || read_accounts(job, params, problem) != 0 ||
        read_servers(job, params, problem) != 0)
        return -1;
    for (account = job->accounts; account != NULL; account = account->next)
        if (!account->servers_told)
            add_defaults(account);
    for (id = HEALTH_VERSIONS; id <= HEALTH_CLOCK; id++)
        if (wanted(job, (enum health_id)id))
            (void)add_item(job, (enum health_id)id, NULL, false);
    if (wanted(job, HEALTH_CLOCK) || wanted(job, HEALTH_AUTHORITY))
        plan_authorities(job);
    for (account = job->accounts; account != NULL; account = account->next)
        plan_account(account);
    if (!job->no_memory)
        return 0;
    problem_set_no_memory(problem);
    return -1;
}
