/* SPDX-License-Identifier: MPL-2.0 */
/* What the commands print. Texts that come from elsewhere cannot steer the terminal. */
#include "cli/cli.h"

#include <string.h>
#include <sysexits.h>

void cli_print_text(FILE *stream, const char *text)
{
    for (; *text != '\0'; text++)
        putc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, stream);
}

static void print_sentence(const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    putc(' ', stderr);
    cli_print_text(stderr, text);
}

/* By name: what comes from the service is JSON, as it is for the add-on. */
static int exit_status_of(const char *kind)
{
    int i;

    for (i = PROBLEM_NONE + 1; kind != NULL && i < PROBLEM_KINDS; i++)
        if (strcmp(problem_kind_name((enum problem_kind)i), kind) == 0)
            return problem_exit_status((enum problem_kind)i);
    return EX_SOFTWARE;
}

/* What a field of the protocol is called here, or NULL. */
static const char *argument_of(const char *field)
{
    static const struct {
        const char *field, *argument;
    } arguments[] = {
        {"account", "ACCOUNT"}, {"accounts", "ACCOUNT"}, {"signInAs", "--as"}, {"protocol", "--protocol"},
        {"scopes", "--scope"},  {"minTtl", "--min-ttl"}, {"to", "--to"},       {"recipient", "--recipient"},
    };
    size_t i;

    for (i = 0; i < sizeof arguments / sizeof arguments[0]; i++)
        if (strcmp(arguments[i].field, field) == 0)
            return arguments[i].argument;
    return NULL;
}

/* The cause, which names a field first where one is wrong: who typed knows it by another name. */
static void print_cause(const char *cause, const char *field)
{
    const char *argument = field == NULL ? NULL : argument_of(field);
    char start[64];
    int length = snprintf(start, sizeof start, "The field \"%s\"", argument == NULL ? "" : field);

    if (argument != NULL && strncmp(cause, start, (size_t)length) == 0) {
        fprintf(stderr, " %s", argument);
        cli_print_text(stderr, cause + length);
    } else {
        print_sentence(cause);
    }
}

static int tell(const json_t *problem, const char *account)
{
    const char *field = json_string_value(json_object_get(problem, "field"));
    int status = exit_status_of(json_string_value(json_object_get(problem, "kind")));

    if (json_object_get(problem, "cause") == NULL) /* it could not be made whole */
        return cli_no_memory();
    fputs("thunderseal:", stderr);
    if (account != NULL) {
        putc(' ', stderr);
        cli_print_text(stderr, account);
        putc(':', stderr);
    }
    print_cause(json_string_value(json_object_get(problem, "cause")), field);
    /* The service takes its client for a program; here a person typed. */
    print_sentence(status == EX_USAGE && field != NULL
                       ? "Try \"thunderseal --help\"."
                       : json_string_value(json_object_get(problem, "remedy")));
    putc('\n', stderr);
    return status;
}

int cli_tell_problem(const json_t *problem)
{
    return tell(problem, NULL);
}

int cli_tell_error(const json_t *error, const char *account)
{
    return tell(json_object_get(error, "data"), account);
}

int cli_flush(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    fputs("thunderseal: The output could not be written. Check where it goes.\n", stderr);
    return EX_IOERR;
}

int cli_print_json(const json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(2));
    json_free_t release;

    if (text == NULL)
        return cli_no_memory();
    fputs(text, stdout);
    putchar('\n');
    json_get_alloc_funcs(NULL, &release);
    release(text);
    return cli_flush();
}
