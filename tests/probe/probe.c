/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Drives net/mail_probe and core/mail_diagnosis without the rest of the program: one JSON object on standard
 * input, {protocol, host, port, starttls, user, token, …}, one on standard output, {result, check}. With
 * "cancelAfter" the probe is cancelled after so many milliseconds, and the output is {"cancelled": true};
 * with "beside" as many probes of the same kind run at once, and the output is an array.
 */
#include "core/check.h"
#include "core/mail_diagnosis.h"
#include "net/https.h"
#include "net/mail_probe.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct run {
    struct loop *loop;
    json_t *request;
    json_t *answers;
    json_int_t left;
    struct mail_probe *probe;
    int64_t last_tick;
    int64_t longest_gap; /* between two turns of a timer that should fire every 10 ms */
};

static const char *text(const struct run *run, const char *name)
{
    return json_string_value(json_object_get(run->request, name));
}

static long long number(const struct run *run, const char *name)
{
    return json_integer_value(json_object_get(run->request, name));
}

static json_t *result_to_json(const struct mail_result *result)
{
    json_t *milliseconds = json_object();

    for (int i = 0; i < MAIL_STAGES; i++)
        json_object_set_new(milliseconds, mail_stage_name((enum mail_stage)i),
                            json_integer(result->milliseconds[i]));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:{s:s, s:s, s:s, s:I}, s:b, s:s, s:o}",
                     "stage", mail_stage_name(result->stage), "failure", mail_failure_name(result->failure),
                     "line", result->line, "challenge", result->challenge, "detail", result->detail, "family",
                     result->family, "address", result->address, "tlsVersion", result->tls_version,
                     "certificate", "fault", mail_certificate_fault_name(result->certificate.fault), "name",
                     result->certificate.name, "issuer", result->certificate.issuer, "expires",
                     (json_int_t)result->certificate.expires, "retriedOverIpv4", result->retried_over_ipv4,
                     "lineBefore", result->line_before, "milliseconds", milliseconds);
}

static void on_result(void *context, const struct mail_result *result)
{
    struct run *run = context;
    struct mail_circumstances known = {.now = number(run, "now"),
                                       .user = text(run, "user"),
                                       .token_user = text(run, "tokenUser"),
                                       .token_audience = text(run, "tokenAudience"),
                                       .token_scopes = text(run, "tokenScopes"),
                                       .token_expires = number(run, "tokenExpires"),
                                       .audience = text(run, "audience"),
                                       .aadsts = (int)number(run, "aadsts")};
    json_t *check = check_new(mail_protocol_name(result->protocol), known.user, CHECK_OK, "Probe");
    json_t *answer;

    mail_diagnose(check, result, &known);
    answer = json_pack("{s:o, s:o}", "result", result_to_json(result), "check", check);
    if (answer == NULL)
        abort();
    json_array_append_new(run->answers, answer);
    if (--run->left == 0)
        loop_stop(run->loop);
}

static void on_cancel(void *context)
{
    struct run *run = context;

    mail_probe_cancel(run->probe);
    json_array_append_new(run->answers, json_pack("{s:b}", "cancelled", 1));
    loop_stop(run->loop);
}

static void on_tick(void *context)
{
    struct run *run = context;
    int64_t now = loop_monotonic_ms();

    if (now - run->last_tick > run->longest_gap)
        run->longest_gap = now - run->last_tick;
    run->last_tick = now;
    loop_timer_start(run->loop, 10, on_tick, run);
}

static enum mail_protocol protocol_of(const char *name)
{
    if (strcmp(name, "imap") == 0)
        return MAIL_IMAP;
    return strcmp(name, "pop3") == 0 ? MAIL_POP3 : MAIL_SMTP;
}

static struct mail_probe *start(struct run *run)
{
    struct mail_probe_request request = {
        .protocol = protocol_of(text(run, "protocol")),
        .user = text(run, "user"),
        .ca_file = text(run, "caFile"),
        .proxy = text(run, "proxy"),
        .family = json_is_true(json_object_get(run->request, "ipv4")) ? MAIL_FAMILY_IPV4 : MAIL_FAMILY_ANY,
        .timeout_ms = number(run, "timeoutMs"),
    };
    struct mail_probe *probe;

    snprintf(request.server.host, sizeof request.server.host, "%s", text(run, "host"));
    request.server.port = (unsigned short)number(run, "port");
    request.server.security =
        json_is_true(json_object_get(run->request, "starttls")) ? MAIL_STARTTLS : MAIL_TLS;
    if (secret_set(&request.token, text(run, "token"), strlen(text(run, "token"))) != 0)
        abort();
    probe = mail_probe_start(run->loop, &request, on_result, run);
    secret_wipe(&request.token);
    return probe;
}

int main(void)
{
    struct run run = {.request = json_loadf(stdin, 0, NULL), .answers = json_array()};
    struct rusage usage;
    json_t *output;
    int status = 0;

    signal(SIGPIPE, SIG_IGN);
    if (run.request == NULL || sodium_init() < 0 || secret_arena_open() != 0 || https_global_init() != 0)
        return 2;
    run.loop = loop_new();
    run.left = number(&run, "beside") == 0 ? 1 : number(&run, "beside");
    for (json_int_t i = 0; i < run.left && status == 0; i++) {
        run.probe = start(&run);
        status = run.probe == NULL ? 3 : 0;
    }
    if (json_object_get(run.request, "cancelAfter") != NULL)
        loop_timer_start(run.loop, number(&run, "cancelAfter"), on_cancel, &run);
    run.last_tick = loop_monotonic_ms();
    on_tick(&run);
    if (status == 0)
        loop_run(run.loop);
    getrusage(RUSAGE_SELF, &usage);
    output = json_pack("{s:o, s:I, s:I}", "answers", run.answers, "longestGap", (json_int_t)run.longest_gap,
                       "peakKib", (json_int_t)usage.ru_maxrss);
    json_dumpf(output, stdout, JSON_COMPACT);
    json_decref(output);
    loop_free(run.loop);
    json_decref(run.request);
    secret_arena_close();
    return status;
}
