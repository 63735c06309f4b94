/* SPDX-License-Identifier: MPL-2.0 */
/* How `doctor` and `check` print what they found: one line a check, and what to do below it. */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TITLE_WIDTH 21 /* the longest title, and a blank */

static const char *text_of(const json_t *check, const char *name)
{
    const char *text = json_string_value(json_object_get(check, name));

    return text == NULL ? "" : text;
}

/* https://no-color.org: any value but the empty one. */
bool cli_colours(int descriptor)
{
    const char *without = getenv("NO_COLOR"), *terminal = getenv("TERM");

    return (without == NULL || without[0] == '\0') && isatty(descriptor) != 0 &&
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

void cli_print_check(const json_t *check, bool coloured)
{
    const char *status = text_of(check, "status");

    printf("%s%-8s%s %-*s", coloured ? colour_of(status) : "", status, coloured ? "\033[0m" : "", TITLE_WIDTH,
           text_of(check, "title"));
    cli_print_text(stdout, text_of(check, "detail"));
    putchar('\n');
    print_line("", text_of(check, "remedy"));
    print_line("For your administrator: ", text_of(check, "adminRemedy"));
}
