/* SPDX-License-Identifier: MPL-2.0 */
/* The JSON Schema and the manual page say of every key what the table says. Run from the repository's top. */
#include "core/settings.h"

#include "core_support.h"

#define DOCUMENT_MAX 65536
#define ENTRY "\n.It Cm "

static char *read_document(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = calloc(1, DOCUMENT_MAX);
    size_t length;

    if (file == NULL)
        fail_msg("%s is not there: run from the top of the repository", path);
    length = fread(text, 1, DOCUMENT_MAX, file);
    assert_true(length < DOCUMENT_MAX);
    fclose(file);
    return text;
}

static const char *where_of(const struct settings_key *key)
{
    return key->admin_only      ? "Where: the administrator's file only."
           : key->for_extension ? "Where: any file, and Thunderbird's managed storage."
                                : "Where: any file.";
}

/* ---- the schema ---- */

static const json_t *follow(const json_t *root, const json_t *schema)
{
    const char *reference = json_string_value(json_object_get(schema, "$ref"));

    return reference == NULL ? schema
                             : json_object_get(json_object_get(root, "$defs"), strrchr(reference, '/') + 1);
}

/* The texts that the schema allows are those of the table, in its order. */
static void assert_allowed(const struct settings_key *key, const json_t *texts)
{
    size_t i;

    if (key->allowed == NULL) {
        assert_null(texts);
        return;
    }
    for (i = 0; key->allowed[i] != NULL; i++) {
        const char *text = json_string_value(json_array_get(texts, i));
        if (text == NULL || strcmp(text, key->allowed[i]) != 0)
            fail_msg("%s: the schema does not have \"%s\" in its place", key->name, key->allowed[i]);
    }
    assert_int_equal(json_array_size(texts), i);
}

static void assert_schema_of(const struct settings_key *key, const json_t *root, const json_t *schema)
{
    const json_t *own_default = json_object_get(schema, "default"), *meant = follow(root, schema);
    const char *where = json_string_value(json_object_get(schema, "$comment"));
    json_t *expected =
        key->default_json == NULL ? NULL : json_loads(key->default_json, JSON_DECODE_ANY, NULL);

    if (schema == NULL)
        fail_msg("%s is not in the schema", key->name);
    if (expected == NULL ? own_default != NULL : !json_equal(own_default, expected))
        fail_msg("%s: the schema has another default", key->name);
    if (strcmp(where == NULL ? "Where: any file." : where, where_of(key)) != 0)
        fail_msg("%s: the schema says \"%s\", not \"%s\"", key->name, where, where_of(key));
    if (json_object_get(meant, "items") != NULL)
        meant = follow(root, json_object_get(meant, "items"));
    assert_allowed(key, json_object_get(meant, "enum"));
    json_decref(expected);
}

static void the_schema_says_what_the_table_says(void **state)
{
    char *text = read_document("manifest/policy.schema.json");
    json_t *root = json_loads(text, 0, NULL);
    const json_t *properties = json_object_get(root, "properties");
    size_t count, i;
    const struct settings_key *keys = settings_keys(&count);

    (void)state;
    assert_non_null(properties);
    for (i = 0; i < count; i++)
        assert_schema_of(&keys[i], root, json_object_get(properties, keys[i].name));
    assert_int_equal(json_object_size(properties), count);
    json_decref(root);
    free(text);
}

/* ---- the manual page ---- */

static void assert_contains(const char *entry, const struct settings_key *key, const char *text)
{
    if (strstr(entry, text) == NULL)
        fail_msg("thunderseal-policy.5, %s: \"%s\" is missing", key->name, text);
}

/* entry: the lines between this .It and the next. */
static void assert_entry(const struct settings_key *key, const char *entry)
{
    char line[256];
    size_t i;

    snprintf(line, sizeof line, "\nDefault: %s.\n", key->default_json == NULL ? "none" : key->default_json);
    assert_contains(entry, key, line);
    snprintf(line, sizeof line, "\n%s\n", where_of(key));
    assert_contains(entry, key, line);
    for (i = 0; key->allowed != NULL && key->allowed[i] != NULL; i++) {
        snprintf(line, sizeof line, "\"%s\"", key->allowed[i]);
        assert_contains(entry, key, line);
    }
    if ((strstr(entry, "\nThis version does nothing with it.") != NULL) != key->unbuilt)
        fail_msg("thunderseal-policy.5, %s: is it built or not?", key->name);
}

static void the_manual_says_what_the_table_says(void **state)
{
    char *text = read_document("packaging/man/thunderseal-policy.5");
    char *entry = strstr(text, "\n.Sh KEYS\n"), *end = strstr(text, "\n.Sh FAULTS\n"), *next;
    size_t count, i;
    const struct settings_key *keys = settings_keys(&count);

    (void)state;
    assert_non_null(entry);
    assert_non_null(end);
    *end = '\0';
    entry = strstr(entry, ENTRY);
    for (i = 0; entry != NULL; i++) {
        entry += strlen(ENTRY);
        next = strstr(entry, ENTRY);
        if (next != NULL)
            *next++ = '\0';
        if (i >= count || strncmp(entry, keys[i].name, strlen(keys[i].name)) != 0 ||
            entry[strlen(keys[i].name)] != '\n')
            fail_msg("thunderseal-policy.5 has %.20s where the table has %s", entry,
                     i < count ? keys[i].name : "nothing");
        assert_entry(&keys[i], entry);
        entry = next == NULL ? NULL : next - 1;
    }
    assert_int_equal(i, count);
    free(text);
}

/* ---- the table itself ---- */

static void every_cloud_that_is_allowed_is_one(void **state)
{
    const struct settings_key *key = settings_key_find("cloud");
    size_t i;

    (void)state;
    for (i = 0; key->allowed[i] != NULL; i++)
        assert_true(settings_cloud_valid(key->allowed[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_schema_says_what_the_table_says),
        cmocka_unit_test(the_manual_says_what_the_table_says),
        cmocka_unit_test(every_cloud_that_is_allowed_is_one),
    };

    return CORE_TESTS(tests);
}
