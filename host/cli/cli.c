/* SPDX-License-Identifier: MPL-2.0 */
/* The life of a command: its service, its calls, and what comes back. */
#include "cli/options.h"

#include "core/rpc.h"
#include "core/wiping_alloc.h"
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static void take_reply(void *context, json_t *message)
{
    struct cli *cli = context;
    const char *method = json_string_value(json_object_get(message, "method"));
    json_t *params = json_object_get(message, "params");

    if (message == NULL) {
        cli->no_memory = true;
        loop_stop(cli->loop);
        return;
    }
    if (method == NULL) {
        json_decref(cli->reply);
        cli->reply = json_incref(message);
        cli->waiting = false;
        loop_stop(cli->loop);
    } else if (cli->sign_in != NULL && strcmp(method, "signIn.finished") == 0 &&
               strcmp(json_string_value(json_object_get(params, "signInId")), cli->sign_in) == 0) {
        cli->finished = json_incref(params);
        loop_stop(cli->loop);
    } else if (cli->sign_in != NULL && strcmp(method, "signIn.retry") == 0) {
        (void)cli_tell_problem(json_object_get(params, "problem"));
    } else if (cli->progress != NULL && strcmp(method, "health.progress") == 0) {
        cli->progress(params);
    }
}

int cli_no_memory(void)
{
    fputs("thunderseal: Thunderseal ran out of memory. Close other programs and try again.\n", stderr);
    return EX_SOFTWARE;
}

json_t *cli_call_once(struct cli *cli, const char *method, json_t *params, int *status)
{
    json_t *request = json_pack("{s:s, s:i, s:s, s:o}", "jsonrpc", "2.0", "id", CLI_REQUEST_ID, "method",
                                method, "params", params);
    json_t *result;

    if (wiping_refused() != 0) { /* and what was to be asked may lack something */
        json_decref(request);
        *status = cli_no_memory();
        return NULL;
    }
    if (request == NULL) {
        fputs("thunderseal: What was given is not valid UTF-8. Check the spelling.\n", stderr);
        *status = EX_USAGE;
        return NULL;
    }
    cli->waiting = true;
    service_handle(cli->service, request);
    while (cli->waiting && !cli->no_memory)
        cli_wait(cli);
    if (cli->no_memory) {
        *status = cli_no_memory();
        return NULL;
    }
    result = json_object_get(cli->reply, "result");
    *status = result != NULL ? 0 : cli_tell_error(json_object_get(cli->reply, "error"), cli->account);
    return result;
}

json_t *cli_call(struct cli *cli, const char *method, json_t *params, int *status)
{
    /* Asked for before the call, which would only say that it is missing. */
    bool needs_key = strcmp(method, "hello") != 0 && strcmp(method, "account.list") != 0 &&
                     strcmp(method, "key.show") != 0;

    if (needs_key && !cli->interrupted)
        (void)cli_unlock(cli);
    if (cli->interrupted) { /* what was called off then is all that is said */
        json_decref(params);
        *status = problem_exit_status(PROBLEM_CANCELLED);
        return NULL;
    }
    return cli_call_once(cli, method, params, status);
}

static void token_settled(void *context)
{
    const struct cli *cli = context;

    loop_stop(cli->loop);
}

static int run_with_service(struct cli *cli, const struct command *command)
{
    const struct service_client client = {.send = take_reply,
                                          .own = true,
                                          .may_ask = isatty(STDERR_FILENO) != 0,
                                          .settled = token_settled,
                                          .log = cli->log,
                                          .context = cli};
    struct problem problem;
    json_t *hello;
    int status;

    problem_set_no_memory(&problem);
    cli->loop = loop_new();
    cli->service = cli->loop == NULL ? NULL : service_new(cli->loop, &client, &problem);
    if (cli->service == NULL || cli_interrupts_open(cli) != 0) {
        fprintf(stderr, "thunderseal: %s %s\n", problem.cause, problem.remedy);
        return problem_exit_status(problem.kind);
    }
    hello = cli_call(cli, "hello",
                     json_pack("{s:i, s:{s:s}, s:{s:s}}", "protocol", 1, "extension", "version",
                               THUNDERSEAL_VERSION, "thunderbird", "version", ""),
                     &status);
    if (hello == NULL)
        return status;
    cli->warnings = json_incref(json_object_get(hello, "warnings"));
    while (service_key_comes(cli->service)) /* its child has deadlines */
        cli_wait(cli);
    if (cli->options.passphrase_fd >= 0 && service_passphrase(cli->service) == PASSPHRASE_NEEDED &&
        !cli_unlock(cli) && !cli->interrupted)
        return EX_TEMPFAIL;
    if (cli->interrupted)
        return problem_exit_status(PROBLEM_CANCELLED);
    status = command->function(cli);
    if (status == 0)
        status = cli_flush();
    /* A token request once sent is never given up: its answer may replace the refresh token. libcurl bounds
     * it. */
    while (service_must_wait(cli->service))
        cli_wait(cli);
    service_finish(cli->service);
    return status;
}

static int run(struct cli *cli, const struct command *command)
{
    struct log_entry ended = {.event = LOG_ENDED};

    if (cli->options.logs)
        cli->log = log_open(cli->options.log_sink, cli->options.log_level);
    ended.exit_status = command->with_service ? run_with_service(cli, command) : command->function(cli);
    log_write(cli->log, &ended);
    return (int)ended.exit_status;
}

int cli_run(int argc, char **argv)
{
    static struct cli cli;
    const struct command *command = NULL;
    int status;

    cli.options.min_ttl = -1;
    cli.options.passphrase_fd = -1;
    cli.options.log_level = LEVEL_INFO;
    cli.options.scopes = calloc((size_t)argc + 1, sizeof *cli.options.scopes);
    cli.options.domains = calloc((size_t)argc + 1, sizeof *cli.options.domains);
    if (cli.options.scopes == NULL || cli.options.domains == NULL)
        return cli_no_memory();
    status = cli_read_options(argc, argv, &cli.options, &command);
    if (status == 0)
        status = run(&cli, command);
    else if (status < 0)
        status = cli_flush();
    cli_interrupts_close(&cli);
    service_free(cli.service);
    json_decref(cli.reply);
    json_decref(cli.warnings);
    json_decref(cli.finished);
    json_decref(cli.sign_in_result);
    secret_wipe(&cli.passphrase);
    log_close(cli.log);
    free(cli.options.scopes);
    free(cli.options.domains);
    return status;
}
