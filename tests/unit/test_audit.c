/* SPDX-License-Identifier: MPL-2.0 */
/* The audit log: what is done to the file afterwards is found, and said for what it is. */
#include "test_audit_fixture.h"

/* ---- lines ---- */

static void test_an_intact_log_says_what_happened(void **state)
{
    struct audit *audit;

    (void)state;
    audit = log_of(5);
    assert_intact(audit, 7);
    assert_int_equal(lines_of_log(), 7);
    assert_event(3, "event-a");
    assert_null(memmem(log_bytes, log_length, "anna@", 5));
    close_log(audit);
}

static void test_lines_are_those_of_the_test_vector(void **state)
{
    static const char second[] = "{\"seq\":2,\"time\":1795650739,\"event\":\"signed-in\",\"account\":"
                                 "\"a3fb379744c70fbc754c28a64427c53e\","
                                 "\"method\":\"browser\",\"by\":\"thunderbird\",\"mac\":"
                                 "\"d0e2fae269f407093e7169884c1b1f354ab07863a53f063304289b79bb629382\"}\n";
    struct envelope_key key = {0};
    struct secret secret = {0};
    struct audit_keys keys;
    struct audit_place place = {0};
    char line[AUDIT_LINE_MAX], hash[AUDIT_HASH_SIZE];
    json_t *entry = json_pack("{s:i, s:i, s:s}", "seq", 1, "time", 1795650738, "event", "log-started");
    size_t length;
    unsigned i;

    (void)state;
    assert_int_equal(secret_reserve(&secret, ENVELOPE_KEY_SIZE), 0);
    for (i = 0; i < ENVELOPE_KEY_SIZE; i++)
        secret.bytes[i] = (unsigned char)i;
    assert_int_equal(envelope_key_derive(&key, &secret), 0);
    assert_int_equal(audit_keys_derive(&keys, &key.mac_key), 0);
    assert_true(audit_line_write(line, entry, &keys, &place) > 0);
    json_decref(entry);
    audit_account_hash(hash, &keys, "Anna@Example.org");
    entry = json_pack("{s:i, s:i, s:s, s:s, s:s, s:s}", "seq", 2, "time", 1795650739, "event", "signed-in",
                      "account", hash, "method", "browser", "by", "thunderbird");
    length = audit_line_write(line, entry, &keys, &place);
    json_decref(entry);
    assert_int_equal(length, sizeof second - 1);
    assert_memory_equal(line, second, length);
    audit_keys_wipe(&keys);
    envelope_key_wipe(&key);
    secret_wipe(&secret);
}

static void test_nothing_is_written_when_it_is_switched_off(void **state)
{
    const struct audit_options off = {.retention_days = 365, .policy = "{}"};
    struct audit *audit;

    (void)state;
    make_vault("x");
    audit = open_log(&off);
    note(audit, "event", 1000);
    assert_null(audit_anchor(audit, 1000));
    assert_false(exists(LOG));
    assert_false(audit_due(audit));
    close_log(audit);
}

static void test_a_change_of_policy_is_told_once(void **state)
{
    struct audit_options options = usual;
    struct audit *audit;

    (void)state;
    close_log(log_of(1));
    close_log(log_again(1));
    assert_int_equal(lines_of_log(), 4);
    options.policy = "{\"tenant\":\"other\"}";
    audit = open_log(&options);
    note(audit, "event", 1001);
    assert_int_equal(lines_of_log(), 6);
    assert_event(5, "policy-changed");
    close_log(audit);
}

static void test_an_address_is_one_hash_however_it_is_written(void **state)
{
    struct audit *audit = log_of(0);
    char hash[AUDIT_HASH_SIZE], other[AUDIT_HASH_SIZE];

    (void)state;
    assert_int_equal(audit_hash_of(audit, "Anna@Example.org", hash), 0);
    assert_int_equal(audit_hash_of(audit, "anna@example.org", other), 0);
    assert_string_equal(hash, other);
    assert_int_equal(audit_hash_of(audit, "anne@example.org", other), 0);
    assert_string_not_equal(hash, other);
    close_log(audit);
}

