/* SPDX-License-Identifier: MPL-2.0 */
/* audit show, audit verify: protocol section 4. */
#include "cli/cli.h"

#include "core/account_name.h"
#include <string.h>
#include <sysexits.h>
#include <time.h>

#define ALL_ENTRIES 1000000 /* more than the log holds */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

/* ---- show ---- */

/* Hashes of known accounts become addresses; those of forgotten ones stay what they are. */
static void resolve(json_t *entries, const json_t *names)
{
    json_t *entry;
    size_t i;

    json_array_foreach(entries, i, entry)
    {
        json_t *name = json_object_get(names, text_of(entry, "account"));
        if (name != NULL)
            json_object_set(entry, "account", name);
    }
}

static void print_time(const json_t *entry)
{
    time_t seconds = (time_t)json_integer_value(json_object_get(entry, "time"));
    struct tm local;
    char text[64] = "-";

    if (localtime_r(&seconds, &local) != NULL)
        (void)strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
    fputs(text, stdout);
}

/* What has a place of its own in the line is not said again behind it. */
static bool is_detail(const char *key)
{
    return strcmp(key, "seq") != 0 && strcmp(key, "time") != 0 && strcmp(key, "event") != 0 &&
           strcmp(key, "account") != 0 && strcmp(key, "after") != 0 && strcmp(key, "policy") != 0;
}

/* A detail whose word alone says too much: it reads as if Microsoft had ended the sessions. */
static bool is_shown_address(const json_t *entry, const char *key)
{
    return strcmp(key, "what") == 0 && strcmp(text_of(entry, "event"), "signed-out") == 0;
}

static void print_entry(json_t *entry)
{
    const char *key;
    json_t *value;

    print_time(entry);
    fputs("  ", stdout);
    cli_print_text(stdout, text_of(entry, "event"));
    if (text_of(entry, "account")[0] != '\0') {
        fputs("  ", stdout);
        cli_print_text(stdout, text_of(entry, "account"));
    }
    json_object_foreach(entry, key, value)
    {
        if (!is_detail(key))
            continue;
        fputs("  ", stdout);
        if (is_shown_address(entry, key)) {
            fputs("(here; the link that ends all its sessions was shown)", stdout);
            continue;
        }
        cli_print_text(stdout, key);
        putchar('=');
        if (json_is_integer(value))
            printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
        else
            cli_print_text(stdout, text_of(entry, key));
    }
    putchar('\n');
}

static int show(struct cli *cli)
{
    json_t *result, *entry, *log;
    int status = 0;
    size_t i;

    result = cli_call(cli, "audit.read", json_pack("{s:i}", "limit", ALL_ENTRIES), &status);
    if (result == NULL)
        return status;
    log = json_incref(result);
    result = cli_call(cli, "audit.names", json_object(), &status);
    if (result != NULL)
        resolve(json_object_get(log, "entries"), json_object_get(result, "names"));
    if (cli->options.json) {
        status = cli_print_json(log);
    } else {
        json_array_foreach(json_object_get(log, "entries"), i, entry)
        {
            print_entry(entry);
        }
        if (json_array_size(json_object_get(log, "entries")) == 0)
            puts("The audit log has no entries.");
        if (!json_is_true(json_object_get(log, "intact")))
            puts("The log is not as it was written: \"thunderseal audit verify\" says what is wrong.");
    }
    json_decref(log);
    return status;
}

/* ---- verify ---- */

static const struct {
    const char *damage, *says;
} sayings[] = {
    {"changed", "an entry was changed, or the log was made with another device key"},
    {"missing", "entries before this one were removed"},
    {"out-of-order", "an entry stands where it was not written, or twice"},
    {"no-entry", "a line is no entry at all"},
    {"replaced", "an entry is not the one that a saved sign-in names"},
    {"cut-short", "entries at the end were removed: a saved sign-in names a later one"},
    {"removed", "the log was removed: a saved sign-in names an entry of it"},
    {"noted", "an entry tells that damage was found when it was written"},
};

static const char *saying_of(const char *damage)
{
    size_t i;

    for (i = 0; i < sizeof sayings / sizeof sayings[0]; i++)
        if (strcmp(sayings[i].damage, damage) == 0)
            return sayings[i].says;
    return "it is not as it was written";
}

static void print_verdict(const json_t *verdict)
{
    const json_t *finding = json_object_get(verdict, "finding");
    json_int_t line = json_integer_value(json_object_get(finding, "line"));
    json_int_t seq = json_integer_value(json_object_get(finding, "seq"));
    json_int_t entries = json_integer_value(json_object_get(verdict, "entries"));
    json_int_t half = json_integer_value(json_object_get(verdict, "halfLine"));

    if (finding == NULL) {
        printf("The audit log is intact: %" JSON_INTEGER_FORMAT " entries.\n", entries);
    } else {
        printf("The audit log is not intact: %s", saying_of(text_of(finding, "damage")));
        if (line != 0)
            printf(" (line %" JSON_INTEGER_FORMAT ")", line);
        if (seq != 0)
            printf(" (entry %" JSON_INTEGER_FORMAT ")", seq);
        printf(".\n%" JSON_INTEGER_FORMAT " entries are as they were written. Ask who had access to this "
               "computer since the one before it.\n",
               entries);
    }
    if (half != 0)
        printf("The last line is half written (%" JSON_INTEGER_FORMAT
               " bytes), as a crash leaves it: nobody changed it, and the next entry mends it.\n",
               half);
}

static int verify(struct cli *cli)
{
    int status = 0;
    json_t *verdict = cli_call(cli, "audit.verify", json_object(), &status);

    if (verdict == NULL)
        return status;
    if (cli->options.json)
        status = cli_print_json(verdict);
    else
        print_verdict(verdict);
    if (status != 0)
        return status;
    return json_is_true(json_object_get(verdict, "intact")) ? 0 : 1;
}

int command_audit(struct cli *cli)
{
    const char *what = cli->options.argument_count == 0 ? "show" : cli->options.arguments[0];

    if (strcmp(what, "show") == 0)
        return show(cli);
    if (strcmp(what, "verify") == 0)
        return verify(cli);
    fputs("thunderseal: \"audit\" takes \"show\" or \"verify\". Try \"thunderseal --help\".\n", stderr);
    return EX_USAGE;
}
