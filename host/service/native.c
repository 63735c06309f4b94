/* SPDX-License-Identifier: MPL-2.0 */
/* Native messaging: frames on stdin and stdout around the service. Protocol section 1. */
#include "service/native.h"

#include "core/framing.h"
#include "core/rpc.h"
#include "core/wiping_alloc.h"
#include "service/service.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define READ_SIZE 65536
#define QUEUE_MAX ((size_t)4 * 1024 * 1024) /* a client that lets more pile up does not read any more */
#define QUEUE_SLOW ((size_t)256 * 1024)     /* beyond this, account.changed waits and is told once */
#define FINISH_MS 900                       /* Thunderbird kills after 3 s; the protocol promises 1 s */
#define FINISH_REQUEST_MS 2400              /* with a token request on the wire: 2.5 s */

struct native {
    struct loop *loop;
    struct service *service;
    struct log *log;
    struct loop_watch *input, *output;
    struct loop_timer *finish_timer;
    struct frame_decoder decoder;
    unsigned char buffer[READ_SIZE];
    unsigned char *queue; /* what stdout has not taken yet: bytes from queue_start to queue_end */
    size_t queue_start, queue_end;
    bool ended;  /* the input has */
    bool late;   /* the longer of the two times to finish is the one that runs */
    bool broken; /* the output has: nobody reads any more */
    int exit_status;
};

static bool has_finished(const struct native *native)
{
    return native->queue_start == native->queue_end && !service_must_wait(native->service);
}

static void maybe_leave(struct native *native)
{
    if (native->ended && has_finished(native))
        loop_stop(native->loop);
}

static void token_settled(void *context)
{
    maybe_leave(context);
}

static void finish_late(void *context)
{
    struct native *native = context;

    native->finish_timer = NULL;
    /* A token request may have been sent since. */
    if (!native->late && service_must_wait(native->service)) {
        native->late = true;
        native->finish_timer =
            loop_timer_start(native->loop, FINISH_REQUEST_MS - FINISH_MS, finish_late, native);
    }
    if (native->finish_timer == NULL)
        loop_stop(native->loop);
}

/* Nothing more is read; what is on the wire may still reach the disk. */
static void finish(struct native *native)
{
    if (native->ended)
        return;
    native->ended = true;
    loop_unwatch(native->loop, native->input);
    native->input = NULL;
    native->late = service_must_wait(native->service);
    native->finish_timer =
        loop_timer_start(native->loop, native->late ? FINISH_REQUEST_MS : FINISH_MS, finish_late, native);
}

/* Nobody reads any more: as if the input had ended. */
static void give_up_output(struct native *native)
{
    native->broken = true;
    sodium_memzero(native->queue, native->queue_end);
    native->queue_start = native->queue_end = 0;
    finish(native);
}

static void write_queue(struct native *native)
{
    while (native->queue_start < native->queue_end) {
        ssize_t part = write(STDOUT_FILENO, native->queue + native->queue_start,
                             native->queue_end - native->queue_start);
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0 && errno != EAGAIN)
            give_up_output(native);
        if (part < 0)
            break;
        sodium_memzero(native->queue + native->queue_start, (size_t)part);
        native->queue_start += (size_t)part;
    }
    if (native->queue_start == native->queue_end)
        native->queue_start = native->queue_end = 0;
    if (native->output != NULL)
        loop_watch_interest(native->output, native->queue_end == 0 ? 0 : LOOP_WRITE);
}

static void queue_frame(struct native *native, const char *text, size_t length)
{
    uint32_t head = (uint32_t)length;

    if (native->queue_start != 0) {
        memmove(native->queue, native->queue + native->queue_start, native->queue_end - native->queue_start);
        native->queue_end -= native->queue_start;
        sodium_memzero(native->queue + native->queue_end, native->queue_start);
        native->queue_start = 0;
    }
    if (native->queue_end + FRAME_HEAD + length > QUEUE_MAX) {
        native->exit_status = EX_IOERR;
        give_up_output(native);
        return;
    }
    memcpy(native->queue + native->queue_end, &head, FRAME_HEAD);
    memcpy(native->queue + native->queue_end + FRAME_HEAD, text, length);
    native->queue_end += FRAME_HEAD + length;
    write_queue(native);
}

/* What cannot be written for lack of memory is not told: the client has its deadlines. */
static char *dump(const json_t *message)
{
    char *text = message == NULL ? NULL : json_dumps(message, JSON_COMPACT);

    if (message != NULL && text == NULL) {
        struct problem problem;
        json_t *error;
        problem_set_no_memory(&problem);
        error = rpc_error(json_object_get(message, "id"), &problem);
        if (json_object_get(message, "id") != NULL)
            text = json_dumps(error, JSON_COMPACT);
        json_decref(error);
    }
    return text;
}

