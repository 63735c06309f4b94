/* SPDX-License-Identifier: MPL-2.0 */
#include "vault/secret_service.h"

#include <dlfcn.h>
#include <libsecret/secret.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LIBRARY "libsecret-1.so.0"
/* As text: keyrings that are password managers keep no other values. */
#define SECRET_HEX_SIZE (ENVELOPE_KEY_SIZE * 2 + 1)
#define ID_HEX_SIZE (ENVELOPE_KEY_ID_SIZE * 2 + 1)
#define LABEL "Thunderseal: key to the saved sign-ins"

/* What is called, by the names that libsecret and, behind it, GLib give them. */
#define FUNCTIONS(X)                                                                                         \
    X(secret_service_get_sync)                                                                               \
    X(secret_service_search_sync)                                                                            \
    X(secret_service_unlock_sync)                                                                            \
    X(secret_service_store_sync)                                                                             \
    X(secret_service_clear_sync)                                                                             \
    X(secret_collection_for_alias_sync)                                                                      \
    X(secret_collection_get_locked)                                                                          \
    X(secret_item_get_locked)                                                                                \
    X(secret_item_load_secret_sync)                                                                          \
    X(secret_item_get_secret)                                                                                \
    X(secret_value_new)                                                                                      \
    X(secret_value_get)                                                                                      \
    X(secret_value_unref)                                                                                    \
    X(secret_error_get_quark)                                                                                \
    X(g_hash_table_new)                                                                                      \
    X(g_hash_table_insert)                                                                                   \
    X(g_hash_table_unref)                                                                                    \
    X(g_str_hash)                                                                                            \
    X(g_str_equal)                                                                                           \
    X(g_list_free)                                                                                           \
    X(g_error_free)

/* NOLINTNEXTLINE(bugprone-macro-parentheses): a declared name cannot stand in parentheses */
#define MEMBER(name) __typeof__(name) *name;
static struct {
    FUNCTIONS(MEMBER)
} lib;

static const SecretSchema schema = {
    .name = "companion.thunderseal.DeviceKey",
    .flags = SECRET_SCHEMA_NONE,
    .attributes = {{"application", SECRET_SCHEMA_ATTRIBUTE_STRING},
                   {"key-id", SECRET_SCHEMA_ATTRIBUTE_STRING}},
};

/* One conversation with the keyring. */
struct talk {
    const struct key_task *task;
    struct key_answer *answer;
    secret_service_asking *asking;
    void *context;
    bool asked;
    char key_id[ID_HEX_SIZE];
    GHashTable *attributes;
    SecretService *service;
};

