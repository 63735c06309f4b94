/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The sign-in service: its discovery document, asked for as every request of ours is sent, and beside it a
 * look at the connection alone: each address family, TLS and who vouches for it, the time that each part
 * takes. Where TLS is not believed, one more look names the issuer.
 */
#include "service/health.h"

#include "core/authorization.h"
#include "net/connect_look.h"
#include "service/shared_checks.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum look_number { LOOK_IPV4, LOOK_IPV6, LOOK_PROXY, LOOK_ISSUER, LOOKS };

struct authority_work {
    struct health_item *item;
    struct https *https;
    struct authority_answer answer;
    struct look {
        struct authority_work *work;
        struct connect_look *running;
        bool done;
        struct connect_facts facts;
    } looks[LOOKS];
    bool answered;
};

/* ---- judging ---- */

static json_t *facts_json(const struct connect_facts *facts)
{
    json_t *object = json_pack("{s:s}", "address", facts->address);

    if (facts->failed_stage != NULL)
        json_object_set_new(object, "failedStage", json_string(facts->failed_stage));
    if (facts->dns_ms >= 0)
        json_object_set_new(object, "dnsMs", json_integer(facts->dns_ms));
    if (facts->connect_ms >= 0)
        json_object_set_new(object, "connectMs", json_integer(facts->connect_ms));
    if (facts->tls_ms >= 0)
        json_object_set_new(object, "tlsMs", json_integer(facts->tls_ms));
    return object;
}

static json_t *tls_json(const struct connect_facts *facts)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:I}", "version", facts->tls_version, "subject", facts->subject,
                     "issuer", facts->issuer, "root", facts->root, "expiresAt", (json_int_t)facts->expires);
}

static bool names_any(const char *text, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strcasestr(text, *words) != NULL)
            return true;
    return false;
}

/* Believed, by an authority that Microsoft does not use: somebody opens the connection in between. */
static void judge_issuer(json_t *check, const struct health_item *item, const struct connect_facts *facts)
{
    static const char *const issuers[] = {"DigiCert", "Microsoft", "GlobalSign", NULL};

    if (facts->issuer[0] == '\0' || !cloud_authority_is_built_in(item->target.key.authority) ||
        names_any(facts->issuer, issuers))
        return;
    check_worsen(check, CHECK_WARN);
    check_cause(check, "tls-interception");
    check_detail(check, "The connection is opened and read on its way: its certificate is issued by %s.",
                 facts->issuer);
    check_remedy(check, "If your organisation does this, it works as it is; else ask your administrator.");
    check_admin_remedy(check, "Exempt %s and Exchange Online's hosts from TLS inspection.",
                       item->target.key.authority);
}

void health_tls_failure(json_t *check, const char *words, const char *host, const char *subject,
                        const char *issuer)
{
    json_object_del(check, "causes"); /* the closer one comes first */
    if (strcasestr(words, "expired") != NULL || strcasestr(words, "not yet valid") != NULL) {
        check_cause(check, "certificate-expired");
        check_detail(check,
                     "The certificate of %s is not valid at this time: a wrong clock, or an expired "
                     "certificate.",
                     host);
        check_remedy(check, "Check the date and time of this computer.");
    } else if (strcasestr(words, "subject name") != NULL) {
        check_cause(check, "certificate-name");
        if (subject[0] != '\0')
            check_detail(check, "Who answers as %s has a certificate for another name: %s.", host, subject);
        else
            check_detail(check, "Who answers as %s has a certificate for another name.", host);
        check_remedy(check, "Check whether this network first wants a sign-in of its own in the browser.");
    } else if (strcasestr(words, "certificate") != NULL) {
        check_cause(check, "tls-interception");
        if (issuer[0] != '\0')
            check_detail(check,
                         "Nobody whom this computer trusts vouches for %s: the certificate is issued by %s.",
                         host, issuer);
        else
            check_detail(check, "Nobody whom this computer trusts vouches for %s.", host);
        check_remedy(check, "If your organisation inspects connections, ask your administrator for its "
                            "certificate.");
        check_admin_remedy(check,
                           "Exempt %s and Exchange Online's hosts from TLS inspection, or name your "
                           "authority's certificate as caFile in policy.json.",
                           host);
    }
    check_cause(check, "tls");
}

/* A family that hangs costs every connection the time that it is waited for. */
static void judge_families(json_t *check, const struct connect_facts *ipv4, const struct connect_facts *ipv6)
{
    const bool works4 = ipv4->failed_stage == NULL, works6 = ipv6->failed_stage == NULL;
    const struct connect_facts *hangs = works4 ? ipv6 : ipv4;

    if (works4 == works6 || strcmp(hangs->failed_stage, "timeout") != 0)
        return;
    check_worsen(check, CHECK_WARN);
    check_cause(check, works4 ? "ipv6" : "ipv4");
    check_detail(check, "It answers over %s alone: over %s, connections hang.", works4 ? "IPv4" : "IPv6",
                 works4 ? "IPv6" : "IPv4");
    check_remedy(check, "Ask whoever looks after your network to mend %s or to turn it off.",
                 works4 ? "IPv6" : "IPv4");
}

