/* SPDX-License-Identifier: MPL-2.0 */
/* key show, key rotate, key move --to STORE: protocol section 4. */
#include "cli/cli.h"

#include <string.h>
#include <sysexits.h>

static int usage(const char *text)
{
    fprintf(stderr, "thunderseal: %s Try \"thunderseal --help\".\n", text);
    return EX_USAGE;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text == NULL ? "" : text;
}

static int print(const struct cli *cli, const json_t *key)
{
    if (cli->options.json)
        return cli_print_json(key);
    printf("key store: %s. %s %s\n", text_of(key, "name"), text_of(key, "protection"),
           text_of(key, "reason"));
    if (text_of(key, "keyId")[0] != '\0')
        printf("key id: %s\n", text_of(key, "keyId"));
    if (json_is_true(json_object_get(key, "changing")))
        puts("The key is being changed; what is left to do is done by the next program that can.");
    return 0;
}

/* The passphrase that the new key is put under: the one in force, or another for a store that it moves to. */
static int get_passphrase(struct cli *cli, const char *store)
{
    if (cli->interrupted)
        return problem_exit_status(PROBLEM_CANCELLED);
    if (strcmp(store, "passphrase") != 0)
        return 0;
    if (cli->options.to == NULL && cli->passphrase.length > 0)
        return 0;
    secret_wipe(&cli->passphrase);
    if ((cli->options.to != NULL ? cli_passphrase_choose(cli) : cli_passphrase_ask(cli)) == 0)
        return 0;
    fputs("thunderseal: A passphrase is needed. Run this in a terminal, or use --passphrase-fd.\n", stderr);
    return EX_TEMPFAIL;
}

static int change(struct cli *cli, const char *store)
{
    json_t *params = json_object();
    const json_t *result;
    int status;

    /* Opened first, so that the passphrases are asked for in their order. */
    if (service_passphrase(cli->service) == PASSPHRASE_NEEDED)
        (void)cli_unlock(cli);
    status = get_passphrase(cli, store);
    if (status != 0) {
        json_decref(params);
        return status;
    }
    if (cli->options.to != NULL)
        json_object_set_new(params, "to", json_string(cli->options.to));
    if (cli->passphrase.length > 0 && strcmp(store, "passphrase") == 0)
        json_object_set_new(params, "passphrase",
                            json_stringn(secret_expose(&cli->passphrase), cli->passphrase.length));
    result = cli_call(cli, "key.change", params, &status);
    return result == NULL ? status : print(cli, result);
}

int command_key(struct cli *cli)
{
    const char *what = cli->options.arguments[0];
    const json_t *key;
    char store[32];
    int status = 0;

    if (strcmp(what, "show") != 0 && strcmp(what, "rotate") != 0 && strcmp(what, "move") != 0)
        return usage("\"key\" takes \"show\", \"rotate\" or \"move\".");
    if ((strcmp(what, "move") == 0) != (cli->options.to != NULL))
        return usage("\"key move\", and it alone, takes --to STORE.");
    key = cli_call(cli, "key.show", json_object(), &status);
    if (key == NULL)
        return status;
    if (strcmp(what, "show") == 0)
        return print(cli, key);
    problem_copy_text(store, sizeof store, cli->options.to != NULL ? cli->options.to : text_of(key, "name"));
    return change(cli, store);
}
