/* SPDX-License-Identifier: MPL-2.0 */
#include "net/mail_probe.h"

#include "core/mail_dialogue.h"
#include "net/mail_connection.h"
#include "net/trust_anchors.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Exchange Online's front end has signed us in, but the way to the mailbox failed: over IPv6 that has been
 * Microsoft's fault more than once (FACTS 5.2). */
#define NOT_CONNECTED "authenticated but not connected"

struct mail_probe {
    struct loop *loop;
    struct mail_server server;
    char *ca_file;
    char *proxy;
    struct secret token;
    struct secret data; /* XOAUTH2's, in base64 */
    mail_probe_callback *callback;
    void *context;
    struct loop_timer *deadline;
    struct mail_connection *connection;
    struct mail_dialogue dialogue;
    struct mail_result result;
    bool ipv4_only;
    bool all_anchors;
    bool greeted; /* a STARTTLS server was talked to in the clear */
    /* The certificate was refused, as this result says; the connection is one that only looks at it. */
    bool looking;
    struct mail_result refused;
    int64_t started;
    int64_t stage_started; /* of the stage in result, once lines are exchanged */
};

/* --- its end --- */

void mail_probe_cancel(struct mail_probe *probe)
{
    if (probe == NULL)
        return;
    mail_connection_close(probe->connection);
    loop_timer_cancel(probe->loop, probe->deadline);
    secret_wipe(&probe->token);
    secret_wipe(&probe->data);
    free(probe->ca_file);
    free(probe->proxy);
    sodium_memzero(&probe->result, sizeof probe->result); /* a server may have sent the token back */
    free(probe);
}

static void hide_secrets(const struct mail_probe *probe, char *text)
{
    mail_hide_secret(text, secret_expose(&probe->token), probe->token.length);
    mail_hide_secret(text, secret_expose(&probe->data), probe->data.length);
}

static void finish(struct mail_probe *probe, enum mail_failure failure)
{
    struct mail_result result = probe->result;
    mail_probe_callback *callback = probe->callback;
    void *context = probe->context;

    if (probe->looking) {
        result = probe->refused;
        memcpy(result.certificate.name, probe->result.certificate.name, MAIL_NAME_SIZE);
        memcpy(result.certificate.issuer, probe->result.certificate.issuer, MAIL_NAME_SIZE);
        result.certificate.expires = probe->result.certificate.expires;
        failure = MAIL_CERTIFICATE;
    }
    result.failure = failure;
    result.milliseconds[MAIL_STAGE_DONE] = loop_monotonic_ms() - probe->started;
    hide_secrets(probe, result.line);
    hide_secrets(probe, result.line_before);
    hide_secrets(probe, result.challenge);
    mail_probe_cancel(probe);
    callback(context, &result);
}

static void on_deadline(void *context)
{
    struct mail_probe *probe = context;

    probe->deadline = NULL;
    if (probe->connection != NULL)
        mail_connection_note_stage(probe->connection);
    finish(probe, MAIL_TIMED_OUT);
}

/* --- its connections --- */

static const struct mail_connection_user connection_user;

/* Begins with the server anew. 0, or -1 out of memory. */
static int open_connection(struct mail_probe *probe)
{
    struct mail_connection_options options = {
        .host = probe->server.host,
        .port = probe->server.port,
        .ca_file = probe->ca_file,
        .proxy = probe->proxy,
        .tls = probe->server.security == MAIL_TLS,
        .ipv4_only = probe->ipv4_only,
        .all_anchors = probe->all_anchors,
        .unverified = probe->looking,
    };
    struct mail_result fresh = {.protocol = probe->result.protocol,
                                .retried_over_ipv4 = probe->result.retried_over_ipv4};

    memcpy(fresh.line_before, probe->result.line_before, sizeof fresh.line_before);
    mail_connection_close(probe->connection);
    probe->greeted = false;
    probe->result = fresh;
    probe->connection = mail_connection_open(probe->loop, &options, &probe->result, &connection_user, probe);
    return probe->connection == NULL ? -1 : 0;
}

/* Whether another connection can tell more than this failure. */
static bool worth_another(struct mail_probe *probe, enum mail_failure failure)
{
    if (probe->looking)
        return false;
    if (failure == MAIL_CERTIFICATE && !probe->all_anchors)
        return probe->all_anchors = true;
    if (failure == MAIL_CERTIFICATE) {
        /* Who issued it says who sits in between; libcurl does not tell of one that it refused. */
        probe->refused = probe->result;
        return probe->looking = true;
    }
    if (failure == MAIL_REFUSED && probe->result.family == 6 && !probe->ipv4_only &&
        strcasestr(probe->result.line, NOT_CONNECTED) != NULL) {
        memcpy(probe->result.line_before, probe->result.line, sizeof probe->result.line_before);
        probe->ipv4_only = true;
        return probe->result.retried_over_ipv4 = true;
    }
    return false;
}

static void end_with(struct mail_probe *probe, enum mail_failure failure)
{
    if (!worth_another(probe, failure))
        finish(probe, failure);
    else if (open_connection(probe) != 0)
        finish(probe, MAIL_NO_MEMORY);
}

static void note_time(struct mail_probe *probe, enum mail_stage stage)
{
    int64_t now = loop_monotonic_ms();

    probe->result.milliseconds[stage] += now - probe->stage_started;
    probe->stage_started = now;
}

