/* SPDX-License-Identifier: MPL-2.0 */
/* Which libcurl we run with: it may be older than the one we were built with. */
#include "net/https.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define OLDEST 0x075700 /* 7.87.0: CURLOPT_QUICK_EXIT */

const char *https_library(void)
{
    const curl_version_info_data *library = curl_version_info(CURLVERSION_NOW);
    static char name[128];

    snprintf(name, sizeof name, "libcurl %s (%s)", library->version,
             library->ssl_version == NULL ? "without TLS" : library->ssl_version);
    return name;
}

static bool speaks(const char *const *protocols, const char *wanted)
{
    for (; *protocols != NULL; protocols++)
        if (strcmp(*protocols, wanted) == 0)
            return true;
    return false;
}

const char *https_library_missing(void)
{
    const curl_version_info_data *library = curl_version_info(CURLVERSION_NOW);

    if (library->version_num < OLDEST)
        return "options of version 7.87";
    if ((library->features & CURL_VERSION_ASYNCHDNS) == 0)
        return "a resolver that does not block";
    return speaks(library->protocols, "https") ? NULL : "https";
}
