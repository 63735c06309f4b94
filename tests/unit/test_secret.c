/* SPDX-License-Identifier: MPL-2.0 */
/* Secrets live in one arena: they never overlap, are wiped on release, and a full arena breaks nothing. */
#include "core/secret.h"

#include "core_support.h"

#define SLOTS 200
#define ROUNDS 20000
#define LONGEST 5000

static void a_secret_holds_its_bytes_and_a_nul_behind_them(void **state)
{
    struct secret secret = {0};

    (void)state;
    assert_string_equal(secret_expose(&secret), "");
    assert_int_equal(secret_set(&secret, "a\0b", 3), 0);
    assert_int_equal(secret.length, 3);
    assert_memory_equal(secret.bytes, "a\0b", 4);
    assert_int_equal(secret_set(&secret, "", 0), 0);
    assert_int_equal(secret.length, 0);
    assert_non_null(secret.bytes);
    assert_string_equal(secret_expose(&secret), "");
    secret_wipe(&secret);
    assert_null(secret.bytes);
    secret_wipe(&secret);
}

static void setting_a_secret_from_itself_is_harmless(void **state)
{
    struct secret secret = {0};

    (void)state;
    put_secret(&secret, "refresh-token");
    assert_int_equal(secret_set(&secret, secret.bytes + 8, 5), 0);
    assert_string_equal(secret_expose(&secret), "token");
    assert_int_equal(secret_copy(&secret, &secret), 0);
    assert_string_equal(secret_expose(&secret), "token");
    secret_move(&secret, &secret);
    assert_string_equal(secret_expose(&secret), "token");
    secret_wipe(&secret);
}

static void a_released_secret_is_wiped(void **state)
{
    struct secret secret = {0}, other = {0};
    const unsigned char *was;
    int way;

    (void)state;
    for (way = 0; way < 3; way++) {
        put_secret(&secret, "a token that nobody must find");
        put_secret(&other, "another");
        was = secret.bytes;
        if (way == 0)
            secret_wipe(&secret);
        else if (way == 1)
            put_secret(&secret, "fresh");
        else
            secret_move(&secret, &other);
        assert_true(sodium_is_zero(was, strlen("a token that nobody must find")));
        secret_wipe(&secret);
        secret_wipe(&other);
    }
}

static void reserved_room_is_zeroed(void **state)
{
    struct secret secret = {0};

    (void)state;
    put_secret(&secret, "some bytes that lay here before");
    secret_wipe(&secret);
    assert_int_equal(secret_reserve(&secret, 31), 0);
    assert_true(sodium_is_zero(secret.bytes, 32));
    secret_wipe(&secret);
}

static void moving_leaves_nothing_behind(void **state)
{
    struct secret from = {0}, to = {0};

    (void)state;
    put_secret(&from, "token");
    put_secret(&to, "old");
    secret_move(&to, &from);
    assert_string_equal(secret_expose(&to), "token");
    assert_null(from.bytes);
    assert_int_equal(from.length, 0);
    secret_move(&to, &from);
    assert_null(to.bytes);
}

static void copies_are_equal_and_independent(void **state)
{
    struct secret a = {0}, b = {0};

    (void)state;
    assert_true(secret_equal(&a, &b));
    put_secret(&a, "token");
    assert_false(secret_equal(&a, &b));
    assert_int_equal(secret_copy(&b, &a), 0);
    assert_true(secret_equal(&a, &b));
    b.bytes[4] ^= 1;
    assert_false(secret_equal(&a, &b));
    put_secret(&b, "toke");
    assert_false(secret_equal(&a, &b));
    secret_wipe(&a);
    assert_int_equal(secret_copy(&b, &a), 0);
    assert_null(b.bytes);
}

