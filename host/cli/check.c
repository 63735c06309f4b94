/* SPDX-License-Identifier: MPL-2.0 */
/* check: the health report of protocol section 3. */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* On a terminal, so that the wait is seen to be one; the line is gone again when it is over. */
static void show_progress(const json_t *params)
{
    if (isatty(STDERR_FILENO) == 0)
        return;
    fprintf(stderr, "\r%lld of %lld checks", (long long)json_integer_value(json_object_get(params, "done")),
            (long long)json_integer_value(json_object_get(params, "total")));
}

static void end_progress(void)
{
    if (isatty(STDERR_FILENO) != 0)
        fprintf(stderr, "\r%*s\r", 40, "");
}

static json_t *params_of(const struct cli *cli)
{
    json_t *params = json_object(), *accounts;
    int i;

    if (cli->options.argument_count == 0)
        return params;
    accounts = json_array();
    for (i = 0; i < cli->options.argument_count; i++)
        if (json_array_append_new(accounts, json_string(cli->options.arguments[i])) != 0) {
            json_decref(accounts); /* no UTF-8: the call says so */
            json_decref(params);
            return NULL;
        }
    json_object_set_new(params, "accounts", accounts);
    return params;
}

static bool same_account(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return strcmp(a, b) == 0;
}

static void print(const json_t *report)
{
    const bool coloured = cli_colours(STDOUT_FILENO);
    const char *account = NULL;
    const json_t *check;
    size_t i;

    json_array_foreach(json_object_get(report, "checks"), i, check)
    {
        const char *of = json_string_value(json_object_get(check, "account"));
        if (!same_account(of, account)) {
            putchar('\n');
            cli_print_text(stdout, of == NULL ? "" : of);
            putchar('\n');
            account = of;
        }
        cli_print_check(check, coloured);
    }
}

int command_check(struct cli *cli)
{
    const json_t *report;
    int status;
    bool failed;

    cli->progress = show_progress;
    report = json_object_get(cli_call(cli, "health.check", params_of(cli), &status), "report");
    cli->progress = NULL;
    end_progress();
    if (report == NULL)
        return status;
    failed = strcmp(json_string_value(json_object_get(report, "overall")), "fail") == 0;
    if (cli->options.json)
        status = cli_print_json(report);
    else
        print(report);
    if (status == 0)
        status = cli_flush();
    return status != 0 ? status : failed ? 1 : 0;
}
