/* SPDX-License-Identifier: MPL-2.0 */
/* Ctrl-C, SIGTERM and SIGHUP while a command waits: what it waits for is cancelled, but a token request on
 * its way is not, as its answer may replace the refresh token. A second one ends the program at once. */
#include "cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
#define SIGNALS (sizeof signals / sizeof *signals)

static int noted = -1;

static void note_signal(int number)
{
    const uint64_t one = 1;
    int before = errno;
    ssize_t written = write(noted, &one, sizeof one);

    (void)number;
    (void)written;
    errno = before;
}

static json_t *calling_off(const struct cli *cli)
{
    if (cli->waiting)
        return json_pack("{s:s, s:s, s:{s:i}}", "jsonrpc", "2.0", "method", "cancel", "params", "id",
                         CLI_REQUEST_ID);
    if (cli->sign_in != NULL)
        return json_pack("{s:s, s:i, s:s, s:{s:s}}", "jsonrpc", "2.0", "id", CLI_REQUEST_ID, "method",
                         "signIn.cancel", "params", "signInId", cli->sign_in);
    return NULL;
}

static void take_signal(void *context, int fd, unsigned ready)
{
    struct cli *cli = context;
    json_t *message;
    uint64_t count;

    (void)ready;
    if (read(fd, &count, sizeof count) < 0)
        return;
    cli->interrupted = true;
    loop_unwatch(cli->loop, cli->interrupts);
    cli->interrupts = NULL;
    message = calling_off(cli);
    if (message != NULL)
        service_handle(cli->service, message);
    loop_stop(cli->loop);
}

int cli_interrupts_open(struct cli *cli)
{
    noted = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (noted < 0)
        return -1;
    cli->interrupts = loop_watch_fd(cli->loop, noted, LOOP_READ, take_signal, cli);
    return cli->interrupts == NULL ? -1 : 0;
}

void cli_interrupts_close(struct cli *cli)
{
    loop_unwatch(cli->loop, cli->interrupts);
    cli->interrupts = NULL;
    if (noted >= 0)
        close(noted);
    noted = -1;
}

void cli_wait(struct cli *cli)
{
    struct sigaction note = {.sa_handler = note_signal, .sa_flags = SA_RESTART}, before[SIGNALS];
    bool noting = cli->interrupts != NULL;
    size_t i;

    for (i = 0; noting && i < SIGNALS; i++) {
        sigaction(signals[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN) /* as nohup has it */
            sigaction(signals[i], &note, NULL);
    }
    loop_run(cli->loop);
    for (i = 0; noting && i < SIGNALS; i++)
        sigaction(signals[i], &before[i], NULL);
}