static json_t *judge(const struct authority_work *work)
{
    const struct health_item *item = work->item;
    const struct service *service = item->job->service;
    json_t *check = health_check(item, CHECK_OK);
    const struct connect_facts *shown = NULL;
    int i;

    authority_judge(check, &item->target, &work->answer);
    if (check_status(check) == CHECK_OK)
        authority_judge_document(check, &item->target, &work->answer);
    for (i = 0; i < LOOKS; i++)
        if (work->looks[i].done && work->looks[i].facts.failed_stage == NULL)
            shown = &work->looks[i].facts;
    if (check_status(check) == CHECK_OK) {
        if (work->looks[LOOK_IPV4].done && work->looks[LOOK_IPV6].done)
            judge_families(check, &work->looks[LOOK_IPV4].facts, &work->looks[LOOK_IPV6].facts);
        if (shown != NULL)
            judge_issuer(check, item, shown);
    } else if (work->answer.stage != NULL && strcmp(work->answer.stage, "tls") == 0) {
        const struct connect_facts *seen = &work->looks[LOOK_ISSUER].facts;
        health_tls_failure(check, work->answer.words, item->target.key.authority, seen->subject,
                           seen->issuer);
    }
    check_evidence_text(check, "proxy", proxy_source(&service->settings, service->proxy));
    check_evidence_text(check, "tenant", item->target.key.tenant);
    if (work->looks[LOOK_IPV4].done)
        check_evidence(check, "ipv4", facts_json(&work->looks[LOOK_IPV4].facts));
    if (work->looks[LOOK_IPV6].done)
        check_evidence(check, "ipv6", facts_json(&work->looks[LOOK_IPV6].facts));
    if (work->looks[LOOK_PROXY].done)
        check_evidence(check, "connection", facts_json(&work->looks[LOOK_PROXY].facts));
    if (shown != NULL)
        check_evidence(check, "tls", tls_json(shown));
    json_object_set_new(check, "latencyMs", json_integer(work->answer.milliseconds));
    return check;
}

/* ---- acting ---- */

static void start_look(struct authority_work *work, enum look_number number);

/* Once everything has come: one more look where the certificate was not believed, then the verdict. */
static void came(struct authority_work *work)
{
    struct health_item *item = work->item;
    int i;

    if (!work->answered)
        return;
    for (i = 0; i < LOOKS; i++)
        if (work->looks[i].running != NULL)
            return;
    if (work->answer.stage != NULL && strcmp(work->answer.stage, "tls") == 0 &&
        !work->looks[LOOK_ISSUER].done) {
        start_look(work, LOOK_ISSUER);
        if (work->looks[LOOK_ISSUER].running != NULL)
            return;
    }
    health_done(item, judge(work));
}

static void looked(void *context, const struct connect_facts *facts)
{
    struct look *look = context;

    look->running = NULL;
    look->done = true;
    look->facts = *facts;
    came(look->work);
}

static void start_look(struct authority_work *work, enum look_number number)
{
    static const enum connect_family families[LOOKS] = {CONNECT_IPV4, CONNECT_IPV6, CONNECT_ANY, CONNECT_ANY};
    struct service *service = work->item->job->service;
    const char *authority = work->item->target.key.authority,
               *proxy = settings_text(&service->settings, "proxy");
    const struct connect_wish wish = {.url = authority,
                                      .family = families[number],
                                      .verified = number != LOOK_ISSUER,
                                      .ca_file = settings_ca_file_for(&service->settings, authority),
                                      .proxy = proxy != NULL ? proxy : service->proxy,
                                      .timeout_ms =
                                          work->item->began + HEALTH_PROBE_MS - loop_monotonic_ms()};
    struct look *look = &work->looks[number];

    look->work = work;
    if (wish.timeout_ms > 0)
        look->running = connect_look_start(service->loop, &wish, looked, look);
}

static void answered(void *context, struct https_answer *answer)
{
    struct authority_work *work = context;

    authority_answer_take(&work->answer, answer);
    work->answered = true;
    came(work);
}

static void abandon(void *context)
{
    struct authority_work *work = context;
    int i;

    for (i = 0; i < LOOKS; i++)
        connect_look_cancel(work->looks[i].running);
    https_cancel(work->https, work);
    free(work);
}

const struct authority_answer *health_authority_answer(const struct health_item *item)
{
    const struct authority_work *work = item->work;

    return work == NULL ? NULL : &work->answer;
}

/* The host and port of "https://host[:port]". */
static unsigned short host_of(char host[MAIL_HOST_SIZE], const char *authority)
{
    const char *start = authority + strlen("https://"), *colon = strrchr(start, ':');
    const bool has_port = colon != NULL && strchr(colon, ']') == NULL;

    snprintf(host, MAIL_HOST_SIZE, "%.*s", (int)(has_port ? colon - start : (int)strlen(start)), start);
    return has_port ? (unsigned short)strtoul(colon + 1, NULL, 10) : 443;
}

void health_authority(struct health_item *item)
{
    struct service *service = item->job->service;
    const bool proxied = strcmp(proxy_source(&service->settings, service->proxy), "none") != 0;
    struct authority_work *work;
    struct https *https;
    char url[1024], host[MAIL_HOST_SIZE];
    unsigned short port;

    if (item->target.key.authority[0] == '\0' ||
        endpoint_url(url, sizeof url, item->target.key.authority, item->target.key.tenant,
                     AUTHORITY_DISCOVERY) != 0) {
        health_skip(item, "The configuration names none.");
        return;
    }
    port = host_of(host, item->target.key.authority);
    if (!health_connect(item, proxied ? 2 : 3, host, port))
        return;
    work = calloc(1, sizeof *work);
    https = https_for(service, item->target.key.authority);
    if (work == NULL || https == NULL ||
        https_get(https, url, HTTPS_DOCUMENT_MAX, HEALTH_PROBE_MS, answered, work) != 0) {
        free(work);
        health_done(item, NULL);
        return;
    }
    work->item = item;
    work->https = https;
    item->work = work;
    item->abandon = abandon;
    if (proxied) {
        start_look(work, LOOK_PROXY);
    } else {
        start_look(work, LOOK_IPV4);
        start_look(work, LOOK_IPV6);
    }
}
