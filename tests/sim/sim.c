/* SPDX-License-Identifier: MPL-2.0 */
/*
 * build/sim [--seed N | --seeds A-B | --soak] [--identities N] [--days N] [--identity I] [--verbose]
 *
 * Runs the identity machine through the days of each seed, two workers side by side. The first rule that is
 * broken is replayed with its last events and effects, and the exit status is 1. The same arguments give the
 * same output.
 */
#include "sim.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS 2
#define GROUP 50 /* seeds to a line of output */

struct options {
    uint64_t first, last;
    int identities, days, identity; /* identity -1: all */
    bool soak, verbose;
};

struct failure {
    bool found;
    uint64_t seed;
    int identity; /* -1: of the desktops at nine o'clock */
};

struct report {
    struct totals totals;
    struct failure failure;
};

static struct world *world_new(uint64_t seed, int index, const struct options *options, struct totals *totals)
{
    static struct world world; /* too large for a stack */

    world_open(&world, seed, index, options->days, totals);
    return &world;
}

static void run_seed(uint64_t seed, const struct options *options, struct report *report)
{
    int from = options->identity < 0 ? 0 : options->identity, i;
    int to = options->identity < 0 ? options->identities : options->identity + 1;

    if (check_jitter(seed) != NULL) {
        report->failure = (struct failure){.found = true, .seed = seed, .identity = -1};
        return;
    }
    for (i = from; i < to && !report->failure.found; i++) {
        struct world *world = world_new(seed, i, options, &report->totals);
        world_run(world);
        if (world->failed)
            report->failure = (struct failure){.found = true, .seed = seed, .identity = i};
        world_close(world);
    }
}

/* Once more, with every step written down. The exit status. */
static int replay(const struct failure *failure, const struct options *options)
{
    struct totals totals = {0};
    struct world *world;
    long long seconds;

    if (failure->identity < 0) {
        printf("FAILED: seed %llu: %s\n", (unsigned long long)failure->seed, check_jitter(failure->seed));
        return 1;
    }
    world = world_new(failure->seed, failure->identity, options, &totals);
    world->tracing = true;
    world->verbose = options->verbose;
    world_run(world);
    if (!options->verbose)
        trace_print();
    if (!world->failed) {
        puts(failure->found ? "FAILED: not when replayed: the simulator is not deterministic"
                            : "no rule is broken");
        world_close(world);
        return failure->found;
    }
    seconds = world->failed_at / SECOND;
    printf("FAILED: seed %llu, identity %d%s, day %lld %02lld:%02lld:%02lld: %s\n",
           (unsigned long long)failure->seed, failure->identity, world->strict ? " (strict rotation)" : "",
           seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60, world->rule);
    printf("Replay: build/sim --seed %llu --identity %d --days %d --verbose\n",
           (unsigned long long)failure->seed, failure->identity, options->days);
    world_close(world);
    return 1;
}

static void add(struct totals *to, const struct totals *from)
{
    size_t i;

    to->identities += from->identities;
    to->events += from->events;
    to->asks += from->asks;
    to->requests += from->requests;
    to->renewals += from->renewals;
    to->crashes += from->crashes;
    to->strict_losses += from->strict_losses;
    to->sign_ins += from->sign_ins;
    to->sign_outs += from->sign_outs;
    to->answered_with_problem += from->answered_with_problem;
    to->ideal += from->ideal;
    for (i = 0; i < CAUSES; i++)
        to->causes[i] += from->causes[i];
}

static void worker(uint64_t first, uint64_t last, int number, const struct options *options, int pipe_end)
{
    struct report report = {0};
    uint64_t seed;

    for (seed = first + (uint64_t)number; seed <= last && !report.failure.found; seed += WORKERS)
        run_seed(seed, options, &report);
    if (write(pipe_end, &report, sizeof report) != (ssize_t)sizeof report)
        _exit(2);
    _exit(0);
}

