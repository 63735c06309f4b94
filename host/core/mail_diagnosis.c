/* SPDX-License-Identifier: MPL-2.0 */
#include "core/mail_diagnosis.h"

#include "core/check.h"
#include "core/entra_error.h"
#include "core/jwt.h"
#include "core/mail_rules.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define EWS_BLOCKED_FROM 1790812800LL /* 1 October 2026, FACTS 2.3 */
#define EWS_RETIRED_FROM 1806537600LL /* 1 April 2027 */

enum finding { UNKNOWN, SHOWN, EXCLUDED };

/* --- what the circumstances say about a cause --- */

static enum finding finding_of(bool shown)
{
    return shown ? SHOWN : EXCLUDED;
}

static enum finding look_at_audience(const struct mail_circumstances *known)
{
    if (known->token_audience == NULL || known->audience == NULL)
        return UNKNOWN;
    return finding_of(!access_audience_fits(known->token_audience, known->audience, known->graph));
}

/* Whether a permission is in the list, with whatever resource in front. */
static bool has_permission(const char *scopes, const char *permission)
{
    size_t length = strlen(permission);

    while (*scopes != '\0') {
        size_t word = strcspn(scopes, " ");
        if (word >= length && strncasecmp(scopes + word - length, permission, length) == 0 &&
            (word == length || scopes[word - length - 1] == '/'))
            return true;
        scopes += word;
        scopes += strspn(scopes, " ");
    }
    return false;
}

static enum finding look_at_scopes(const char *permission, const struct mail_circumstances *known)
{
    return known->token_scopes == NULL ? UNKNOWN
                                       : finding_of(!has_permission(known->token_scopes, permission));
}

static enum finding look_at_expiry(const struct mail_circumstances *known)
{
    if (known->token_expires == 0 || known->now == 0)
        return UNKNOWN;
    return finding_of(known->token_expires <= known->now);
}

static enum finding look_at_user(const struct mail_circumstances *known)
{
    if (known->user == NULL || known->token_user == NULL)
        return UNKNOWN;
    return finding_of(strcasecmp(known->user, known->token_user) != 0);
}

static const char *const permissions[MAIL_PROTOCOLS] = {
    [MAIL_IMAP] = "IMAP.AccessAsUser.All", [MAIL_POP3] = "POP.AccessAsUser.All", [MAIL_SMTP] = "SMTP.Send"};

static enum finding look(enum mail_cause cause, const struct mail_result *result,
                         const struct mail_circumstances *known)
{
    switch (cause) {
    case MAIL_CAUSE_TOKEN_EXPIRED:
        return look_at_expiry(known);
    case MAIL_CAUSE_WRONG_AUDIENCE:
        return look_at_audience(known);
    case MAIL_CAUSE_SCOPE_MISSING:
        return look_at_scopes(permissions[result->protocol], known);
    case MAIL_CAUSE_NO_PERMISSION:
    case MAIL_CAUSE_ALIAS:
        return look_at_user(known);
    case MAIL_CAUSE_PERSONAL_SWITCH:
        return known->personal ? UNKNOWN : EXCLUDED;
    case MAIL_CAUSE_IMAP_DISABLED:
    case MAIL_CAUSE_POP_DISABLED:
    case MAIL_CAUSE_ACCESS_POLICY:
    case MAIL_CAUSE_SMTP_AUTH_TENANT:
    case MAIL_CAUSE_SMTP_AUTH_MAILBOX:
        return known->personal ? EXCLUDED : UNKNOWN;
    case MAIL_CAUSE_IPV6_PATH:
        return result->retried_over_ipv4 || result->family == 4 ? EXCLUDED : UNKNOWN;
    default:
        return UNKNOWN;
    }
}

/* --- writing it down --- */

/* A name that can stand in a command without being one itself. */
static const char *harmless_name(const char *user)
{
    const char *c;

    for (c = user == NULL ? "" : user; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && strchr("@._+-", *c) == NULL)
            return "<user>";
    return c == user || user == NULL || user[0] == '-' ? "<user>" : user;
}

/* The first cause's words. */
static void put_words(json_t *check, enum mail_cause cause, const char *line,
                      const struct mail_circumstances *known)
{
    const struct entra_error *entra = cause == MAIL_CAUSE_ENTRA ? entra_error_find(known->aadsts) : NULL;
    struct mail_cause_text words = *mail_cause_text(cause);

    if (entra != NULL) {
        words.cause = entra->cause;
        words.remedy = entra->remedy;
        words.admin_remedy = entra->admin_remedy;
    }
    if (line[0] != '\0')
        check_detail(check, "%-s The server answered: %s", words.cause, line);
    else
        check_detail(check, "%-s", words.cause);
    check_remedy(check, "%-s", words.remedy);
    if (words.admin_remedy == NULL || known->personal)
        return;
    /* No text names the user more than twice. */
    check_admin_remedy(check, words.admin_remedy, harmless_name(known->user), harmless_name(known->user));
}

