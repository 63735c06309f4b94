/* SPDX-License-Identifier: MPL-2.0 */
/*
 * report.create: what a help desk needs to know, as text for a ticket. Redacted by construction: every word
 * in it is the program's own, or a number, a GUID, a date, a version; an account goes by a number and by the
 * hash that the logs have for it. No text that a user, a file or a server wrote gets in.
 */
#include "service/health.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#define AUDIT_LATEST 30
#define WORD_SIZE 64

struct text {
    FILE *stream;
    char *bytes;
    size_t length;
};

/* ---- what may stand in it ---- */

static void put_time(FILE *out, int64_t time)
{
    const time_t seconds = (time_t)time;
    char text[HEALTH_DATE_SIZE] = "";
    struct tm parts;

    if (gmtime_r(&seconds, &parts) != NULL && strftime(text, sizeof text, "%FT%TZ", &parts) != 0)
        fputs(text, out);
}

static void put_when(FILE *out, const char *name, int64_t time)
{
    if (time == 0)
        return;
    fprintf(out, " %s ", name);
    put_time(out, time);
}

/* A GUID, or nothing. */
static void put_guid(FILE *out, const char *name, const char *text)
{
    const struct guid guid = guid_read(text);
    char written[GUID_TEXT_SIZE];

    if (guid_none(&guid))
        return;
    guid_write(written, &guid);
    fprintf(out, " %s %s", name, written);
}

/* A version number: what else stands in its place is left out. */
static const char *version_of(char word[WORD_SIZE], const char *text)
{
    size_t i;

    for (i = 0; i < WORD_SIZE - 1 && (isdigit((unsigned char)text[i]) || text[i] == '.' || text[i] == '-');
         i++)
        word[i] = text[i];
    word[i] = '\0';
    return i == 0 ? "unknown" : word;
}

/* One of the words that the configuration allows here, a GUID, or what kind of thing it is. */
static const char *tenant_word(const char *tenant)
{
    static const char *const words[] = {"common", "organizations", "consumers"};
    const struct guid guid = guid_read(tenant);
    size_t i;

    for (i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i], tenant) == 0)
            return words[i];
    return guid_none(&guid) ? "(a domain)" : tenant;
}

static const char *app_word(const char *client_id)
{
    const struct guid guid = guid_read(client_id == NULL ? "" : client_id);

    return client_id == NULL || client_id[0] == '\0' ? "none" : guid_none(&guid) ? "(no GUID)" : client_id;
}

/* ---- its parts ---- */

static void put_versions(FILE *out, const struct service *service)
{
    struct utsname system;
    char extension[WORD_SIZE], thunderbird[WORD_SIZE], kernel[WORD_SIZE];

    fprintf(out, "\nVersions\n  Thunderseal %s, add-on %s, Thunderbird %s\n  %s, Jansson %s, libsodium %s\n",
            THUNDERSEAL_VERSION,
            service->client.own ? "none" : version_of(extension, service->extension_version),
            version_of(thunderbird, service->thunderbird_version), https_library(), jansson_version_str(),
            sodium_version_string());
    if (uname(&system) == 0)
        fprintf(out, "  Linux %s %s\n", version_of(kernel, system.release), system.machine);
}

static const char *source_of(const struct settings *settings, const char *key)
{
    const char *source = json_string_value(json_object_get(settings->sources, key));

    return source == NULL ? "default" : source;
}

static void put_configuration(FILE *out, const struct service *service)
{
    const struct settings *settings = &service->settings;
    struct account_target target;
    const json_t *warning;
    size_t i;

    settings_default_target(settings, &target);
    fprintf(out, "\nConfiguration\n  cloud %s (%s), tenant %s (%s), client id %s (%s)\n", target.cloud,
            source_of(settings, "cloud"), tenant_word(target.key.tenant), source_of(settings, "tenant"),
            app_word(target.key.client_id), source_of(settings, "clientId"));
    fprintf(out, "  proxy %s, caFile %s, %zu warnings, files %s\n",
            settings_text(settings, "proxy") != NULL ? "set"
            : service->proxy != NULL                 ? "Thunderbird's"
                                                     : "none set",
            settings_text(settings, "caFile") != NULL ? "set" : "none", json_array_size(settings->warnings),
            settings->broken.kind == PROBLEM_NONE ? "valid" : "NOT VALID");
    json_array_foreach(settings->warnings, i, warning)
    {
        fprintf(out, "  warning %s\n",
                problem_kind_name(problem_kind_by_name(json_string_value(json_object_get(warning, "kind")))));
    }
}

