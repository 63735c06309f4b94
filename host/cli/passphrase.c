/* SPDX-License-Identifier: MPL-2.0 */
/* Passphrases: from the terminal without echo, or from --passphrase-fd; never an argument or the environment.
 */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#define LINE_MAX_SIZE 1025 /* what vault.unlock takes, and a NUL */
#define TRIES 3

enum reading { READ_LINE, READ_NOTHING, READ_TOO_LONG };

static volatile sig_atomic_t interrupted;

static void note_signal(int number)
{
    interrupted = number;
}

/* One line without its end. Byte by byte: what follows it is for whoever reads next. */
static enum reading read_line(int fd, char line[LINE_MAX_SIZE])
{
    size_t used = 0;
    char c = '\0';
    ssize_t length;

    while ((length = read(fd, &c, 1)) == 1 || (length < 0 && errno == EINTR && interrupted == 0)) {
        if (length != 1)
            continue;
        if (c == '\n')
            break;
        if (used == LINE_MAX_SIZE - 1)
            return READ_TOO_LONG;
        line[used++] = c;
    }
    c = '\0';
    line[used] = '\0';
    return used > 0 || length == 1 ? READ_LINE : READ_NOTHING;
}

/* ---- the terminal ---- */

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
#define SIGNALS (sizeof signals / sizeof *signals)

/* Asks without echo: it is off before the prompt is there to be answered. A signal gives the terminal its
 * echo back before it does what it does. */
static enum reading read_hidden(int terminal, const char *prompt, char line[LINE_MAX_SIZE])
{
    struct sigaction note = {.sa_handler = note_signal}, before[SIGNALS];
    struct termios settings, hidden;
    enum reading result;
    size_t i;

    if (tcgetattr(terminal, &settings) != 0)
        return READ_NOTHING;
    interrupted = 0;
    for (i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &note, &before[i]);
    hidden = settings;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    tcsetattr(terminal, TCSAFLUSH, &hidden);
    (void)!write(terminal, prompt, strlen(prompt));
    result = read_line(terminal, line);
    tcsetattr(terminal, TCSAFLUSH, &settings);
    for (i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &before[i], NULL);
    (void)!write(terminal, "\n", 1);
    if (interrupted != 0)
        raise(interrupted);
    return result;
}

static int complain(const char *text)
{
    fprintf(stderr, "thunderseal: %s\n", text);
    return EX_USAGE;
}

static enum reading ask(struct cli *cli, const char *prompt, char line[LINE_MAX_SIZE])
{
    int terminal;
    enum reading result;

    if (cli->options.passphrase_fd >= 0)
        return read_line(cli->options.passphrase_fd, line);
    terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0)
        return READ_NOTHING;
    result = read_hidden(terminal, prompt, line);
    close(terminal);
    return result;
}

/* ---- what is done with it ---- */

static int keep(struct cli *cli, enum reading result, const char *line)
{
    if (result == READ_NOTHING)
        return EX_TEMPFAIL;
    if (result == READ_TOO_LONG || line[0] == '\0')
        return complain("A passphrase has 1 to 1,024 bytes. Try again.");
    return secret_set(&cli->passphrase, line, strlen(line)) == 0 ? 0 : EX_OSERR;
}

int cli_passphrase_ask(struct cli *cli)
{
    char line[LINE_MAX_SIZE];
    int status = keep(cli, ask(cli, "Passphrase of the saved sign-ins: ", line), line);

    explicit_bzero(line, sizeof line);
    return status;
}

int cli_passphrase_choose(struct cli *cli)
{
    char line[LINE_MAX_SIZE], again[LINE_MAX_SIZE];
    enum reading result = ask(cli, "New passphrase: ", line);
    int status = keep(cli, result, line), tries;

    for (tries = 1; status == 0 && cli->options.passphrase_fd < 0; tries++) {
        result = ask(cli, "The same again: ", again);
        if (result == READ_LINE && strcmp(line, again) == 0)
            break;
        secret_wipe(&cli->passphrase);
        status = result == READ_LINE && tries < TRIES ? complain("The two are not the same. Try again.")
                                                      : EX_TEMPFAIL;
        if (status == EX_USAGE)
            status = keep(cli, ask(cli, "New passphrase: ", line), line);
    }
    explicit_bzero(line, sizeof line);
    explicit_bzero(again, sizeof again);
    return status;
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
        if (status == EX_TEMPFAIL || status == EX_OSERR)
            break;
        if (status == 0 && cli_call_once(cli, "vault.unlock", unlock_params(cli), &status) != NULL)
            return true;
        if (cli->options.passphrase_fd >= 0)
            break;
    }
    cli->gave_up = true;
    return false;
}
