/* SPDX-License-Identifier: MPL-2.0 */
/*
 * setup: from nothing to a configuration that signs in, by questions or by options, for a whole computer or
 * for one user. It needs no vault and no network.
 */
#include "cli/setup.h"

#include "core/diagnosis.h"
#include "core/entra_error.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static int refuse(const char *sentence)
{
    fprintf(stderr, "thunderseal: %s\n", sentence);
    return EX_USAGE;
}

static int tell(const struct problem *problem)
{
    json_t *told = problem_to_json(problem);
    int status = cli_tell_problem(told);

    json_decref(told);
    return status;
}

/* --- what is printed --- */

static int print_registration(const struct setup *setup, const struct settings *settings)
{
    static const struct {
        const char *name;
        enum registration_tool tool;
    } tools[] = {
        {"az", REGISTRATION_AZ}, {"powershell", REGISTRATION_POWERSHELL}, {"graph", REGISTRATION_GRAPH}};
    struct registration registration = {.cloud = cloud_find(settings_text(settings, "cloud")),
                                        .tenant = settings_text(settings, "tenant"),
                                        .redirect_host = settings_text(settings, "redirectHost"),
                                        .device = settings_list_contains(settings, "flows", "device")};
    json_t *manifest;
    char *text;
    size_t i;
    int status;

    if (registration.cloud == NULL)
        return refuse("Apps of a custom cloud are registered as its provider says. Choose another --cloud.");
    if (strcmp(setup->print, "manifest") == 0) {
        manifest = registration_manifest(&registration);
        status = cli_print_json(manifest);
        json_decref(manifest);
        return status;
    }
    for (i = 0; i < sizeof tools / sizeof tools[0]; i++) {
        if (strcmp(setup->print, tools[i].name) != 0)
            continue;
        text = registration_commands(&registration, tools[i].tool);
        if (text == NULL)
            return cli_no_memory();
        fputs(text, stdout);
        free(text);
        return cli_flush();
    }
    return refuse("--print takes manifest, az, powershell, graph or policy.");
}

/* The first AADSTS number in a text, or the text itself where it is a number and nothing else. Else 0. */
static int number_in(const char *text)
{
    const char *found = strstr(text, "AADSTS");
    long number;

    if (found != NULL)
        found += strlen("AADSTS");
    else if (text[strspn(text, "0123456789")] == '\0')
        found = text;
    number = found == NULL ? 0 : strtol(found, NULL, 10);
    return number > 0 && number <= INT_MAX ? (int)number : 0;
}

/* An error of Microsoft's, pasted from a browser or a log. */
static int explain(const struct cli *cli)
{
    int number = number_in(cli->options.explain);
    const struct entra_error *error = entra_error_find(number);
    struct problem problem = {0};
    json_t *told;
    int status;

    if (number <= 0)
        return refuse("There is no AADSTS number in that text. Paste the whole message, for example "
                      "\"AADSTS50011: …\".");
    if (error == NULL)
        return refuse(
            "That number is not known here. Look it up at https://login.microsoftonline.com/error.");
    diagnose_restore(error->kind, number, &problem);
    told = problem_to_json(&problem);
    if (cli->options.json) {
        status = cli_print_json(told);
    } else {
        printf("AADSTS%d: %s\n", number, problem.cause);
        printf("For the user: %s\n", problem.remedy);
        if (problem.admin_remedy[0] != '\0')
            printf("For the administrator: %s\n", problem.admin_remedy);
        status = cli_flush();
    }
    json_decref(told);
    return status;
}

/* --- the end --- */

static void print_next(const struct setup *setup, const struct settings *settings)
{
    bool thunderbird = strcmp(settings_text(settings, "clientId"), REGISTRATION_THUNDERBIRD) == 0;
    struct account_target target;
    struct consent consent;

    printf("\nNext:\n");
    settings_default_target(settings, &target);
    if (thunderbird && strcmp(settings_text(settings, "cloud"), "worldwide") != 0)
        printf("  - Thunderbird's id is registered in the worldwide cloud. If the sign-in says that the app "
               "is not\n"
               "    known, register your organisation's own: \"thunderseal setup --print az\".\n");
    if (!thunderbird && target.outlook != NULL &&
        consent_make(&consent, &target, settings_text(settings, "redirectHost")) == 0)
        printf("  - As an administrator of the tenant, approve the app for everybody (once):\n    %s\n",
               consent.url);
    printf("  - Restart Thunderbird.\n");
    printf("  - Sign in: Thunderseal's button in Thunderbird, or \"thunderseal login ADDRESS\".\n");
    printf("  - \"thunderseal doctor\" checks the installation%s.\n",
           setup->for_everybody ? "; \"thunderseal policy show\" prints what is in force" : "");
    printf("  - What an error of Microsoft's means: \"thunderseal setup --explain 'AADSTS…'\".\n");
}

