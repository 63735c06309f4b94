/* SPDX-License-Identifier: MPL-2.0 */
#include "core/policy_merge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXTENSION_ID "companion@thunderseal"
#define ENTRY "/policies/ExtensionSettings/" EXTENSION_ID
#define STORAGE "/policies/3rdparty/Extensions/" EXTENSION_ID
/* Where extensions.experiments.suppressed is set, only these may run; ids separated by commas. */
#define ALLOWED_PREFERENCE "extensions.experiments.allowed"
#define ALLOWED "/policies/Preferences/" ALLOWED_PREFERENCE

/* New reference. The managed storage says what holds without it, for whoever wants to change it. */
static json_t *our_policies(const char *xpi)
{
    return json_pack("{s:{s:{s:{s:s, s:o}}, s:{s:{s:{s:s, s:s}}}, s:{s:{s:s, s:s}}}}", "policies",
                     "ExtensionSettings", EXTENSION_ID, "installation_mode", "force_installed", "install_url",
                     json_sprintf("file://%s", xpi), "3rdparty", "Extensions", EXTENSION_ID, "manage",
                     "listed", "fallback", "thunderbird", "Preferences", ALLOWED_PREFERENCE, "Value",
                     EXTENSION_ID, "Status", "default");
}

static json_t *parse(const struct json_edit *edit)
{
    struct json_place place;
    const char *what;

    return json_text_parse(edit->text, edit->length, false, &what, &place);
}

/* Walks a pointer whose names need no escapes. Borrowed from root, or NULL. */
static json_t *value_at(json_t *root, const char *pointer)
{
    json_t *value = root;

    while (*pointer != '\0' && value != NULL) {
        size_t length = strcspn(pointer + 1, "/");
        value = json_object_getn(value, pointer + 1, length);
        pointer += 1 + length;
    }
    return value;
}

static int no_memory(struct problem *problem)
{
    problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.",
                "Close other programs and try again.");
    return -1;
}

static int refuse(const struct json_edit *edit, const char *where, const char *pointer, const char *expected,
                  struct problem *problem)
{
    struct json_member member = {0};
    struct json_place place;

    (void)json_text_find(edit->text, edit->length, pointer, &member);
    place = json_text_place(edit->text, member.value);
    problem_setf(problem, PROBLEM_MISCONFIGURED, "Correct the file and try again; it was left as it is.",
                 "%s:%d:%d: %s must be %s.", where, place.line, place.column,
                 pointer[0] == '\0' ? "the whole" : pointer, expected);
    return -1;
}

/* ---- the list of allowed experiments ---- */

/* Whether an item of a comma-separated list, without the blanks around it, is ours; *length with both. */
static bool item_is_ours(const char *item, size_t *length)
{
    size_t blanks = strspn(item, " \t"), own = strlen(EXTENSION_ID);

    *length = strcspn(item, ",");
    return strncmp(item + blanks, EXTENSION_ID, own) == 0 && blanks + own <= *length &&
           strspn(item + blanks + own, " \t") == *length - blanks - own;
}

static const char *our_item(const char *list, size_t *length)
{
    for (;;) {
        if (item_is_ours(list, length))
            return list;
        if (list[*length] == '\0')
            return NULL;
        list += *length + 1;
    }
}

/* The preference's text, with the pointer to it; it stands for itself or as "Value". NULL: no text. */
static const char *allowed_list(const json_t *preference, const char **pointer)
{
    const char *text;

    *pointer = json_is_object(preference) ? ALLOWED "/Value" : ALLOWED;
    if (json_is_object(preference))
        preference = json_object_get(preference, "Value");
    text = json_string_value(preference);
    return text != NULL && strlen(text) == json_string_length(preference) ? text : NULL;
}

/* The others' text keeps its notation: ours goes in before the closing quote. */
static int allow(struct json_edit *edit, const json_t *preference, const char *where, struct problem *problem)
{
    const char *pointer, *list = allowed_list(preference, &pointer);
    size_t length;

    if (list == NULL)
        return refuse(edit, where, ALLOWED, "a text, or an object with one as \"Value\"", problem);
    if (our_item(list, &length) != NULL)
        return 0;
    if (list[0] != '\0' && json_edit_extend(edit, pointer, ",") != 0)
        return no_memory(problem);
    return json_edit_extend(edit, pointer, EXTENSION_ID) == 0 ? 0 : no_memory(problem);
}

/* Takes our item out, with one comma; a list of ours alone goes with its preference. What others wrote keeps
 * its notation, so this works on the text between the quotes. */
