/* SPDX-License-Identifier: MPL-2.0 */
/* Every damage and every forgery of a sealed file that we can think of: set aside, and the copy before used.
 */
#include "test_vault_fixture.h"
#include "vault/envelope.h"

#define RECIPIENT_SIZE (ENVELOPE_KEY_ID_SIZE + 80)
#define MAC_SIZE 32
#define FORGED "{\"refreshToken\":\"attacker\"}"

static struct vault *vault;
static unsigned char good[FILE_ROOM], bad[FILE_ROOM];
static size_t length;
/* The recovery key, as its holder has it: with all keys that can be made from a secret of theirs. */
static struct envelope_key recovery;

static int open_vault_with_two_generations(void **state)
{
    struct secret secret = {0};

    if (start_afresh(state) != 0 || secret_reserve(&secret, ENVELOPE_KEY_SIZE) != 0)
        return -1;
    randombytes_buf(secret.bytes, secret.length);
    if (envelope_key_derive(&recovery, &secret) != 0)
        return -1;
    secret_wipe(&secret);
    vault = open_vault();
    vault_set_recovery_key(vault, recovery.recipient.public_key);
    must_write(vault, NAME, 1, "old");
    must_write(vault, NAME, 2, "new");
    must_write(vault, OTHER_NAME, 3, "other");
    length = read_bytes(SEALED, good);
    memcpy(bad, good, length);
    return 0;
}

static int close_it(void **state)
{
    (void)state;
    vault_close(vault);
    envelope_key_wipe(&recovery);
    return 0;
}

/* With bytes in the file's place: the copy before it is used, the user is told, nothing is lost. */
static void assert_refused(const unsigned char *bytes, size_t size)
{
    static unsigned char kept[FILE_ROOM];

    write_bytes(SEALED, bytes, size);
    assert_reads(vault, 1, "old", PROBLEM_VAULT_DAMAGED);
    assert_false(exists(SEALED));
    assert_int_equal(read_bytes(DAMAGED "1", kept), size);
    assert_memory_equal(kept, bytes, size);
    assert_int_equal(unlink(in_state(DAMAGED "1")), 0);
}

static void test_what_is_whole_is_read(void **state)
{
    (void)state;
    assert_reads(vault, 2, "new", PROBLEM_NONE);
}

/* Two bits of each; test_envelope.c tries all of them, without the disk. */
static void test_a_flip_in_every_byte(void **state)
{
    size_t at, count = 0;

    (void)state;
    for (at = 0; at < length; at++) {
        for (; count / 2 == at; count++) {
            bad[at] ^= (unsigned char)(1 << (count * 3 + at) % 8);
            assert_refused(bad, length);
            bad[at] = good[at];
        }
    }
    printf("%zu flipped bits refused\n", count);
}

static void test_every_truncation_and_some_extensions(void **state)
{
    size_t size;

    (void)state;
    for (size = 0; size < length; size++)
        assert_refused(good, size);
    for (; size < length + 64; size++)
        if (size != length)
            assert_refused(bad, size);
    printf("%zu lengths refused\n", size - 1);
}

static size_t forgeries;

static void assert_forgery_refused(const unsigned char *bytes, size_t size)
{
    assert_refused(bytes, size);
    forgeries++;
}

/* An older generation of the same identity is the one thing that is taken: a restored home is legitimate. */
static void test_a_swap_between_identities(void **state)
{
    size_t size = read_bytes("identities/" OTHER_NAME ".sealed", bad);

    (void)state;
    assert_forgery_refused(bad, size);
}

static void test_a_forgery_by_the_public_key(void **state)
{
    struct envelope_key forger = {0};
    struct secret secret = {0}, payload = {0};
    struct envelope genuine;
    struct envelope_content content = {.name = NAME,
                                       .generation = 9,
                                       .header = "{\"account\":\"" NAME "\"}",
                                       .header_length = strlen("{\"account\":\"" NAME "\"}"),
                                       .payload = &payload,
                                       .other_count = 1};
    unsigned char *forged;
    size_t size;

    (void)state;
    assert_int_equal(secret_reserve(&secret, ENVELOPE_KEY_SIZE), 0);
    assert_int_equal(envelope_key_derive(&forger, &secret), 0);
    assert_int_equal(secret_set(&payload, FORGED, strlen(FORGED)), 0);
    content.others = &recovery.recipient;
    assert_int_equal(envelope_seal(&forger, &content, &forged, &size), 0);
    /* Our key id in the place of the forger's: it now claims to be for us. */
    assert_int_equal(envelope_parse(forged, size, &genuine), 0);
    memcpy(forged + (genuine.recipients - forged), good + 18 + genuine.header_length + 1,
           ENVELOPE_KEY_ID_SIZE);
    assert_forgery_refused(forged, size);
    free(forged);
    secret_wipe(&secret);
    secret_wipe(&payload);
    envelope_key_wipe(&forger);
}

