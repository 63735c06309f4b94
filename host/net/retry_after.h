/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The Retry-After header field (RFC 9110 section 10.2.3).
 */
#ifndef THUNDERSEAL_NET_RETRY_AFTER_H
#define THUNDERSEAL_NET_RETRY_AFTER_H

#include <time.h>

#define RETRY_AFTER_MAX_S 3600 /* a server cannot silence us for longer than MSAL would stay silent */

/* Seconds to wait, 0 … RETRY_AFTER_MAX_S, for a field value that is a count of seconds or an HTTP date; 0 for
 * anything else. now is what a date is counted from: the answer's own Date where it has one. */
int retry_after_seconds(const char *value, time_t now);

#endif
