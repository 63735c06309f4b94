/* SPDX-License-Identifier: MPL-2.0 */
#include "cli/cli.h"

#include "core/rpc.h"
#include "core/wiping_alloc.h"
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define DESCRIPTOR_MAX 65535 /* far above any limit in use */

enum {
    OPTION_HELP = 256,
    OPTION_VERSION,
    OPTION_JSON,
    OPTION_AS,
    OPTION_DEVICE,
    OPTION_NO_BROWSER,
    OPTION_EVERYWHERE,
    OPTION_PROTOCOL,
    OPTION_SCOPE,
    OPTION_MIN_TTL,
    OPTION_XOAUTH2,
    OPTION_ALL,
    OPTION_RECIPIENT,
    OPTION_WITHOUT_TOKENS,
    OPTION_TO,
    OPTION_REMOVE,
    OPTION_FOR_EVERYBODY,
    OPTION_CLIENT_ID,
    OPTION_TENANT,
    OPTION_CLOUD,
    OPTION_DOMAIN,
    OPTION_KEYSTORE,
    OPTION_PRINT,
    OPTION_EXPLAIN,
    OPTION_PASSPHRASE_FD,
    OPTION_LOG,
    OPTION_LOG_LEVEL
};

static const struct option long_options[] = {
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"json", no_argument, NULL, OPTION_JSON},
    {"as", required_argument, NULL, OPTION_AS},
    {"device", no_argument, NULL, OPTION_DEVICE},
    {"no-browser", no_argument, NULL, OPTION_NO_BROWSER},
    {"everywhere", no_argument, NULL, OPTION_EVERYWHERE},
    {"protocol", required_argument, NULL, OPTION_PROTOCOL},
    {"scope", required_argument, NULL, OPTION_SCOPE},
    {"min-ttl", required_argument, NULL, OPTION_MIN_TTL},
    {"xoauth2", no_argument, NULL, OPTION_XOAUTH2},
    {"all", no_argument, NULL, OPTION_ALL},
    {"recipient", required_argument, NULL, OPTION_RECIPIENT},
    {"without-tokens", no_argument, NULL, OPTION_WITHOUT_TOKENS},
    {"to", required_argument, NULL, OPTION_TO},
    {"remove", no_argument, NULL, OPTION_REMOVE},
    {"for-everybody", no_argument, NULL, OPTION_FOR_EVERYBODY},
    {"client-id", required_argument, NULL, OPTION_CLIENT_ID},
    {"tenant", required_argument, NULL, OPTION_TENANT},
    {"cloud", required_argument, NULL, OPTION_CLOUD},
    {"domain", required_argument, NULL, OPTION_DOMAIN},
    {"keystore", required_argument, NULL, OPTION_KEYSTORE},
    {"print", required_argument, NULL, OPTION_PRINT},
    {"explain", required_argument, NULL, OPTION_EXPLAIN},
    {"passphrase-fd", required_argument, NULL, OPTION_PASSPHRASE_FD},
    {"log", required_argument, NULL, OPTION_LOG},
    {"log-level", required_argument, NULL, OPTION_LOG_LEVEL},
    {NULL, 0, NULL, 0},
};

