/* SPDX-License-Identifier: MPL-2.0 */
#include "core/mail_result.h"

#include "core/problem.h"
#include <stdlib.h>
#include <string.h>

/* Shorter pieces of a secret occur in ordinary words. */
#define SECRET_PIECE 8

static const char *const stages[MAIL_STAGES] = {"dns",        "connect", "tls",     "greeting", "starttls",
                                                "capability", "auth",    "command", "done"};

static const char *const protocols[MAIL_PROTOCOLS] = {
    [MAIL_IMAP] = "imap", [MAIL_POP3] = "pop3", [MAIL_SMTP] = "smtp"};

static const char *const failures[MAIL_FAILURES] = {
    [MAIL_FINE] = "",
    [MAIL_UNREACHABLE] = "unreachable",
    [MAIL_TIMED_OUT] = "timed-out",
    [MAIL_CLOSED] = "closed",
    [MAIL_STRANGE] = "strange-answer",
    [MAIL_TOO_LONG] = "too-long",
    [MAIL_CERTIFICATE] = "certificate",
    [MAIL_TLS_FAILED] = "tls-failed",
    [MAIL_REFUSED] = "refused",
    [MAIL_NO_STARTTLS] = "no-starttls",
    [MAIL_EARLY_TEXT] = "early-text",
    [MAIL_PREAUTH] = "preauth",
    [MAIL_NO_XOAUTH2] = "no-xoauth2",
    [MAIL_NO_MEMORY] = "no-memory",
};

static const char *const faults[] = {
    [MAIL_CERTIFICATE_GOOD] = "",
    [MAIL_CERTIFICATE_EXPIRED] = "expired",
    [MAIL_CERTIFICATE_NOT_YET_VALID] = "not-yet-valid",
    [MAIL_CERTIFICATE_WRONG_NAME] = "wrong-name",
    [MAIL_CERTIFICATE_SELF_SIGNED] = "self-signed",
    [MAIL_CERTIFICATE_UNKNOWN_ISSUER] = "unknown-issuer",
    [MAIL_CERTIFICATE_OTHER] = "other",
};

const char *mail_stage_name(enum mail_stage stage)
{
    return stages[stage];
}

const char *mail_protocol_name(enum mail_protocol protocol)
{
    return protocols[protocol];
}

const char *mail_failure_name(enum mail_failure failure)
{
    return failures[failure];
}

const char *mail_certificate_fault_name(enum mail_certificate_fault fault)
{
    return faults[fault];
}

/* The length of the character at text if it is one that does not show: a control character (C1 too), or one
 * that turns, joins or hides others. 0 if it shows. */
static size_t unseen(const unsigned char *text, size_t length)
{
    if (text[0] < 0x20 || text[0] == 0x7f)
        return 1;
    if (length >= 2 && text[0] == 0xc2 && text[1] >= 0x80 && text[1] <= 0x9f)
        return 2; /* U+0080 to U+009F */
    if (length >= 2 && text[0] == 0xd8 && text[1] == 0x9c)
        return 2; /* U+061C */
    if (length >= 3 && text[0] == 0xe2 && text[1] == 0x80 &&
        ((text[2] >= 0x8b && text[2] <= 0x8f) || (text[2] >= 0xa8 && text[2] <= 0xae)))
        return 3; /* U+200B to U+200F, U+2028 to U+202E */
    if (length >= 3 && text[0] == 0xe2 && text[1] == 0x81 && text[2] >= 0xa0 && text[2] <= 0xaf)
        return 3; /* U+2060 to U+206F */
    if (length >= 3 && text[0] == 0xef && text[1] == 0xbb && text[2] == 0xbf)
        return 3; /* U+FEFF */
    return 0;
}

void mail_copy_line(char *to, size_t size, const char *from, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)from;
    char seen[MAIL_LINE_SIZE];
    size_t used = 0;
    size_t skip;

    for (size_t i = 0; i < length && used < sizeof seen - 1; i += skip) {
        skip = unseen(bytes + i, length - i);
        if (skip == 0) {
            seen[used++] = from[i];
            skip = 1;
        }
    }
    seen[used] = '\0';
    problem_copy_text(to, size, seen);
}

void mail_hide_secret(char *text, const char *secret, size_t length)
{
    size_t text_length = strlen(text);
    char hidden[MAIL_LINE_SIZE] = {0};

    if (text_length >= sizeof hidden)
        text_length = sizeof hidden - 1;
    for (size_t i = 0; i + SECRET_PIECE <= text_length; i++) {
        if (memmem(secret, length, text + i, SECRET_PIECE) != NULL)
            memset(hidden + i, '*', SECRET_PIECE);
    }
    for (size_t i = 0; i < text_length; i++) {
        if (hidden[i] != '\0')
            text[i] = '*';
    }
}
