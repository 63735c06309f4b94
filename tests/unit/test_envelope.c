/* SPDX-License-Identifier: MPL-2.0 */
#include "vault/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#define NAME "00112233445566778899aabbccddeeff"
#define OTHER_NAME "00112233445566778899aabbccddeefe"
#define HEADER "{\"account\":\"anna@example.org\"}"
#define PAYLOAD "{\"refreshToken\":\"example\"}"
#define RECIPIENT_COUNT_AT (6 + 8 + 4 + sizeof HEADER - 1)

/* The test vector of host/vault/FORMAT.md, made by another program from the text there. */
#define VECTOR                                                                                               \
    "545345414c0100000000000000070000001e7b226163636f756e74223a22616e6e61406578616d70"                       \
    "6c652e6f7267227d011a136619e0113fb5675dd574ed7789310b3d2e7681f3790b466c773b1521fe"                       \
    "cf36577958371ea52f5e32ae7db50b11c5c6693455055e5495b8f52cfba8e69df1731ce252ca0228"                       \
    "5430a448dc1fdb874025ce0d8df6959f43808182838485868788898a8b8c8d8e8f90919293949596"                       \
    "977981049ca6403c0742d89372e301e16f8c42a9d8fea709459ea841435a2cfe531b8a6b727faaf3"                       \
    "34d0871ecada364fad9a44b7db6e85f5cf34db9f4bb44a22dd421f98d5d1022b9ac01c"

static struct envelope_key key;       /* of the device secret 00 01 … 1f */
static struct envelope_key other_key; /* of another device */
static struct secret payload;

static void make_key(struct envelope_key *made, unsigned char first)
{
    struct secret device_secret = {0};
    size_t i;

    assert_int_equal(secret_reserve(&device_secret, ENVELOPE_KEY_SIZE), 0);
    for (i = 0; i < ENVELOPE_KEY_SIZE; i++)
        device_secret.bytes[i] = (unsigned char)(first + i);
    assert_int_equal(envelope_key_derive(made, &device_secret), 0);
    secret_wipe(&device_secret);
}

static int open_arena(void **state)
{
    (void)state;
    if (sodium_init() < 0 || secret_arena_open() != 0)
        return -1;
    make_key(&key, 0);
    make_key(&other_key, 100);
    return secret_set(&payload, PAYLOAD, strlen(PAYLOAD));
}

static int close_arena(void **state)
{
    (void)state;
    envelope_key_wipe(&key);
    envelope_key_wipe(&other_key);
    secret_wipe(&payload);
    secret_arena_close();
    return 0;
}

static unsigned char *seal(const struct envelope_recipient *others, size_t other_count, size_t *length)
{
    struct envelope_content content = {.name = NAME,
                                       .generation = 7,
                                       .header = HEADER,
                                       .header_length = strlen(HEADER),
                                       .payload = &payload,
                                       .others = others,
                                       .other_count = other_count};
    unsigned char *sealed;

    assert_int_equal(envelope_seal(&key, &content, &sealed, length), 0);
    return sealed;
}

/* Copies to a block of exactly that length, so that the address sanitizer sees each byte read beyond it. */
static enum envelope_verdict verdict_of(const struct envelope_key *with, const char *name,
                                        const unsigned char *bytes, size_t length)
{
    unsigned char *exact = malloc(length == 0 ? 1 : length);
    struct secret opened = {0};
    struct envelope envelope;
    enum envelope_verdict verdict;

    assert_non_null(exact);
    memcpy(exact, bytes, length);
    verdict = envelope_open(with, name, exact, length, &envelope, &opened);
    assert_true((verdict == ENVELOPE_GENUINE) == (opened.bytes != NULL));
    secret_wipe(&opened);
    free(exact);
    return verdict;
}

static void assert_opens(const struct envelope_key *with, const unsigned char *bytes, size_t length)
{
    struct secret opened = {0};
    struct envelope envelope;

    assert_int_equal(envelope_open(with, NAME, bytes, length, &envelope, &opened), ENVELOPE_GENUINE);
    assert_true(secret_equal(&opened, &payload));
    assert_int_equal(envelope.generation, 7);
    assert_int_equal(envelope.header_length, strlen(HEADER));
    assert_memory_equal(envelope.header, HEADER, strlen(HEADER));
    secret_wipe(&opened);
}

/* ---- the format ---- */

static unsigned char next_random;

static const char *counting_name(void)
{
    return "counting";
}

static uint32_t counting_number(void)
{
    return next_random++;
}

static void counting_bytes(void *const buffer, const size_t size)
{
    size_t i;

    for (i = 0; i < size; i++)
        ((unsigned char *)buffer)[i] = next_random++;
}

