/* SPDX-License-Identifier: MPL-2.0 */
/* "Did you mean …?" for a name that is not known. */
#ifndef THUNDERSEAL_CORE_NEAREST_H
#define THUNDERSEAL_CORE_NEAREST_H

#include <stddef.h>

/* Set name, zero the rest, try every known name: found is then the one that was most likely meant, or NULL.
 */
struct nearest {
    const char *name;
    const char *found;
    size_t changes;
};

void nearest_try(struct nearest *nearest, const char *known);

#endif
