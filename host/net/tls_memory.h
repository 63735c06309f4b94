/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The TLS library decrypts each record in a buffer of its own, which it frees as it is: the tokens of the
 * last answer stay in freed memory.
 */
#ifndef THUNDERSEAL_NET_TLS_MEMORY_H
#define THUNDERSEAL_NET_TLS_MEMORY_H

#include <stdbool.h>

/* Has the library wipe what it frees, if libcurl was built with OpenSSL. Before its first allocation, so
 * before curl_global_init. Whether it could be done. */
bool tls_memory_wipe(void);

#endif
