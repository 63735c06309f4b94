/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The certificates that may vouch for a server: the system's, and an organisation's own beside them.
 * Reading the system's whole bundle takes OpenSSL 40 ms and 2 MB for every connection, so where there is a
 * folder that it can look a certificate up in by name, that comes first, and the bundle only when it did not
 * suffice.
 */
#ifndef THUNDERSEAL_NET_TRUST_ANCHORS_H
#define THUNDERSEAL_NET_TRUST_ANCHORS_H

#include <stdbool.h>
#include <stddef.h>

/* Whether libcurl's folder of certificates exists and can be searched by name. */
bool trust_anchors_have_folder(void);

/* Sets the anchors of easy, a CURL: with all, the system's bundle and folder and ca_file, which may be NULL;
 * without, all but the bundle. When ca_file cannot be read, the transfer will fail with libcurl's words about
 * it. */
void trust_anchors_apply(void *easy, const char *ca_file, bool all);

/* The PEM text of libcurl's own bundle, where there is one, followed by that of ca_file. NULL, with errno,
 * when ca_file cannot be read or is too large. The caller frees it. */
char *trust_anchors_read(const char *ca_file, size_t *length);

#endif