/* 0, or -1 out of memory. */
static int say(struct mail_probe *probe, const char *text)
{
    struct secret line = {0};

    if (text[0] != '\0' && secret_set(&line, text, strlen(text)) != 0)
        return -1;
    return mail_connection_say(probe->connection, &line);
}

static int say_token(struct mail_probe *probe)
{
    struct secret line = {0};

    if (secret_copy(&line, &probe->data) != 0)
        return -1;
    return mail_connection_say(probe->connection, &line);
}

/* Does what the dialogue wants. false: the connection is closed, and perhaps the probe gone. */
static bool act(struct mail_probe *probe, enum mail_action action)
{
    enum mail_failure failure = MAIL_FINE;

    switch (action) {
    case MAIL_LISTEN:
        return true;
    case MAIL_SAY:
        failure = say(probe, probe->dialogue.say) == 0 ? MAIL_FINE : MAIL_NO_MEMORY;
        break;
    case MAIL_SAY_TOKEN:
        failure = say_token(probe) == 0 ? MAIL_FINE : MAIL_NO_MEMORY;
        break;
    case MAIL_START_TLS:
        failure = mail_connection_start_tls(probe->connection);
        break;
    case MAIL_END:
        if (probe->result.failure == MAIL_FINE)
            mail_connection_say_last(probe->connection, mail_dialogue_farewell(&probe->dialogue));
        end_with(probe, probe->result.failure);
        return false;
    }
    if (failure == MAIL_FINE)
        return true;
    end_with(probe, failure);
    return false;
}

static bool on_ready(void *context)
{
    struct mail_probe *probe = context;
    bool starttls = probe->server.security == MAIL_STARTTLS;

    probe->stage_started = loop_monotonic_ms();
    if (probe->looking && (!starttls || probe->greeted)) {
        finish(probe, MAIL_CERTIFICATE);
        return false;
    }
    if (probe->greeted)
        return act(probe, mail_dialogue_secured(&probe->dialogue));
    probe->greeted = true;
    mail_dialogue_begin(&probe->dialogue, &probe->result, starttls);
    return true;
}

static bool on_line(void *context, const char *line, size_t length)
{
    struct mail_probe *probe = context;
    enum mail_stage stage = probe->result.stage;
    enum mail_action action = mail_dialogue_line(&probe->dialogue, line, length);

    note_time(probe, stage);
    return act(probe, action);
}

static void on_failed(void *context, enum mail_failure failure)
{
    end_with(context, failure);
}

static const struct mail_connection_user connection_user = {
    .ready = on_ready, .line = on_line, .failed = on_failed};

/* --- its beginning --- */

/* XOAUTH2: user=…^Aauth=Bearer …^A^A. 0, or -1 out of memory. */
static int make_data(struct mail_probe *probe, const char *user)
{
    static const char before[] = "user=";
    static const char between[] = "\x01"
                                  "auth=Bearer ";
    struct secret plain = {0};
    size_t user_length = strlen(user);
    size_t encoded;
    unsigned char *to;
    int result = -1;

    if (secret_reserve(&plain,
                       sizeof before - 1 + user_length + sizeof between - 1 + probe->token.length + 2) != 0)
        return -1;
    to = plain.bytes;
    to = mempcpy(to, before, sizeof before - 1);
    to = mempcpy(to, user, user_length);
    to = mempcpy(to, between, sizeof between - 1);
    to = mempcpy(to, secret_expose(&probe->token), probe->token.length);
    memcpy(to, "\x01\x01", 2);
    encoded = sodium_base64_encoded_len(plain.length, sodium_base64_VARIANT_ORIGINAL);
    if (secret_reserve(&probe->data, encoded - 1) == 0) {
        sodium_bin2base64((char *)probe->data.bytes, encoded, plain.bytes, plain.length,
                          sodium_base64_VARIANT_ORIGINAL);
        result = 0;
    }
    secret_wipe(&plain);
    return result;
}

static int copy_text(char **copy, const char *text)
{
    *copy = text == NULL ? NULL : strdup(text);
    return text != NULL && *copy == NULL ? -1 : 0;
}

static bool has_control_characters(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return true;
    return false;
}

struct mail_probe *mail_probe_start(struct loop *loop, const struct mail_probe_request *request,
                                    mail_probe_callback *callback, void *context)
{
    struct mail_probe *probe;

    if (has_control_characters(request->user))
        return NULL;
    probe = calloc(1, sizeof *probe);
    if (probe == NULL)
        return NULL;
    probe->loop = loop;
    probe->server = request->server;
    probe->callback = callback;
    probe->context = context;
    probe->result.protocol = request->protocol;
    probe->ipv4_only = request->family == MAIL_FAMILY_IPV4;
    probe->all_anchors = !trust_anchors_have_folder();
    probe->started = loop_monotonic_ms();
    probe->deadline = loop_timer_start(
        loop, request->timeout_ms == 0 ? MAIL_PROBE_TIMEOUT_MS : request->timeout_ms, on_deadline, probe);
    if (probe->deadline == NULL || copy_text(&probe->ca_file, request->ca_file) != 0 ||
        copy_text(&probe->proxy, request->proxy) != 0 || secret_copy(&probe->token, &request->token) != 0 ||
        make_data(probe, request->user) != 0 || open_connection(probe) != 0) {
        mail_probe_cancel(probe);
        return NULL;
    }
    return probe;
}