/* Options beyond --json that a command takes, by their numbers above; 0 ends the list. */
static const struct command {
    const char *name;
    command_function *function;
    bool with_service;                /* else it reads the configuration alone, and runs without a vault */
    int arguments_min, arguments_max; /* -1: any number */
    int options[9];
} commands[] = {
    {"accounts", command_accounts, true, 0, 0, {OPTION_JSON}},
    {"status", command_status, true, 0, -1, {OPTION_JSON}},
    {"login", command_login, true, 1, 1, {OPTION_JSON, OPTION_AS, OPTION_DEVICE, OPTION_NO_BROWSER}},
    {"logout", command_logout, true, 1, 1, {OPTION_JSON, OPTION_EVERYWHERE}},
    {"forget", command_forget, true, 1, 1, {OPTION_JSON}},
    {"token",
     command_token,
     true,
     1,
     1,
     {OPTION_JSON, OPTION_PROTOCOL, OPTION_SCOPE, OPTION_MIN_TTL, OPTION_XOAUTH2}},
    {"renew", command_renew, true, 0, 0, {OPTION_JSON, OPTION_ALL}},
    {"check", command_check, true, 0, -1, {OPTION_JSON}},
    {"audit", command_audit, true, 0, 1, {OPTION_JSON}},
    {"backup",
     command_backup,
     true,
     1,
     1,
     {OPTION_JSON, OPTION_RECIPIENT, OPTION_WITHOUT_TOKENS, OPTION_PASSPHRASE_FD}},
    {"restore", command_restore, true, 1, 1, {OPTION_JSON, OPTION_PASSPHRASE_FD}},
    {"key", command_key, true, 1, 1, {OPTION_JSON, OPTION_TO}},
    {"policy", command_policy, false, 0, 2, {OPTION_JSON, OPTION_REMOVE}},
    {"setup",
     command_setup,
     false,
     0,
     0,
     {OPTION_JSON, OPTION_FOR_EVERYBODY, OPTION_CLIENT_ID, OPTION_TENANT, OPTION_CLOUD, OPTION_DOMAIN,
      OPTION_KEYSTORE, OPTION_PRINT, OPTION_EXPLAIN}},
    {"consent-url", command_consent_url, false, 0, 0, {OPTION_JSON}},
    {"doctor", command_doctor, false, 0, 0, {OPTION_JSON}},
};

static const char help_text[] =
    "Usage: thunderseal COMMAND [OPTIONS]\n"
    "\n"
    "Signs Office 365 accounts in and hands their tokens to Thunderbird and other mail programs.\n"
    "\n"
    "  accounts                   list the accounts\n"
    "  status [ACCOUNT...]        show accounts with their tokens and problems, and where keys are kept\n"
    "  login ACCOUNT              sign in with the browser\n"
    "      --as NAME              with this sign-in name, for a shared mailbox or an alias\n"
    "      --device               with a code for a browser elsewhere, where policy allows it\n"
    "      --no-browser           print the address; also takes the final address pasted back\n"
    "  logout ACCOUNT             forget the tokens of the account's sign-in\n"
    "      --everywhere           and say how to end all its sessions at Microsoft\n"
    "  forget ACCOUNT             erase the account\n"
    "  token ACCOUNT              print an access token, renewed when needed\n"
    "      --protocol P           for imap, pop3, smtp (one token serves these) or graph\n"
    "      --scope S              with this scope; may be given several times\n"
    "      --min-ttl N            with at least N seconds left\n"
    "      --xoauth2              as the base64 string for SASL XOAUTH2\n"
    "  renew                      renew what is due, for a timer\n"
    "      --all                  and what is not yet due\n"
    "  check [ACCOUNT...]         check sign-in, tokens, settings and mail servers; exit status 1 if a check "
    "failed\n"
    "  audit [show]               print what happened to sign-ins, tokens and keys\n"
    "  audit verify               check that nobody has changed that log; exit status 1 if somebody has\n"
    "  backup FILE                save accounts and sign-ins under a passphrase, in a new file\n"
    "      --recipient KEY        for whoever has the other half of this X25519 key in base64 instead\n"
    "      --without-tokens       the accounts alone\n"
    "  restore FILE               bring them back, here or on another computer\n"
    "  key show                   show where the key to the saved sign-ins is kept, and why there\n"
    "  key rotate                 make a new one\n"
    "  key move --to STORE        keep it elsewhere: secret-service, passphrase or file\n"
    "  setup                      ask for the configuration and write it; without a terminal, by options:\n"
    "      --client-id ID         of your organisation's app, or thunderbird for Thunderbird's public id\n"
    "      --tenant T --cloud C --domain D… --keystore S\n"
    "      --for-everybody        into the administrator's file, not your own\n"
    "      --print WHAT           print only: manifest, az, powershell, graph (how to register the app), "
    "policy\n"
    "      --explain TEXT         what an error of Microsoft's says about app and tenant\n"
    "  policy [show]              print the configuration in force, and where each value comes from\n"
    "  policy check FILE          tell everything that is wrong with a configuration file (-: stdin)\n"
    "  policy merge FILE          put Thunderseal's part into Thunderbird's policies.json\n"
    "      --remove               take it out again\n"
    "  consent-url                print the address where an administrator approves the app for everybody\n"
    "  doctor                     look at the installation and say what to mend; exit status 1 if a check "
    "failed\n"
    "\n"
    "  --json                     print JSON instead of text\n"
    "  --passphrase-fd N          read passphrases from this descriptor, one a line, not from the terminal\n"
    "  --log SINK                 log what happens: to stderr, to the journal, or to a file, "
    "~/.local/state/thunderseal/log\n"
    "  --log-level LEVEL          error, warning, info (default) or debug; without --log: to stderr\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 fine, 64 usage, 69 network, 75 try again later, 77 sign-in needed or denied, 78 "
    "configuration;\n"
    "README.md has them all.\n";

