/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A check of the health report and of `doctor`: what was looked at, how it stands, and what to do (the
 * protocol's Check). It is made as the JSON that it becomes, so that a path or a command in it is never cut.
 */
#ifndef THUNDERSEAL_CORE_CHECK_H
#define THUNDERSEAL_CORE_CHECK_H

#include "core/problem.h"
#include <jansson.h>
#include <stdbool.h>

/* In rising weight: a report is as bad as its worst check. */
enum check_status { CHECK_SKIPPED, CHECK_OK, CHECK_WARN, CHECK_FAIL };

/* "skipped", "ok", "warn", "fail". */
const char *check_status_name(enum check_status status);

/*
 * A new Check; account NULL: it is about none; title is a text without arguments (core/text.h). The functions
 * below change it and are harmless for NULL, which is what this gives out of memory.
 */
json_t *check_new(const char *id, const char *account, enum check_status status, const char *title TEXTS);
void check_title(json_t *check, const char *title TEXTS);
/* Formatted texts; bytes that are no UTF-8 become question marks. Set again, they replace. */
void check_detail(json_t *check, const char *format TEXTS, ...) __attribute__((format(printf, 2, 3)));
void check_remedy(json_t *check, const char *format TEXTS, ...) __attribute__((format(printf, 2, 3)));
void check_admin_remedy(json_t *check, const char *format TEXTS, ...) __attribute__((format(printf, 2, 3)));
/* cause, remedies and, as the likeliest cause, the kind of a problem. */
void check_problem(json_t *check, const struct problem *problem);
/* The same sentences of a Problem in JSON. */
void check_told(json_t *check, const json_t *problem);
/* A cause by its id, less likely than those before. */
void check_cause(json_t *check, const char *cause);
/* Evidence for programs: takes value over; it must hold no secret. */
void check_evidence(json_t *check, const char *name, json_t *value);
void check_evidence_text(json_t *check, const char *name, const char *text);
enum check_status check_status(const json_t *check);
/* Makes the status worse, never better. */
void check_worsen(json_t *check, enum check_status status);

/* The checks of a report, in the order in which they were added. Zeroed: none yet. */
struct check_list {
    json_t *checks;
    enum check_status worst;
    bool incomplete; /* out of memory: a check is missing */
};

/* Takes the check over, which may be NULL: then the list is incomplete. */
void check_list_add(struct check_list *list, json_t *check);
/* "ok" where nothing is worse: what was skipped is not held against it. */
const char *check_list_overall(const struct check_list *list);
void check_list_clear(struct check_list *list);

#endif
