/* SPDX-License-Identifier: MPL-2.0 */
/* What Thunderbird's settings say of an account's servers. Nothing is asked of them here. */
#include "service/health.h"

#include "core/deadlines.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *server_type_name(enum server_type type)
{
    static const char *const names[SERVER_TYPES] = {"imap", "pop3", "smtp", "graph", "ews"};

    return names[type];
}

/* Whether host is the one of the https URL. */
static bool is_host_of(const char *url, const char *host)
{
    const size_t length = strlen(host);

    return url != NULL && strncasecmp(url, "https://", 8) == 0 && strncasecmp(url + 8, host, length) == 0 &&
           strchr(":/", url[8 + length]) != NULL; /* the end of the text, too */
}

/* DESIGN 5: a name that somebody planted in Thunderbird's settings never gets a token. Ports are free. */
static bool belongs_to_cloud(const struct health_account *account, const struct account_target *target,
                             const struct health_server *server)
{
    const struct settings *settings = &account->job->service->settings;
    const json_t *custom = json_object_get(settings->values, "custom");
    const struct cloud *cloud = cloud_find(target->cloud);
    struct mail_server known;
    int i;

    if (server->type == SERVER_GRAPH)
        return is_host_of(strcmp(target->cloud, CLOUD_CUSTOM) == 0
                              ? json_string_value(json_object_get(custom, "graph"))
                              : target->graph,
                          server->host);
    /* Any of the cloud's mail servers, whatever the protocol: Exchange answers on each of its names. */
    if (cloud != NULL)
        return cloud_has_mail_host(cloud, server->host);
    for (i = 0; i < MAIL_PROTOCOLS; i++)
        if (settings_mail_server(settings, target, (enum mail_protocol)i, &known) &&
            strcasecmp(known.host, server->host) == 0)
            return true;
    return false;
}

struct finding {
    enum check_status status;
    const char *cause, *detail, *remedy;
};

/* The gravest that is wrong with a server; CHECK_OK: nothing. */
static struct finding judge(const struct health_account *account, const struct account_target *target,
                            struct health_server *server)
{
    server->fault = NULL;
    if (!belongs_to_cloud(account, target, server)) {
        server->fault = "foreign-host";
        return (struct finding){
            CHECK_FAIL, "foreign-host",
            TEXT("The %s server %s is no server of this account's cloud, and gets no token."),
            TEXT("Correct the server's name in Thunderbird's account settings.")};
    }
    if (server->socket == SOCKET_PLAIN) {
        server->fault = "not-encrypted";
        return (struct finding){
            CHECK_FAIL, "not-encrypted", TEXT("The %s server %s is used without encryption."),
            TEXT("In Thunderbird's account settings, choose SSL/TLS as connection security "
                 "(STARTTLS for smtp.office365.com).")};
    }
    if (server->type == SERVER_EWS)
        return (struct finding){CHECK_WARN, "ews",
                                TEXT("The %s server %s is spoken to by EWS, which Microsoft is turning off."),
                                TEXT("Set the account up anew with IMAP and SMTP.")};
    if (server->auth == AUTH_PASSWORD)
        return (struct finding){
            server->type == SERVER_SMTP ? CHECK_WARN : CHECK_FAIL, "password",
            TEXT("The %s server %s is signed in to with a password."),
            TEXT("In Thunderbird's account settings, choose OAuth2 as authentication method.")};
    if (server->auth == AUTH_OTHER)
        return (struct finding){
            CHECK_FAIL, "auth-method",
            TEXT("The %s server %s is signed in to by another method than OAuth2."),
            TEXT("In Thunderbird's account settings, choose OAuth2 as authentication method.")};
    if (strchr(account->name, '\\') != NULL)
        return (struct finding){
            CHECK_FAIL, "user-name",
            TEXT(
                "The %s server %s has a user name in the old form of shared mailboxes, which Exchange Online "
                "takes no more."),
            TEXT("Set the shared mailbox's own address as user name.")};
    return (struct finding){CHECK_OK, NULL, NULL, NULL};
}

void health_server_judge(struct health_account *account, struct health_server *server)
{
    const struct account_target target = health_target(account);

    (void)judge(account, &target, server);
}

