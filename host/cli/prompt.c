/* SPDX-License-Identifier: MPL-2.0 */
#include "cli/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU};
#define SIGNALS (sizeof signals / sizeof *signals)

static volatile sig_atomic_t interrupted;

static void note_signal(int number)
{
    interrupted = number;
}

/* Until there is something to read, or a signal that waiting lets through; false: one came. */
static bool wait_for_input(int fd, const sigset_t *waiting)
{
    struct pollfd input = {.fd = fd, .events = POLLIN};
    int ready = -1;

    while (interrupted == 0 && ready <= 0) {
        ready = ppoll(&input, 1, NULL, waiting);
        if (ready < 0 && errno != EINTR)
            break;
    }
    return interrupted == 0;
}

/* Byte by byte: what follows the line belongs to others. waiting: the signals that stay blocked while it
 * waits; NULL: no signal is to end it. */
static enum prompt_result read_line(int fd, const sigset_t *waiting, struct secret *line)
{
    struct secret room = {0};
    enum prompt_result result = PROMPT_UNFIT;
    size_t length = 0;
    ssize_t got = 0;

    if (secret_reserve(&room, CLI_PASSPHRASE_MAX + 1) != 0)
        return PROMPT_NO_MEMORY;
    while (length <= CLI_PASSPHRASE_MAX) {
        got = waiting == NULL || wait_for_input(fd, waiting) ? read(fd, room.bytes + length, 1) : -1;
        if (got < 0 && errno == EINTR && (waiting == NULL || interrupted == 0))
            continue;
        if (got <= 0 || room.bytes[length] == '\n')
            break;
        length++;
    }
    if (got < 0 || (got == 0 && length == 0)) {
        result = PROMPT_END;
    } else if (length <= CLI_PASSPHRASE_MAX && memchr(room.bytes, '\0', length) == NULL) {
        if (length > 0 && room.bytes[length - 1] == '\r')
            length--;
        result = length == 0                                 ? PROMPT_EMPTY
                 : secret_set(line, room.bytes, length) == 0 ? PROMPT_LINE
                                                             : PROMPT_NO_MEMORY;
    }
    secret_wipe(&room);
    return result;
}

/* Those that the program's own use of the terminal brings in the background come when they come; the others
 * wait for wait_for_input, so that none is missed. */
static void catch_signals(struct sigaction before[SIGNALS], sigset_t *waiting)
{
    const struct sigaction note = {.sa_handler = note_signal};
    sigset_t blocked;
    size_t i;

    interrupted = 0;
    sigemptyset(&blocked);
    for (i = 0; i < SIGNALS; i++) {
        sigaction(signals[i], NULL, &before[i]);
        if (before[i].sa_handler == SIG_IGN) /* nohup, or a shell without job control */
            continue;
        sigaction(signals[i], &note, NULL);
        if (signals[i] != SIGTTIN && signals[i] != SIGTTOU)
            sigaddset(&blocked, signals[i]);
    }
    sigprocmask(SIG_BLOCK, &blocked, waiting);
}

static bool was_stopped(void)
{
    return interrupted == SIGTSTP || interrupted == SIGTTIN || interrupted == SIGTTOU;
}

/* The echo is off before the prompt is there to be answered. A signal gives the terminal its echo back before
 * it does what it does. */
static enum prompt_result read_once(int terminal, const char *prompt, struct secret *line)
{
    struct sigaction before[SIGNALS];
    struct termios shown, hidden;
    enum prompt_result result;
    sigset_t waiting;
    size_t i;

    if (tcgetattr(terminal, &shown) != 0)
        return PROMPT_NO_TERMINAL;
    catch_signals(before, &waiting);
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    (void)tcsetattr(terminal, TCSAFLUSH, &hidden);
    dprintf(terminal, "%s: ", prompt);
    result = read_line(terminal, &waiting, line);
    (void)tcsetattr(terminal, TCSAFLUSH, &shown);
    dprintf(terminal, "\n");
    for (i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &before[i], NULL);
    sigprocmask(SIG_SETMASK, &waiting, NULL);
    if (interrupted != 0)
        raise(interrupted);
    return result;
}

/* Who comes back from a stop (Ctrl-Z) is asked anew. */
static enum prompt_result read_without_echo(int terminal, const char *prompt, struct secret *line)
{
    enum prompt_result result;

    do
        result = read_once(terminal, prompt, line);
    while (result == PROMPT_END && was_stopped());
    return result;
}

enum prompt_result prompt_hidden(int fd, const char *prompt, struct secret *line)
{
    enum prompt_result result;
    int terminal;

    secret_wipe(line);
    if (fd >= 0)
        return read_line(fd, NULL, line);
    terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (terminal < 0)
        return PROMPT_NO_TERMINAL;
    result = read_without_echo(terminal, prompt, line);
    close(terminal);
    return result;
}

/* ---- for a file of the user's ---- */

static int refuse(const char *sentence, int status)
{
    fprintf(stderr, "thunderseal: %s\n", sentence);
    return status;
}

static int judge(enum prompt_result result)
{
    switch (result) {
    case PROMPT_LINE:
        return 0;
    case PROMPT_NO_TERMINAL:
        return refuse("There is no terminal to ask for the passphrase. Use --passphrase-fd.", EX_USAGE);
    case PROMPT_UNFIT:
        return refuse("A passphrase is one line of at most 1,024 bytes. Check where it comes from.",
                      EX_USAGE);
    case PROMPT_NO_MEMORY:
        return refuse("There is not enough memory to read the passphrase. Close other programs.", EX_OSERR);
    case PROMPT_END:
    case PROMPT_EMPTY:
    default:
        return refuse("The passphrase is empty. Give one that nobody can guess.", EX_USAGE);
    }
}

int cli_read_passphrase(int fd, const char *prompt, bool is_new, struct secret *passphrase)
{
    struct secret again = {0};
    int status = judge(prompt_hidden(fd, prompt, passphrase));

    if (status == 0 && is_new && fd < 0) {
        status = judge(prompt_hidden(fd, "Once more", &again));
        if (status == 0 && !secret_equal(passphrase, &again))
            status = refuse("The two differ. Try again.", EX_USAGE);
    }
    secret_wipe(&again);
    if (status != 0)
        secret_wipe(passphrase);
    return status;
}