static void the_longest_secret_fits_and_one_byte_more_changes_nothing(void **state)
{
    struct secret secret = {0}, fill = {0};

    (void)state;
    assert_int_equal(secret_reserve(&fill, SECRET_MAX_LENGTH), 0);
    put_secret(&secret, "kept");
    assert_int_equal(secret_reserve(&secret, SECRET_MAX_LENGTH + 1), -1);
    assert_int_equal(secret_set(&secret, fill.bytes, SECRET_MAX_LENGTH + 1), -1);
    assert_int_equal(secret_reserve(&secret, SIZE_MAX), -1);
    assert_string_equal(secret_expose(&secret), "kept");
    assert_int_equal(secret_copy(&secret, &fill), 0);
    secret_wipe(&secret);
    secret_wipe(&fill);
}

static size_t fill_arena(struct secret *secrets, size_t count)
{
    size_t i;

    for (i = 0; i < count && secret_reserve(&secrets[i], SECRET_MAX_LENGTH) == 0; i++)
        ;
    return i;
}

static void a_full_arena_refuses_and_recovers(void **state)
{
    struct secret secrets[16] = {0}, small[4096] = {0};
    size_t count = fill_arena(secrets, 16), again, filled, i;

    (void)state;
    assert_true(count >= 10 && count < 16);
    for (filled = 0; filled < 4096 && secret_reserve(&small[filled], 200) == 0; filled++)
        ;
    assert_true(filled > 0 && filled < 4096);
    assert_int_equal(secret_set(&small[0], secrets[0].bytes, 1000), -1);
    assert_int_equal(small[0].length, 200);
    for (i = 0; i < filled; i += 2)
        secret_wipe(&small[i]);
    for (i = 1; i < filled; i += 2)
        secret_wipe(&small[i]);
    for (i = 0; i < count; i++)
        secret_wipe(&secrets[count - 1 - i]);
    again = fill_arena(secrets, 16);
    assert_int_equal(again, count);
    for (i = 0; i < again; i++)
        secret_wipe(&secrets[i]);
}

static void secrets_never_overlap(void **state)
{
    static struct secret secrets[SLOTS];
    static unsigned char expected[SLOTS], bytes[LONGEST];
    uint32_t random = 42;
    size_t round, i;

    (void)state;
    for (round = 0; round < ROUNDS; round++) {
        size_t slot;
        random = random * 1664525U + 1013904223U;
        slot = (random >> 8) % SLOTS;
        for (i = 0; i < secrets[slot].length; i++)
            if (secrets[slot].bytes[i] != expected[slot])
                fail_msg("round %zu: byte %zu of secret %zu was overwritten", round, i, slot);
        expected[slot] = (unsigned char)(random >> 24);
        memset(bytes, expected[slot], sizeof bytes);
        if (random & 1)
            secret_wipe(&secrets[slot]);
        else
            assert_int_equal(secret_set(&secrets[slot], bytes, (random >> 12) % LONGEST), 0);
    }
    for (i = 0; i < SLOTS; i++)
        secret_wipe(&secrets[i]);
}

static void a_closed_arena_gives_nothing_and_opens_again(void **state)
{
    struct secret secret = {0};

    (void)state;
    secret_arena_close();
    assert_int_equal(secret_set(&secret, "x", 1), -1);
    assert_false(secret_arena_locked());
    secret_arena_close();
    assert_int_equal(secret_arena_open(), 0);
    assert_int_equal(secret_arena_open(), 0);
    assert_int_equal(secret_set(&secret, "x", 1), 0);
    secret_wipe(&secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_holds_its_bytes_and_a_nul_behind_them),
        cmocka_unit_test(setting_a_secret_from_itself_is_harmless),
        cmocka_unit_test(a_released_secret_is_wiped),
        cmocka_unit_test(reserved_room_is_zeroed),
        cmocka_unit_test(moving_leaves_nothing_behind),
        cmocka_unit_test(copies_are_equal_and_independent),
        cmocka_unit_test(the_longest_secret_fits_and_one_byte_more_changes_nothing),
        cmocka_unit_test(a_full_arena_refuses_and_recovers),
        cmocka_unit_test(secrets_never_overlap),
        cmocka_unit_test(a_closed_arena_gives_nothing_and_opens_again),
    };

    return CORE_TESTS(tests);
}