static void put_vault(FILE *out, const struct service *service)
{
    const struct problem *locked = vault_locked(service->vault);

    fprintf(out, "\nVault\n  key store %s, %s%s\n", vault_keystore_name(service->vault),
            vault_key_id(service->vault)[0] == '\0' ? "none yet"
            : locked->kind == PROBLEM_NONE          ? "open"
                                                    : "LOCKED",
            secret_arena_locked() ? "" : ", memory not locked");
}

static void put_problem(FILE *out, const struct problem *problem)
{
    fprintf(out, "    problem %s", problem_kind_name(problem->kind));
    if (problem->stage != NULL)
        fprintf(out, " at %s", problem->stage);
    if (problem->aadsts != 0)
        fprintf(out, " AADSTS%d", problem->aadsts);
    put_when(out, "since", problem->since);
    put_guid(out, "\n      correlation id", problem->correlation_id);
    put_guid(out, "\n      trace id", problem->trace_id);
    fputc('\n', out);
}

static void put_identity(FILE *out, const struct entry *entry)
{
    const struct identity *identity = &entry->identity;
    const struct grant *grant = &identity->grant;
    char request_id[GUID_TEXT_SIZE];
    int i;

    if (grant->serial != 0) {
        fprintf(out, "    signed in by %s, refresh token %s,", method_name(grant->method),
                grant->refresh_token.length != 0 ? "present" : "GONE");
        put_when(out, "obtained", grant->obtained_at);
        put_when(out, "used", grant->last_used_at);
        put_when(out, "idle end", grant->last_used_at + REFRESH_TOKEN_IDLE_S);
        fputc('\n', out);
        put_guid(out, "   tenant", grant->tid);
        put_guid(out, "user object", grant->oid);
        fputc('\n', out);
    }
    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++) {
        if (identity->access[i].access_token.length == 0)
            continue;
        fprintf(out, "    token for %s", resource_word(entry, i));
        put_when(out, "until", identity->access[i].expires_at);
        fputc('\n', out);
    }
    if (!guid_none(&entry->exchange.request_id)) {
        guid_write(request_id, &entry->exchange.request_id);
        fprintf(out, "    latest token request: HTTP %ld in %lld ms, client-request-id %s\n",
                entry->exchange.http_status, (long long)entry->exchange.milliseconds, request_id);
    }
}

