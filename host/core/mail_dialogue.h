/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The few lines that a probe exchanges with a mail server, decided line by line and without any I/O. What it
 * relies on of each protocol, and no more: RFC 9051 (IMAP), RFC 2449 and 5034 (POP3), RFC 5321 and 4954
 * (SMTP), and XOAUTH2.
 */
#ifndef THUNDERSEAL_CORE_MAIL_DIALOGUE_H
#define THUNDERSEAL_CORE_MAIL_DIALOGUE_H

#include "core/mail_result.h"
#include <stdbool.h>

enum mail_step {
    MAIL_STEP_GREETING,
    MAIL_STEP_PLAIN_CAPABILITY, /* before TLS: what matters is whether STARTTLS is offered */
    MAIL_STEP_STARTTLS,
    MAIL_STEP_CAPABILITY,
    MAIL_STEP_AUTH,  /* the mechanism was named; the server asks for its data */
    MAIL_STEP_TOKEN, /* the data went out */
    MAIL_STEP_COMMAND
};

/* What to do after a line. */
enum mail_action {
    MAIL_LISTEN,    /* for the next line */
    MAIL_SAY,       /* send dialogue->say, and a line end */
    MAIL_SAY_TOKEN, /* send XOAUTH2's data, and a line end */
    MAIL_START_TLS, /* then call mail_dialogue_secured */
    MAIL_END        /* result->failure tells how it ended */
};

struct mail_dialogue {
    enum mail_step step;
    bool starttls; /* TLS is still to come */
    bool offered;  /* by the capabilities heard in this step: STARTTLS, later XOAUTH2 */
    bool listing;  /* POP3: in the lines of CAPA */
    const char *say;
    struct mail_result *result; /* the caller's: protocol, stage, failure, line and challenge are kept up */
};

/* Begins at the server's greeting. result->protocol is set. */
void mail_dialogue_begin(struct mail_dialogue *dialogue, struct mail_result *result, bool starttls);
/* A line of the server, without its end. */
enum mail_action mail_dialogue_line(struct mail_dialogue *dialogue, const char *line, size_t length);
/* TLS stands after MAIL_START_TLS. Whatever was heard before is forgotten (RFC 3207 section 4.2). */
enum mail_action mail_dialogue_secured(struct mail_dialogue *dialogue);
/* The last line of one that went well, with its end. */
const char *mail_dialogue_farewell(const struct mail_dialogue *dialogue);

#endif
