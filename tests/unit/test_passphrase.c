/* SPDX-License-Identifier: MPL-2.0 */
/* The device secret under a passphrase, by the bytes of FORMAT.md. */
#include "test_vault_fixture.h"

#include "vault/key_task.h"
#include "vault/passphrase.h"
#include <sys/socket.h>

static const struct passphrase_cost cheap = {.passes = 1, .kib = 8};
static const unsigned char key_id[ENVELOPE_KEY_ID_SIZE] = {0x1a, 0x13, 0x66, 0x19, 0xe0, 0x11, 0x3f, 0xb5};

/* The vector of FORMAT.md: the device secret 00 01 … 1f under "a passphrase". */
static const char vector[] = "5453575250011a136619e0113fb50000000100000008a0a1a2a3a4a5a6a7a8a9aaabacadaeaf808"
                             "182838485868788898a8b8c8d8e8f90919293949596974ecb12f5c7cd9d99a935733d1824044af5"
                             "76dfe861aa9ab483a37250e7a150ab26dae7c2317fa5f97a5a2e215fecc691";

static void set_text(struct secret *secret, const char *text)
{
    assert_int_equal(secret_set(secret, text, strlen(text)), 0);
}

static void draw_secret(struct secret *secret)
{
    size_t i;

    assert_int_equal(secret_reserve(secret, ENVELOPE_KEY_SIZE), 0);
    for (i = 0; i < ENVELOPE_KEY_SIZE; i++)
        secret->bytes[i] = (unsigned char)i;
}

static void test_what_is_wrapped_opens_with_its_passphrase_alone(void **state)
{
    unsigned char wrapped[PASSPHRASE_WRAPPED_SIZE], id[ENVELOPE_KEY_ID_SIZE];
    struct secret secret = {0}, passphrase = {0}, opened = {0};

    (void)state;
    draw_secret(&secret);
    set_text(&passphrase, "a passphrase");
    assert_int_equal(passphrase_wrap(wrapped, &secret, key_id, &passphrase, &cheap), 0);
    assert_int_equal(passphrase_wrapped_key_id(wrapped, sizeof wrapped, id), 0);
    assert_memory_equal(id, key_id, sizeof id);
    assert_int_equal(passphrase_open(&opened, wrapped, &passphrase), PASSPHRASE_OPENED);
    assert_true(secret_equal(&opened, &secret));
    secret_wipe(&opened);
    set_text(&passphrase, "a passphrasE");
    assert_int_equal(passphrase_open(&opened, wrapped, &passphrase), PASSPHRASE_WRONG);
    assert_null(opened.bytes);
    secret_wipe(&secret);
    secret_wipe(&passphrase);
}

static void test_any_changed_byte_is_refused(void **state)
{
    unsigned char wrapped[PASSPHRASE_WRAPPED_SIZE], id[ENVELOPE_KEY_ID_SIZE];
    struct secret secret = {0}, passphrase = {0};
    size_t at;

    (void)state;
    draw_secret(&secret);
    set_text(&passphrase, "a passphrase");
    assert_int_equal(passphrase_wrap(wrapped, &secret, key_id, &passphrase, &cheap), 0);
    for (at = 0; at < sizeof wrapped; at++) {
        struct secret opened = {0};
        wrapped[at] ^= 1;
        if (passphrase_wrapped_key_id(wrapped, sizeof wrapped, id) == 0)
            assert_int_equal(passphrase_open(&opened, wrapped, &passphrase), PASSPHRASE_WRONG);
        assert_null(opened.bytes);
        wrapped[at] ^= 1;
    }
    secret_wipe(&secret);
    secret_wipe(&passphrase);
}

