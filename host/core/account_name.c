/* SPDX-License-Identifier: MPL-2.0 */
#include "core/account_name.h"

#include <string.h>
#include <strings.h>

bool account_name_valid(const char *name)
{
    size_t length = strnlen(name, ACCOUNT_NAME_SIZE);
    const char *at = strchr(name, '@');
    const char *c;

    if (length >= ACCOUNT_NAME_SIZE || at == NULL || at == name || at[1] == '\0' ||
        strchr(at + 1, '@') != NULL)
        return false;
    for (c = name; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
        /* C1 control characters, U+0080 to U+009F in UTF-8 */
        if ((unsigned char)*c == 0xc2 && (unsigned char)c[1] < 0xa0)
            return false;
    }
    return true;
}

void account_name_fold(char folded[ACCOUNT_NAME_SIZE], const char *name)
{
    size_t i;

    for (i = 0; i < ACCOUNT_NAME_SIZE - 1 && name[i] != '\0'; i++)
        folded[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
    folded[i] = '\0';
}

bool account_name_equal(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0; /* in the C locale, which we never leave */
}

const char *account_name_domain(const char *name)
{
    return strchr(name, '@') + 1;
}
