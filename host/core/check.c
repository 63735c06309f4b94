/* SPDX-License-Identifier: MPL-2.0 */
#include "core/check.h"

#include "core/wiping_alloc.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {"skipped", "ok", "warn", "fail"};

const char *check_status_name(enum check_status status)
{
    return names[status];
}

enum check_status check_status(const json_t *check)
{
    const char *name = json_string_value(json_object_get(check, "status"));
    size_t i;

    for (i = 0; name != NULL && i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0)
            return (enum check_status)i;
    return CHECK_FAIL;
}

/* A text that may hold any bytes. */
static json_t *json_any_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *valid = wiping_malloc(size);
    json_t *value = NULL;

    if (valid != NULL) {
        problem_copy_text(valid, size, text);
        value = json_string(valid);
    }
    wiping_free(valid);
    return value;
}

/* The member of this name, made when it is missing; borrowed. */
static json_t *member(json_t *check, const char *key, json_t *(*make)(void))
{
    if (check != NULL && json_object_get(check, key) == NULL)
        json_object_set_new(check, key, make());
    return json_object_get(check, key);
}

static void take_text(json_t *check, const char *key, const char *text, const struct text_parts *parts)
{
    json_object_set_new(check, key, json_string(text));
    json_object_del(member(check, "texts", json_object), key);
    (void)text_add(member(check, "texts", json_object), key, text, parts);
}

static void set_text(json_t *check, const char *key, const char *format, va_list arguments)
{
    struct text_parts parts;
    const size_t size = text_format(NULL, 0, &parts, format, arguments) + 1;
    char *text = check == NULL ? NULL : wiping_malloc(size);

    if (text == NULL)
        return;
    text_format(text, size, &parts, format, arguments);
    text_repair(text);
    take_text(check, key, text, &parts);
    wiping_free(text);
}

#define SET_TEXT(key)                                                                                        \
    do {                                                                                                     \
        va_list arguments;                                                                                   \
        va_start(arguments, format);                                                                         \
        set_text(check, key, format, arguments);                                                             \
        va_end(arguments);                                                                                   \
    } while (0)

void check_title(json_t *check, const char *title)
{
    static const struct text_parts own = {.format = NULL};

    take_text(check, "title", title, &own);
}

json_t *check_new(const char *id, const char *account, enum check_status status, const char *title)
{
    json_t *check = json_pack("{s:s, s:s?, s:s, s:s, s:s}", "id", id, "account", account, "status",
                              names[status], "title", "", "detail", "");

    check_title(check, title);
    return check;
}

void check_detail(json_t *check, const char *format, ...)
{
    SET_TEXT("detail");
}

void check_remedy(json_t *check, const char *format, ...)
{
    SET_TEXT("remedy");
}

void check_admin_remedy(json_t *check, const char *format, ...)
{
    SET_TEXT("adminRemedy");
}

void check_problem(json_t *check, const struct problem *problem)
{
    take_text(check, "detail", problem->cause, &problem->cause_parts);
    take_text(check, "remedy", problem->remedy, &problem->remedy_parts);
    if (problem->admin_remedy[0] != '\0')
        take_text(check, "adminRemedy", problem->admin_remedy, &problem->admin_remedy_parts);
    check_cause(check, problem_kind_name(problem->kind));
}

static void tell_again(json_t *check, const char *key, const json_t *problem, const char *as)
{
    json_object_set(check, key, json_object_get(problem, as));
    json_object_set(member(check, "texts", json_object), key,
                    json_object_get(json_object_get(problem, "texts"), as));
}

void check_told(json_t *check, const json_t *problem)
{
    tell_again(check, "detail", problem, "cause");
    tell_again(check, "remedy", problem, "remedy");
}

void check_cause(json_t *check, const char *cause)
{
    json_array_append_new(member(check, "causes", json_array), json_string(cause));
}

void check_evidence(json_t *check, const char *name, json_t *value)
{
    json_object_set_new(member(check, "evidence", json_object), name, value);
}

void check_evidence_text(json_t *check, const char *name, const char *text)
{
    check_evidence(check, name, json_any_text(text));
}

void check_worsen(json_t *check, enum check_status status)
{
    if (check != NULL && status > check_status(check))
        json_object_set_new(check, "status", json_string(names[status]));
}

void check_list_add(struct check_list *list, json_t *check)
{
    enum check_status status = check_status(check);

    if (list->checks == NULL)
        list->checks = json_array();
    if (check == NULL || json_array_append_new(list->checks, check) != 0)
        list->incomplete = true;
    if (status > list->worst)
        list->worst = status;
}

const char *check_list_overall(const struct check_list *list)
{
    return names[list->worst == CHECK_SKIPPED ? CHECK_OK : list->worst];
}

void check_list_clear(struct check_list *list)
{
    json_decref(list->checks);
    memset(list, 0, sizeof *list);
}
