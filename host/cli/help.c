/* SPDX-License-Identifier: MPL-2.0 */
/* What --help prints: all commands, or one with its options. */
#include "cli/options.h"

#include <string.h>

/* In the order in which they are listed. Each form of a command is a line that begins with two blanks; behind
 * at least two more stands what it does. */
static const struct {
    const char *command, *text;
} parts[] = {
    {"accounts", "  accounts                   list the accounts\n"},
    {"status",
     "  status [ACCOUNT...]        show accounts with their tokens and problems, and where keys are kept\n"},
    {"login", "  login ACCOUNT              sign in with the browser\n"
              "      --as NAME              with this sign-in name, for a shared mailbox or an alias\n"
              "      --device               with a code for a browser elsewhere, where policy allows it\n"
              "      --no-browser           print the address; also takes the final address pasted back\n"},
    {"logout", "  logout ACCOUNT             forget the tokens of the account's sign-in\n"
               "      --everywhere           and say how to end all its sessions at Microsoft\n"},
    {"forget", "  forget ACCOUNT             erase the account\n"},
    {"token", "  token ACCOUNT              print an access token, renewed when needed\n"
              "      --protocol P           for imap, pop3, smtp (one token serves these) or graph\n"
              "      --scope S              with this scope; may be given several times\n"
              "      --min-ttl N            with at least N seconds left\n"
              "      --xoauth2              as the base64 string for SASL XOAUTH2\n"},
    {"renew", "  renew                      renew what is due, for a timer\n"
              "      --all                  and what is not yet due\n"},
    {"check",
     "  check [ACCOUNT...]         check sign-in, tokens, settings and mail servers; exit status 1 if "
     "a check failed\n"},
    {"audit",
     "  audit [show]               print what happened to sign-ins, tokens and keys\n"
     "  audit verify               check that nobody has changed that log; exit status 1 if somebody has\n"},
    {"backup",
     "  backup FILE                save accounts and sign-ins under a passphrase, in a new file\n"
     "      --recipient KEY        for whoever has the other half of this X25519 key in base64 instead\n"
     "      --without-tokens       the accounts alone\n"},
    {"restore", "  restore FILE               bring them back, here or on another computer\n"},
    {"key", "  key show                   show where the key to the saved sign-ins is kept, and why there\n"
            "  key rotate                 make a new one\n"
            "  key move --to STORE        keep it elsewhere: secret-service, passphrase or file\n"},
    {"setup",
     "  setup                      ask for the configuration and write it; without a terminal, by options:\n"
     "      --client-id ID         of your organisation's app, or thunderbird for Thunderbird's public id\n"
     "      --tenant T --cloud C --domain D… --keystore S\n"
     "      --for-everybody        into the administrator's file, not your own\n"
     "      --print WHAT           print only: manifest, az, powershell, graph (how to register the app), "
     "policy\n"
     "      --explain TEXT         what an error number of Microsoft's means\n"},
    {"policy",
     "  policy [show]              print the configuration in force, and where each value comes from\n"
     "  policy check FILE          tell everything that is wrong with a configuration file (-: stdin)\n"
     "  policy merge FILE          put Thunderseal's part into Thunderbird's policies.json\n"
     "      --remove               take it out again\n"},
    {"consent-url", "  consent-url                print the address where an administrator approves the app "
                    "for everybody\n"},
    {"doctor",
     "  doctor                     look at the installation and say what to mend; exit status 1 if a "
     "check failed\n"},
};

static const char help_entry[] =
    "  help [COMMAND]             print this, or the options of the command, as COMMAND --help does\n";
static const char json_entry[] = "  --json                     print JSON instead of text\n";
static const char passphrase_entry[] =
    "  --passphrase-fd N          read passphrases from this descriptor, one a line, not from the terminal\n";
static const char log_entries[] =
    "  --log SINK                 log what happens: to stderr, to the journal, or to a file, "
    "~/.local/state/thunderseal/log\n"
    "  --log-level LEVEL          error, warning, info (default) or debug; without --log: to stderr\n";
static const char end[] =
    "  --help (or -h), --version\n"
    "\n"
    "Exit status: 0 fine, 1 a check failed, 64 usage, 65 damaged data, 69 network, 74 storage, 75 try again\n"
    "later, 77 sign-in needed or denied, 78 configuration; \"man thunderseal\" has them all.\n";

/* Each form of the command, as its entry begins. */
static void print_usage(const char *text)
{
    const char *label = "Usage:", *next;

    for (; *text != '\0'; text = next) {
        next = strchr(text, '\n') + 1;
        if (text[2] == ' ')
            continue;
        text += 2;
        printf("%-6s thunderseal %.*s [OPTIONS]\n", label, (int)(strstr(text, "  ") - text), text);
        label = "or:";
    }
}

void cli_print_help(const struct command *command)
{
    size_t i;

    if (command == NULL)
        fputs("Usage: thunderseal COMMAND [OPTIONS]\n"
              "\n"
              "Signs Office 365 accounts in and hands their tokens to Thunderbird and other mail programs.\n"
              "\n",
              stdout);
    for (i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (command != NULL && strcmp(parts[i].command, command->name) != 0)
            continue;
        if (command != NULL) {
            print_usage(parts[i].text);
            putchar('\n');
        }
        fputs(parts[i].text, stdout);
    }
    printf("%s\n%s%s%s%s", command == NULL ? help_entry : "", json_entry,
           command == NULL || command->with_service ? passphrase_entry : "", log_entries,
           command == NULL ? end : "\n\"thunderseal help\" lists all commands.\n");
}
