/* SPDX-License-Identifier: MPL-2.0 */
/* Passphrases for the commands: never from the arguments or the environment, which others can read. */
#ifndef THUNDERSEAL_CLI_PROMPT_H
#define THUNDERSEAL_CLI_PROMPT_H

#include "core/secret.h"
#include <stdbool.h>

/* Longer is a file given by mistake. */
#define CLI_PASSPHRASE_MAX 1024

/*
 * Reads a passphrase into *passphrase: the first line of descriptor fd or, if that is -1, from the terminal,
 * where it is asked for by the prompt without echo, and twice if it is new. 0, or an exit status after
 * telling.
 */
int cli_read_passphrase(int fd, const char *prompt, bool is_new, struct secret *passphrase);

#endif
