/* SPDX-License-Identifier: MPL-2.0 */
#include "core/versions.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *minimum, *remedy;
} parts[] TEXTS = {
    [PART_EXTENSION] = {"the add-on", "0.1", "Update the add-on and restart Thunderbird."},
    [PART_THUNDERBIRD] = {TEXT("Thunderbird"), "140", "Update Thunderbird."},
    /* CURLOPT_QUICK_EXIT */
    [PART_LIBCURL] = {TEXT("libcurl"), "7.87",
                      "Install the libcurl of a newer version of your distribution."},
    /* sodium_base642bin */
    [PART_LIBSODIUM] = {TEXT("libsodium"), "1.0.14",
                        "Install the libsodium of a newer version of your distribution."},
};

static const struct {
    enum version_part part;
    const char *from, *before; /* from <= version < before */
    const char *what;
} known_bad[] TEXTS = {
    {PART_LIBCURL, "8.11.1", "8.11.2",
     "it closes a descriptor twice after looking up a name (CVE-2025-0665), and so may break a connection"},
};

int version_compare(const char *a, const char *b)
{
    for (;;) {
        char *a_end, *b_end;
        const long a_number = strtol(a, &a_end, 10), b_number = strtol(b, &b_end, 10);
        if (a_number != b_number)
            return a_number < b_number ? -1 : 1;
        if (*a_end != '.' && *b_end != '.')
            return 0;
        a = *a_end == '.' ? a_end + 1 : "0";
        b = *b_end == '.' ? b_end + 1 : "0";
    }
}

void version_judge(json_t *check, enum version_part part, const char *version)
{
    size_t i;

    if (version[0] == '\0')
        return;
    if (version_compare(version, parts[part].minimum) < 0) {
        check_worsen(check, CHECK_FAIL);
        check_cause(check, "too-old");
        check_detail(check, "The version %s of %-s is too old: %s or later is needed.", version,
                     parts[part].name, parts[part].minimum);
        check_remedy(check, "%-s", parts[part].remedy);
        return;
    }
    for (i = 0; i < sizeof known_bad / sizeof known_bad[0]; i++) {
        if (known_bad[i].part != part || version_compare(version, known_bad[i].from) < 0 ||
            version_compare(version, known_bad[i].before) >= 0)
            continue;
        check_worsen(check, CHECK_WARN);
        check_cause(check, "known-bad");
        check_detail(check, "The version %s of %-s has a known fault: %-s.", version, parts[part].name,
                     known_bad[i].what);
        check_remedy(check, "%-s", parts[part].remedy);
    }
}