struct ranking {
    enum mail_cause causes[MAIL_RULE_CAUSES + 1];
    size_t count;
};

static void rank(struct ranking *ranking, enum mail_cause cause)
{
    ranking->causes[ranking->count++] = cause;
}

/* Whether the last renewal's error explains a refusal by itself. */
static bool renewal_explains(const struct mail_circumstances *known)
{
    const struct entra_error *entra = entra_error_find(known->aadsts);

    if (entra != NULL && (entra->class == ENTRA_REVOKED || entra->class == ENTRA_BLOCKED))
        return true;
    return look_at_expiry(known) != EXCLUDED;
}

/* What is shown to be so, in the rule's order; then what may be. */
static void rank_causes(struct ranking *ranking, const struct mail_rule *rule,
                        const struct mail_result *result, const struct mail_circumstances *known)
{
    bool renewal_failed =
        known->aadsts != 0 && result->stage == MAIL_STAGE_AUTH && result->failure == MAIL_REFUSED;

    if (renewal_failed && renewal_explains(known))
        rank(ranking, MAIL_CAUSE_ENTRA);
    for (size_t i = 0; rule->causes[i] != MAIL_CAUSE_NONE; i++)
        if (look(rule->causes[i], result, known) == SHOWN)
            rank(ranking, rule->causes[i]);
    for (size_t i = 0; rule->causes[i] != MAIL_CAUSE_NONE; i++)
        if (look(rule->causes[i], result, known) == UNKNOWN)
            rank(ranking, rule->causes[i]);
    if (renewal_failed && !renewal_explains(known))
        rank(ranking, MAIL_CAUSE_ENTRA);
}

static void put_causes(json_t *check, const struct ranking *ranking, const char *line,
                       const struct mail_circumstances *known)
{
    for (size_t i = 0; i < ranking->count; i++)
        check_cause(check, mail_cause_text(ranking->causes[i])->id);
    put_words(check, ranking->causes[0], line, known);
}

static void put_evidence(json_t *check, const struct mail_result *result)
{
    static const char throttled[] = "Suggested Backoff Time:";
    const char *wait = strcasestr(result->line, throttled);
    json_t *stages = json_object();

    check_evidence_text(check, "stage", mail_stage_name(result->stage));
    if (result->failure != MAIL_FINE)
        check_evidence_text(check, "failure", mail_failure_name(result->failure));
    if (result->line[0] != '\0')
        check_evidence_text(check, "line", result->line);
    if (result->line_before[0] != '\0')
        check_evidence_text(check, "lineOverIpv6", result->line_before);
    if (result->challenge[0] != '\0')
        check_evidence_text(check, "challenge", result->challenge);
    if (result->detail[0] != '\0')
        check_evidence_text(check, "library", result->detail);
    if (result->address[0] != '\0')
        check_evidence_text(check, "address", result->address);
    if (result->family != 0)
        check_evidence_text(check, "addressFamily", result->family == 6 ? "ipv6" : "ipv4");
    if (result->tls_version[0] != '\0')
        check_evidence_text(check, "tls", result->tls_version);
    if (result->certificate.name[0] != '\0')
        check_evidence(check, "certificate",
                       json_pack("{s:s, s:s, s:I, s:s}", "name", result->certificate.name, "issuer",
                                 result->certificate.issuer, "expires",
                                 (json_int_t)result->certificate.expires, "fault",
                                 mail_certificate_fault_name(result->certificate.fault)));
    if (wait != NULL)
        check_evidence(check, "waitMs", json_integer(strtoll(wait + sizeof throttled - 1, NULL, 10)));
    for (int i = 0; i < MAIL_STAGE_DONE && i <= (int)result->stage; i++)
        json_object_set_new(stages, mail_stage_name((enum mail_stage)i),
                            json_integer(result->milliseconds[i]));
    check_evidence(check, "milliseconds", stages);
    json_object_set_new(check, "latencyMs", json_integer(result->milliseconds[MAIL_STAGE_DONE]));
}

static const struct mail_rule *rule_of(const struct mail_result *result)
{
    const struct mail_rule *rule = NULL;

    if (result->failure == MAIL_REFUSED)
        rule = mail_rule_by_line(result->protocol, result->line);
    return rule == NULL ? mail_rule_by_stage(result) : rule;
}

