/* SPDX-License-Identifier: MPL-2.0 */
/* audit.read: protocol section 3; and two features beyond protocol 1, which hello lists. */
#include "service/service_parts.h"

#include "vault/audit_file.h"
#include <stdlib.h>
#include <string.h>

#define READ_DEFAULT 200
#define READ_MAX 1000 /* an entry is below 600 bytes, so that the answer fits a frame */
/* A command reads all there can be: no entry is shorter than this. */
#define READ_MAX_OWN (AUDIT_READ_MAX / 128)

/* The entries asked for: those from since on or, without it, the latest. */
struct reading {
    json_t **entries; /* owned, with what is in it; a ring once it is full */
    size_t limit, count, next;
    json_int_t since; /* -1: not given */
};

static void take(void *context, const struct audit_line *line)
{
    struct reading *reading = context;

    if (line->time < reading->since || (reading->since >= 0 && reading->count == reading->limit))
        return;
    json_decref(reading->entries[reading->next]);
    reading->entries[reading->next] = audit_line_entry(line);
    reading->next = (reading->next + 1) % reading->limit;
    if (reading->count < reading->limit)
        reading->count++;
}

/* The entries in their order as an array; releases what is held. */
static json_t *finish(struct reading *reading)
{
    size_t start = reading->count < reading->limit ? 0 : reading->next, i;
    json_t *array = json_array();

    for (i = 0; i < reading->count; i++) {
        json_t *entry = reading->entries[(start + i) % reading->limit];
        if (entry != NULL)
            json_array_append_new(array, entry);
    }
    free(reading->entries);
    return array;
}

static int check(struct service *service, audit_visit *visit, void *context, struct audit_verdict *verdict,
                 struct problem *problem)
{
    if (service->audit != NULL) {
        audit_events_settle(service);
        return audit_check(service->audit, visit, context, verdict, problem);
    }
    problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
    return -1;
}

json_t *method_audit_read(struct service *service, struct rpc_request *request, struct problem *problem)
{
    static const char *const names[] = {"since", "limit"};
    json_int_t limit = READ_DEFAULT, limit_max = service->client.own ? (json_int_t)READ_MAX_OWN : READ_MAX;
    struct reading reading = {.since = -1};
    struct audit_verdict verdict;
    json_t *entries;
    int result;

    if (rpc_params_known(request->params, names, 2, problem) != 0 ||
        rpc_param_integer(request->params, "since", 0, INT64_MAX, &reading.since, problem) != 0 ||
        rpc_param_integer(request->params, "limit", 1, INT64_MAX, &limit, problem) != 0)
        return NULL;
    reading.limit = (size_t)(limit < limit_max ? limit : limit_max);
    reading.entries = calloc(reading.limit, sizeof *reading.entries);
    if (reading.entries == NULL) {
        problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
        return NULL;
    }
    result = check(service, take, &reading, &verdict, problem);
    entries = finish(&reading);
    if (result == 0)
        return json_pack("{s:o, s:b}", "entries", entries, "intact", verdict.intact);
    json_decref(entries);
    return NULL;
}

/* What is wrong with the log, and where: the feature "audit.verify", and `thunderseal audit verify`. */
json_t *method_audit_verify(struct service *service, struct rpc_request *request, struct problem *problem)
{
    struct audit_verdict verdict;
    json_t *result;

    if (rpc_params_known(request->params, NULL, 0, problem) != 0 ||
        check(service, NULL, NULL, &verdict, problem) != 0)
        return NULL;
    result = json_pack("{s:b, s:I}", "intact", verdict.intact, "entries", (json_int_t)verdict.entries);
    if (!verdict.intact)
        json_object_set_new(result, "finding",
                            json_pack("{s:s, s:I, s:I, s:I}", "damage",
                                      audit_damage_name(verdict.first.damage), "line",
                                      (json_int_t)verdict.first.line, "seq", (json_int_t)verdict.first.seq,
                                      "findings", (json_int_t)verdict.findings));
    if (verdict.half_line != 0)
        json_object_set_new(result, "halfLine", json_integer((json_int_t)verdict.half_line));
    return result;
}

static void add_name(const struct service *service, json_t *names, const char *address)
{
    char hash[AUDIT_HASH_SIZE];

    if (audit_hash_of(service->audit, address, hash) == 0)
        json_object_set_new(names, hash, json_string(address));
}

/* Addresses of known accounts by the hashes that the log has for them: the feature "audit.names", and
 * `thunderseal audit show`. */
json_t *method_audit_names(struct service *service, struct rpc_request *request, struct problem *problem)
{
    json_t *names = json_object(), *address;
    const struct entry *entry;
    size_t i;

    if (rpc_params_known(request->params, NULL, 0, problem) != 0) {
        json_decref(names);
        return NULL;
    }
    for (entry = service->entries; service->audit != NULL && entry != NULL; entry = entry->next) {
        add_name(service, names, entry->identity.key.sign_in_as);
        json_array_foreach(entry->addresses, i, address)
        {
            add_name(service, names, json_string_value(address));
        }
    }
    return json_pack("{s:o}", "names", names);
}
