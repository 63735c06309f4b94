/* SPDX-License-Identifier: MPL-2.0 */
/* The command line: protocol section 4. Every command is a client of the service, in the same process. */
#ifndef THUNDERSEAL_CLI_CLI_H
#define THUNDERSEAL_CLI_CLI_H

#include "core/problem.h"
#include "core/secret.h"
#include "net/loop.h"
#include "service/service.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* What the options said; texts are those of argv. */
struct cli_options {
    bool json;
    bool everywhere, device, no_browser, xoauth2, all;
    bool without_tokens, remove, for_everybody;
    const char *sign_in_as, *protocol, *recipient, *to;
    int passphrase_fd; /* -1: the terminal */
    bool logs;
    enum log_sink log_sink;
    enum log_level log_level;
    long min_ttl;  /* seconds, -1: not given */
    char **scopes; /* of scope_count; owned */
    size_t scope_count;
    char **domains; /* of domain_count; owned */
    size_t domain_count;
    const char *client_id, *tenant, *cloud, *keystore, *print, *explain; /* of setup */
    char **arguments; /* what is no option: the command is not among them */
    int argument_count;
};

struct cli {
    struct cli_options options;
    struct loop *loop;
    struct service *service;
    struct log *log;
    json_t *reply;       /* the latest answer to a call: "result" or "error" is in it */
    json_t *warnings;    /* Problems of the configuration */
    const char *account; /* of several, the one that calls are about; NULL: of no interest */
    const char *sign_in; /* id of the sign-in under way, owned by sign_in_result */
    json_t *sign_in_result;
    json_t *finished; /* params of signIn.finished for it */
    bool waiting;
    void (*progress)(const json_t *params); /* told of health.progress; NULL: of no interest */
    bool no_memory;                /* for a message of the service: it may have been what is waited for */
    struct secret passphrase;      /* the one given last */
    struct loop_watch *interrupts; /* NULL once there was one */
    bool interrupted;
    bool gave_up; /* asking for a passphrase led to nothing: once is enough */
};

/* Runs the command line; the exit status. */
int cli_run(int argc, char **argv);

#define CLI_REQUEST_ID 1 /* one call at a time */

/* Calls a method and waits for the answer. The result, borrowed until the next call; NULL after the error was
 * told on stderr, then *status is the exit status. params is taken over. */
json_t *cli_call(struct cli *cli, const char *method, json_t *params, int *status);
/* The same without asking for a passphrase where one is missing. */
json_t *cli_call_once(struct cli *cli, const char *method, json_t *params, int *status);
/* Tells an error object {code, message, data} on stderr, of which of several accounts it is, or NULL; the
 * exit status that goes with it. */
int cli_tell_error(const json_t *error, const char *account);
/* Says that there is not enough memory; the exit status. */
int cli_no_memory(void);
/* The same for the Problem object of a notification. */
int cli_tell_problem(const json_t *problem);
/* Prints JSON on stdout, with a newline. 0, or EX_IOERR after telling. */
int cli_print_json(const json_t *value);
/* Text for a terminal: control characters become '?'. */
void cli_print_text(FILE *stream, const char *text);
/* One Check of the protocol: a line, and below it what to do. */
void cli_print_check(const json_t *check, bool coloured);
/* Whether colours are welcome there. */
bool cli_colours(int descriptor);
/* Flushes stdout: 0, or EX_IOERR after telling. */
int cli_flush(void);

/* --- interrupt.c --- */
/* After the service is there. 0, or -1 out of memory or descriptors. */
int cli_interrupts_open(struct cli *cli);
/* Before the loop is freed. */
void cli_interrupts_close(struct cli *cli);
/* Runs the loop until something has happened, a signal included: see interrupt.c. */
void cli_wait(struct cli *cli);

/* All accounts, page by page: a new reference, or NULL after telling. */
json_t *cli_all_accounts(struct cli *cli, int *status);

/* --- passphrase.c --- */
/* Gets a passphrase into cli->passphrase, or a new one, on the terminal twice. 0, or an exit status:
 * EX_TEMPFAIL, untold, when there is nobody to ask. */
int cli_passphrase_ask(struct cli *cli);
int cli_passphrase_choose(struct cli *cli);
/* Unlocks the vault if a passphrase is what it lacks and somebody gives it; else false. */
bool cli_unlock(struct cli *cli);

typedef int command_function(struct cli *cli);
command_function command_accounts, command_status, command_login, command_logout, command_forget,
    command_token, command_renew, command_audit, command_backup, command_restore, command_consent_url,
    command_key, command_policy, command_setup, command_doctor, command_check;

#endif
