/* SPDX-License-Identifier: MPL-2.0 */
#include "core/scope.h"

#include <string.h>
#include <strings.h>

bool scope_valid(const char *scope)
{
    size_t i;

    for (i = 0; scope[i] != '\0'; i++) {
        unsigned char c = (unsigned char)scope[i];
        if (i >= SCOPE_SIZE - 1 || c <= 0x20 || c >= 0x7f || c == '"' || c == '\\')
            return false;
    }
    return i > 0;
}

bool scope_is_openid(const char *scope)
{
    static const char *const names[] = {"openid", "profile", "email", "offline_access"};
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(scope, names[i]) == 0)
            return true;
    return false;
}

bool scope_resource(char resource[RESOURCE_SIZE], const char *scope)
{
    const char *slash = strrchr(scope, '/');
    size_t length;

    if (strncasecmp(scope, "https://", 8) != 0 || slash == NULL || slash < scope + 9 || slash[1] == '\0')
        return false;
    length = (size_t)(slash - scope);
    if (length >= RESOURCE_SIZE)
        return false;
    memcpy(resource, scope, length);
    resource[length] = '\0';
    return true;
}

bool scope_list_next(const char **rest, char scope[SCOPE_SIZE])
{
    for (;;) {
        size_t length;
        *rest += strspn(*rest, " ");
        if (**rest == '\0')
            return false;
        length = strcspn(*rest, " ");
        if (length < SCOPE_SIZE) {
            memcpy(scope, *rest, length);
            scope[length] = '\0';
        }
        *rest += length;
        if (length < SCOPE_SIZE)
            return true;
    }
}

bool scope_list_contains(const char *list, const char *scope)
{
    char each[SCOPE_SIZE];

    while (scope_list_next(&list, each))
        if (strcasecmp(each, scope) == 0)
            return true;
    return false;
}

int scope_list_add(char list[SCOPE_LIST_SIZE], const char *scope)
{
    size_t used = strlen(list), length = strlen(scope);

    if (scope_list_contains(list, scope))
        return 0;
    if (used + (used != 0) + length >= SCOPE_LIST_SIZE)
        return -1;
    if (used != 0)
        list[used++] = ' ';
    memcpy(list + used, scope, length + 1);
    return 0;
}

void scope_list_of_resource(char out[SCOPE_LIST_SIZE], const char *list, const char *resource)
{
    char each[SCOPE_SIZE], of[RESOURCE_SIZE];

    out[0] = '\0';
    while (scope_list_next(&list, each))
        if (scope_resource(of, each) && strcasecmp(of, resource) == 0)
            (void)scope_list_add(out, each);
}

void scope_list_missing(char out[SCOPE_LIST_SIZE], const char *list, const char *wanted)
{
    char each[SCOPE_SIZE];

    out[0] = '\0';
    while (scope_list_next(&wanted, each))
        if (!scope_is_openid(each) && !scope_list_contains(list, each))
            (void)scope_list_add(out, each);
}

/* A scope counts when no scope before it is of the same resource. */
static bool first_of_resource(const char *list, const char *end, const char *resource)
{
    char each[SCOPE_SIZE], of[RESOURCE_SIZE];

    while (scope_list_next(&list, each) && list < end)
        if (scope_resource(of, each) && strcasecmp(of, resource) == 0)
            return false;
    return true;
}

size_t scope_list_resources(const char *list, size_t most)
{
    const char *rest = list;
    char each[SCOPE_SIZE], resource[RESOURCE_SIZE];
    size_t count = 0;

    while (count <= most && scope_list_next(&rest, each))
        if (scope_resource(resource, each) && first_of_resource(list, rest, resource))
            count++;
    return count;
}
