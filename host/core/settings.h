/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The configuration: keys of protocol section 5, from the admin's file, Thunderbird's managed storage and the
 * user's file, checked against one table. Pure: the shell reads the files.
 */
#ifndef THUNDERSEAL_CORE_SETTINGS_H
#define THUNDERSEAL_CORE_SETTINGS_H

#include "core/cloud.h"
#include "core/identity.h"
#include "core/json_text.h"
#include "core/problem.h"
#include <jansson.h>
#include <stdbool.h>

/* In rising rank: what a higher one sets a lower one cannot change. */
enum settings_source { SETTINGS_DEFAULT, SETTINGS_USER, SETTINGS_THUNDERBIRD, SETTINGS_ADMIN };

struct settings {
    json_t *values;        /* effective value by key; keys without default and value are absent */
    json_t *sources;       /* "default" "user" "thunderbird" "admin" by key */
    json_t *warnings;      /* array of Problem objects */
    struct problem broken; /* a file that cannot be used: PROBLEM_MISCONFIGURED, else PROBLEM_NONE */
};

#define SETTINGS_POINTER_SIZE JSON_POINTER_SIZE

/* One thing that is wrong in a configuration; borrowed. */
struct settings_fault {
    const char *pointer;  /* RFC 6901 */
    const char *expected; /* what it must be, a text; NULL: nothing, for the key is not known */
    const char *near;     /* the known key that an unknown one resembles, or NULL */
    const json_t *object; /* the one that has an unknown key, which whoever is told may take out of it */
    const char *member;   /* the unknown key */
};

/* Who is told of faults. */
struct settings_faults {
    void (*tell)(void *context, const struct settings_fault *fault);
    void *context;
    char pointer[SETTINGS_POINTER_SIZE]; /* to what is being checked */
};

/* One key of the table. */
struct settings_key {
    const char *name;
    const char *default_json; /* NULL: no default */
    const char *const
        *allowed;         /* the values that it, or each of its items, may have, ended by NULL; or NULL */
    const char *expected; /* the same as a text */
    /* What the value must be when it is not that, else NULL. */
    const char *(*check)(const json_t *value);
    /* For a value of several parts: tells each that is wrong. Without both, allowed says it all. */
    void (*check_parts)(const json_t *value, struct settings_faults *faults);
    bool admin_only;        /* counts in the administrator's file alone */
    bool with_custom_cloud; /* counts in the user's file only with the cloud "custom" */
    bool for_extension;     /* the only ones that Thunderbird's managed storage may set */
    bool unbuilt;           /* accepted, and warned of: this version does nothing with it */
};

/* The table, for whoever checks or lists keys. */
const struct settings_key *settings_keys(size_t *count);
/* NULL: no key of that name. */
const struct settings_key *settings_key_find(const char *name);
/* The key that was probably meant by a name that is none, or NULL. */
const char *settings_key_near(const char *name);
/* Tells every fault of one key's value. */
void settings_check_value(const struct settings_key *key, const json_t *value,
                          struct settings_faults *faults);
#define SETTINGS_EXPECTED_SIZE 256
/* Whether the value is what its key, a known one, wants; else *expected is what it must be: the first fault
 * alone. */
bool settings_value_fits(const char *key, const json_t *value, char expected[SETTINGS_EXPECTED_SIZE]);
/* Why a key's value, of any type, has no effect in a configuration from this source, a text; NULL: it has
 * one. custom_cloud: the cloud in force is "custom". */
const char *settings_ignored(const struct settings_key *key, const json_t *value, enum settings_source source,
                             bool custom_cloud);
/* Whether the value is that of `custom`, with a sign-in service of Microsoft's: who can write the user's file
 * alone must not have its tokens sent to servers of their own (DESIGN section 5). */
bool settings_redirects_microsoft(const struct settings_key *key, const json_t *value);
/* Tells every fault of a configuration, unknown keys among them; what is ignored has none. */
void settings_check(const json_t *object, enum settings_source source, bool custom_cloud,
                    struct settings_faults *faults);

#define SETTINGS_WARNINGS_MAX                                                                                \
    64 /* all keys wrong at once are 20; the rest adds nothing, and hello must fit a frame */

/* Sets the defaults. 0, or -1 out of memory. */
int settings_init(struct settings *settings);
void settings_clear(struct settings *settings);

/*
 * Checks object and takes its values over, or none of them when one is wrong: then settings->broken says
 * which. where is how the file is called in messages. A key that is not known, or may not stand here, is only
 * a warning, and so is a wrong value from Thunderbird. The admin's file goes before the user's, as it may say
 * what cloud is in force.
 */
void settings_apply(struct settings *settings, const json_t *object, enum settings_source source,
                    const char *where TEXTS);
/* Marks a file as unusable. where is a path or a text; why, a text that goes on behind a colon. */
void settings_break(struct settings *settings, const char *where TEXTS, const char *why TEXTS);
void settings_break_at(struct settings *settings, const char *where, struct json_place place,
                       const char *why);
/* Adds a warning, unless there are too many. */
void settings_warn(struct settings *settings, const struct problem *problem);

/* A text value, or NULL. Borrowed. */
const char *settings_text(const struct settings *settings, const char *key);
/* Whether an array value contains the text. */
bool settings_list_contains(const struct settings *settings, const char *key, const char *text);

/* The caFile that applies to an authority, or NULL: the user's own file cannot vouch for a built-in cloud. */
const char *settings_ca_file_for(const struct settings *settings, const char *authority);

/* What account.add asked for, "" where it said nothing. */
struct account_wish {
    char sign_in_as[ACCOUNT_NAME_SIZE];
    char tenant[TENANT_SIZE];
    char cloud[32];
};

#define SIGN_IN_ASK "ask" /* signInAs of an `accounts` entry: the user says the name */

/* Where tokens of an account come from. */
struct account_target {
    struct identity_key key;
    bool ask; /* the entry says "ask", and nobody has said another name than the account's: the sign-in page
                 asks */
    const char *cloud;
    const char *outlook,
        *graph; /* resources; borrowed from settings or static; NULL for a custom cloud without endpoints */
};

/* The identity that the configuration in force gives an account; the admin's `accounts` entry wins over the
 * wish. */
void settings_target(const struct settings *settings, const char *account, const struct account_wish *wish,
                     struct account_target *target);
/* The same for an account that neither policy nor user says anything of; no name is in its key. */
void settings_default_target(const struct settings *settings, struct account_target *target);
/* The server that the account's cloud names for a protocol into *server; false when a custom cloud names
 * none. */
bool settings_mail_server(const struct settings *settings, const struct account_target *target,
                          enum mail_protocol protocol, struct mail_server *server);
/* Whether allowedDomains lets the account and its sign-in name in; else *problem PROBLEM_POLICY_DENIED. */
bool settings_allow(const struct settings *settings, const char *account, const char *sign_in_as,
                    struct problem *problem);
/* Whether app, cloud and tenant are such that Microsoft can be asked; else *problem PROBLEM_MISCONFIGURED. */
bool settings_can_sign_in(const struct settings *settings, const struct account_target *target,
                          struct problem *problem);
/* "tenant" as configuration allows it: common, organizations, consumers, a GUID or a domain. */
bool settings_tenant_valid(const char *tenant);
/* Whether it stands for personal accounts and nothing else. */
bool settings_tenant_is_personal(const char *tenant);
/* One of the five clouds of the protocol. */
bool settings_cloud_valid(const char *cloud);

#endif