static void test_format_is_that_of_the_vector(void **state)
{
    static randombytes_implementation counting = {
        .implementation_name = counting_name, .random = counting_number, .buf = counting_bytes};
    unsigned char vector[sizeof VECTOR / 2];
    size_t vector_length;
    size_t length;
    unsigned char *sealed;

    (void)state;
    sodium_hex2bin(vector, sizeof vector, VECTOR, strlen(VECTOR), NULL, &vector_length, NULL);
    assert_opens(&key, vector, vector_length);
    next_random = 0x40;
    randombytes_set_implementation(&counting);
    sealed = seal(NULL, 0, &length);
    randombytes_set_implementation(&randombytes_sysrandom_implementation);
    assert_int_equal(length, vector_length);
    assert_memory_equal(sealed, vector, length);
    free(sealed);
}

static void test_what_is_sealed_can_be_opened(void **state)
{
    size_t length;
    unsigned char *sealed = seal(NULL, 0, &length);

    (void)state;
    assert_opens(&key, sealed, length);
    free(sealed);
}

static void test_an_empty_payload_is_a_payload(void **state)
{
    struct secret empty = {0};
    struct secret opened = {0};
    struct envelope_content content = {
        .name = NAME, .generation = 1, .header = "{}", .header_length = 2, .payload = &empty};
    struct envelope envelope;
    unsigned char *sealed;
    size_t length;

    (void)state;
    assert_int_equal(envelope_seal(&key, &content, &sealed, &length), 0);
    assert_int_equal(envelope_open(&key, NAME, sealed, length, &envelope, &opened), ENVELOPE_GENUINE);
    assert_int_equal(opened.length, 0);
    assert_non_null(opened.bytes);
    secret_wipe(&opened);
    free(sealed);
}

static void test_no_two_writes_share_key_or_nonce(void **state)
{
    size_t length;
    size_t i;
    size_t same = 0;
    unsigned char *one = seal(NULL, 0, &length);
    unsigned char *two = seal(NULL, 0, &length);

    (void)state;
    for (i = RECIPIENT_COUNT_AT + 1 + ENVELOPE_KEY_ID_SIZE; i < length; i++)
        same += one[i] == two[i];
    assert_true(same < 20);
    free(one);
    free(two);
}

/* ---- damage ---- */

