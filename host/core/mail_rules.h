/* SPDX-License-Identifier: MPL-2.0 */
/* Which causes a failure may have, by what the server said and where. For mail_diagnosis.c. */
#ifndef THUNDERSEAL_CORE_MAIL_RULES_H
#define THUNDERSEAL_CORE_MAIL_RULES_H

#include "core/mail_cause.h"
#include "core/mail_result.h"

#define MAIL_RULE_CAUSES 12 /* of one rule, with the closing MAIL_CAUSE_NONE */

struct mail_rule {
    const char *line;                         /* a part of the server's line, without case */
    enum mail_cause causes[MAIL_RULE_CAUSES]; /* likeliest first */
    unsigned protocols;                       /* bits of enum mail_protocol */
    bool passing;                             /* nothing is wrong for good */
};

/* The first rule that the server's line fits, or NULL: then the line is unknown. */
const struct mail_rule *mail_rule_by_line(enum mail_protocol protocol, const char *line);
/* The causes of a failure whose line is unknown, by stage and failure. */
const struct mail_rule *mail_rule_by_stage(const struct mail_result *result);

#endif