static int disallow(struct json_edit *edit, const json_t *preference, struct problem *problem)
{
    const char *pointer, *item = NULL;
    struct json_member member;
    size_t length, before;
    char *list = NULL;
    json_t *rest = NULL;
    int result = 0;

    if (allowed_list(preference, &pointer) == NULL ||
        !json_text_find(edit->text, edit->length, pointer, &member))
        return 0;
    list = strndup(edit->text + member.value + 1, member.end - member.value - 2);
    item = list == NULL ? NULL : our_item(list, &length);
    if (item == NULL)
        goto out;
    if (item == list && list[length] == '\0') {
        result = json_edit_remove(edit, ALLOWED);
        goto out;
    }
    before = (size_t)(item - list);
    if (before > 0)
        before--;
    else
        length++;
    rest = json_sprintf("\"%.*s%s\"", (int)before, list, item + length);
    result = rest == NULL ? -1 : json_edit_replace(edit, pointer, json_string_value(rest));
out:
    json_decref(rest);
    free(list);
    return result == 0 ? 0 : no_memory(problem);
}

/* ---- the whole ---- */

/* Adds what of ours the object that the pointer names lacks. */
static int add_missing(struct json_edit *edit, json_t *ours, const json_t *theirs, const char *pointer,
                       const char *where, struct problem *problem)
{
    const char *key;
    json_t *value;

    if (!json_is_object(theirs))
        return refuse(edit, where, pointer, "an object", problem);
    json_object_foreach(ours, key, value)
    {
        const json_t *present = json_object_get(theirs, key);
        char inner[JSON_POINTER_SIZE];
        int result = 0;
        snprintf(inner, sizeof inner, "%s", pointer);
        json_pointer_add(inner, key);
        if (present == NULL)
            result = json_edit_add(edit, pointer, key, value) == 0 ? 0 : no_memory(problem);
        else if (strcmp(inner, ALLOWED) == 0)
            result = allow(edit, present, where, problem);
        else if (json_is_object(value))
            result = add_missing(edit, value, present, inner, where, problem);
        if (result != 0)
            return -1;
    }
    return 0;
}

/* Whether somebody keeps our add-on out on purpose: that is not for us to change. */
static bool is_blocked(json_t *theirs)
{
    const char *mode = json_string_value(value_at(theirs, ENTRY "/installation_mode"));

    return mode != NULL && (strcmp(mode, "blocked") == 0 || strcmp(mode, "removed") == 0);
}

int policy_merge(struct json_edit *edit, const char *xpi, const char *where, struct problem *problem)
{
    json_t *ours = our_policies(xpi), *theirs = parse(edit);
    int result;

    if (ours == NULL || theirs == NULL)
        result = no_memory(problem);
    else if (is_blocked(theirs))
        result = refuse(edit, where, ENTRY "/installation_mode", "absent, or one that installs the add-on",
                        problem);
    else
        result = add_missing(edit, ours, theirs, "", where, problem);

    json_decref(ours);
    json_decref(theirs);
    return result;
}

/* Takes a member out, if it is there: with empty_only only an object without members. */
static int take_out(struct json_edit *edit, const char *pointer, bool empty_only, struct problem *problem)
{
    json_t *root = parse(edit);
    const json_t *value = value_at(root, pointer);
    bool wanted = value != NULL && (!empty_only || (json_is_object(value) && json_object_size(value) == 0));

    json_decref(root);
    return !wanted || json_edit_remove(edit, pointer) == 0 ? 0 : no_memory(problem);
}

int policy_unmerge(struct json_edit *edit, const char *where, struct problem *problem)
{
    static const struct {
        const char *entry, *holders[2];
    } parts[] = {{ENTRY, {"/policies/ExtensionSettings"}},
                 {STORAGE, {"/policies/3rdparty/Extensions", "/policies/3rdparty"}},
                 {ALLOWED, {"/policies/Preferences"}}};
    json_t *root = parse(edit);
    size_t i, k;
    int result = root == NULL ? no_memory(problem) : 0;

    if (result == 0 && !json_is_object(root))
        result = refuse(edit, where, "", "an object", problem);
    for (i = 0; i < sizeof parts / sizeof parts[0] && result == 0; i++) {
        const json_t *part = value_at(root, parts[i].entry);
        if (part == NULL)
            continue;
        result = strcmp(parts[i].entry, ALLOWED) == 0 ? disallow(edit, part, problem)
                                                      : take_out(edit, parts[i].entry, false, problem);
        for (k = 0; k < 2 && parts[i].holders[k] != NULL && result == 0; k++)
            result = take_out(edit, parts[i].holders[k], true, problem);
    }
    json_decref(root);
    return result;
}
