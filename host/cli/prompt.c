/* SPDX-License-Identifier: MPL-2.0 */
#include "cli/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
#define SIGNALS (sizeof signals / sizeof *signals)

static volatile sig_atomic_t interrupted;

static void note_signal(int number)
{
    interrupted = number;
}

static int refuse(const char *sentence, int status)
{
    fprintf(stderr, "thunderseal: %s\n", sentence);
    return status;
}

/* One line without its end, byte by byte: what follows it belongs to others. 0, -1: failed, 1: too long. */
static int read_line(int fd, struct secret *line)
{
    struct secret room = {0};
    size_t length = 0;
    int result = -1;

    if (secret_reserve(&room, CLI_PASSPHRASE_MAX + 1) != 0)
        return -1;
    for (;;) {
        ssize_t got = read(fd, room.bytes + length, 1);
        if (got < 0 && errno == EINTR && interrupted == 0)
            continue;
        if (got < 0)
            goto out;
        if (got == 0 || room.bytes[length] == '\n')
            break;
        if (++length > CLI_PASSPHRASE_MAX) {
            result = 1;
            goto out;
        }
    }
    if (length > 0 && room.bytes[length - 1] == '\r')
        length--;
    result = secret_set(line, room.bytes, length);
out:
    secret_wipe(&room);
    return result;
}

static int judge(int result, const struct secret *line)
{
    if (result < 0)
        return refuse("The passphrase could not be read. Check where it comes from.", EX_IOERR);
    if (result > 0 || memchr(line->bytes, '\0', line->length) != NULL)
        return refuse("A passphrase is one line of at most 1,024 bytes. Check where it comes from.",
                      EX_USAGE);
    if (line->length == 0)
        return refuse("The passphrase is empty. Give one that nobody can guess.", EX_USAGE);
    return 0;
}

/* Without echo. A signal gives the terminal its echo back before it does what it does. */
static int ask_once(int terminal, const char *prompt, struct secret *line)
{
    struct sigaction note = {.sa_handler = note_signal}, before[SIGNALS];
    struct termios shown, hidden;
    int result;
    size_t i;

    if (tcgetattr(terminal, &shown) != 0)
        return -1;
    interrupted = 0;
    for (i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &note, &before[i]);
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    (void)tcsetattr(terminal, TCSAFLUSH, &hidden);
    dprintf(terminal, "%s: ", prompt);
    result = read_line(terminal, line);
    (void)tcsetattr(terminal, TCSAFLUSH, &shown);
    dprintf(terminal, "\n");
    for (i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &before[i], NULL);
    if (interrupted != 0)
        raise(interrupted);
    return result;
}

static int ask(const char *prompt, bool is_new, struct secret *passphrase)
{
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    struct secret again = {0};
    int status;

    if (terminal < 0)
        return refuse("There is no terminal to ask for the passphrase. Use --passphrase-fd.", EX_USAGE);
    status = judge(ask_once(terminal, prompt, passphrase), passphrase);
    if (status == 0 && is_new) {
        status = judge(ask_once(terminal, "Once more", &again), &again);
        if (status == 0 && !secret_equal(passphrase, &again))
            status = refuse("The two differ. Try again.", EX_USAGE);
    }
    secret_wipe(&again);
    close(terminal);
    return status;
}

int cli_read_passphrase(int fd, const char *prompt, bool is_new, struct secret *passphrase)
{
    int status = fd < 0 ? ask(prompt, is_new, passphrase) : judge(read_line(fd, passphrase), passphrase);

    if (status != 0)
        secret_wipe(passphrase);
    return status;
}