bool mail_refusal_is_vague(const struct mail_result *result, const struct mail_circumstances *circumstances)
{
    const struct mail_rule *rule = rule_of(result);
    bool of_token = false;

    if (result->failure != MAIL_REFUSED || result->stage != MAIL_STAGE_AUTH)
        return false;
    for (size_t i = 0; rule->causes[i] != MAIL_CAUSE_NONE; i++) {
        if (look(rule->causes[i], result, circumstances) == SHOWN)
            return false;
        of_token |= rule->causes[i] == MAIL_CAUSE_TOKEN_EXPIRED;
    }
    return of_token;
}

void mail_diagnose(json_t *check, const struct mail_result *result,
                   const struct mail_circumstances *circumstances)
{
    const struct mail_rule *rule = rule_of(result);
    struct ranking ranking = {.count = 0};

    put_evidence(check, result);
    if (result->failure == MAIL_FINE && !result->retried_over_ipv4) {
        check_detail(check, result->protocol == MAIL_SMTP
                                ? "The server takes the token."
                                : "The server takes the token, and the mailbox opens.");
        return;
    }
    if (result->failure == MAIL_FINE) {
        check_worsen(check, CHECK_WARN);
        rank(&ranking, MAIL_CAUSE_IPV6_PATH);
        put_causes(check, &ranking, result->line_before, circumstances);
        return;
    }
    check_worsen(check, rule->passing ? CHECK_WARN : CHECK_FAIL);
    rank_causes(&ranking, rule, result, circumstances);
    if (ranking.count == 0) /* whatever there was is excluded */
        rank(&ranking, MAIL_CAUSE_SERVICE_INCIDENT);
    put_causes(check, &ranking, result->line, circumstances);
}

/* --- web services --- */

static enum mail_cause ews_forbidden(long long now)
{
    if (now >= EWS_RETIRED_FROM)
        return MAIL_CAUSE_EWS_RETIRED;
    return now >= EWS_BLOCKED_FROM ? MAIL_CAUSE_EWS_BLOCKED : MAIL_CAUSE_EWS_NOT_ALLOWED;
}

static void rank_unauthorized(struct ranking *ranking, const char *message,
                              const struct mail_circumstances *known)
{
    bool audience = message != NULL && strcasestr(message, "audience") != NULL;
    bool expired = message != NULL && strcasestr(message, "expired") != NULL;

    if (audience || look_at_audience(known) == SHOWN)
        rank(ranking, MAIL_CAUSE_WRONG_AUDIENCE);
    if (expired || look_at_expiry(known) != EXCLUDED) /* the server's clock counts */
        rank(ranking, MAIL_CAUSE_TOKEN_EXPIRED);
    if (!audience && look_at_audience(known) == UNKNOWN)
        rank(ranking, MAIL_CAUSE_WRONG_AUDIENCE);
    rank(ranking, MAIL_CAUSE_ACCESS_POLICY);
}

static void rank_web(struct ranking *ranking, enum mail_web_service service, long status, const char *message,
                     const struct mail_circumstances *known)
{
    if (status == 401) {
        rank_unauthorized(ranking, message, known);
    } else if (status == 403 && service == MAIL_EWS) {
        rank(ranking, ews_forbidden(known->now));
        if (known->now >= EWS_BLOCKED_FROM && known->now < EWS_RETIRED_FROM)
            rank(ranking, MAIL_CAUSE_EWS_NOT_ALLOWED);
    } else if (status == 403) {
        rank(ranking, MAIL_CAUSE_GRAPH_SCOPE_MISSING);
        rank(ranking, MAIL_CAUSE_ACCESS_POLICY);
    } else if (status == 404) {
        rank(ranking, MAIL_CAUSE_NO_MAILBOX);
    } else if (status == 429) {
        rank(ranking, MAIL_CAUSE_THROTTLED);
    } else if (status >= 500) {
        rank(ranking, MAIL_CAUSE_SERVER_BUSY);
    } else {
        rank(ranking, MAIL_CAUSE_OTHER_SERVER);
    }
}

void mail_diagnose_web(json_t *check, enum mail_web_service service, long status, const char *code,
                       const char *message, const struct mail_circumstances *circumstances)
{
    struct ranking ranking = {.count = 0};
    char line[MAIL_LINE_SIZE];
    char said[MAIL_LINE_SIZE + 32];

    check_evidence(check, "status", json_integer(status));
    if (status >= 200 && status < 300) {
        check_detail(check, "The service takes the token.");
        return;
    }
    snprintf(said, sizeof said, "%ld%s%s%s%s", status, code == NULL ? "" : " ", code == NULL ? "" : code,
             message == NULL ? "" : ": ", message == NULL ? "" : message);
    mail_copy_line(line, sizeof line, said, strlen(said));
    check_evidence_text(check, "line", line);
    rank_web(&ranking, service, status, message, circumstances);
    check_worsen(check, status == 429 || status >= 500 ? CHECK_WARN : CHECK_FAIL);
    put_causes(check, &ranking, line, circumstances);
}
