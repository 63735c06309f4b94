/* SPDX-License-Identifier: MPL-2.0 */
/*
 * From what a mail server answered to why: the causes in order, likeliest first, and what the user and the
 * administrator can do. Exchange Online gives no reason for refusing a token (FACTS 0.12), so what is known
 * about the token decides among the causes that a line can have.
 */
#ifndef THUNDERSEAL_CORE_MAIL_DIAGNOSIS_H
#define THUNDERSEAL_CORE_MAIL_DIAGNOSIS_H

#include "core/mail_result.h"
#include <jansson.h>

/* What is known besides the probe. All texts are borrowed; NULL or 0 where unknown. */
struct mail_circumstances {
    long long now;              /* Unix seconds: what a line means changes when Microsoft retires something */
    const char *user;           /* the mailbox: XOAUTH2's user= */
    const char *token_user;     /* the token's upn or preferred_username */
    const char *token_audience; /* its aud */
    const char *token_scopes;   /* its scp, separated by blanks, with or without the resource in front */
    long long token_expires;    /* its exp */
    const char *audience;       /* the resource that it must be for: cloud.h's outlook, or graph */
    bool graph;                 /* it is for Graph */
    bool personal;              /* an outlook.com account: there is no administrator */
    int aadsts;                 /* Entra's number, when the last renewal failed */
};

/*
 * Puts the result into a Check made by check_new: status, detail, causes, both remedies, evidence (stage,
 * line, address, TLS, certificate, milliseconds per stage) and latencyMs. check may be NULL, as in check.h.
 */
void mail_diagnose(json_t *check, const struct mail_result *result,
                   const struct mail_circumstances *circumstances);

/* Whether the server refused the token without saying why, and nothing that is known explains it: how a
 * renewal goes, and a fresh token, would tell more. */
bool mail_refusal_is_vague(const struct mail_result *result, const struct mail_circumstances *circumstances);

/* Web services beside the mail protocols. */
enum mail_web_service { MAIL_GRAPH, MAIL_EWS };
/*
 * The same for Graph's /me and EWS: status is the HTTP status, code Graph's error code, message its message
 * (borrowed, hostile, may be NULL). A transport failure is the caller's to tell.
 */
void mail_diagnose_web(json_t *check, enum mail_web_service service, long status, const char *code,
                       const char *message, const struct mail_circumstances *circumstances);

#endif
