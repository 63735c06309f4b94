/* SPDX-License-Identifier: MPL-2.0 */
/* doctor: is the installation itself in order? It needs no service: that may be what is broken. */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define TITLE_WIDTH 21 /* the longest title, and a blank */

static const char *text_of(const json_t *check, const char *name)
{
    const char *text = json_string_value(json_object_get(check, name));

    return text == NULL ? "" : text;
}

/* https://no-color.org: any value but the empty one. */
static bool colours(void)
{
    const char *without = getenv("NO_COLOR"), *terminal = getenv("TERM");

    return (without == NULL || without[0] == '\0') && isatty(STDOUT_FILENO) != 0 &&
           (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

static const char *colour_of(const char *status)
{
    return strcmp(status, "fail") == 0   ? "\033[31m"
           : strcmp(status, "warn") == 0 ? "\033[33m"
           : strcmp(status, "ok") == 0   ? "\033[32m"
                                         : "";
}

static void print_line(const char *name, const char *text)
{
    if (text[0] == '\0')
        return;
    printf("%*s%s", 9 + TITLE_WIDTH, "", name);
    cli_print_text(stdout, text);
    putchar('\n');
}

static void print(const json_t *check, bool coloured)
{
    const char *status = text_of(check, "status");

    printf("%s%-8s%s %-*s", coloured ? colour_of(status) : "", status, coloured ? "\033[0m" : "", TITLE_WIDTH,
           text_of(check, "title"));
    cli_print_text(stdout, text_of(check, "detail"));
    putchar('\n');
    print_line("", text_of(check, "remedy"));
    print_line("For your administrator: ", text_of(check, "adminRemedy"));
}

int command_doctor(struct cli *cli)
{
    json_t *report = service_doctor();
    const json_t *check;
    bool failed, coloured = colours();
    size_t i;
    int status = 0;

    if (report == NULL) {
        fputs("thunderseal: There is not enough memory. Close other programs.\n", stderr);
        return EX_OSERR;
    }
    failed = strcmp(text_of(report, "overall"), "fail") == 0;
    if (cli->options.json) {
        status = cli_print_json(report);
    } else {
        json_array_foreach(json_object_get(report, "checks"), i, check) print(check, coloured);
        status = cli_flush();
    }
    json_decref(report);
    return status != 0 ? status : failed ? 1 : 0;
}
