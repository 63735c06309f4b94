/* SPDX-License-Identifier: MPL-2.0 */
/* The forms that values of the configuration have. For the last three NULL is never of the form. */
#ifndef THUNDERSEAL_CORE_SETTINGS_VALUES_H
#define THUNDERSEAL_CORE_SETTINGS_VALUES_H

#include "core/cloud.h"
#include <stdbool.h>
#include <stddef.h>

/* The first length bytes are letters, digits, dots and dashes, as in a host name or GUID. */
bool value_is_host_name(const char *text, size_t length);
/* A host name with a dot in it, and none at its end. */
bool value_is_domain(const char *text);
/* "https://host" or "https://host:port". */
bool value_is_https_origin(const char *text);
/* An https URL without a slash at its end that a permission can follow. */
bool value_is_https_url(const char *text);
/* "host:port" or "host:port/starttls", read into *server. */
bool value_mail_server(const char *text, struct mail_server *server);

#endif
