/* SPDX-License-Identifier: MPL-2.0 */
#include "core/json_read.h"

#include "core/wiping_alloc.h"

json_t *json_read(const char *bytes, size_t length, size_t flags, json_error_t *error, bool *no_memory)
{
    unsigned long before = wiping_refused();
    json_t *value = json_loadb(bytes, length, flags, error);
    bool refused = wiping_refused() != before;

    if (no_memory != NULL)
        *no_memory = refused;
    if (!refused)
        return value;
    json_decref(value);
    return NULL;
}
