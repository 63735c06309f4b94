/* SPDX-License-Identifier: MPL-2.0 */
#include "core/settings_values.h"

#include "core/scope.h"
#include "core/settings.h"
#include <stdlib.h>
#include <string.h>

#define AUTHORITY_MAX 255 /* bytes; it is kept in a field of that size */
#define RESOURCE_MAX 200  /* bytes; with a permission behind it it is a scope, and must fit SCOPE_SIZE */

/* Letters, digits, dots and dashes, as in a host name or GUID. */
bool value_is_host_name(const char *text, size_t length)
{
    return length > 0 && length <= 253 && text[0] != '-' && text[0] != '.' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") >= length;
}

/* No label is empty, so neither does it end with a dot: as a tenant it is a segment of a path. */
bool value_is_domain(const char *text)
{
    size_t length = strlen(text);

    return value_is_host_name(text, length) && strchr(text, '.') != NULL && strstr(text, "..") == NULL &&
           text[length - 1] != '.';
}

static bool guid_valid(const char *text)
{
    size_t i;

    for (i = 0; i < 36 && text[i] != '\0'; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : strchr("0123456789abcdefABCDEF", text[i]) == NULL)
            return false;
    }
    return i == 36 && text[i] == '\0';
}

bool settings_tenant_valid(const char *tenant)
{
    static const char *const names[] = {"common", "organizations", "consumers"};
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(tenant, names[i]) == 0)
            return true;
    return guid_valid(tenant) || value_is_domain(tenant);
}

/* "host:port", the port from 1 to 65535; *end is what follows. */
static bool host_and_port(const char *text, bool port_required, const char **end)
{
    size_t host = strcspn(text, ":/");
    long port;
    char *after;

    if (!value_is_host_name(text, host))
        return false;
    *end = text + host;
    if (**end != ':')
        return !port_required;
    if ((*end)[1] < '0' || (*end)[1] > '9')
        return false;
    port = strtol(*end + 1, &after, 10);
    *end = after;
    return port >= 1 && port <= 65535;
}

bool value_is_https_origin(const char *text)
{
    const char *end;

    return text != NULL && strlen(text) <= AUTHORITY_MAX && strncmp(text, "https://", 8) == 0 &&
           host_and_port(text + 8, false, &end) && *end == '\0';
}

bool value_is_https_url(const char *text)
{
    const char *end;

    return text != NULL && strlen(text) <= RESOURCE_MAX && strncmp(text, "https://", 8) == 0 &&
           scope_valid(text) && text[strlen(text) - 1] != '/' && host_and_port(text + 8, false, &end) &&
           (*end == '\0' || *end == '/');
}

bool value_is_mail_server(const char *text)
{
    const char *end;

    return text != NULL && host_and_port(text, true, &end) && (*end == '\0' || strcmp(end, "/starttls") == 0);
}
