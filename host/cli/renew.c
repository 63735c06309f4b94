/* SPDX-License-Identifier: MPL-2.0 */
/* renew: for a timer of the user's. Refresh tokens that nobody uses for 90 days end (FACTS 1.8). */
#include "cli/cli.h"

#include <string.h>

/* The token for the scope, or mail's when there is none; NULL after telling. */
static const json_t *renew_one(struct cli *cli, const json_t *account, json_t *scope, int *status)
{
    json_t *params =
        json_pack("{s:O, s:b}", "account", json_object_get(account, "account"), "anyway", cli->options.all);

    if (scope != NULL)
        json_object_set_new(params, "scopes", json_pack("[O]", scope));
    return cli_call(cli, "renew", params, status);
}

static json_t *outcome(const struct cli *cli, const json_t *account, const json_t *result)
{
    bool renewed =
        result != NULL && strcmp(json_string_value(json_object_get(result, "source")), "renewed") == 0;
    json_t *told = json_pack("{s:O, s:b, s:b}", "account", json_object_get(account, "account"), "ok",
                             result != NULL, "renewed", renewed);

    if (result == NULL)
        json_object_set(told, "problem", json_object_get(json_object_get(cli->reply, "error"), "data"));
    return told;
}

static void tell(const struct cli *cli, const json_t *told)
{
    bool renewed = json_is_true(json_object_get(told, "renewed"));

    if (!cli->options.json && json_is_true(json_object_get(told, "ok")))
        printf("%s  %s\n", json_string_value(json_object_get(told, "account")),
               renewed ? "renewed" : "needs no renewal");
}

/* Every resource of the account; the last exit status that is not 0. */
static int renew_account(struct cli *cli, const json_t *account, json_t *list)
{
    json_t *scopes;
    size_t count, i;
    int result = 0;

    if (!json_is_object(json_object_get(account, "refreshToken")))
        return 0; /* signed out: there is nothing to renew */
    scopes = json_incref(
        json_object_get(cli_call(cli, "renewable",
                                 json_pack("{s:O}", "account", json_object_get(account, "account")), &result),
                        "scopes"));
    count = json_array_size(scopes);
    for (i = 0; i < (count > 0 ? count : 1) && !cli->interrupted; i++) {
        int status = 0;
        json_t *told = outcome(cli, account, renew_one(cli, account, json_array_get(scopes, i), &status));
        tell(cli, told);
        json_array_append_new(list, told);
        if (status != 0)
            result = status;
    }
    json_decref(scopes);
    return result;
}

int command_renew(struct cli *cli)
{
    json_t *list = json_array(), *account, *object;
    int result = 0, status;
    json_t *accounts = cli_all_accounts(cli, &result);
    size_t i;

    json_array_foreach(accounts, i, account)
    {
        if (cli->interrupted)
            break;
        cli->account = json_string_value(json_object_get(account, "account"));
        status = renew_account(cli, account, list);
        if (status != 0)
            result = status;
    }
    cli->account = NULL;
    if (cli->options.json && accounts != NULL) {
        object = json_pack("{s:O}", "renewals", list);
        status = cli_print_json(object);
        json_decref(object);
        if (result == 0)
            result = status;
    }
    json_decref(accounts);
    json_decref(list);
    return result;
}