static void put_accounts(FILE *out, const struct service *service, const struct listed *list, int count)
{
    int i;

    fprintf(out, "\nAccounts: %d\n", count);
    for (i = 0; i < count; i++) {
        struct entry *entry = list[i].entry;
        const struct problem *problem;
        struct problem denied;
        const char *state = account_state(entry, list[i].account, &problem, &denied);
        char hash[AUDIT_HASH_SIZE];

        fprintf(out, "  account %d: %s", i + 1, state);
        if (!account_name_equal(list[i].account, entry->identity.key.sign_in_as))
            fputs(", signs in by another name", out);
        if (service->audit != NULL && audit_hash_of(service->audit, list[i].account, hash) == 0)
            fprintf(out, ", in the logs %s", hash);
        fputc('\n', out);
        put_identity(out, entry);
        if (problem != NULL)
            put_problem(out, problem);
    }
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

/* Titles, details and remedies may name what only the user is to read: ids, numbers and GUIDs do not. */
static void put_check(FILE *out, json_t *check, const struct listed *list, int count)
{
    json_t *evidence = json_object_get(check, "evidence"), *cause;
    const char *account = json_string_value(json_object_get(check, "account"));
    size_t k;
    int i;

    fprintf(out, "  %-7s %s", text_of(check, "status"), text_of(check, "id"));
    for (i = 0; account != NULL && i < count; i++)
        if (account_name_equal(list[i].account, account))
            fprintf(out, " of account %d", i + 1);
    json_array_foreach(json_object_get(check, "causes"), k, cause)
    {
        fprintf(out, "%s%s", k == 0 ? ": " : ", ", json_string_value(cause));
    }
    if (json_object_get(check, "latencyMs") != NULL)
        fprintf(out, ", %lld ms", (long long)json_integer_value(json_object_get(check, "latencyMs")));
    if (json_integer_value(json_object_get(evidence, "httpStatus")) != 0)
        fprintf(out, ", HTTP %lld", (long long)json_integer_value(json_object_get(evidence, "httpStatus")));
    if (json_integer_value(json_object_get(evidence, "aadsts")) != 0)
        fprintf(out, ", AADSTS%lld", (long long)json_integer_value(json_object_get(evidence, "aadsts")));
    put_guid(out, "\n          correlation id", text_of(evidence, "correlationId"));
    put_guid(out, "\n          trace id", text_of(evidence, "traceId"));
    fputc('\n', out);
}

static void put_health(FILE *out, const struct service *service, const struct listed *list, int count)
{
    const json_t *report = service->last_health;
    json_t *check;
    size_t i;

    if (report == NULL) {
        fputs("\nHealth check: none since the start; run one and make the report again.\n", out);
        return;
    }
    fprintf(out, "\nHealth check: %s,", text_of(report, "overall"));
    put_when(out, "ended", json_integer_value(json_object_get(report, "finishedAt")));
    fputc('\n', out);
    json_array_foreach(json_object_get(report, "checks"), i, check)
    {
        put_check(out, check, list, count);
    }
}

/* ---- the audit log: our own words, numbers and hashes, proven to be so ---- */

struct latest {
    json_t *entries[AUDIT_LATEST];
    size_t count; /* of all that came */
};

static void take(void *context, const struct audit_line *line)
{
    struct latest *latest = context;
    json_t **slot = &latest->entries[latest->count++ % AUDIT_LATEST];

    json_decref(*slot);
    *slot = audit_line_entry(line);
}

static void put_entry(FILE *out, json_t *entry)
{
    const char *key;
    json_t *value;

    fputs("  ", out);
    put_time(out, json_integer_value(json_object_get(entry, "time")));
    fprintf(out, " %s", text_of(entry, "event"));
    json_object_foreach(entry, key, value)
    {
        if (strcmp(key, "time") == 0 || strcmp(key, "event") == 0 || strcmp(key, "seq") == 0)
            continue;
        if (json_is_string(value))
            fprintf(out, " %s=%s", key, json_string_value(value));
        else if (json_is_integer(value))
            fprintf(out, " %s=%lld", key, (long long)json_integer_value(value));
    }
    fputc('\n', out);
}

static void put_audit(FILE *out, struct service *service)
{
    struct latest latest = {0};
    struct audit_verdict verdict;
    struct problem problem;
    size_t i;

    audit_events_settle(service);
    if (service->audit == NULL || audit_check(service->audit, take, &latest, &verdict, &problem) != 0) {
        fputs("\nAudit log: cannot be read.\n", out);
    } else {
        fprintf(out, "\nAudit log: %s, latest of %llu entries\n", verdict.intact ? "intact" : "NOT INTACT",
                (unsigned long long)verdict.entries);
        for (i = latest.count > AUDIT_LATEST ? latest.count - AUDIT_LATEST : 0; i < latest.count; i++)
            put_entry(out, latest.entries[i % AUDIT_LATEST]);
    }
    for (i = 0; i < AUDIT_LATEST; i++)
        json_decref(latest.entries[i]);
}

json_t *method_report_create(struct service *service, struct rpc_request *request, struct problem *problem)
{
    struct text text = {0};
    struct listed *list = NULL;
    json_t *result = NULL;
    int count;

    if (rpc_params_known(request->params, NULL, 0, problem) != 0)
        return NULL;
    count = accounts_sorted(service, &list);
    text.stream = open_memstream(&text.bytes, &text.length);
    if (text.stream != NULL && count >= 0) {
        fputs("Thunderseal report, ", text.stream);
        put_time(text.stream, wall_clock());
        fputs("\nAll times are UTC. It holds no addresses, tokens, names of people or servers.\n",
              text.stream);
        put_versions(text.stream, service);
        put_configuration(text.stream, service);
        put_vault(text.stream, service);
        put_accounts(text.stream, service, list, count);
        put_health(text.stream, service, list, count);
        put_audit(text.stream, service);
    }
    if (text.stream != NULL && fclose(text.stream) == 0 && count >= 0)
        result = json_pack("{s:s#}", "report", text.bytes, text.length);
    free(text.bytes);
    free(list);
    return result;
}