static int usage(const char *format, const char *what)
{
    fputs("thunderseal: ", stderr);
    fprintf(stderr, format, what);
    fputs(" Try \"thunderseal --help\".\n", stderr);
    return EX_USAGE;
}

int cli_flush(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    fputs("thunderseal: The output could not be written. Check where it goes.\n", stderr);
    return EX_IOERR;
}

static bool option_allowed(const struct command *command, int option)
{
    size_t i;

    if (option == OPTION_LOG || option == OPTION_LOG_LEVEL)
        return true;
    if (option == OPTION_PASSPHRASE_FD)
        return command->with_service;
    for (i = 0; i < sizeof command->options / sizeof command->options[0]; i++)
        if (command->options[i] == option)
            return true;
    return false;
}

static int take_descriptor(struct cli_options *options, const char *value)
{
    char *end;
    long number = strtol(value, &end, 10);

    if (*value < '0' || *value > '9' || *end != '\0' || number > DESCRIPTOR_MAX ||
        fcntl((int)number, F_GETFD) < 0)
        return usage("--passphrase-fd takes the number of an open descriptor, not \"%s\".", value);
    options->passphrase_fd = (int)number;
    return 0;
}

static int take_option(struct cli_options *options, int option, const char *value)
{
    char *end;

    switch (option) {
    case OPTION_JSON:
        options->json = true;
        break;
    case OPTION_AS:
        options->sign_in_as = value;
        break;
    case OPTION_DEVICE:
        options->device = true;
        break;
    case OPTION_NO_BROWSER:
        options->no_browser = true;
        break;
    case OPTION_EVERYWHERE:
        options->everywhere = true;
        break;
    case OPTION_PROTOCOL:
        options->protocol = value;
        break;
    case OPTION_SCOPE:
        options->scopes[options->scope_count++] = (char *)value;
        break;
    case OPTION_MIN_TTL:
        options->min_ttl = strtol(value, &end, 10);
        if (*value < '0' || *value > '9' || *end != '\0' || options->min_ttl > 1800)
            return usage("--min-ttl takes a number of seconds from 0 to 1800, not \"%s\".", value);
        break;
    case OPTION_XOAUTH2:
        options->xoauth2 = true;
        break;
    case OPTION_ALL:
        options->all = true;
        break;
    case OPTION_RECIPIENT:
        options->recipient = value;
        break;
    case OPTION_WITHOUT_TOKENS:
        options->without_tokens = true;
        break;
    case OPTION_FOR_EVERYBODY:
        options->for_everybody = true;
        break;
    case OPTION_CLIENT_ID:
        options->client_id = value;
        break;
    case OPTION_TENANT:
        options->tenant = value;
        break;
    case OPTION_CLOUD:
        options->cloud = value;
        break;
    case OPTION_DOMAIN:
        options->domains[options->domain_count++] = (char *)value;
        break;
    case OPTION_KEYSTORE:
        options->keystore = value;
        break;
    case OPTION_PRINT:
        options->print = value;
        break;
    case OPTION_EXPLAIN:
        options->explain = value;
        break;
    case OPTION_REMOVE:
        options->remove = true;
        break;
    case OPTION_TO:
        options->to = value;
        break;
    case OPTION_PASSPHRASE_FD:
        return take_descriptor(options, value);
    case OPTION_LOG:
        options->logs = true;
        if (!log_sink_of(value, &options->log_sink))
            return usage("--log takes stderr, journal or file, not \"%s\".", value);
        break;
    case OPTION_LOG_LEVEL:
        options->logs = true;
        if (!log_level_of(value, &options->log_level))
            return usage("--log-level takes error, warning, info or debug, not \"%s\".", value);
        break;
    }
    return 0;
}

