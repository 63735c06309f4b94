/* SPDX-License-Identifier: MPL-2.0 */
/* The end of health.check: its report, and what is kept of it. */
#include "service/health.h"

#include "core/wiping_alloc.h"

/* The members of object that have one of these names; the last name is NULL. */
static json_t *only(json_t *object, const char *const names[])
{
    json_t *result = json_object();

    for (; *names != NULL; names++)
        if (json_object_get(object, *names) != NULL)
            json_object_set(result, *names, json_object_get(object, *names));
    return result;
}

json_t *health_essence(json_t *report)
{
    static const char *const of_check[] = {"id", "account", "status", "causes", "latencyMs", NULL};
    static const char *const of_evidence[] = {"httpStatus", "aadsts", "correlationId", "traceId", NULL};
    json_t *checks = json_array(), *full, *slim, *result = json_copy(report);
    size_t i;

    json_array_foreach(json_object_get(report, "checks"), i, full)
    {
        slim = only(full, of_check);
        json_object_set_new(slim, "evidence", only(json_object_get(full, "evidence"), of_evidence));
        json_array_append_new(checks, slim);
    }
    json_object_set_new(result, "checks", checks);
    return result;
}

json_t *health_report(const struct health_job *job, int *failed, const char **overall)
{
    struct check_list list = {.checks = json_array()};
    const struct health_item *item;
    json_t *result = NULL;

    for (item = job->items; item != NULL; item = item->next) {
        if (item->hidden)
            continue;
        *failed += check_status(item->check) == CHECK_FAIL;
        check_list_add(&list, json_incref(item->check));
    }
    *overall = check_list_overall(&list);
    if (!list.incomplete && !job->no_memory && wiping_refused() == job->refused)
        result = json_pack("{s:I, s:I, s:s, s:O}", "startedAt", (json_int_t)job->started_at, "finishedAt",
                           (json_int_t)wall_clock(), "overall", *overall, "checks", list.checks);
    check_list_clear(&list);
    return result;
}
