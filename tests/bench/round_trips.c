/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Measures programs that speak native messaging, side by side in one run, so that what the machine does
 * besides hits all alike. Reads on stdin
 *
 *     {"starts", "rounds", "trips", "programs": [{"name", "argv": [...], "home", "messages": [...]}]}
 *
 * and writes one object per program. Each is started `starts` times in turn: times to its first answer, to
 * its second and to its end. Then each is started once more, all messages go round, and it is measured in
 * `rounds` turns of `trips` messages after the first, one at a time: p50 and p99 of each turn. Times are in
 * microseconds, sizes in KiB. A program without messages is only started and waited for.
 */
#include "series.h"

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HEAD 4
#define ANSWER_MAX ((size_t)1024 * 1024)
#define ARGUMENTS_MAX 16

struct program {
    const char *name;
    json_t *messages; /* borrowed, as the plan has them */
    char *argv[ARGUMENTS_MAX + 1];
    char home[512];
    pid_t pid;
    int to, from;
    size_t next; /* message */
    size_t filled, answer_bytes;
    unsigned char input[HEAD + ANSWER_MAX];
    struct series greeting, first, end, p50, p99;
    long rss, peak;
};

static double microseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* --- one program --- */

static void start(struct program *program)
{
    char *const environment[] = {program->home, "PATH=/usr/bin:/bin", "LANG=C.UTF-8", NULL};
    int to[2], from[2];

    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
        give_up("no pipe", program->name);
    program->pid = fork();
    if (program->pid == 0) {
        dup2(to[0], STDIN_FILENO);
        dup2(from[1], STDOUT_FILENO);
        execve(program->argv[0], program->argv, environment);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    program->to = to[1];
    program->from = from[0];
    program->filled = program->next = 0;
}

static void stop(struct program *program)
{
    char rest[4096];
    int status;

    close(program->to);
    while (read(program->from, rest, sizeof rest) > 0)
        ;
    close(program->from);
    if (waitpid(program->pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        give_up("did not end well", program->name);
}

static void send_frame(struct program *program, const char *text)
{
    static char frame[HEAD + 4096];
    uint32_t length = (uint32_t)strlen(text);

    if (length > sizeof frame - HEAD)
        give_up("a message is too long", program->name);
    memcpy(frame, &length, HEAD);
    memcpy(frame + HEAD, text, length);
    if (write(program->to, frame, HEAD + length) != (ssize_t)(HEAD + length))
        give_up("takes no message", program->name);
}

/* The length of the frame at the start of input. */
static size_t receive_frame(struct program *program)
{
    uint32_t length;

    for (;;) {
        ssize_t part;
        memcpy(&length, program->input, HEAD);
        if (program->filled >= HEAD && program->filled >= HEAD + (size_t)length)
            return length;
        part = read(program->from, program->input + program->filled, sizeof program->input - program->filled);
        if (part <= 0)
            give_up("gives no answer", program->name);
        program->filled += (size_t)part;
    }
}

/* Drops the frame. True when it was an answer, false for a notification. */
static bool take_answer(struct program *program, size_t length)
{
    json_t *message = json_loadb((const char *)program->input + HEAD, length, 0, NULL);
    bool answer = json_object_get(message, "id") != NULL;

    if (answer && json_object_get(message, "result") == NULL) {
        program->input[HEAD + length] = '\0';
        give_up((const char *)program->input + HEAD, program->name);
    }
    json_decref(message);
    program->filled -= HEAD + length;
    memmove(program->input, program->input + HEAD + length, program->filled);
    program->answer_bytes = answer ? length : program->answer_bytes;
    return answer;
}

/* Sends the next message and waits for its answer. The time between in microseconds. */
static double trip(struct program *program)
{
    char *text = json_dumps(json_array_get(program->messages, program->next), JSON_COMPACT);
    double began, took;
    size_t length;

    program->next = program->next + 1 < json_array_size(program->messages) ? program->next + 1 : 1;
    began = microseconds();
    send_frame(program, text);
    do {
        length = receive_frame(program);
        took = microseconds() - began;
    } while (!take_answer(program, length));
    free(text);
    return took;
}

static long memory(const struct program *program, const char *field)
{
    char path[64], line[256];
    long size = -1;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/status", (int)program->pid);
    file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, field, strlen(field)) == 0)
            size = strtol(line + strlen(field), NULL, 10);
    if (file != NULL)
        fclose(file);
    return size;
}

/* --- what is measured --- */

static void measure_start(struct program *program)
{
    double began = microseconds();

    start(program);
    if (json_array_size(program->messages) > 1) {
        (void)trip(program);
        add(&program->greeting, microseconds() - began);
        (void)trip(program);
        add(&program->first, microseconds() - began);
    }
    stop(program);
    add(&program->end, microseconds() - began);
}

static void measure_round(struct program *program, size_t trips)
{
    struct series series = {0};

    for (size_t i = 0; i < trips; i++)
        add(&series, trip(program));
    add(&program->p50, quantile(&series, 0.5));
    add(&program->p99, quantile(&series, 0.99));
    free(series.values);
}

static json_t *report(struct program *program)
{
    return json_pack("{s:f, s:f, s:f, s:o, s:o, s:I, s:I, s:I}", "greeting",
                     quantile(&program->greeting, 0.5), "first", quantile(&program->first, 0.5), "end",
                     quantile(&program->end, 0.5), "p50", turns(&program->p50), "p99", turns(&program->p99),
                     "rss", (json_int_t)program->rss, "peak", (json_int_t)program->peak, "answerBytes",
                     (json_int_t)program->answer_bytes);
}

static struct program *program_new(const json_t *plan)
{
    struct program *program = calloc(1, sizeof *program);
    const json_t *arguments = json_object_get(plan, "argv");
    size_t i;

    if (program == NULL || json_array_size(arguments) == 0 || json_array_size(arguments) > ARGUMENTS_MAX)
        give_up("out of memory, or no program to start", "plan");
    program->name = json_string_value(json_object_get(plan, "name"));
    program->messages = json_object_get(plan, "messages");
    for (i = 0; i < json_array_size(arguments); i++)
        program->argv[i] = (char *)json_string_value(json_array_get(arguments, i));
    snprintf(program->home, sizeof program->home, "HOME=%s",
             json_string_value(json_object_get(plan, "home")));
    return program;
}

static size_t number(const json_t *plan, const char *name)
{
    return (size_t)json_integer_value(json_object_get(plan, name));
}

static void measure(const json_t *plan, struct program **programs, size_t count)
{
    size_t i, turn;

    for (turn = 0; turn < number(plan, "starts"); turn++)
        for (i = 0; i < count; i++)
            measure_start(programs[i]);
    for (i = 0; i < count; i++) {
        if (json_array_size(programs[i]->messages) < 2)
            continue;
        start(programs[i]);
        for (turn = 0; turn < json_array_size(programs[i]->messages); turn++)
            (void)trip(programs[i]);
    }
    for (turn = 0; turn < number(plan, "rounds"); turn++)
        for (i = 0; i < count; i++)
            if (json_array_size(programs[i]->messages) > 1)
                measure_round(programs[i], number(plan, "trips"));
    for (i = 0; i < count; i++) {
        if (json_array_size(programs[i]->messages) < 2)
            continue;
        programs[i]->rss = memory(programs[i], "VmRSS:");
        programs[i]->peak = memory(programs[i], "VmHWM:");
        stop(programs[i]);
    }
}

int main(void)
{
    json_error_t error;
    json_t *plan = json_loadf(stdin, 0, &error), *list = json_object_get(plan, "programs");
    json_t *results = json_object();
    size_t count = json_array_size(list), i;
    struct program **programs = calloc(count + 1, sizeof(struct program *));

    if (count == 0 || programs == NULL || results == NULL)
        give_up(error.text, "plan");
    signal(SIGPIPE, SIG_IGN);
    for (i = 0; i < count; i++)
        programs[i] = program_new(json_array_get(list, i));
    measure(plan, programs, count);
    for (i = 0; i < count; i++)
        json_object_set_new(results, programs[i]->name, report(programs[i]));
    json_dumpf(results, stdout, JSON_INDENT(2));
    json_decref(results);
    json_decref(plan);
    return 0;
}
