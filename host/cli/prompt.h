/* SPDX-License-Identifier: MPL-2.0 */
/* Passphrases for the commands: never from the arguments or the environment, which others can read. */
#ifndef THUNDERSEAL_CLI_PROMPT_H
#define THUNDERSEAL_CLI_PROMPT_H

#include "core/secret.h"
#include <stdbool.h>

/* Longer is a file given by mistake. */
#define CLI_PASSPHRASE_MAX 1024

enum prompt_result {
    PROMPT_LINE,
    PROMPT_NO_TERMINAL, /* there is nobody to ask */
    PROMPT_END,         /* nothing came before the end of the input, or it cannot be read */
    PROMPT_EMPTY,       /* an empty line */
    PROMPT_UNFIT,       /* longer than CLI_PASSPHRASE_MAX bytes, or with a NUL in it */
    PROMPT_NO_MEMORY
};

/* Reads one line into *line (empty unless PROMPT_LINE), without its end: of descriptor fd or, if that is -1,
 * from the terminal, where it is asked for by the prompt without echo. */
enum prompt_result prompt_hidden(int fd, const char *prompt, struct secret *line);

/* The same for a passphrase, which is asked for twice if it is new. 0, or an exit status after telling. */
int cli_read_passphrase(int fd, const char *prompt, bool is_new, struct secret *passphrase);

#endif