static void test_each_flipped_bit_is_damage(void **state)
{
    size_t length;
    size_t bit;
    unsigned char *sealed = seal(&other_key.recipient, 1, &length);

    (void)state;
    for (bit = 0; bit < length * 8; bit++) {
        sealed[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_int_equal(verdict_of(&key, NAME, sealed, length), ENVELOPE_DAMAGED);
        sealed[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    assert_opens(&key, sealed, length);
    free(sealed);
    printf("%zu flipped bits refused\n", bit);
}

static void test_each_truncation_and_extension_is_damage(void **state)
{
    size_t length;
    size_t cut;
    unsigned char *sealed = seal(NULL, 0, &length);
    unsigned char *longer = calloc(1, length + 1);

    (void)state;
    assert_non_null(longer);
    for (cut = 0; cut < length; cut++) {
        assert_int_equal(verdict_of(&key, NAME, sealed, cut), ENVELOPE_DAMAGED);
        assert_int_equal(verdict_of(&key, NAME, sealed + length - cut, cut), ENVELOPE_DAMAGED);
    }
    memcpy(longer, sealed, length);
    assert_int_equal(verdict_of(&key, NAME, longer, length + 1), ENVELOPE_DAMAGED);
    free(longer);
    free(sealed);
}

/* Every value in the places that say how long something is, read without a key to check them by. */
static void test_hostile_lengths_are_read_within_bounds(void **state)
{
    static const uint32_t lengths[] = {0, 1, 2, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff};
    size_t length;
    size_t i;
    struct envelope envelope;
    unsigned char *sealed = seal(NULL, 0, &length);

    (void)state;
    for (i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        unsigned char *field = sealed + 14;
        field[0] = (unsigned char)(lengths[i] >> 24);
        field[1] = (unsigned char)(lengths[i] >> 16);
        field[2] = (unsigned char)(lengths[i] >> 8);
        field[3] = (unsigned char)lengths[i];
        assert_int_equal(envelope_parse(sealed, length, &envelope), -1);
        assert_int_equal(verdict_of(&key, NAME, sealed, length), ENVELOPE_DAMAGED);
    }
    free(sealed);
    sealed = seal(NULL, 0, &length);
    for (i = 0; i < 256; i++) {
        sealed[RECIPIENT_COUNT_AT] = (unsigned char)i;
        assert_int_equal(envelope_parse(sealed, length, &envelope), i == 1 ? 0 : -1);
    }
    free(sealed);
}

/* A long payload has room for every number of boxes that a byte can say. */
static void test_more_recipients_than_the_bound_are_refused(void **state)
{
    struct secret long_payload = {0};
    struct envelope_content content = {
        .name = NAME, .generation = 1, .header = HEADER, .header_length = strlen(HEADER)};
    struct envelope envelope;
    unsigned char *sealed;
    size_t length;
    size_t i;

    (void)state;
    assert_int_equal(secret_reserve(&long_payload, 30000), 0);
    content.payload = &long_payload;
    assert_int_equal(envelope_seal(&key, &content, &sealed, &length), 0);
    for (i = 0; i < 256; i++) {
        bool within = i >= 1 && i <= ENVELOPE_RECIPIENTS_MAX;
        sealed[RECIPIENT_COUNT_AT] = (unsigned char)i;
        assert_int_equal(envelope_parse(sealed, length, &envelope), within ? 0 : -1);
    }
    secret_wipe(&long_payload);
    free(sealed);
}

static void test_random_bytes_never_open(void **state)
{
    unsigned char bytes[600];
    int round;

    (void)state;
    for (round = 0; round < 2000; round++) {
        size_t length = randombytes_uniform(sizeof bytes);
        randombytes_buf(bytes, sizeof bytes);
        memcpy(bytes, "TSEAL\x01", 6);
        memset(bytes + 14, 0, 3);
        assert_int_equal(verdict_of(&key, NAME, bytes, length), ENVELOPE_DAMAGED);
    }
}

/* ---- who made it, for whom ---- */

static void test_another_identitys_file_is_damage(void **state)
{
    size_t length;
    unsigned char *sealed = seal(NULL, 0, &length);

    (void)state;
    assert_int_equal(verdict_of(&key, OTHER_NAME, sealed, length), ENVELOPE_DAMAGED);
    free(sealed);
}

static void test_another_devices_file_is_foreign(void **state)
{
    size_t length;
    unsigned char *sealed = seal(NULL, 0, &length);

    (void)state;
    assert_int_equal(verdict_of(&other_key, NAME, sealed, length), ENVELOPE_FOREIGN);
    free(sealed);
}

/* Knows the public key, so can seal a data key to it; has no MAC key. */
static void test_the_public_key_is_not_enough_to_forge(void **state)
{
    struct envelope_key forger = {0};
    struct envelope_content content = {.name = NAME,
                                       .generation = 9,
                                       .header = HEADER,
                                       .header_length = strlen(HEADER),
                                       .payload = &payload,
                                       .others = &key.recipient,
                                       .other_count = 1};
    unsigned char *forged;
    size_t length;

    (void)state;
    make_key(&forger, 50);
    assert_int_equal(envelope_seal(&forger, &content, &forged, &length), 0);
    assert_int_equal(verdict_of(&key, NAME, forged, length), ENVELOPE_DAMAGED);
    free(forged);
    envelope_key_wipe(&forger);
}

static void test_other_recipients_are_skipped_and_may_not_write(void **state)
{
    size_t length;
    struct envelope_recipient recipients[ENVELOPE_RECIPIENTS_MAX - 1];
    size_t i;
    unsigned char *sealed;
    struct envelope envelope;

    (void)state;
    for (i = 0; i < ENVELOPE_RECIPIENTS_MAX - 1; i++)
        recipients[i] = other_key.recipient;
    sealed = seal(recipients, ENVELOPE_RECIPIENTS_MAX - 1, &length);
    assert_opens(&key, sealed, length);
    assert_int_equal(envelope_parse(sealed, length, &envelope), 0);
    assert_int_equal(envelope.recipient_count, ENVELOPE_RECIPIENTS_MAX);
    /* The recovery key opens the data key, but its holder is no maker: here the MAC does not fit. */
    assert_int_equal(verdict_of(&other_key, NAME, sealed, length), ENVELOPE_DAMAGED);
    free(sealed);
}

static void test_what_no_reader_takes_is_not_written(void **state)
{
    struct envelope_recipient recipients[ENVELOPE_RECIPIENTS_MAX] = {{{0}, {0}}};
    struct envelope_content content = {
        .name = NAME, .generation = 1, .header = "[]", .header_length = 2, .payload = &payload};
    unsigned char *sealed;
    size_t length;

    (void)state;
    assert_int_equal(envelope_seal(&key, &content, &sealed, &length), -1);
    assert_null(sealed);
    content.header = "{}";
    content.others = recipients;
    content.other_count = ENVELOPE_RECIPIENTS_MAX;
    assert_int_equal(envelope_seal(&key, &content, &sealed, &length), -1);
    content.other_count = 1; /* an all-zero public key: of small order, anybody could open */
    assert_int_equal(envelope_seal(&key, &content, &sealed, &length), -1);
    assert_null(sealed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format_is_that_of_the_vector),
        cmocka_unit_test(test_what_is_sealed_can_be_opened),
        cmocka_unit_test(test_an_empty_payload_is_a_payload),
        cmocka_unit_test(test_no_two_writes_share_key_or_nonce),
        cmocka_unit_test(test_each_flipped_bit_is_damage),
        cmocka_unit_test(test_each_truncation_and_extension_is_damage),
        cmocka_unit_test(test_hostile_lengths_are_read_within_bounds),
        cmocka_unit_test(test_more_recipients_than_the_bound_are_refused),
        cmocka_unit_test(test_random_bytes_never_open),
        cmocka_unit_test(test_another_identitys_file_is_damage),
        cmocka_unit_test(test_another_devices_file_is_foreign),
        cmocka_unit_test(test_the_public_key_is_not_enough_to_forge),
        cmocka_unit_test(test_other_recipients_are_skipped_and_may_not_write),
        cmocka_unit_test(test_what_no_reader_takes_is_not_written),
    };

    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
