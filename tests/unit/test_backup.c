/* SPDX-License-Identifier: MPL-2.0 */
#include "core/wiping_alloc.h"
#include "vault/backup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#define CONTENT "{\"version\":1,\"createdAt\":0,\"tokens\":true,\"identities\":[]}"
#define HEAD_SIZE (6 + 1 + 4 + 4 + 16)

/* The test vector of host/vault/FORMAT.md, made by another program from the text there. */
#define VECTOR                                                                                               \
    "545342414b01010000000100000008202122232425262728292a2b2c2d2e2f808182838485868788"                       \
    "898a8b8c8d8e8f9091929394959697995d8239e29c090b430cd46523bcaafb869fe17efaded90532"                       \
    "1ca0d5ef4f82f2620cb7a1e0fdce695b68f1decbdc785b3bc6f797d49ae1dd9dc6d12c05e7b704f4"                       \
    "b49335a6b5f02ece5a251a8d4e62286b591e563ff1f3dcac98f1099e6f079abdf09e6b8596a08151"

static unsigned char vector[sizeof VECTOR / 2];
static size_t vector_length;
static struct secret passphrase, key;

static int open_arena(void **state)
{
    struct backup_head head;

    (void)state;
    if (sodium_init() < 0 || secret_arena_open() != 0)
        return -1;
    sodium_hex2bin(vector, sizeof vector, VECTOR, strlen(VECTOR), NULL, &vector_length, NULL);
    if (secret_set(&passphrase, "correct horse", strlen("correct horse")) != 0 ||
        secret_reserve(&key, BACKUP_KEY_SIZE) != 0 ||
        backup_parse(vector, vector_length, &head) != BACKUP_GOOD)
        return -1;
    return backup_stretch(&head, &passphrase, key.bytes);
}

static int close_arena(void **state)
{
    (void)state;
    secret_wipe(&passphrase);
    secret_wipe(&key);
    secret_arena_close();
    return 0;
}

/* In a block of exactly that length, so that the address sanitizer sees each byte read beyond it. */
static enum backup_verdict verdict_of(const unsigned char *bytes, size_t length, const struct secret *with)
{
    unsigned char *exact = malloc(length == 0 ? 1 : length);
    unsigned char *plain = NULL;
    size_t plain_length = 0;
    struct backup_head head;
    enum backup_verdict verdict;

    assert_non_null(exact);
    memcpy(exact, bytes, length);
    verdict = backup_parse(exact, length, &head);
    if (verdict == BACKUP_GOOD)
        verdict = backup_open(&head, with, exact, length, &plain, &plain_length);
    assert_true((verdict == BACKUP_GOOD) == (plain != NULL));
    if (plain != NULL) {
        assert_int_equal(plain_length, strlen(CONTENT));
        assert_memory_equal(plain, CONTENT, plain_length);
    }
    wiping_free(plain);
    free(exact);
    return verdict;
}

/* As somebody who changes it on purpose makes it look whole. */
static void rehash(unsigned char *bytes, size_t length)
{
    crypto_generichash(bytes + length - 32, 32, bytes, length - 32, NULL, 0);
}

static void test_format_is_that_of_the_vector(void **state)
{
    struct backup_head head;

    (void)state;
    assert_int_equal(vector_length, 160);
    assert_int_equal(backup_parse(vector, vector_length, &head), BACKUP_GOOD);
    assert_int_equal(head.way, BACKUP_BY_PASSPHRASE);
    assert_int_equal(head.passes, 1);
    assert_int_equal(head.memory_kib, 8);
    assert_int_equal(verdict_of(vector, vector_length, &key), BACKUP_GOOD);
}

