/* SPDX-License-Identifier: MPL-2.0 */
#include "core/json_read.h"

#include "core/wiping_alloc.h"

json_t *json_read(const char *bytes, size_t length, size_t flags, json_error_t *error, bool *no_memory)
{
    unsigned long before = wiping_refused();
    json_t *value;
    bool refused;

    /* A byte that its scanner has no room for is left out; without its closing quote, a text has no end for
     * Jansson (2.14), which then writes far behind it. */
    wiping_insist(true);
    value = json_loadb(bytes, length, flags, error);
    wiping_insist(false);
    refused = wiping_refused() != before;
    if (no_memory != NULL)
        *no_memory = refused;
    if (!refused)
        return value;
    json_decref(value);
    return NULL;
}
