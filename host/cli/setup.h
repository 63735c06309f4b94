/* SPDX-License-Identifier: MPL-2.0 */
/* The parts of the command `setup`. */
#ifndef THUNDERSEAL_CLI_SETUP_H
#define THUNDERSEAL_CLI_SETUP_H

#include "cli/cli.h"
#include "core/consent.h"
#include "core/registration.h"

struct setup {
    json_t *answers;    /* keys of the configuration and their values; owned by the command */
    const char *print;  /* what is to be printed instead of written, or NULL */
    bool for_everybody; /* into the administrator's file, else the user's */
};

/* Takes an answer over; NULL is none. 0, or -1 when it is not UTF-8. */
int setup_answer(struct setup *setup, const char *key, const char *value);
/*
 * Whether the value is an answer of setup: narrower than what a configuration may hold, since setup cannot
 * describe a custom cloud, and the others' client ids are GUIDs. custom: the configuration may have such a
 * cloud. If not, *expected says what it must be.
 */
bool setup_value_fits(const char *key, const json_t *value, bool custom,
                      char expected[SETTINGS_EXPECTED_SIZE]);
/* Asks on the terminal for what is to be configured. 0, or an exit status after telling. */
int setup_ask(struct setup *setup);

#endif
