/* SPDX-License-Identifier: MPL-2.0 */
/* The passphrase of the vault: asked for where a command needs it. */
#include "cli/cli.h"

#include "cli/prompt.h"
#include <sysexits.h>

#define TRIES 3

static int complain(const char *text)
{
    fprintf(stderr, "thunderseal: %s\n", text);
    return EX_USAGE;
}

/* Where nobody can be asked, the command itself says that the key is missing. */
static int ask(struct cli *cli, const char *prompt, struct secret *passphrase)
{
    switch (prompt_hidden(cli->options.passphrase_fd, prompt, passphrase)) {
    case PROMPT_LINE:
        return 0;
    case PROMPT_EMPTY:
    case PROMPT_UNFIT:
        return complain("A passphrase is one line of 1 to 1,024 bytes. Try again.");
    case PROMPT_NO_MEMORY:
        return EX_OSERR;
    case PROMPT_NO_TERMINAL:
    case PROMPT_END:
    default:
        return EX_TEMPFAIL;
    }
}

int cli_passphrase_ask(struct cli *cli)
{
    return ask(cli, "Passphrase of the saved sign-ins", &cli->passphrase);
}

int cli_passphrase_choose(struct cli *cli)
{
    struct secret again = {0};
    int status, tries;
    bool same;

    for (tries = 0; tries < TRIES; tries++) {
        status = ask(cli, "New passphrase", &cli->passphrase);
        if (status != 0 || cli->options.passphrase_fd >= 0)
            return status;
        status = ask(cli, "The same again", &again);
        same = status == 0 && secret_equal(&cli->passphrase, &again);
        secret_wipe(&again);
        if (same)
            return 0;
        secret_wipe(&cli->passphrase);
        if (status != 0 && status != EX_USAGE)
            return status;
        if (status == 0)
            (void)complain("The two are not the same. Try again.");
    }
    return EX_TEMPFAIL;
}

static json_t *unlock_params(const struct cli *cli)
{
    return json_pack("{s:o}", "passphrase",
                     json_stringn(secret_expose(&cli->passphrase), cli->passphrase.length));
}

bool cli_unlock(struct cli *cli)
{
    bool choose = service_passphrase(cli->service) == PASSPHRASE_TO_CHOOSE;
    int tries, status;

    if (service_passphrase(cli->service) == PASSPHRASE_NONE || cli->gave_up)
        return false;
    for (tries = 0; tries < TRIES; tries++) {
        status = choose ? cli_passphrase_choose(cli) : cli_passphrase_ask(cli);
        if (status == EX_TEMPFAIL && !choose && cli->options.passphrase_fd >= 0) /* no command will say it */
            (void)complain(
                "A passphrase is needed, and the descriptor of --passphrase-fd has none. Write it there, as "
                "one line.");
        if (status == EX_TEMPFAIL || status == EX_OSERR)
            break;
        if (status == 0 && cli_call_once(cli, "vault.unlock", unlock_params(cli), &status) != NULL)
            return true;
        if (cli->options.passphrase_fd >= 0 || cli->interrupted)
            break;
    }
    cli->gave_up = true;
    return false;
}