static void test_each_flipped_bit_is_damage(void **state)
{
    size_t bit;

    (void)state;
    for (bit = 0; bit < vector_length * 8; bit++) {
        vector[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_int_equal(verdict_of(vector, vector_length, &key), BACKUP_DAMAGED);
        vector[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    printf("%zu flipped bits refused\n", bit);
}

/* A new hash does not help: no byte of the backup is outside of what the tag proves. */
static void test_no_changed_bit_opens_whatever_its_hash(void **state)
{
    unsigned char changed[sizeof vector];
    size_t bit;

    (void)state;
    for (bit = 0; bit < (vector_length - 32) * 8; bit++) {
        memcpy(changed, vector, vector_length);
        changed[bit / 8] ^= (unsigned char)(1 << bit % 8);
        rehash(changed, vector_length);
        assert_int_not_equal(verdict_of(changed, vector_length, &key), BACKUP_GOOD);
    }
    printf("%zu forged bits refused\n", bit);
}

static void test_each_truncation_is_damage_whatever_its_hash(void **state)
{
    unsigned char changed[sizeof vector];
    size_t length;

    (void)state;
    for (length = 0; length < vector_length; length++) {
        assert_int_equal(verdict_of(vector, length, &key), BACKUP_DAMAGED);
        memcpy(changed, vector, vector_length);
        if (length < 32)
            continue;
        rehash(changed, length);
        assert_int_not_equal(verdict_of(changed, length, &key), BACKUP_GOOD);
    }
    printf("%zu truncations refused\n", length);
}

static void test_a_wrong_key_is_told_from_damage(void **state)
{
    struct secret other = {0};

    (void)state;
    assert_int_equal(secret_copy(&other, &key), 0);
    other.bytes[0] ^= 1;
    assert_int_equal(verdict_of(vector, vector_length, &other), BACKUP_WRONG_KEY);
    secret_wipe(&other);
}

static void test_a_cost_that_nobody_would_pay_is_refused(void **state)
{
    static const uint32_t costs[] = {0, 13, 0x7fffffff, 0xffffffff};
    static const uint32_t memories[] = {0, 7, 1024 * 1024 + 1, 0xffffffff};
    unsigned char changed[sizeof vector];
    struct backup_head head;
    size_t i, at;

    (void)state;
    for (i = 0; i < 4; i++) {
        for (at = 7; at <= 11; at += 4) {
            uint32_t number = at == 7 ? costs[i] : memories[i];
            memcpy(changed, vector, vector_length);
            changed[at] = (unsigned char)(number >> 24);
            changed[at + 1] = (unsigned char)(number >> 16);
            changed[at + 2] = (unsigned char)(number >> 8);
            changed[at + 3] = (unsigned char)number;
            rehash(changed, vector_length);
            assert_int_equal(backup_parse(changed, vector_length, &head), BACKUP_DAMAGED);
        }
    }
}

static void test_a_newer_version_is_told(void **state)
{
    unsigned char changed[sizeof vector];
    struct backup_head head;

    (void)state;
    memcpy(changed, vector, vector_length);
    changed[5] = 2;
    rehash(changed, vector_length);
    assert_int_equal(backup_parse(changed, vector_length, &head), BACKUP_NEWER);
    changed[5] = 0;
    rehash(changed, vector_length);
    assert_int_equal(backup_parse(changed, vector_length, &head), BACKUP_DAMAGED);
}

static void test_a_recipient_opens_with_the_secret_key_alone(void **state)
{
    struct backup_head head, read_head;
    struct secret secret_key = {0}, sealed_key = {0}, opened = {0};
    unsigned char public_key[ENVELOPE_KEY_SIZE];
    unsigned char *sealed;
    size_t length;

    (void)state;
    assert_int_equal(secret_reserve(&secret_key, ENVELOPE_KEY_SIZE), 0);
    crypto_box_keypair(public_key, secret_key.bytes);
    assert_int_equal(backup_by_recipient(&head, public_key, &sealed_key), 0);
    assert_int_equal(backup_seal(&head, &sealed_key, CONTENT, strlen(CONTENT), &sealed, &length), 0);
    assert_int_equal(backup_parse(sealed, length, &read_head), BACKUP_GOOD);
    assert_int_equal(backup_unseal(&read_head, &secret_key, &opened), BACKUP_GOOD);
    assert_true(secret_equal(&opened, &sealed_key));
    assert_int_equal(verdict_of(sealed, length, &opened), BACKUP_GOOD);
    secret_key.bytes[5] ^= 1;
    assert_int_equal(backup_unseal(&read_head, &secret_key, &opened), BACKUP_WRONG_KEY);
    secret_wipe(&secret_key);
    assert_int_equal(backup_unseal(&read_head, &secret_key, &opened), BACKUP_WRONG_KEY);
    memset(public_key, 0, sizeof public_key);
    assert_int_equal(backup_by_recipient(&head, public_key, &sealed_key), -1);
    free(sealed);
    secret_wipe(&sealed_key);
    secret_wipe(&opened);
}

static void test_no_two_backups_share_key_salt_or_nonce(void **state)
{
    struct backup_head one, two;
    unsigned char *first, *second;
    size_t length;

    (void)state;
    backup_by_passphrase(&one);
    backup_by_passphrase(&two);
    assert_memory_not_equal(one.salt, two.salt, sizeof one.salt);
    assert_int_equal(backup_seal(&one, &key, CONTENT, strlen(CONTENT), &first, &length), 0);
    assert_int_equal(backup_seal(&one, &key, CONTENT, strlen(CONTENT), &second, &length), 0);
    assert_memory_not_equal(first + HEAD_SIZE, second + HEAD_SIZE, 24);
    free(first);
    free(second);
}

static void test_more_than_the_bound_is_not_written(void **state)
{
    char *large = calloc(1, BACKUP_MAX);
    struct backup_head head;
    unsigned char *sealed;
    size_t length;

    (void)state;
    assert_non_null(large);
    backup_by_passphrase(&head);
    assert_int_equal(backup_seal(&head, &key, large, BACKUP_MAX - 50, &sealed, &length), -1);
    assert_null(sealed);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format_is_that_of_the_vector),
        cmocka_unit_test(test_each_flipped_bit_is_damage),
        cmocka_unit_test(test_no_changed_bit_opens_whatever_its_hash),
        cmocka_unit_test(test_each_truncation_is_damage_whatever_its_hash),
        cmocka_unit_test(test_a_wrong_key_is_told_from_damage),
        cmocka_unit_test(test_a_cost_that_nobody_would_pay_is_refused),
        cmocka_unit_test(test_a_newer_version_is_told),
        cmocka_unit_test(test_a_recipient_opens_with_the_secret_key_alone),
        cmocka_unit_test(test_no_two_backups_share_key_salt_or_nonce),
        cmocka_unit_test(test_more_than_the_bound_is_not_written),
    };

    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