static void send_to_client(void *context, json_t *message)
{
    struct native *native = context;
    char *text = dump(message);
    size_t length = text == NULL ? 0 : strlen(text);

    if (text != NULL && length > FRAME_MAX) {
        struct problem problem;
        json_t *error;
        wiping_free(text);
        problem_set(&problem, PROBLEM_RESULT_TOO_LARGE, "The answer is longer than 1 MiB.",
                    "Ask for less at a time.");
        error = rpc_error(json_object_get(message, "id"), &problem);
        text = dump(error);
        length = text == NULL ? 0 : strlen(text);
        json_decref(error);
    }
    if (text != NULL && !native->broken)
        queue_frame(native, text, length);
    wiping_free(text);
}

static bool client_congested(void *context)
{
    const struct native *native = context;

    return native->queue_end - native->queue_start > QUEUE_SLOW;
}

static void take_message(struct native *native)
{
    struct problem problem;
    json_t *message = rpc_parse(native->decoder.body, native->decoder.length, &problem);

    frame_next(&native->decoder);
    if (message == NULL)
        service_refuse(native->service, &problem);
    else
        service_handle(native->service, message);
}

static void take_bytes(struct native *native, size_t length)
{
    const unsigned char *bytes = native->buffer;
    struct problem problem;

    for (;;) {
        switch (frame_feed(&native->decoder, &bytes, &length)) {
        case FRAME_NEEDS_MORE:
            return;
        case FRAME_MESSAGE:
            take_message(native);
            break;
        case FRAME_TOO_LARGE:
            problem_set(&problem, PROBLEM_MESSAGE_TOO_LARGE, "The message is longer than 1 MiB.",
                        "Send less at a time.");
            service_refuse(native->service, &problem);
            break;
        case FRAME_NO_MEMORY:
            problem_set(&problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.",
                        "Close other programs.");
            service_refuse(native->service, &problem);
            break;
        }
    }
}

static void input_ended(struct native *native)
{
    if (!frame_between(&native->decoder))
        native->exit_status = EX_DATAERR;
    service_drop_checks(native->service);
    finish(native);
}

static void input_ready(void *context, int fd, unsigned ready)
{
    struct native *native = context;
    ssize_t length = read(fd, native->buffer, sizeof native->buffer);

    (void)ready;
    if (length < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (length > 0)
        take_bytes(native, (size_t)length);
    else
        input_ended(native);
    sodium_memzero(native->buffer, length > 0 ? (size_t)length : 0);
    maybe_leave(native);
}

static void output_ready(void *context, int fd, unsigned ready)
{
    struct native *native = context;

    (void)fd;
    if ((ready & LOOP_WRITE) == 0)
        give_up_output(native); /* the reader is gone */
    else
        write_queue(native);
    if (!client_congested(native))
        service_tell_changes(native->service);
    maybe_leave(native);
}

static int native_start(struct native *native, struct problem *problem)
{
    const struct service_client client = {.send = send_to_client,
                                          .congested = client_congested,
                                          .may_ask = true,
                                          .settled = token_settled,
                                          .log = native->log,
                                          .context = native};

    native->loop = loop_new();
    native->queue = malloc(QUEUE_MAX);
    if (native->loop == NULL || native->queue == NULL)
        goto no_memory;
    native->service = service_new(native->loop, &client, problem);
    if (native->service == NULL)
        return -1;
    (void)fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_NONBLOCK);
    native->input = loop_watch_fd(native->loop, STDIN_FILENO, LOOP_READ, input_ready, native);
    native->output = loop_watch_fd(native->loop, STDOUT_FILENO, 0, output_ready, native);
    if (native->input != NULL && native->output != NULL) {
        service_retry(native->service);
        return 0;
    }
no_memory:
    problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
    return -1;
}

int native_run(void)
{
    static struct native native; /* the read buffer is too large for the stack */
    struct problem problem = {0};

    /* Nobody gave options: what needs somebody's attention goes to the journal, where there is one. */
    native.log = log_open(SINK_JOURNAL, LEVEL_WARNING);
    if (native_start(&native, &problem) == 0) {
        loop_run(native.loop);
        /* The loop's last turn may have sent a token request, or written an answer. */
        while (native.finish_timer != NULL && !has_finished(&native))
            loop_run(native.loop);
        service_finish(native.service);
    } else {
        fprintf(stderr, "thunderseal: %s %s\n", problem.cause, problem.remedy);
        native.exit_status = problem_exit_status(problem.kind);
    }
    frame_next(&native.decoder);
    service_free(native.service);
    log_close(native.log);
    /* Wiped where it was written: wiping_free would bring all of its pages in. */
    if (native.queue != NULL)
        sodium_memzero(native.queue, native.queue_end);
    free(native.queue);
    return native.exit_status;
}
