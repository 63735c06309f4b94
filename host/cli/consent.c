/* SPDX-License-Identifier: MPL-2.0 */
/* consent-url: for administrators, so it needs the configuration and nothing else: no account, no vault, no
 * network. */
#include "cli/cli.h"

#include <string.h>

/* Who asks here is the administrator: their next step counts. */
static int tell(struct problem *problem)
{
    json_t *told;
    int status;

    if (problem->admin_remedy[0] != '\0')
        problem_remedy(problem, "%-s", problem->admin_remedy);
    told = problem_to_json(problem);
    status = cli_tell_problem(told);
    json_decref(told);
    return status;
}

int command_consent_url(struct cli *cli)
{
    struct problem problem = {0};
    json_t *consent = service_consent(&problem);
    int status;

    if (consent == NULL)
        return tell(&problem);
    if (cli->options.json) {
        status = cli_print_json(consent);
    } else {
        puts(json_string_value(json_object_get(consent, "consentUrl")));
        status = cli_flush();
        if (status == 0)
            fputs("Open this address as an administrator. The browser ends on a page that cannot be reached: "
                  "with admin_consent=True in its address, consent was given.\n",
                  stderr);
    }
    json_decref(consent);
    return status;
}
