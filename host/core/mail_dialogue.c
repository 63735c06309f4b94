/* SPDX-License-Identifier: MPL-2.0 */
#include "core/mail_dialogue.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>
#include <strings.h>

/* What a line means, whatever the protocol. */
enum reply {
    REPLY_MORE,    /* a part of a longer reply */
    REPLY_YES,     /* IMAP OK, POP3 +OK, SMTP 2xx */
    REPLY_NO,      /* IMAP NO and BAD, POP3 -ERR, SMTP 4xx and 5xx */
    REPLY_GO_ON,   /* the server wants data: IMAP and POP3 "+", SMTP 3xx */
    REPLY_BYE,     /* IMAP: the server ends the connection */
    REPLY_PREAUTH, /* IMAP */
    REPLY_NONSENSE,
};

/* Tags are one letter: a probe has a handful of commands. */
struct commands {
    const char *plain_capability, *starttls, *capability, *auth, *command, *farewell;
};

static const struct commands commands[MAIL_PROTOCOLS] = {
    [MAIL_IMAP] = {"a CAPABILITY", "b STARTTLS", "c CAPABILITY", "d AUTHENTICATE XOAUTH2",
                   "e LIST \"\" INBOX", "f LOGOUT\r\n"},
    [MAIL_POP3] = {"CAPA", "STLS", "CAPA", "AUTH XOAUTH2", "STAT", "QUIT\r\n"},
    /* The address literal of RFC 5321 section 4.1.3: our name is nobody's business. */
    [MAIL_SMTP] = {"EHLO [127.0.0.1]", "STARTTLS", "EHLO [127.0.0.1]", "AUTH XOAUTH2", "NOOP", "QUIT\r\n"},
};

/* By enum mail_step; the greeting answers to no command. */
static const char imap_tags[] = {'\0', 'a', 'b', 'c', 'd', 'd', 'e'};

static const enum mail_stage stages[] = {MAIL_STAGE_GREETING,   MAIL_STAGE_STARTTLS, MAIL_STAGE_STARTTLS,
                                         MAIL_STAGE_CAPABILITY, MAIL_STAGE_AUTH,     MAIL_STAGE_AUTH,
                                         MAIL_STAGE_COMMAND};

/* Whether the line has this word, without case, and a blank or its end behind it. */
static bool begins_with(const char *line, const char *word)
{
    size_t length = strlen(word);

    return strncasecmp(line, word, length) == 0 && (line[length] == ' ' || line[length] == '\0');
}

static bool has_word(const char *line, const char *word)
{
    for (; *line != '\0'; line += *line == ' ') {
        if (begins_with(line, word))
            return true;
        line += strcspn(line, " ");
    }
    return false;
}

static enum reply read_imap_status(const char *status)
{
    if (begins_with(status, "OK"))
        return REPLY_YES;
    return begins_with(status, "NO") || begins_with(status, "BAD") ? REPLY_NO : REPLY_NONSENSE;
}

static enum reply read_imap(const struct mail_dialogue *dialogue, const char *line)
{
    bool greeting = dialogue->step == MAIL_STEP_GREETING;

    if (line[0] == '+' && (line[1] == ' ' || line[1] == '\0'))
        return REPLY_GO_ON;
    if (line[0] == '*' && line[1] == ' ') {
        if (begins_with(line + 2, "BYE"))
            return REPLY_BYE;
        if (begins_with(line + 2, "PREAUTH"))
            return REPLY_PREAUTH;
        return greeting ? read_imap_status(line + 2) : REPLY_MORE;
    }
    if (!greeting && tolower((unsigned char)line[0]) == imap_tags[dialogue->step] && line[1] == ' ')
        return read_imap_status(line + 2);
    /* The rest of a literal may look like anything, but only LIST has one. */
    return dialogue->step == MAIL_STEP_COMMAND ? REPLY_MORE : REPLY_NONSENSE;
}

static enum reply read_pop3(const struct mail_dialogue *dialogue, const char *line)
{
    if (dialogue->listing)
        return strcmp(line, ".") == 0 ? REPLY_YES : REPLY_MORE;
    if (begins_with(line, "+OK"))
        return REPLY_YES;
    if (begins_with(line, "-ERR"))
        return REPLY_NO;
    return line[0] == '+' && (line[1] == ' ' || line[1] == '\0') ? REPLY_GO_ON : REPLY_NONSENSE;
}

