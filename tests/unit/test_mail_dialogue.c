/* SPDX-License-Identifier: MPL-2.0 */
/* The lines of a probe, whatever a server says; and what of a server's words is shown. */
#include "core/mail_dialogue.h"

#include "core_support.h"

#define ROUNDS 20000
#define LINES_MAX 24

/* What servers say, right and wrong: at random they are in any order. */
static const char *const sayings[] = {
    "* OK ready",
    "* PREAUTH ready",
    "* BYE",
    "* CAPABILITY IMAP4rev1 STARTTLS AUTH=XOAUTH2",
    "a OK",
    "b OK",
    "c OK",
    "d OK",
    "e OK",
    "d NO no",
    "e BAD bad",
    "+ ",
    "+",
    "+ eyJzdGF0dXMiOiI0MDEifQ==",
    "+OK",
    "-ERR",
    "STLS",
    "SASL XOAUTH2",
    ".",
    "220 ready",
    "220-ready",
    "250-STARTTLS",
    "250 AUTH XOAUTH2",
    "334 ",
    "334 !",
    "235 ok",
    "535 no",
    "",
    "25",
    "999 x",
    "\xff\xfe",
};

/* The token goes out only under TLS, and only when the server asked for data after the mechanism was named.
 */
static void the_token_is_never_said_before_tls(void **state)
{
    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct mail_result result = {.protocol = (enum mail_protocol)(round % MAIL_PROTOCOLS)};
        struct mail_dialogue dialogue;
        bool secure = round % 2 == 0;
        enum mail_action action = MAIL_LISTEN;

        mail_dialogue_begin(&dialogue, &result, !secure);
        for (int i = 0; i < LINES_MAX && action != MAIL_END; i++) {
            const char *line = sayings[randombytes_uniform(sizeof sayings / sizeof *sayings)];
            enum mail_step step = dialogue.step;
            action = mail_dialogue_line(&dialogue, line, strlen(line));
            if (action == MAIL_START_TLS) {
                assert_false(secure);
                secure = true;
                action = mail_dialogue_secured(&dialogue);
            }
            if (action == MAIL_SAY_TOKEN) {
                assert_true(secure);
                assert_int_equal(step, MAIL_STEP_AUTH);
            }
            if (action == MAIL_SAY && !secure)
                assert_true(dialogue.step <= MAIL_STEP_STARTTLS);
        }
        assert_true(strlen(result.line) < MAIL_LINE_SIZE);
        assert_int_equal(result.failure == MAIL_FINE && action == MAIL_END, result.stage == MAIL_STAGE_DONE);
    }
}

static void random_bytes_do_no_harm(void **state)
{
    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct mail_result result = {.protocol = (enum mail_protocol)(round % MAIL_PROTOCOLS)};
        struct mail_dialogue dialogue;
        char line[64];
        size_t length = randombytes_uniform(sizeof line);

        randombytes_buf(line, sizeof line);
        line[length] = '\0';
        mail_dialogue_begin(&dialogue, &result, false);
        dialogue.step = (enum mail_step)randombytes_uniform(MAIL_STEP_COMMAND + 1);
        mail_dialogue_line(&dialogue, line, length);
        for (const char *c = result.line; *c != '\0'; c++)
            assert_true((unsigned char)*c >= ' ' && *c != 0x7f);
    }
}

static void what_does_not_show_is_not_shown(void **state)
{
    static const struct {
        const char *line, *shown;
    } lines[] = {
        {"535 \x1b[31mred\x07\r\n\t\x7f", "535 [31mred"},
        {"caf\xc3\xa9", "caf\xc3\xa9"},
        {"\xc2\x9b"
         "31m",
         "31m"},
        {"a\xe2\x80\xae"
         "b\xe2\x81\xa6"
         "c\xe2\x80\x8b"
         "d\xef\xbb\xbf"
         "e\xd8\x9c",
         "abcde"},
        {"\xe2\x80\x93", "\xe2\x80\x93"}, /* a dash is not hidden */
        {"\xff", "?"},
    };
    char shown[MAIL_LINE_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        mail_copy_line(shown, sizeof shown, lines[i].line, strlen(lines[i].line));
        assert_string_equal(shown, lines[i].shown);
    }
}

static void a_piece_of_a_secret_is_starred(void **state)
{
    static const char secret[] = "eyJ0eXAiOiJKV1QifQ.payload.signature";
    char text[] = "535 no eyJ0eXAiOiJKV1Qi and .signature, but not signatur";

    (void)state;
    mail_hide_secret(text, secret, strlen(secret));
    assert_string_equal(text, "535 no **************** and **********, but not ********");
    strcpy(text, "535 no");
    mail_hide_secret(text, "", 0);
    assert_string_equal(text, "535 no");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_token_is_never_said_before_tls),
        cmocka_unit_test(random_bytes_do_no_harm),
        cmocka_unit_test(what_does_not_show_is_not_shown),
        cmocka_unit_test(a_piece_of_a_secret_is_starred),
    };

    return CORE_TESTS(tests);
}
