/* SPDX-License-Identifier: MPL-2.0 */
/* The command line read: commands and options. */
#include "cli/options.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define DESCRIPTOR_MAX 65535 /* far above any limit in use */

enum {
    OPTION_HELP = 'h',
    OPTION_VERSION = 256,
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

static const struct command commands[] = {
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

static int usage(const char *format, const char *what)
{
    fputs("thunderseal: ", stderr);
    fprintf(stderr, format, what);
    fputs(" Try \"thunderseal --help\".\n", stderr);
    return EX_USAGE;
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
        return usage("--passphrase-fd takes the number of an open descriptor.%s", "");
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

/* Help on the command, or on all. Where it is asked for by option, any other word is let pass. */
static int help_on(const char *name, bool asked_by_option)
{
    const struct command *command = name == NULL ? NULL : find_command(name);

    if (name != NULL && command == NULL && !asked_by_option)
        return usage("The command \"%s\" is not known.", name);
    cli_print_help(command);
    return -1;
}

int cli_read_options(int argc, char **argv, struct cli_options *options, const struct command **command)
{
    int given[32], count = 0, option, i, status;
    bool help = false;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        help = help || option == OPTION_HELP;
        if (help) /* which command it is about may come yet, and nothing else matters */
            continue;
        if (option == '?')
            return usage("The option \"%s\" is not known, or lacks its value.", argv[optind - 1]);
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
    if (help)
        return help_on(argv[optind], true);
    if (optind == argc)
        return usage("A command is missing.%s", "");
    if (strcmp(argv[optind], "help") == 0)
        return help_on(argv[optind + 1], false);
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