bool secret_service_thinkable(void)
{
    const char *address = getenv("DBUS_SESSION_BUS_ADDRESS"), *runtime = getenv("XDG_RUNTIME_DIR");
    char path[4096];
    struct stat status;

    /* GLib's word for a session without a bus. */
    if (address != NULL && address[0] != '\0')
        return strcmp(address, "disabled:") != 0;
    if (runtime == NULL || runtime[0] != '/')
        return false;
    snprintf(path, sizeof path, "%s/bus", runtime);
    return stat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

static bool load_library(void)
{
    static void *handle; /* never closed: the functions lie in it */
    bool complete;

    handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    complete = handle != NULL;
    /* A handle also finds what the library itself needs: GLib's. POSIX lets data pointers become functions.
     */
#define LOAD(name)                                                                                           \
    if (complete) {                                                                                          \
        void *found = dlsym(handle, #name);                                                                  \
        memcpy(&lib.name, &found, sizeof found);                                                             \
        complete = found != NULL;                                                                            \
    }
    FUNCTIONS(LOAD)
    return complete;
}

/* What failed, told apart by whether the service is there at all. */
static enum key_outcome outcome_of(GError *error, enum key_outcome otherwise)
{
    enum key_outcome outcome = otherwise;

    if (error != NULL) {
        if (error->domain == lib.secret_error_get_quark() && error->code == SECRET_ERROR_IS_LOCKED)
            outcome = KEY_LOCKED;
        lib.g_error_free(error);
    }
    return outcome;
}

static bool may_ask(struct talk *talk)
{
    if (!talk->task->may_ask)
        return false;
    if (!talk->asked)
        talk->asking(talk->context);
    talk->asked = true;
    return true;
}

/* Opens what object, an item or a collection, is locked in. */
static enum key_outcome unlock(struct talk *talk, void *object)
{
    GList objects = {.data = object};
    GList *unlocked = NULL;
    GError *error = NULL;
    int count;

    if (!may_ask(talk))
        return KEY_LOCKED;
    count = lib.secret_service_unlock_sync(talk->service, &objects, NULL, &unlocked, &error);
    lib.g_list_free(unlocked);
    if (count > 0)
        return KEY_DONE;
    return outcome_of(error, KEY_DISMISSED);
}

/* The item of the key id, or NULL with the outcome. The list that holds it is not freed: the child ends. */
static SecretItem *find_item(struct talk *talk, enum key_outcome *outcome)
{
    GError *error = NULL;
    GList *found = lib.secret_service_search_sync(talk->service, &schema, talk->attributes, SECRET_SEARCH_ALL,
                                                  NULL, &error);

    if (error != NULL)
        *outcome = outcome_of(error, KEY_FAILED);
    else if (found == NULL)
        *outcome = KEY_ABSENT;
    else
        return found->data;
    return NULL;
}

static enum key_outcome take_value(struct talk *talk, SecretItem *item)
{
    SecretValue *value = lib.secret_item_get_secret(item);
    unsigned char secret[ENVELOPE_KEY_SIZE];
    const char *text;
    size_t length = 0, bytes = 0;
    enum key_outcome outcome = KEY_FAILED;

    if (value == NULL)
        return KEY_FAILED;
    text = lib.secret_value_get(value, &length);
    if (length == SECRET_HEX_SIZE - 1 &&
        sodium_hex2bin(secret, sizeof secret, text, length, NULL, &bytes, NULL) == 0 &&
        bytes == sizeof secret)
        outcome = secret_set(&talk->answer->secret, secret, sizeof secret) == 0 ? KEY_DONE : KEY_NO_MEMORY;
    sodium_memzero(secret, sizeof secret);
    lib.secret_value_unref(value);
    return outcome;
}

static enum key_outcome look_up(struct talk *talk)
{
    GError *error = NULL;
    enum key_outcome outcome = KEY_DONE;
    SecretItem *item = find_item(talk, &outcome);

    if (item == NULL)
        return outcome;
    if (lib.secret_item_get_locked(item)) {
        outcome = unlock(talk, item);
        if (outcome != KEY_DONE)
            return outcome;
    }
    if (!lib.secret_item_load_secret_sync(item, NULL, &error))
        return outcome_of(error, KEY_FAILED);
    return take_value(talk, item);
}

/* A keyring that is closed, or was never made, can only be opened by the user. */
static enum key_outcome open_default(struct talk *talk)
{
    GError *error = NULL;
    SecretCollection *collection = lib.secret_collection_for_alias_sync(
        talk->service, SECRET_COLLECTION_DEFAULT, SECRET_COLLECTION_NONE, NULL, &error);

    if (error != NULL)
        return outcome_of(error, KEY_FAILED);
    if (collection == NULL)
        return may_ask(talk) ? KEY_DONE : KEY_LOCKED;
    return lib.secret_collection_get_locked(collection) ? unlock(talk, collection) : KEY_DONE;
}

static enum key_outcome store(struct talk *talk)
{
    GError *error = NULL;
    char hex[SECRET_HEX_SIZE];
    SecretValue *value;
    enum key_outcome outcome = open_default(talk);
    struct secret *stored = &talk->answer->secret;

    if (outcome != KEY_DONE)
        return outcome;
    if (talk->task->secret.length != ENVELOPE_KEY_SIZE)
        return KEY_FAILED;
    sodium_bin2hex(hex, sizeof hex, talk->task->secret.bytes, ENVELOPE_KEY_SIZE);
    value = lib.secret_value_new(hex, sizeof hex - 1, "text/plain");
    sodium_memzero(hex, sizeof hex);
    if (!lib.secret_service_store_sync(talk->service, &schema, talk->attributes, SECRET_COLLECTION_DEFAULT,
                                       LABEL, value, NULL, &error))
        outcome = outcome_of(error, talk->asked ? KEY_DISMISSED : KEY_FAILED);
    lib.secret_value_unref(value);
    /* Files will depend on it: had back before anybody is told. */
    if (outcome == KEY_DONE)
        outcome = look_up(talk);
    if (outcome == KEY_DONE && !secret_equal(stored, &talk->task->secret))
        outcome = KEY_FAILED;
    secret_wipe(stored);
    return outcome;
}

static enum key_outcome drop(struct talk *talk)
{
    GError *error = NULL;

    (void)lib.secret_service_clear_sync(talk->service, &schema, talk->attributes, NULL, &error);
    return error == NULL ? KEY_DONE : outcome_of(error, KEY_FAILED);
}

void secret_service_do(const struct key_task *task, struct key_answer *answer, secret_service_asking *asking,
                       void *context)
{
    struct talk talk = {.task = task, .answer = answer, .asking = asking, .context = context};
    GError *error = NULL;

    answer->outcome = KEY_NO_SERVICE;
    if (!secret_service_thinkable() || !load_library())
        return;
    sodium_bin2hex(talk.key_id, sizeof talk.key_id, task->key_id, sizeof task->key_id);
    talk.attributes = lib.g_hash_table_new(lib.g_str_hash, lib.g_str_equal);
    lib.g_hash_table_insert(talk.attributes, "application", "thunderseal");
    lib.g_hash_table_insert(talk.attributes, "key-id", talk.key_id);
    /* With a session the secret is encrypted on the bus. */
    talk.service = lib.secret_service_get_sync(SECRET_SERVICE_OPEN_SESSION, NULL, &error);
    if (talk.service == NULL) {
        answer->outcome = outcome_of(error, KEY_NO_SERVICE);
    } else {
        answer->outcome = task->kind == KEY_TASK_LOOK_UP ? look_up(&talk)
                          : task->kind == KEY_TASK_STORE ? store(&talk)
                                                         : drop(&talk);
    }
    lib.g_hash_table_unref(talk.attributes);
}
