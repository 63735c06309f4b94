/* SPDX-License-Identifier: MPL-2.0 */
#include "core/nearest.h"

#include <string.h>

#define NAME_MAX_LENGTH 32 /* longer than any key: what is longer resembles none */
#define CHANGES_MAX 3      /* more changes make another word */

static char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters added, left out or changed on the way from a to b, case aside (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
    size_t row[NAME_MAX_LENGTH + 1], width = strlen(b), i, k;

    for (k = 0; k <= width; k++)
        row[k] = k;
    for (i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (k = 1; k <= width; k++) {
            size_t changed = diagonal + (lower(a[i - 1]) != lower(b[k - 1]));
            diagonal = row[k];
            row[k] = least(changed, least(row[k], row[k - 1]) + 1);
        }
    }
    return row[width];
}

void nearest_try(struct nearest *nearest, const char *known)
{
    size_t changes;

    if (strlen(nearest->name) > NAME_MAX_LENGTH || strlen(known) > NAME_MAX_LENGTH)
        return;
    changes = distance(nearest->name, known);
    if (changes > CHANGES_MAX || 2 * changes >= strlen(known) ||
        (nearest->found != NULL && changes >= nearest->changes))
        return;
    nearest->found = known;
    nearest->changes = changes;
}