static enum reply read_smtp(const char *line)
{
    for (int i = 0; i < 3; i++)
        if (!isdigit((unsigned char)line[i]))
            return REPLY_NONSENSE;
    if (line[3] != ' ' && line[3] != '-' && line[3] != '\0')
        return REPLY_NONSENSE;
    if (line[3] == '-')
        return REPLY_MORE;
    switch (line[0]) {
    case '2':
        return REPLY_YES;
    case '3':
        return REPLY_GO_ON;
    case '4':
    case '5':
        return REPLY_NO;
    default:
        return REPLY_NONSENSE;
    }
}

static enum reply read_reply(const struct mail_dialogue *dialogue, const char *line)
{
    switch (dialogue->result->protocol) {
    case MAIL_IMAP:
        return read_imap(dialogue, line);
    case MAIL_POP3:
        return read_pop3(dialogue, line);
    default:
        return read_smtp(line);
    }
}

/* Whether the line is the capability that the step looks for. */
static bool offers(const struct mail_dialogue *dialogue, const char *line)
{
    bool starttls = dialogue->step == MAIL_STEP_PLAIN_CAPABILITY;

    switch (dialogue->result->protocol) {
    case MAIL_IMAP:
        return begins_with(line, "* CAPABILITY") && has_word(line, starttls ? "STARTTLS" : "AUTH=XOAUTH2");
    case MAIL_POP3:
        return starttls ? begins_with(line, "STLS") : begins_with(line, "SASL") && has_word(line, "XOAUTH2");
    default:
        /* "AUTH=", as old servers have it, is not what Exchange Online says. */
        return strlen(line) > 4 && (starttls ? begins_with(line + 4, "STARTTLS")
                                             : begins_with(line + 4, "AUTH") && has_word(line, "XOAUTH2"));
    }
}

static enum mail_action end(struct mail_dialogue *dialogue, enum mail_failure failure)
{
    dialogue->result->failure = failure;
    return MAIL_END;
}

static enum mail_action go(struct mail_dialogue *dialogue, enum mail_step step, const char *say)
{
    dialogue->step = step;
    dialogue->result->stage = stages[step];
    dialogue->result->line[0] = '\0'; /* an answer to something else */
    dialogue->offered = false;
    dialogue->listing = false;
    dialogue->say = say;
    return MAIL_SAY;
}

static enum mail_action look_at_capabilities(struct mail_dialogue *dialogue, enum reply reply)
{
    const struct commands *say = &commands[dialogue->result->protocol];
    bool pop3 = dialogue->result->protocol == MAIL_POP3;

    if (pop3 && !dialogue->listing && reply == REPLY_YES) {
        dialogue->listing = true;
        return MAIL_LISTEN;
    }
    /* A POP3 server may know no CAPA (RFC 2449 section 4): then the sign-in itself tells. */
    if (reply == REPLY_NO && !pop3)
        return end(dialogue, MAIL_REFUSED);
    if (dialogue->step == MAIL_STEP_PLAIN_CAPABILITY) {
        return dialogue->offered ? go(dialogue, MAIL_STEP_STARTTLS, say->starttls)
                                 : end(dialogue, MAIL_NO_STARTTLS);
    }
    return dialogue->offered || reply == REPLY_NO ? go(dialogue, MAIL_STEP_AUTH, say->auth)
                                                  : end(dialogue, MAIL_NO_XOAUTH2);
}

static enum mail_action agreed(struct mail_dialogue *dialogue, enum reply reply)
{
    const struct commands *say = &commands[dialogue->result->protocol];

    switch (dialogue->step) {
    case MAIL_STEP_GREETING:
        return dialogue->starttls ? go(dialogue, MAIL_STEP_PLAIN_CAPABILITY, say->plain_capability)
                                  : go(dialogue, MAIL_STEP_CAPABILITY, say->capability);
    case MAIL_STEP_PLAIN_CAPABILITY:
    case MAIL_STEP_CAPABILITY:
        return look_at_capabilities(dialogue, reply);
    case MAIL_STEP_STARTTLS:
        return MAIL_START_TLS;
    case MAIL_STEP_AUTH:
        return end(dialogue, MAIL_STRANGE); /* agreed without having seen a token */
    case MAIL_STEP_TOKEN:
        return go(dialogue, MAIL_STEP_COMMAND, say->command);
    case MAIL_STEP_COMMAND:
        break;
    }
    dialogue->result->stage = MAIL_STAGE_DONE;
    return end(dialogue, MAIL_FINE);
}

