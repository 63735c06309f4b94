/* SPDX-License-Identifier: MPL-2.0 */
/* accounts, status, logout, forget, token: protocol section 4. */
#include "cli/cli.h"

#include "core/account_name.h"
#include "core/secret.h"
#include "core/wiping_alloc.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#define XOAUTH2_MAX 98304 /* user, token of at most 64 KiB, and the fixed parts */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

json_t *cli_all_accounts(struct cli *cli, int *status)
{
    json_t *all = json_array(), *result;
    char after[ACCOUNT_NAME_SIZE] = "";
    bool more = true;

    while (more) {
        unsigned long refused = wiping_refused();
        result = cli_call(cli, "account.list", json_pack("{s:s}", "after", after), status);
        if (result == NULL) {
            json_decref(all);
            return NULL;
        }
        json_array_extend(all, json_object_get(result, "accounts"));
        more = json_is_true(json_object_get(result, "more"));
        if (json_array_size(all) > 0)
            problem_copy_text(after, sizeof after,
                              text_of(json_array_get(all, json_array_size(all) - 1), "account"));
        if (wiping_refused() != refused) { /* some may be missing */
            json_decref(all);
            *status = cli_no_memory();
            return NULL;
        }
    }
    return all;
}

static void print_line(const json_t *account)
{
    const char *name = text_of(account, "account"), *sign_in_as = text_of(account, "signInAs");

    printf("%s  %s", name, text_of(account, "state"));
    if (!account_name_equal(name, sign_in_as))
        printf("  (signs in as %s)", sign_in_as);
    putchar('\n');
}

static void print_no_accounts(void)
{
    puts("There are no accounts. Add one with \"thunderseal login ACCOUNT\".");
}

int command_accounts(struct cli *cli)
{
    json_t *accounts, *account;
    int status = 0;
    size_t i;

    accounts = cli_all_accounts(cli, &status);
    if (accounts == NULL)
        return status;
    if (cli->options.json) {
        json_t *object = json_pack("{s:O}", "accounts", accounts);
        status = cli_print_json(object);
        json_decref(object);
    } else {
        json_array_foreach(accounts, i, account)
        {
            print_line(account);
        }
        if (json_array_size(accounts) == 0)
            print_no_accounts();
    }
    json_decref(accounts);
    return status;
}

static void print_time(const char *what, const json_t *time_value)
{
    time_t seconds = (time_t)json_integer_value(time_value);
    struct tm local;
    char text[64];

    if (localtime_r(&seconds, &local) != NULL && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local) > 0)
        printf("  %s %s\n", what, text);
}

static void print_status(const json_t *account)
{
    const json_t *problem = json_object_get(account, "problem");
    const json_t *refresh_token = json_object_get(account, "refreshToken");
    json_t *token;
    size_t i;

    print_line(account);
    if (json_is_object(problem)) {
        printf("  problem: %s\n  next step: %s\n", text_of(problem, "cause"), text_of(problem, "remedy"));
        if (text_of(problem, "adminRemedy")[0] != '\0')
            printf("  for the administrator: %s\n", text_of(problem, "adminRemedy"));
    } else if (strcmp(text_of(account, "state"), "signed-out") == 0) {
        printf("  next step: thunderseal login %s\n", text_of(account, "account"));
    }
    json_array_foreach(json_object_get(account, "tokens"), i, token)
    {
        printf("  access token for %s\n", text_of(token, "resource"));
        print_time("  valid until", json_object_get(token, "expiresAt"));
    }
    if (json_is_object(refresh_token)) {
        print_time("signed in", json_object_get(refresh_token, "obtainedAt"));
        print_time("must be used before", json_object_get(refresh_token, "idleExpiresAt"));
    }
}

/* Drops the accounts that were not asked for. EX_USAGE when one asked for is unknown. */
static int select_accounts(const struct cli_options *options, json_t *accounts, json_t *chosen)
{
    json_t *account;
    size_t i;
    int k;

    if (options->argument_count == 0)
        return json_array_extend(chosen, accounts) == 0 ? 0 : EX_OSERR;
    for (k = 0; k < options->argument_count; k++) {
        size_t before = json_array_size(chosen);
        json_array_foreach(accounts, i, account)
        {
            if (account_name_valid(options->arguments[k]) &&
                account_name_equal(options->arguments[k], text_of(account, "account")))
                json_array_append(chosen, account);
        }
        if (json_array_size(chosen) == before) {
            fputs("thunderseal: The account ", stderr);
            cli_print_text(stderr, options->arguments[k]);
            fputs(" is not known. \"thunderseal accounts\" lists those that are.\n", stderr);
            return EX_USAGE;
        }
    }
    return 0;
}