static void note_damage(struct audit *audit)
{
    const struct audit_entry entry = {
        .event = AUDIT_VAULT_DAMAGED, .time = 1000, .account = "anna@example.org", .until_healed = true};

    audit_note(audit, &entry);
    assert_false(audit_due(audit));
}

static void test_damage_is_told_once_until_it_is_healed(void **state)
{
    struct audit *audit = log_of(1);

    (void)state;
    note_damage(audit);
    note_damage(audit);
    close_log(audit);
    audit = open_log(&usual);
    note_damage(audit);
    assert_int_equal(count_events(AUDIT_VAULT_DAMAGED), 1);
    note(audit, "renewed", 1000);
    note_damage(audit);
    assert_int_equal(count_events(AUDIT_VAULT_DAMAGED), 2);
    assert_intact(audit, lines_of_log());
    close_log(audit);
}

/* ---- tampering ---- */

static void test_every_changed_byte_is_found(void **state)
{
    struct audit *audit = log_of(3);
    struct audit_verdict verdict;
    struct problem problem;
    size_t at;

    (void)state;
    (void)lines_of_log();
    for (at = 0; at < log_length; at++) {
        log_bytes[at] ^= 0x01;
        write_log();
        assert_int_equal(audit_check(audit, NULL, NULL, &verdict, &problem), 0);
        if (verdict.intact && !(at == log_length - 1 && verdict.half_line > 0))
            fail_msg("byte %zu", at);
        log_bytes[at] ^= 0x01;
    }
    write_log();
    assert_intact(audit, 5);
    close_log(audit);
}

static void test_a_changed_entry_is_found_where_it_is(void **state)
{
    struct audit *audit = log_of(5);

    (void)state;
    (void)lines_of_log();
    *(char *)memmem(log_bytes, log_length, "event-c", 7) = 'E';
    write_log();
    assert_finding(audit, AUDIT_NO_ENTRY, 5);
    *(char *)memmem(log_bytes, log_length, "Event-c", 7) = 'f';
    write_log();
    assert_finding(audit, AUDIT_CHANGED, 5);
    close_log(audit);
}

static void test_removed_entries_are_found(void **state)
{
    struct audit *audit = log_of(5);
    int line;

    (void)state;
    for (line = 1; line < 7; line++) {
        (void)lines_of_log();
        remove_line(line);
        assert_finding(audit, AUDIT_MISSING, line);
        insert_back();
    }
    assert_intact(audit, 7);
    close_log(audit);
}

static void test_exchanged_and_repeated_entries_are_found(void **state)
{
    struct audit *audit = log_of(5);

    (void)state;
    (void)lines_of_log();
    exchange_lines(4, 5);
    assert_finding(audit, AUDIT_MISSING, 4);
    exchange_lines(4, 5);
    assert_intact(audit, 7);
    repeat_line(4);
    assert_finding(audit, AUDIT_OUT_OF_ORDER, 8);
    close_log(audit);
}

static void test_a_forged_line_is_found(void **state)
{
    static const char forged[] = "{\"seq\":8,\"time\":1,\"event\":\"signed-in\",\"mac\":"
                                 "\"0000000000000000000000000000000000000000000000000000000000000000\"}\n";
    static const char high[] = "{\"seq\":4611686018427387000,\"time\":1,\"event\":\"log-damaged\",\"mac\":"
                               "\"0000000000000000000000000000000000000000000000000000000000000000\"}\n";
    struct audit *audit = log_of(5);
    json_t *anchor;

    (void)state;
    append_to_log(forged, sizeof forged - 1);
    assert_finding(audit, AUDIT_CHANGED, 8);
    append_to_log("nonsense\n", 9);
    append_to_log(high, sizeof high - 1);
    /* It is noted once, and what comes after is good again. */
    note(audit, "after", 2000);
    assert_finding(audit, AUDIT_CHANGED, 8);
    note(audit, "after", 2001);
    close_log(audit);
    audit = log_again(1);
    assert_int_equal(count_events("log-damaged"), 2); /* the forged one, and ours */
    anchor = audit_anchor(audit, 2002);
    assert_true(json_integer_value(json_object_get(anchor, "count")) < 20);
    json_decref(anchor);
    assert_int_equal(count_events("after"), 2);
    close_log(audit);
}

