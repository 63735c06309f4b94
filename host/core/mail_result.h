/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a probe of a mail server found: how far it came, what the server said, and over which connection.
 * Filled by net/mail_probe, put into words by core/mail_diagnosis.
 */
#ifndef THUNDERSEAL_CORE_MAIL_RESULT_H
#define THUNDERSEAL_CORE_MAIL_RESULT_H

#include "core/cloud.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAIL_LINE_SIZE 513   /* the 512 bytes of an SMTP reply line (RFC 5321 section 4.5.3.1.5), and NUL */
#define MAIL_DETAIL_SIZE 256 /* libcurl's words */
#define MAIL_NAME_SIZE 256   /* a name in a certificate */
#define MAIL_ADDRESS_SIZE 46 /* an IPv6 address as text (INET6_ADDRSTRLEN) */
#define MAIL_TLS_VERSION_SIZE 16

/* In the order in which a connection goes through them. */
enum mail_stage {
    MAIL_STAGE_DNS,
    MAIL_STAGE_CONNECT,
    MAIL_STAGE_TLS,
    MAIL_STAGE_GREETING,
    MAIL_STAGE_STARTTLS,
    MAIL_STAGE_CAPABILITY,
    MAIL_STAGE_AUTH,
    MAIL_STAGE_COMMAND, /* a harmless one after the sign-in: a sign-in that was answered OK may still fail */
    MAIL_STAGE_DONE,
    MAIL_STAGES
};

enum mail_failure {
    MAIL_FINE,        /* the stage is MAIL_STAGE_DONE */
    MAIL_UNREACHABLE, /* no address, or nobody answers there: detail */
    MAIL_TIMED_OUT,   /* the deadline came at that stage */
    MAIL_CLOSED,      /* the server closed or reset the connection; line may hold its last words */
    MAIL_STRANGE,     /* not what a server of this protocol says; line */
    MAIL_TOO_LONG,    /* a line, or all of them, past the bound */
    MAIL_CERTIFICATE, /* certificate.fault */
    MAIL_TLS_FAILED,  /* no TLS 1.2 or later could be agreed on: detail */
    MAIL_REFUSED,     /* the server said no: line */
    MAIL_NO_STARTTLS,
    MAIL_EARLY_TEXT, /* more than the answer to STARTTLS came before TLS: somebody may have put it there */
    MAIL_PREAUTH,    /* the server took us for signed in (RFC 3501 section 7.1.4), which nobody had done */
    MAIL_NO_XOAUTH2, /* the server offers no sign-in with a token */
    MAIL_NO_MEMORY,
    MAIL_FAILURES
};

enum mail_certificate_fault {
    MAIL_CERTIFICATE_GOOD, /* or not seen */
    MAIL_CERTIFICATE_EXPIRED,
    MAIL_CERTIFICATE_NOT_YET_VALID,
    MAIL_CERTIFICATE_WRONG_NAME,
    MAIL_CERTIFICATE_SELF_SIGNED,
    MAIL_CERTIFICATE_UNKNOWN_ISSUER,
    MAIL_CERTIFICATE_OTHER
};

/* The server's certificate, as it was shown, verified or not. Texts are "" where it was not seen. */
struct mail_certificate {
    enum mail_certificate_fault fault;
    char name[MAIL_NAME_SIZE];   /* subject */
    char issuer[MAIL_NAME_SIZE]; /* whoever intercepts the connection is named here */
    int64_t expires;             /* Unix seconds, 0 when not seen */
};

/* A plain value: owns nothing, holds no secret: of what the server sent back of the token nothing is left. */
struct mail_result {
    enum mail_protocol protocol;
    enum mail_stage stage; /* reached: the one that failed, or MAIL_STAGE_DONE */
    enum mail_failure failure;
    char line[MAIL_LINE_SIZE]; /* the server's, without control characters, cut; "" when it said nothing */
    char challenge[MAIL_LINE_SIZE]; /* XOAUTH2's decoded reason for a refusal, likewise; "" when none */
    char detail[MAIL_DETAIL_SIZE];
    int family;                              /* 4, 6; 0 before an address was tried */
    char address[MAIL_ADDRESS_SIZE];         /* tried last */
    char tls_version[MAIL_TLS_VERSION_SIZE]; /* "TLSv1.3"; "" without */
    struct mail_certificate certificate;
    bool retried_over_ipv4;            /* this is the second try's result */
    char line_before[MAIL_LINE_SIZE];  /* what the server had said in the first one */
    int64_t milliseconds[MAIL_STAGES]; /* spent in each stage of the try told here; DONE: in all tries */
};

/* "dns", "connect", "tls", "greeting", "starttls", "capability", "auth", "command", "done". */
const char *mail_stage_name(enum mail_stage stage);
/* "imap", "pop3", "smtp". */
const char *mail_protocol_name(enum mail_protocol protocol);
/* "" for MAIL_FINE; else "unreachable", "timed-out", … */
const char *mail_failure_name(enum mail_failure failure);
/* "" for MAIL_CERTIFICATE_GOOD; else "expired", "not-yet-valid", "wrong-name", "self-signed",
 * "unknown-issuer", "other". */
const char *mail_certificate_fault_name(enum mail_certificate_fault fault);

/* A server's line into to: without control and other invisible characters, valid UTF-8, cut at a character.
 */
void mail_copy_line(char *to, size_t size, const char *from, size_t length);
/* Stars where eight or more bytes in a row are those of the secret's text. */
void mail_hide_secret(char *text, const char *secret, size_t length);

#endif