/* Everything that the holder of the recovery key can make: the payload they like under the true data key. */
static void forge_by_recovery(unsigned char *forged, size_t *size)
{
    unsigned char data_key[ENVELOPE_KEY_SIZE];
    struct envelope parts;
    const unsigned char *box;
    size_t front;

    assert_int_equal(envelope_parse(good, length, &parts), 0);
    assert_int_equal(parts.recipient_count, 2);
    box = parts.recipients + RECIPIENT_SIZE + ENVELOPE_KEY_ID_SIZE;
    assert_int_equal(
        crypto_box_seal_open(data_key, box, 80, recovery.recipient.public_key, recovery.secret_key.bytes), 0);
    front = (size_t)(parts.nonce - good);
    memcpy(forged, good, front + 24);
    crypto_aead_xchacha20poly1305_ietf_encrypt(forged + front + 24, NULL, (const unsigned char *)FORGED,
                                               strlen(FORGED), forged, front, NULL, forged + front, data_key);
    *size = front + 24 + strlen(FORGED) + 16 + MAC_SIZE;
}

static void test_a_forgery_by_the_holder_of_the_recovery_key(void **state)
{
    unsigned char name_key[32], *mac;
    size_t size;

    (void)state;
    forge_by_recovery(bad, &size);
    mac = bad + size - MAC_SIZE;
    memcpy(mac, good + length - MAC_SIZE, MAC_SIZE);
    assert_forgery_refused(bad, size);
    memset(mac, 0, MAC_SIZE);
    assert_forgery_refused(bad, size);
    /* A MAC by every key that they have. */
    crypto_generichash(name_key, 32, (const unsigned char *)NAME, strlen(NAME), recovery.mac_key.bytes, 32);
    crypto_generichash(mac, MAC_SIZE, bad, size - MAC_SIZE, name_key, 32);
    assert_forgery_refused(bad, size);
    crypto_generichash(mac, MAC_SIZE, bad, size - MAC_SIZE, recovery.secret_key.bytes, 32);
    assert_forgery_refused(bad, size);
    crypto_generichash(mac, MAC_SIZE, bad, size - MAC_SIZE, NULL, 0);
    assert_forgery_refused(bad, size);
}

/* Another organisation's key in the place of the recovery key, or one more recipient. */
static void test_a_recipient_put_in_by_others(void **state)
{
    struct envelope parts;
    size_t at, count_at;

    (void)state;
    assert_int_equal(envelope_parse(good, length, &parts), 0);
    at = (size_t)(parts.recipients - good);
    count_at = at - 1;
    memcpy(bad + at + RECIPIENT_SIZE, good + at, RECIPIENT_SIZE);
    assert_forgery_refused(bad, length);
    memcpy(bad, good, at);
    memcpy(bad + at, good + at, RECIPIENT_SIZE);
    memcpy(bad + at + RECIPIENT_SIZE, good + at, length - at);
    bad[count_at] = 3;
    assert_forgery_refused(bad, length + RECIPIENT_SIZE);
    memcpy(bad + at, good + at + RECIPIENT_SIZE, length - at - RECIPIENT_SIZE);
    bad[count_at] = 1;
    /* The device's own box is gone: what is left says that it was made for somebody else, and is kept. */
    write_bytes(SEALED, bad, length - RECIPIENT_SIZE);
    assert_reads(vault, 0, NULL, PROBLEM_VAULT_LOCKED);
    assert_true(exists(SEALED));
    forgeries++;
}

static void test_both_generations_damaged_is_told_and_both_are_kept(void **state)
{
    (void)state;
    bad[length - 1] ^= 1;
    write_bytes(SEALED, bad, length);
    write_bytes(PREVIOUS, bad, length);
    assert_reads(vault, 0, NULL, PROBLEM_VAULT_DAMAGED);
    assert_true(exists(DAMAGED "1"));
    assert_true(exists(DAMAGED "2"));
}

static int tell_and_close_arena(void **state)
{
    printf("%zu forgeries refused\n", forgeries);
    return close_arena(state);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, open_vault_with_two_generations, close_it)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(test_what_is_whole_is_read),
        FRESH(test_a_flip_in_every_byte),
        FRESH(test_every_truncation_and_some_extensions),
        FRESH(test_a_swap_between_identities),
        FRESH(test_a_forgery_by_the_public_key),
        FRESH(test_a_forgery_by_the_holder_of_the_recovery_key),
        FRESH(test_a_recipient_put_in_by_others),
        FRESH(test_both_generations_damaged_is_told_and_both_are_kept),
    };

    return cmocka_run_group_tests(tests, open_arena, tell_and_close_arena);
}
