/* SPDX-License-Identifier: MPL-2.0 */
/* doctor: is the installation itself in order? It needs no service: that may be what is broken. */
#include "cli/cli.h"

#include <string.h>
#include <sysexits.h>
#include <unistd.h>

int command_doctor(struct cli *cli)
{
    json_t *report = service_doctor();
    const json_t *check;
    bool failed, coloured = cli_colours(STDOUT_FILENO);
    size_t i;
    int status = 0;

    if (report == NULL) {
        fputs("thunderseal: There is not enough memory. Close other programs.\n", stderr);
        return EX_OSERR;
    }
    failed = strcmp(json_string_value(json_object_get(report, "overall")), "fail") == 0;
    if (cli->options.json) {
        status = cli_print_json(report);
    } else {
        json_array_foreach(json_object_get(report, "checks"), i, check) cli_print_check(check, coloured);
        status = cli_flush();
    }
    json_decref(report);
    return status != 0 ? status : failed ? 1 : 0;
}