static const struct command *find_command(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* Options may stand before or behind the command. 0, an exit status, or -1: --help or --version did all. */
static int read_options(int argc, char **argv, struct cli_options *options, const struct command **command)
{
    int given[32], count = 0, option, i, status;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == '?')
            return usage("The option \"%s\" is not known, or lacks its value.", argv[optind - 1]);
        if (option == OPTION_HELP) {
            fputs(help_text, stdout);
            return -1;
        }
        if (option == OPTION_VERSION) {
            puts("thunderseal " THUNDERSEAL_VERSION);
            return -1;
        }
        if (count == (int)(sizeof given / sizeof given[0]))
            return usage("There are too many options.%s", "");
        given[count++] = option;
        status = take_option(options, option, optarg);
        if (status != 0)
            return status;
    }
    if (optind == argc)
        return usage("A command is missing.%s", "");
    *command = find_command(argv[optind]);
    if (*command == NULL)
        return usage("The command \"%s\" is not known.", argv[optind]);
    for (i = 0; i < count; i++)
        if (!option_allowed(*command, given[i]))
            return usage("An option does not belong to the command \"%s\".", (*command)->name);
    options->arguments = argv + optind + 1;
    options->argument_count = argc - optind - 1;
    if (options->argument_count < (*command)->arguments_min)
        return usage("The command \"%s\" needs an argument.", (*command)->name);
    if ((*command)->arguments_max >= 0 && options->argument_count > (*command)->arguments_max)
        return usage("The command \"%s\" takes fewer arguments.", (*command)->name);
    return 0;
}

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
    json_t *request =
        json_pack("{s:s, s:i, s:s, s:o}", "jsonrpc", "2.0", "id", 1, "method", method, "params", params);
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
        loop_run(cli->loop);
    if (cli->no_memory) {
        *status = cli_no_memory();
        return NULL;
    }
    result = json_object_get(cli->reply, "result");
    *status = result != NULL ? 0 : cli_tell_error(json_object_get(cli->reply, "error"));
    return result;
}

json_t *cli_call(struct cli *cli, const char *method, json_t *params, int *status)
{
    /* Asked for before the call, which would only say that it is missing. */
    bool needs_key = strcmp(method, "hello") != 0 && strcmp(method, "account.list") != 0 &&
                     strcmp(method, "key.show") != 0;

    if (needs_key)
        (void)cli_unlock(cli);
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
    int status;

    problem_set_no_memory(&problem);
    cli->loop = loop_new();
    cli->service = cli->loop == NULL ? NULL : service_new(cli->loop, &client, &problem);
    if (cli->service == NULL) {
        fprintf(stderr, "thunderseal: %s %s\n", problem.cause, problem.remedy);
        return problem_exit_status(problem.kind);
    }
    if (cli_call(cli, "hello",
                 json_pack("{s:i, s:{s:s}, s:{s:s}}", "protocol", 1, "extension", "version",
                           THUNDERSEAL_VERSION, "thunderbird", "version", ""),
                 &status) == NULL)
        return status;
    while (service_key_comes(cli->service)) /* its child has deadlines */
        loop_run(cli->loop);
    if (cli->options.passphrase_fd >= 0 && service_passphrase(cli->service) == PASSPHRASE_NEEDED &&
        !cli_unlock(cli))
        return EX_TEMPFAIL;
    status = command->function(cli);
    if (status == 0)
        status = cli_flush();
    /* A token request once sent is never given up: its answer may replace the refresh token. libcurl bounds
     * it. */
    while (service_must_wait(cli->service))
        loop_run(cli->loop);
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
    status = read_options(argc, argv, &cli.options, &command);
    if (status == 0)
        status = run(&cli, command);
    else if (status < 0)
        status = cli_flush();
    service_free(cli.service);
    json_decref(cli.reply);
    json_decref(cli.finished);
    json_decref(cli.sign_in_result);
    secret_wipe(&cli.passphrase);
    log_close(cli.log);
    free(cli.options.scopes);
    free(cli.options.domains);
    return status;
}
