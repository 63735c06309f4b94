/* SPDX-License-Identifier: MPL-2.0 */
#ifndef THUNDERSEAL_CLI_OPTIONS_H
#define THUNDERSEAL_CLI_OPTIONS_H

#include "cli/cli.h"

struct command {
    const char *name;
    command_function *function;
    bool with_service;                /* else it reads the configuration alone, and runs without a vault */
    int arguments_min, arguments_max; /* -1: any number */
    int options[9];                   /* that it takes, by their numbers in the table; 0 ends the list */
};

/*
 * Options may stand before or behind the command. Texts are those of argv; scopes and domains have room for
 * argc each. 0, an exit status after telling, or -1: help or --version did all.
 */
int cli_read_options(int argc, char **argv, struct cli_options *options, const struct command **command);

/* Prints the usage and the options of the command, or all commands when it is NULL. */
void cli_print_help(const struct command *command);

#endif