/* The reason that XOAUTH2 gives for a refusal, in base64. */
static void take_challenge(struct mail_result *result, const char *line)
{
    char text[MAIL_LINE_SIZE];
    size_t length = 0;
    size_t encoded;

    line += strcspn(line, " ");
    line += *line == ' ';
    encoded = strcspn(line, "="); /* padding is nothing to rely on */
    if (encoded > sizeof text / 3 * 4)
        encoded = sizeof text / 3 * 4; /* a longer one, as far as there is room */
    sodium_base642bin((unsigned char *)text, sizeof text, line, encoded, NULL, &length, NULL,
                      sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    mail_copy_line(result->challenge, sizeof result->challenge, text, length);
}

static enum mail_action asked_for_data(struct mail_dialogue *dialogue, const char *line)
{
    if (dialogue->step == MAIL_STEP_AUTH) {
        dialogue->step = MAIL_STEP_TOKEN;
        return MAIL_SAY_TOKEN;
    }
    if (dialogue->step != MAIL_STEP_TOKEN || dialogue->result->challenge[0] != '\0')
        return end(dialogue, MAIL_STRANGE);
    take_challenge(dialogue->result, line);
    if (dialogue->result->challenge[0] == '\0')
        memcpy(dialogue->result->challenge, "?", sizeof "?");
    /* An empty line, and the server says no in its own words. */
    dialogue->say = "";
    return MAIL_SAY;
}

void mail_dialogue_begin(struct mail_dialogue *dialogue, struct mail_result *result, bool starttls)
{
    *dialogue = (struct mail_dialogue){.starttls = starttls, .result = result};
    result->stage = MAIL_STAGE_GREETING;
}

enum mail_action mail_dialogue_secured(struct mail_dialogue *dialogue)
{
    dialogue->starttls = false;
    return go(dialogue, MAIL_STEP_CAPABILITY, commands[dialogue->result->protocol].capability);
}

const char *mail_dialogue_farewell(const struct mail_dialogue *dialogue)
{
    return commands[dialogue->result->protocol].farewell;
}

/* The line that tells how it stands: of a refusal in several lines of SMTP, the first has the reason. */
static void keep_line(struct mail_dialogue *dialogue, const char *line, size_t length, enum reply reply)
{
    struct mail_result *result = dialogue->result;
    bool refusal_goes_on = result->protocol == MAIL_SMTP && strncmp(result->line, line, 3) == 0 &&
                           result->line[3] == '-' && line[0] >= '4';

    if (reply == REPLY_MORE && (result->protocol != MAIL_SMTP || line[0] < '4'))
        return;
    if (!refusal_goes_on)
        mail_copy_line(result->line, sizeof result->line, line, length);
}

enum mail_action mail_dialogue_line(struct mail_dialogue *dialogue, const char *line, size_t length)
{
    enum reply reply;

    /* What follows a NUL would be seen by nobody. */
    if (memchr(line, '\0', length) != NULL)
        return end(dialogue, MAIL_STRANGE);
    reply = read_reply(dialogue, line);
    keep_line(dialogue, line, length, reply);
    if (offers(dialogue, line) && (reply == REPLY_MORE || reply == REPLY_YES))
        dialogue->offered = true;
    switch (reply) {
    case REPLY_MORE:
        return MAIL_LISTEN;
    case REPLY_YES:
        return agreed(dialogue, reply);
    case REPLY_NO:
        if (dialogue->step == MAIL_STEP_CAPABILITY || dialogue->step == MAIL_STEP_PLAIN_CAPABILITY)
            return look_at_capabilities(dialogue, reply);
        return end(dialogue, MAIL_REFUSED);
    case REPLY_BYE:
        return end(dialogue, MAIL_REFUSED);
    case REPLY_PREAUTH:
        return end(dialogue, MAIL_PREAUTH);
    case REPLY_GO_ON:
        return asked_for_data(dialogue, line);
    case REPLY_NONSENSE:
        break;
    }
    return end(dialogue, MAIL_STRANGE);
}
