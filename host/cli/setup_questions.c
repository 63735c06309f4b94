/* SPDX-License-Identifier: MPL-2.0 */
/* The questions of setup, each with what hangs on the answer. An empty answer takes what stands in brackets.
 */
#include "cli/setup.h"

#include "core/guid.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#define ANSWER_SIZE 1024
#define TRIES 3

int setup_answer(struct setup *setup, const char *key, const char *value)
{
    return value == NULL ? 0 : json_object_set_new(setup->answers, key, json_string(value));
}

bool setup_value_fits(const char *key, const json_t *value, bool custom,
                      char expected[SETTINGS_EXPECTED_SIZE])
{
    bool fits = settings_value_fits(key, value, expected);
    const char *text = json_string_value(value);
    struct guid guid;

    if (strcmp(key, "cloud") == 0) {
        fits = fits && (custom || cloud_find(text) != NULL);
        snprintf(expected, SETTINGS_EXPECTED_SIZE,
                 "one of \"worldwide\", \"usgov\", \"usgov-dod\", \"china\"");
    } else if (strcmp(key, "clientId") == 0 && fits && !custom) {
        guid = guid_read(text);
        fits = !guid_none(&guid);
        snprintf(expected, SETTINGS_EXPECTED_SIZE,
                 "the application (client) id, a GUID, as the app's overview page in Entra shows it");
    }
    return fits;
}

/* One line without blanks around it. False at the end of the input, or when it is too long. */
static bool read_answer(const char *question, const char *otherwise, char answer[ANSWER_SIZE])
{
    size_t length, start;

    printf("%s [%s]: ", question, otherwise);
    fflush(stdout);
    if (fgets(answer, ANSWER_SIZE, stdin) == NULL || strchr(answer, '\n') == NULL)
        return false;
    length = strcspn(answer, "\r\n");
    while (length > 0 && strchr(" \t", answer[length - 1]) != NULL)
        length--;
    answer[length] = '\0';
    start = strspn(answer, " \t");
    memmove(answer, answer + start, length - start + 1);
    if (answer[0] == '\0')
        snprintf(answer, ANSWER_SIZE, "%s", otherwise);
    return true;
}

/* Asks for a value of the key until its check lets it pass. What means that there is none ends it. */
static bool ask_value(struct setup *setup, const char *question, const char *otherwise, const char *none,
                      const char *key)
{
    char answer[ANSWER_SIZE], expected[SETTINGS_EXPECTED_SIZE] = "a text";
    int tries;

    for (tries = 0; tries < TRIES && read_answer(question, otherwise, answer); tries++) {
        json_t *value = json_string(answer);
        if (none != NULL && strcmp(answer, none) == 0) {
            json_decref(value);
            break;
        }
        if (value != NULL && setup_value_fits(key, value, false, expected))
            return json_object_set_new(setup->answers, key, value) == 0;
        json_decref(value);
        printf("It must be %s.\n", expected);
    }
    return false;
}

static bool ask_yes(const char *question, bool otherwise)
{
    char answer[ANSWER_SIZE];

    return read_answer(question, otherwise ? "yes" : "no", answer) && strncasecmp(answer, "y", 1) == 0;
}

static bool ask_app(struct setup *setup)
{
    char answer[ANSWER_SIZE];

    printf(
        "\nMicrosoft wants to know which app asks for mail.\n"
        "  1  Your organisation's own app: its name is on the consent page and in the sign-in logs, your\n"
        "     administrator approves it once for everybody and can end it. Recommended.\n"
        "  2  Thunderbird's public id: works without registering anything, in most tenants without\n"
        "     approval. To Microsoft it looks like Thunderbird itself; what Mozilla or your tenant decides\n"
        "     about that id holds for you too.\n");
    if (!read_answer("Which one, 1 or 2", "1", answer))
        return false;
    if (strcmp(answer, "2") == 0)
        return setup_answer(setup, "clientId", REGISTRATION_THUNDERBIRD) == 0;
    printf(
        "\nIts application (client) id stands on the app's overview page in Entra. No app yet? Leave here\n"
        "with Ctrl-C and run \"thunderseal setup --print az\" (or powershell, graph, manifest): it prints\n"
        "how to register one.\n");
    return ask_value(setup, "Application (client) id", "none", "none", "clientId");
}

/* Domains, separated by commas or blanks, as the value of allowedDomains. NULL when one is no text. */
static json_t *domains_in(char *answer)
{
    json_t *domains = json_array();
    char *rest, *word;

    for (word = strtok_r(answer, ", \t", &rest); word != NULL; word = strtok_r(NULL, ", \t", &rest)) {
        if (json_array_append_new(domains, json_string(word)) != 0) {
            json_decref(domains);
            return NULL;
        }
    }
    return domains;
}

static bool ask_domains(struct setup *setup)
{
    char answer[ANSWER_SIZE], expected[SETTINGS_EXPECTED_SIZE] = "a list of domains";
    int tries;

    for (tries = 0; tries < TRIES; tries++) {
        json_t *domains;
        if (!read_answer("\nOnly accounts of these domains (separated by blanks), or all", "all", answer))
            return false;
        if (strcmp(answer, "all") == 0)
            return true;
        domains = domains_in(answer);
        if (domains != NULL && settings_value_fits("allowedDomains", domains, expected))
            return json_object_set_new(setup->answers, "allowedDomains", domains) == 0;
        json_decref(domains);
        printf("It must be %s.\n", expected);
    }
    return false;
}

static bool ask_all(struct setup *setup)
{
    printf("This writes Thunderseal's configuration. Nothing is changed before the last question.\n\n");
    setup->for_everybody =
        setup->for_everybody ||
        (geteuid() == 0 && ask_yes("For everybody on this computer (else for you alone)", true));
    if (!ask_value(setup, "Cloud: worldwide (also GCC), usgov (GCC High), usgov-dod, china", "worldwide",
                   NULL, "cloud"))
        return false;
    printf("\nThe tenant is your organisation's directory: its domain (contoso.onmicrosoft.com) or GUID.\n");
    return ask_value(setup, "Tenant, or organizations for any", "organizations", NULL, "tenant") &&
           ask_app(setup) && ask_domains(setup);
}

int setup_ask(struct setup *setup)
{
    char *text;

    if (!ask_all(setup)) {
        fputs("\nthunderseal: Nothing was written. Run \"thunderseal setup\" again when you have the "
              "answers.\n",
              stderr);
        return EX_USAGE;
    }
    text = json_dumps(setup->answers, JSON_INDENT(2));
    printf("\n%s\n", text == NULL ? "" : text);
    free(text);
    if (ask_yes("Write it", true))
        return 0;
    fputs("thunderseal: Nothing was written.\n", stderr);
    return EX_USAGE;
}
