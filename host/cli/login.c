/* SPDX-License-Identifier: MPL-2.0 */
/* login: the code flow from a terminal. */
#include "cli/cli.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PASTE_MAX 16384 /* a redirect URL; Entra's stay under 4 KiB */

struct paste {
    struct cli *cli;
    struct loop_watch *watch;
    char line[PASTE_MAX];
    size_t used;
};

static void take_line(struct paste *paste)
{
    paste->line[paste->used] = '\0';
    if (paste->used > 0 && !service_paste_redirect(paste->cli->service, paste->line))
        fputs("thunderseal: That is not the answer to this sign-in. Paste the whole address at which the "
              "browser "
              "ended; it begins with http://localhost.\n",
              stderr);
    explicit_bzero(paste->line, sizeof paste->line);
    paste->used = 0;
}

static void input_ready(void *context, int fd, unsigned ready)
{
    struct paste *paste = context;
    char c;
    ssize_t length = read(fd, &c, 1);

    (void)ready;
    if (length < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (length <= 0) { /* no terminal, or it was closed: the redirect may still come */
        loop_unwatch(paste->cli->loop, paste->watch);
        paste->watch = NULL;
    } else if (c == '\n' || paste->used == PASTE_MAX - 1) {
        take_line(paste);
    } else {
        paste->line[paste->used++] = c;
    }
}

/* Waits for signIn.finished, taking a pasted redirect meanwhile when asked to. */
static void wait_for_end(struct cli *cli)
{
    static struct paste paste;

    if (cli->options.no_browser && !cli->options.device) {
        paste.cli = cli;
        paste.watch = loop_watch_fd(cli->loop, STDIN_FILENO, LOOP_READ, input_ready, &paste);
    }
    while (cli->finished == NULL && !cli->no_memory)
        cli_wait(cli);
    if (paste.watch != NULL)
        loop_unwatch(cli->loop, paste.watch);
    explicit_bzero(paste.line, sizeof paste.line);
}

/* RFC 8628 section 5.4: who types a code that somebody else gave them signs that somebody in. */
static int show_device_code(struct cli *cli, const json_t *result)
{
    /* With --json, who reads on has the same in the result before. */
    FILE *stream = cli->options.json ? stderr : stdout;

    fprintf(stream, "To sign %s in to Thunderseal on this computer, open this address in a browser:\n  ",
            cli->options.arguments[0]);
    cli_print_text(stream, json_string_value(json_object_get(result, "verificationUri")));
    fprintf(stream, "\nand enter this code there, and only there:\n  ");
    cli_print_text(stream, json_string_value(json_object_get(result, "userCode")));
    fprintf(stream, "\nNever enter a code that somebody else sent you.\n");
    return cli_flush();
}

static json_t *sign_in_params(const struct cli_options *options)
{
    return json_pack("{s:s, s:s, s:b}", "account", options->arguments[0], "flow",
                     options->device ? "device" : "browser", "openBrowser",
                     !options->no_browser && !options->device);
}

static int tell_end(struct cli *cli)
{
    const char *account = cli->options.arguments[0];

    if (cli->finished == NULL)
        return cli_no_memory();
    if (!json_is_true(json_object_get(cli->finished, "ok")))
        return cli_tell_problem(json_object_get(cli->finished, "problem"));
    if (cli->options.json)
        return cli_print_json(cli->finished);
    printf("%s is signed in.\n", account);
    return 0;
}

int command_login(struct cli *cli)
{
    const char *account = cli->options.arguments[0];
    json_t *result;
    int status = 0;

    if (cli->options.sign_in_as != NULL &&
        cli_call(cli, "account.add",
                 json_pack("{s:s, s:s}", "account", account, "signInAs", cli->options.sign_in_as),
                 &status) == NULL)
        return status;
    result = cli_call(cli, "signIn.start", sign_in_params(&cli->options), &status);
    if (result == NULL)
        return status;
    cli->sign_in_result = json_incref(result);
    cli->sign_in = json_string_value(json_object_get(result, "signInId"));
    if (cli->options.json && (cli->options.device || cli->options.no_browser))
        status = cli_print_json(result);
    if (cli->options.device) {
        status = status != 0 ? status : show_device_code(cli, result);
    } else if (cli->options.no_browser) {
        if (!cli->options.json) {
            puts(json_string_value(json_object_get(result, "authorizationUrl")));
            status = cli_flush();
        }
        fputs(
            "Open this address in a browser. If the browser ends on a page that cannot be reached, paste its "
            "address here.\n",
            stderr);
    } else {
        fputs("The sign-in has been opened in your browser.\n", stderr);
    }
    if (status != 0)
        return status;
    if (cli->interrupted)
        return problem_exit_status(PROBLEM_CANCELLED);
    wait_for_end(cli);
    return tell_end(cli);
}