int command_status(struct cli *cli)
{
    json_t *chosen = json_array(), *accounts, *account, *object, *warning;
    int status = 0;
    size_t i;

    accounts = cli_all_accounts(cli, &status);
    if (accounts != NULL)
        status = select_accounts(&cli->options, accounts, chosen);
    if (accounts == NULL || status != 0)
        goto out;
    json_array_foreach(cli->warnings, i, warning)
    {
        (void)cli_tell_problem(warning);
    }
    if (cli->options.json) {
        object = json_pack("{s:O, s:b, s:{s:s, s:s, s:s}}", "accounts", chosen, "memoryLocked",
                           secret_arena_locked(), "keystore", "name", service_keystore(cli->service),
                           "protection", service_keystore_protection(cli->service), "reason",
                           service_keystore_reason(cli->service));
        status = cli_print_json(object);
        json_decref(object);
        goto out;
    }
    json_array_foreach(chosen, i, account)
    {
        print_status(account);
    }
    if (json_array_size(chosen) == 0)
        print_no_accounts();
    printf("key store: %s. %s %s\n", service_keystore(cli->service),
           service_keystore_protection(cli->service), service_keystore_reason(cli->service));
    if (!secret_arena_locked())
        puts("memory: tokens could reach the swap space, for the limit on locked memory (ulimit -l) is too "
             "low.");
out:
    json_decref(accounts);
    json_decref(chosen);
    return status;
}

int command_logout(struct cli *cli)
{
    const char *account = cli->options.arguments[0];
    int status = 0;
    json_t *result =
        cli_call(cli, "signOut",
                 json_pack("{s:s, s:b}", "account", account, "everywhere", cli->options.everywhere), &status);

    if (result == NULL)
        return status;
    if (cli->options.json)
        return cli_print_json(result);
    printf("%s is signed out here.\n", account);
    if (cli->options.everywhere)
        printf("%s\n%s\n", text_of(result, "logoutUrl"), text_of(result, "remedy"));
    return 0;
}

int command_forget(struct cli *cli)
{
    const char *account = cli->options.arguments[0];
    int status = 0;
    json_t *result = cli_call(cli, "account.remove", json_pack("{s:s}", "account", account), &status);

    if (result == NULL)
        return status;
    if (cli->options.json)
        return cli_print_json(result);
    printf("%s is erased.\n", account);
    return 0;
}

/* The SASL XOAUTH2 initial response: user=…^Aauth=Bearer …^A^A, in base64. */
static int print_xoauth2(const char *account, const char *token)
{
    size_t length = strlen(account) + strlen(token) + 32;
    char *plain = sodium_malloc(length), *encoded = sodium_malloc(2 * length);
    int written, status = EX_SOFTWARE;

    if (plain == NULL || encoded == NULL || length > XOAUTH2_MAX)
        goto out;
    written = snprintf(plain, length, "user=%s\001auth=Bearer %s\001\001", account, token);
    sodium_bin2base64(encoded, 2 * length, (const unsigned char *)plain, (size_t)written,
                      sodium_base64_VARIANT_ORIGINAL);
    puts(encoded);
    status = cli_flush();
out:
    sodium_free(plain);
    sodium_free(encoded);
    return status;
}

static json_t *token_params(const struct cli_options *options)
{
    json_t *params = json_pack("{s:s}", "account", options->arguments[0]), *scopes;
    size_t i;

    if (params == NULL)
        return NULL;
    if (options->protocol != NULL)
        json_object_set_new(params, "protocol", json_string(options->protocol));
    if (options->min_ttl >= 0)
        json_object_set_new(params, "minTtl", json_integer(options->min_ttl));
    if (options->scope_count > 0) {
        scopes = json_array();
        for (i = 0; i < options->scope_count; i++)
            json_array_append_new(scopes, json_string(options->scopes[i]));
        json_object_set_new(params, "scopes", scopes);
    }
    return params;
}

int command_token(struct cli *cli)
{
    int status = 0;
    json_t *result = cli_call(cli, "token.get", token_params(&cli->options), &status);

    if (result == NULL)
        return status;
    if (cli->options.json)
        return cli_print_json(result);
    if (cli->options.xoauth2)
        return print_xoauth2(cli->options.arguments[0], text_of(result, "accessToken"));
    puts(text_of(result, "accessToken"));
    return 0;
}