static int write_answers(struct cli *cli, const struct setup *setup, const struct settings *settings)
{
    struct problem problem = {0};
    char *path = service_settings_write(setup->answers, setup->for_everybody, &problem);
    json_t *told;
    int status;

    if (path == NULL)
        return tell(&problem);
    if (cli->options.json) {
        told = json_pack("{s:s, s:O}", "file", path, "changed", setup->answers);
        status = cli_print_json(told);
        json_decref(told);
    } else {
        printf("Written: %s\n", path);
        print_next(setup, settings);
        status = cli_flush();
    }
    free(path);
    return status;
}

/* Whether every answer is what its key wants. 0, or EX_USAGE after telling. */
static int check_answers(const struct setup *setup, bool custom)
{
    const char *key;
    json_t *value;

    json_object_foreach(setup->answers, key, value)
    {
        char expected[SETTINGS_EXPECTED_SIZE];
        if (setup_value_fits(key, value, custom, expected))
            continue;
        fprintf(stderr, "thunderseal: %s must be %s. Nothing was written.\n", key, expected);
        return EX_USAGE;
    }
    return 0;
}

/* The same, now that the cloud is known. */
static int check_cloud(const struct setup *setup, const struct settings *settings)
{
    bool custom = strcmp(settings_text(settings, "cloud"), CLOUD_CUSTOM) == 0;

    if (custom && json_object_get(settings->values, "custom") == NULL)
        return refuse("setup cannot describe a custom cloud. Write \"custom\" with its endpoints into "
                      "config.json, as \"man thunderseal-policy\" shows, or choose another --cloud.");
    return check_answers(setup, custom);
}

/* The options that are answers. 0 or an exit status after telling. */
static int take_options(const struct cli *cli, struct setup *setup)
{
    const struct cli_options *options = &cli->options;
    const char *client_id = options->client_id;
    json_t *domains = json_array();
    size_t i;

    if (client_id != NULL && strcmp(client_id, "thunderbird") == 0)
        client_id = REGISTRATION_THUNDERBIRD;
    for (i = 0; i < options->domain_count; i++)
        json_array_append_new(domains, json_string(options->domains[i]));
    if (setup_answer(setup, "clientId", client_id) != 0 ||
        setup_answer(setup, "tenant", options->tenant) != 0 ||
        setup_answer(setup, "cloud", options->cloud) != 0 ||
        setup_answer(setup, "keystore", options->keystore) != 0 ||
        json_array_size(domains) != options->domain_count) {
        json_decref(domains);
        return refuse("What was given is not valid UTF-8. Check the spelling.");
    }
    if (options->domain_count > 0)
        json_object_set(setup->answers, "allowedDomains", domains);
    json_decref(domains);
    return check_answers(setup, true);
}

static int run(struct cli *cli, struct setup *setup)
{
    struct settings settings = {0};
    struct problem problem = {0};
    int status = take_options(cli, setup);

    if (status == 0 && setup->print == NULL && json_object_size(setup->answers) == 0) {
        if (!isatty(STDIN_FILENO) || cli->options.json)
            return refuse("There is nobody to ask. Give the answers as options, for example --client-id ID "
                          "--tenant DOMAIN.");
        status = setup_ask(setup);
    }
    if (status == 0 && service_settings(&settings, setup->answers,
                                        setup->for_everybody || setup->print != NULL, &problem) != 0)
        status = tell(&problem);
    if (status == 0)
        status = check_cloud(setup, &settings);
    if (status == 0 && setup->print != NULL && strcmp(setup->print, "policy") == 0)
        status = cli_print_json(setup->answers);
    else if (status == 0 && setup->print != NULL)
        status = print_registration(setup, &settings);
    else if (status == 0 && settings_text(&settings, "clientId") == NULL)
        status =
            refuse("Nobody can sign in without a client id. Give --client-id ID, or --client-id thunderbird; "
                   "\"thunderseal setup --print az\" prints how to register an app.");
    else if (status == 0)
        status = write_answers(cli, setup, &settings);
    settings_clear(&settings);
    return status;
}

int command_setup(struct cli *cli)
{
    struct setup setup = {
        .answers = json_object(), .print = cli->options.print, .for_everybody = cli->options.for_everybody};
    int status;

    if (setup.answers == NULL)
        return cli_no_memory();
    status = cli->options.explain != NULL ? explain(cli) : run(cli, &setup);
    json_decref(setup.answers);
    return status;
}