static void test_a_cost_that_nobody_would_pay_is_refused(void **state)
{
    static const struct {
        size_t at;
        unsigned char byte;
    } costs[] = {{14, 0x80}, {17, 0}, {17, 17}, {18, 0x01}, {21, 7}};
    unsigned char wrapped[PASSPHRASE_WRAPPED_SIZE], changed[PASSPHRASE_WRAPPED_SIZE],
        id[ENVELOPE_KEY_ID_SIZE];
    struct secret secret = {0}, passphrase = {0};
    size_t i;

    (void)state;
    draw_secret(&secret);
    set_text(&passphrase, "a passphrase");
    assert_int_equal(passphrase_wrap(wrapped, &secret, key_id, &passphrase, &cheap), 0);
    for (i = 0; i < sizeof costs / sizeof *costs; i++) {
        memcpy(changed, wrapped, sizeof changed);
        changed[costs[i].at] = costs[i].byte;
        assert_int_equal(passphrase_wrapped_key_id(changed, sizeof changed, id), -1);
    }
    for (i = 0; i < sizeof wrapped; i++)
        assert_int_equal(passphrase_wrapped_key_id(wrapped, i, id), -1);
    secret_wipe(&secret);
    secret_wipe(&passphrase);
}

static void test_the_vector_of_the_format_opens(void **state)
{
    unsigned char wrapped[PASSPHRASE_WRAPPED_SIZE];
    struct secret secret = {0}, passphrase = {0}, opened = {0};
    size_t length = 0;

    (void)state;
    assert_int_equal(sodium_hex2bin(wrapped, sizeof wrapped, vector, strlen(vector), NULL, &length, NULL), 0);
    assert_int_equal(length, sizeof wrapped);
    draw_secret(&secret);
    set_text(&passphrase, "a passphrase");
    assert_int_equal(passphrase_open(&opened, wrapped, &passphrase), PASSPHRASE_OPENED);
    assert_true(secret_equal(&opened, &secret));
    secret_wipe(&opened);
    secret_wipe(&secret);
    secret_wipe(&passphrase);
}

/* ---- tasks between parent and child ---- */

static void test_a_task_and_its_answer_cross_whole(void **state)
{
    struct key_task task = {.kind = KEY_TASK_WRAP, .may_ask = true}, came = {0};
    struct key_answer answer = {.outcome = KEY_DONE}, answered = {0};
    char longest[PASSPHRASE_MAX + 1];
    int sockets[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets), 0);
    memset(longest, 'x', PASSPHRASE_MAX);
    longest[PASSPHRASE_MAX] = '\0';
    draw_secret(&task.secret);
    set_text(&task.passphrase, longest);
    memcpy(task.key_id, key_id, sizeof task.key_id);
    assert_int_equal(key_task_send(sockets[0], &task), 0);
    assert_int_equal(key_task_receive(sockets[1], &came), 0);
    assert_true(came.kind == task.kind && came.may_ask);
    assert_true(secret_equal(&came.secret, &task.secret));
    assert_true(secret_equal(&came.passphrase, &task.passphrase));
    draw_secret(&answer.secret);
    assert_int_equal(key_answer_send(sockets[1], &answer), 0);
    assert_int_equal(key_answer_receive(sockets[0], &answered), 0);
    assert_true(secret_equal(&answered.secret, &answer.secret));
    /* What is no answer, and nobody at all. */
    assert_int_equal(send(sockets[1], "x", 1, 0), 1);
    assert_int_equal(key_answer_receive(sockets[0], &answered), -1);
    close(sockets[1]);
    assert_int_equal(key_answer_receive(sockets[0], &answered), -1);
    assert_int_equal(key_task_send(sockets[0], &task), -1);
    close(sockets[0]);
    key_task_clear(&task);
    key_task_clear(&came);
    secret_wipe(&answer.secret);
    secret_wipe(&answered.secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_wrapped_opens_with_its_passphrase_alone),
        cmocka_unit_test(test_any_changed_byte_is_refused),
        cmocka_unit_test(test_a_cost_that_nobody_would_pay_is_refused),
        cmocka_unit_test(test_the_vector_of_the_format_opens),
        cmocka_unit_test(test_a_task_and_its_answer_cross_whole),
    };

    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
