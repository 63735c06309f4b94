/* SPDX-License-Identifier: MPL-2.0 */
#include "core/settings_values.h"

#include "core/scope.h"
#include "core/settings.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define AUTHORITY_MAX 255 /* bytes; it is kept in a field of that size */
#define CONSUMERS_GUID                                                                                       \
    "9188040d-6c67-4c5b-b112-36a304b66dad" /* what Entra means by "consumers" (FACTS 1.1) */
#define RESOURCE_MAX 200 /* bytes; with a permission behind it it is a scope, and must fit SCOPE_SIZE */

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

bool settings_tenant_is_personal(const char *tenant)
{
    return strcmp(tenant, "consumers") == 0 || strcasecmp(tenant, CONSUMERS_GUID) == 0;
}

/* "host:port", the port from 1 to 65535, 0 when none is there and none is required; *end is what follows. */
static bool host_and_port(const char *text, bool port_required, unsigned short *port, const char **end)
{
    size_t host = strcspn(text, ":/");
    long number;
    char *after;

    *port = 0;
    if (!value_is_host_name(text, host))
        return false;
    *end = text + host;
    if (**end != ':')
        return !port_required;
    if ((*end)[1] < '0' || (*end)[1] > '9')
        return false;
    number = strtol(*end + 1, &after, 10);
    *end = after;
    if (number < 1 || number > 65535)
        return false;
    *port = (unsigned short)number;
    return true;
}

bool value_is_https_origin(const char *text)
{
    unsigned short port;
    const char *end;

    return text != NULL && strlen(text) <= AUTHORITY_MAX && strncmp(text, "https://", 8) == 0 &&
           host_and_port(text + 8, false, &port, &end) && *end == '\0';
}

bool value_is_https_url(const char *text)
{
    unsigned short port;
    const char *end;

    return text != NULL && strlen(text) <= RESOURCE_MAX && strncmp(text, "https://", 8) == 0 &&
           scope_valid(text) && text[strlen(text) - 1] != '/' &&
           host_and_port(text + 8, false, &port, &end) && (*end == '\0' || *end == '/');
}

bool value_mail_server(const char *text, struct mail_server *server)
{
    const char *end;

    if (text == NULL || !host_and_port(text, true, &server->port, &end) ||
        (*end != '\0' && strcmp(end, "/starttls") != 0))
        return false;
    server->security = *end == '\0' ? MAIL_TLS : MAIL_STARTTLS;
    problem_copy_text(server->host, strcspn(text, ":") + 1, text);
    return true;
}
