/* SPDX-License-Identifier: MPL-2.0 */
#include "net/retry_after.h"

#include <ctype.h>
#include <curl/curl.h>
#include <string.h>

static int capped(long long seconds)
{
    if (seconds < 0)
        return 0;
    return seconds > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : (int)seconds;
}

int retry_after_seconds(const char *value, time_t now)
{
    long long seconds = 0;
    time_t date;

    value += strspn(value, " \t");
    if (!isdigit((unsigned char)*value)) {
        /* An HTTP date begins with the name of a day. */
        date = isalpha((unsigned char)*value) ? curl_getdate(value, NULL) : -1;
        return date == -1 ? 0 : capped((long long)date - now);
    }
    for (; isdigit((unsigned char)*value); value++) {
        if (seconds <= RETRY_AFTER_MAX_S)
            seconds = seconds * 10 + (*value - '0');
    }
    value += strspn(value, " \t\r\n");
    return *value == '\0' ? capped(seconds) : 0;
}
