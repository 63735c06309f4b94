/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The certificates that may vouch for a server when an organisation adds its own to the system's.
 */
#ifndef THUNDERSEAL_NET_TRUST_ANCHORS_H
#define THUNDERSEAL_NET_TRUST_ANCHORS_H

#include <stddef.h>

/* The PEM text of libcurl's own bundle, where there is one, followed by that of ca_file. NULL, with errno,
 * when ca_file cannot be read or is too large. The caller frees it. */
char *trust_anchors_read(const char *ca_file, size_t *length);

#endif