static json_t *server_json(const struct health_server *server, const struct finding *finding)
{
    static const char *const sockets[] = {"tls", "starttls", "plain"}, *const auths[] = {"oauth2", "password",
                                                                                         "other"};
    json_t *object =
        json_pack("{s:s, s:s, s:i, s:s, s:s, s:s}", "type", server_type_name(server->type), "hostname",
                  server->host, "port", server->port, "socketType", sockets[server->socket], "authMethod",
                  auths[server->auth], "status", check_status_name(finding->status));

    if (finding->cause != NULL)
        json_object_set_new(object, "cause", json_string(finding->cause));
    return object;
}

/* Adds the causes of the findings of this status, those that are not there yet. */
static void add_causes(json_t *check, struct health_account *account, const struct account_target *target,
                       enum check_status status)
{
    size_t i, k;

    for (i = 0; i < account->server_count; i++) {
        const struct finding finding = judge(account, target, &account->servers[i]);
        const json_t *causes = json_object_get(check, "causes");
        for (k = 0; k < json_array_size(causes) && finding.cause != NULL &&
                    strcmp(json_string_value(json_array_get(causes, k)), finding.cause) != 0;
             k++)
            ;
        if (finding.status == status && k == json_array_size(causes))
            check_cause(check, finding.cause);
    }
}

void health_settings(struct health_item *item)
{
    struct health_account *account = item->account;
    const struct account_target target = health_target(account);
    json_t *check = health_check(item, account->servers_told ? CHECK_OK : CHECK_SKIPPED);
    json_t *servers = json_array();
    enum check_status worst = account->servers_told ? CHECK_OK : CHECK_SKIPPED, graver = CHECK_FAIL;
    size_t i;

    for (i = 0; i < account->server_count; i++) {
        struct health_server *server = &account->servers[i];
        const struct finding finding = judge(account, &target, server);
        json_array_append_new(servers, server_json(server, &finding));
        if (finding.status == CHECK_OK || !account->servers_told)
            continue;
        if (finding.status > worst) {
            worst = finding.status;
            check_detail(check, finding.detail, server_type_name(server->type), server->host);
            check_remedy(check, "%-s", finding.remedy);
        }
    }
    for (; account->servers_told && graver > CHECK_OK; graver--)
        add_causes(check, account, &target, graver);
    check_worsen(check, worst);
    check_evidence(check, "servers", servers);
    if (!account->servers_told)
        check_detail(check, "Thunderbird's settings are not known here; the cloud's own servers are meant.");
    else if (worst == CHECK_OK)
        check_detail(check, account->server_count == 0
                                ? "Thunderbird named no server for this account."
                                : "Its servers are the cloud's, encrypted, and signed in to with OAuth2.");
    health_done(item, check);
}

void health_offline_copy(struct health_item *item)
{
    const struct health_account *account = item->account;
    json_t *check;
    size_t i;
    int copy = -1;

    for (i = 0; i < account->server_count; i++)
        if (account->servers[i].offline_copy >= 0 && copy != 0)
            copy = account->servers[i].offline_copy;
    if (copy < 0) {
        health_skip(item, "Thunderbird did not say whether messages are kept on this computer.");
        return;
    }
    check = health_check(item, copy == 1 ? CHECK_OK : CHECK_WARN);
    check_evidence(check, "offlineCopy", json_boolean(copy == 1));
    check_evidence(check, "lastBackup", json_null());
    if (copy == 1) {
        check_detail(check,
                     "Messages are kept on this computer. When it was last backed up is not recorded.");
    } else {
        check_cause(check, "no-offline-copy");
        check_detail(check, "Messages are on the server alone: without it there is nothing to read. When it "
                            "was last backed up is not recorded.");
        check_remedy(check, "In Thunderbird's account settings, Synchronization & Storage, keep messages for "
                            "this account on this computer.");
    }
    health_done(item, check);
}

void health_deadlines(struct health_item *item)
{
    const struct health_account *account = item->account;
    struct server_use *uses = calloc(account->server_count + 1, sizeof *uses);
    json_t *check = health_check(item, CHECK_OK);
    size_t i;

    for (i = 0; uses != NULL && i < account->server_count; i++)
        uses[i] = (struct server_use){.type = server_type_name(account->servers[i].type),
                                      .password = account->servers[i].auth == AUTH_PASSWORD};
    if (uses != NULL) {
        deadlines_judge(check, uses, account->server_count, wall_clock());
    } else {
        json_decref(check);
        check = NULL;
    }
    free(uses);
    health_done(item, check);
}