static void run_group(uint64_t first, uint64_t last, const struct options *options, struct report *report)
{
    int ends[WORKERS][2], i;

    for (i = 0; i < WORKERS; i++) {
        if (pipe(ends[i]) != 0)
            abort();
        fflush(stdout);
        if (fork() == 0)
            worker(first, last, i, options, ends[i][1]);
        close(ends[i][1]);
    }
    for (i = 0; i < WORKERS; i++) {
        struct report one = {0};
        if (read(ends[i][0], &one, sizeof one) != (ssize_t)sizeof one) {
            printf("FAILED: a worker died among the seeds %llu to %llu\n", (unsigned long long)first,
                   (unsigned long long)last);
            exit(1);
        }
        close(ends[i][0]);
        add(&report->totals, &one.totals);
        if (one.failure.found && (!report->failure.found || one.failure.seed < report->failure.seed))
            report->failure = one.failure;
    }
    while (wait(NULL) > 0)
        ;
}

static void print_line(uint64_t first, uint64_t last, const struct totals *totals)
{
    printf(
        "seeds %llu-%llu: %llu identities, %llu events, %llu token.get (%llu with a problem), %llu "
        "requests, %llu renewals (%.2f of the least), %llu sign-ins, %llu sign-outs; refresh tokens ended by "
        "password %llu, revoked %llu, idle %llu; %llu crashes at work, %llu strict rotations lost\n",
        (unsigned long long)first, (unsigned long long)last, (unsigned long long)totals->identities,
        (unsigned long long)totals->events, (unsigned long long)totals->asks,
        (unsigned long long)totals->answered_with_problem, (unsigned long long)totals->requests,
        (unsigned long long)totals->renewals, (double)totals->renewals / (totals->ideal + 1e-9),
        (unsigned long long)totals->sign_ins, (unsigned long long)totals->sign_outs,
        (unsigned long long)totals->causes[CAUSE_PASSWORD], (unsigned long long)totals->causes[CAUSE_REVOKED],
        (unsigned long long)totals->causes[CAUSE_IDLE], (unsigned long long)totals->crashes,
        (unsigned long long)totals->strict_losses);
    fflush(stdout);
}

static bool option(const char *name, int argc, char **argv, int *i, unsigned long long *value)
{
    if (strcmp(argv[*i], name) != 0 || *i + 1 >= argc)
        return false;
    *value = strtoull(argv[++*i], NULL, 10);
    return true;
}

static void read_range(const char *text, struct options *options)
{
    char *dash;

    options->first = strtoull(text, &dash, 10);
    options->last = *dash == '-' ? strtoull(dash + 1, NULL, 10) : options->first;
}

static int read_options(int argc, char **argv, struct options *options)
{
    unsigned long long value;
    int i;

    *options = (struct options){.first = 1, .last = 200, .identities = 100, .days = 90, .identity = -1};
    for (i = 1; i < argc; i++) {
        if (option("--seed", argc, argv, &i, &value))
            options->first = options->last = value;
        else if (option("--identities", argc, argv, &i, &value))
            options->identities = (int)value;
        else if (option("--days", argc, argv, &i, &value))
            options->days = (int)value;
        else if (option("--identity", argc, argv, &i, &value))
            options->identity = (int)value;
        else if (strcmp(argv[i], "--verbose") == 0)
            options->verbose = true;
        else if (strcmp(argv[i], "--soak") == 0)
            options->soak = true;
        else if (strcmp(argv[i], "--seeds") != 0 || i + 1 >= argc)
            return -1;
        else
            read_range(argv[++i], options);
    }
    if (options->soak)
        options->last = UINT64_MAX - GROUP;
    return options->days < 1 || options->identities < 1 || options->last < options->first ? -1 : 0;
}

int main(int argc, char **argv)
{
    struct report report = {0};
    struct options options;
    uint64_t seed;

    if (read_options(argc, argv, &options) != 0) {
        fputs("usage: sim [--seed N | --seeds A-B | --soak] [--identities N] [--days N] [--identity I] "
              "[--verbose]\n",
              stderr);
        return 64;
    }
    if (sodium_init() < 0 || secret_arena_open() != 0)
        return 71;
    if (options.identity >= 0) {
        struct failure one = {.seed = options.first, .identity = options.identity};
        return replay(&one, &options);
    }
    for (seed = options.first; seed <= options.last && !report.failure.found; seed += GROUP) {
        uint64_t last = options.last - seed < GROUP ? options.last : seed + GROUP - 1;
        struct report group = {0};
        run_group(seed, last, &options, &group);
        print_line(seed, last, &group.totals);
        report.failure = group.failure;
    }
    return report.failure.found ? replay(&report.failure, &options) : 0;
}