static void test_a_log_cut_short_is_found_by_the_anchor(void **state)
{
    struct audit *audit = log_of(5);
    json_t *anchor = audit_anchor(audit, 1000);

    (void)state;
    assert_int_equal(json_integer_value(json_object_get(anchor, "count")), 7);
    note(audit, "behind-the-anchor", 1001);
    close_log(audit);
    /* Behind the anchor nothing can be told. */
    (void)lines_of_log();
    remove_line(8);
    audit = open_log(&usual);
    audit_expect(audit, anchor);
    assert_intact(audit, 7);
    (void)lines_of_log();
    remove_line(7);
    assert_finding(audit, AUDIT_CUT_SHORT, 0);
    /* The next entry does not cover it up, nor does its anchor. */
    note(audit, "later", 1002);
    json_decref(audit_anchor(audit, 1002));
    close_log(audit);
    audit = open_log(&usual);
    assert_finding(audit, AUDIT_NOTED, 7);
    close_log(audit);
    json_decref(anchor);
}

static void test_a_removed_log_is_found_by_the_anchor(void **state)
{
    struct audit *audit = log_of(2);
    json_t *anchor = audit_anchor(audit, 1000);

    (void)state;
    close_log(audit);
    assert_int_equal(unlink(in_state(LOG)), 0);
    audit = open_log(&usual);
    audit_expect(audit, anchor);
    assert_finding(audit, AUDIT_REMOVED, 0);
    note(audit, "later", 1001);
    assert_finding(audit, AUDIT_NOTED, 1);
    close_log(audit);
    json_decref(anchor);
}

static void test_an_anchor_under_another_key_says_nothing(void **state)
{
    struct audit *audit = log_of(2);
    json_t *anchor = audit_anchor(audit, 1000);

    (void)state;
    json_object_set_new(anchor, "count", json_integer(100));
    json_object_set_new(anchor, "key", json_string("0000000000000000"));
    audit_expect(audit, anchor);
    assert_intact(audit, 4);
    json_decref(anchor);
    close_log(audit);
}

static void test_what_a_running_process_saw_must_still_be_there(void **state)
{
    struct audit *audit = log_of(5);

    (void)state;
    (void)lines_of_log();
    remove_line(7);
    note(audit, "later", 1001);
    assert_int_equal(count_events("log-damaged"), 1);
    assert_finding(audit, AUDIT_NOTED, 7);
    close_log(audit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_an_intact_log_says_what_happened, start_afresh),
        cmocka_unit_test_setup(test_lines_are_those_of_the_test_vector, start_afresh),
        cmocka_unit_test_setup(test_nothing_is_written_when_it_is_switched_off, start_afresh),
        cmocka_unit_test_setup(test_a_change_of_policy_is_told_once, start_afresh),
        cmocka_unit_test_setup(test_an_address_is_one_hash_however_it_is_written, start_afresh),
        cmocka_unit_test_setup(test_damage_is_told_once_until_it_is_healed, start_afresh),
        cmocka_unit_test_setup(test_every_changed_byte_is_found, start_afresh),
        cmocka_unit_test_setup(test_a_changed_entry_is_found_where_it_is, start_afresh),
        cmocka_unit_test_setup(test_removed_entries_are_found, start_afresh),
        cmocka_unit_test_setup(test_exchanged_and_repeated_entries_are_found, start_afresh),
        cmocka_unit_test_setup(test_a_forged_line_is_found, start_afresh),
        cmocka_unit_test_setup(test_a_log_cut_short_is_found_by_the_anchor, start_afresh),
        cmocka_unit_test_setup(test_a_removed_log_is_found_by_the_anchor, start_afresh),
        cmocka_unit_test_setup(test_an_anchor_under_another_key_says_nothing, start_afresh),
        cmocka_unit_test_setup(test_what_a_running_process_saw_must_still_be_there, start_afresh),
    };

    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
