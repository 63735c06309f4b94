/* SPDX-License-Identifier: MPL-2.0 */
/* policy: the configuration, for administrators; it needs no account, no vault, no network. */
#include "cli/cli.h"

#include "core/settings.h"
#include <string.h>
#include <sysexits.h>

#define KEY_WIDTH 18 /* the longest key */

static int tell(const struct problem *problem)
{
    json_t *told = problem_to_json(problem);
    int status = cli_tell_problem(told);

    json_decref(told);
    return status;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

static bool is_locked(const json_t *shown, const char *key)
{
    json_t *locked;
    size_t i;

    json_array_foreach(json_object_get(shown, "locked"), i, locked)
    {
        if (strcmp(json_string_value(locked), key) == 0)
            return true;
    }
    return false;
}

static void print_value(const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    json_free_t release;

    if (text != NULL)
        cli_print_text(stdout, text);
    json_get_alloc_funcs(NULL, &release);
    release(text);
}

static void print_keys(const json_t *shown)
{
    const json_t *values = json_object_get(shown, "policy"), *sources = json_object_get(shown, "sources");
    size_t count, i;
    const struct settings_key *keys = settings_keys(&count);

    for (i = 0; i < count; i++) {
        const json_t *value = json_object_get(values, keys[i].name);
        printf("%-*s ", KEY_WIDTH, keys[i].name);
        if (value == NULL) {
            puts("(not set)");
            continue;
        }
        print_value(value);
        printf("  (%s%s)\n", text_of(sources, keys[i].name),
               is_locked(shown, keys[i].name) ? ", locked" : "");
    }
}

static void print_policy(const json_t *shown)
{
    json_t *file, *warning;
    size_t i;

    print_keys(shown);
    json_array_foreach(json_object_get(shown, "files"), i, file)
    {
        printf("%s file: ", text_of(file, "source"));
        cli_print_text(stdout, text_of(file, "path"));
        printf(" (%s)\n", text_of(file, "state"));
    }
    json_array_foreach(json_object_get(shown, "warnings"), i, warning)
    {
        fputs("warning: ", stdout);
        cli_print_text(stdout, text_of(warning, "cause"));
        putchar(' ');
        cli_print_text(stdout, text_of(warning, "remedy"));
        putchar('\n');
    }
}

static int show(const struct cli *cli)
{
    struct problem problem = {0};
    json_t *shown = service_policy(&problem);
    int status;

    if (shown == NULL)
        return tell(&problem);
    if (cli->options.json) {
        status = cli_print_json(shown);
    } else {
        print_policy(shown);
        status = cli_flush();
    }
    json_decref(shown);
    return status;
}

/* FILE:LINE:COLUMN: message, as compilers have it, so that editors find the place. */
static void print_faults(const char *file, const json_t *list, const char *kind)
{
    json_t *fault;
    size_t i;

    json_array_foreach(list, i, fault)
    {
        const json_t *line = json_object_get(fault, "line");
        cli_print_text(stderr, file);
        if (line != NULL)
            fprintf(stderr, ":%lld:%lld", (long long)json_integer_value(line),
                    (long long)json_integer_value(json_object_get(fault, "column")));
        fprintf(stderr, ": %s", kind);
        cli_print_text(stderr, text_of(fault, "message"));
        putc('\n', stderr);
    }
}

static int check(const struct cli *cli, const char *file)
{
    struct problem problem = {0};
    json_t *result = service_policy_check(file, &problem);
    bool ok = json_is_true(json_object_get(result, "ok"));
    int status = 0;

    if (result == NULL)
        return tell(&problem);
    if (cli->options.json) {
        status = cli_print_json(result);
    } else {
        print_faults(file, json_object_get(result, "faults"), "");
        print_faults(file, json_object_get(result, "warnings"), "warning: ");
        if (ok) {
            cli_print_text(stdout, file);
            puts(" is fine.");
            status = cli_flush();
        }
    }
    json_decref(result);
    return ok ? status : EX_CONFIG;
}

static int merge(const struct cli *cli, const char *file)
{
    struct problem problem = {0};
    json_t *result = service_policy_merge(file, cli->options.remove, &problem);
    int status = 0;

    if (result == NULL)
        return tell(&problem);
    if (cli->options.json) {
        status = cli_print_json(result);
    } else {
        cli_print_text(stdout, file);
        if (!json_is_true(json_object_get(result, "changed")))
            puts(cli->options.remove ? " has nothing of Thunderseal." : " has it all already.");
        else if (cli->options.remove)
            puts(" has nothing of Thunderseal any more. Thunderbird notices at its next start.");
        else
            puts(" installs Thunderseal's add-on at Thunderbird's next start.");
        status = cli_flush();
    }
    json_decref(result);
    return status;
}

int command_policy(struct cli *cli)
{
    const char *verb = cli->options.argument_count == 0 ? "show" : cli->options.arguments[0];
    bool merges = strcmp(verb, "merge") == 0;

    if (cli->options.remove && !merges) {
        fputs("thunderseal: --remove belongs to \"policy merge\". Try \"thunderseal --help\".\n", stderr);
        return EX_USAGE;
    }
    if (strcmp(verb, "show") == 0 && cli->options.argument_count <= 1)
        return show(cli);
    if (cli->options.argument_count == 2 && strcmp(verb, "check") == 0)
        return check(cli, cli->options.arguments[1]);
    if (cli->options.argument_count == 2 && merges)
        return merge(cli, cli->options.arguments[1]);
    fputs("thunderseal: \"policy\" is followed by show, check FILE or merge FILE. Try \"thunderseal "
          "--help\".\n",
          stderr);
    return EX_USAGE;
}
