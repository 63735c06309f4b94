/* SPDX-License-Identifier: MPL-2.0 */
/* An entry of the log takes words of ours, numbers, GUIDs and hashes, whatever it is given. */
#include "core_support.h"

#include "core/log_entry.h"

#define TOKEN "eyJ0eXAiOiJKV1QifQ.c2VjcmV0.c2ln"
#define GUID "6c26ce72-a160-460d-8dbf-7964e459178d"
#define OTHER_GUID "0f6d6c0e-54b7-4f0c-9a52-0d53a8f1f9d1"
#define HASH "86a3bcdbffdd73b80bcf8b5a8feb5425"

/* Every field at its longest. */
static struct log_entry full(void)
{
    struct log_entry entry = {.event = LOG_ACCOUNT_FORGOTTEN,
                              .account = log_hash_of(HASH),
                              .resource = log_word_of("outlook"),
                              .method = log_word_of("browser"),
                              .state = log_word_of("signed-out"),
                              .rpc_method = log_word_of("backup.restore"),
                              .what = log_word_of("previous-used"),
                              .by = log_word_of("thunderbird"),
                              .kind = PROBLEM_INTERACTION_REQUIRED,
                              .stage = log_word_of("timeout"),
                              .http_status = INT64_MIN,
                              .aadsts = INT64_MIN,
                              .exit_status = INT64_MIN,
                              .count = INT64_MIN,
                              .seconds = INT64_MIN,
                              .milliseconds = INT64_MIN,
                              .request_id = guid_read(GUID),
                              .correlation_id = guid_read(OTHER_GUID)};

    return entry;
}

static void what_is_no_word_of_ours_is_left_out(void **state)
{
    const struct log_entry entry = {.event = LOG_RENEWED,
                                    .account = log_hash_of("ada@contoso.com"),
                                    .resource = log_word_of(TOKEN),
                                    .what = log_word_of("cache\nPRIORITY=0"),
                                    .by = log_word_of(NULL),
                                    .request_id = guid_read(TOKEN)};
    char text[LOG_TEXT_MAX];

    (void)state;
    assert_int_equal(log_entry_text(text, &entry), strlen("renewed"));
    assert_string_equal(text, "renewed");
}

static void a_guid_is_read_as_one_and_nothing_else_is(void **state)
{
    static const char *const bad[] = {"",
                                      "6c26ce72-a160-460d-8dbf-7964e459178",
                                      GUID "0",
                                      "6c26ce72aa160-460d-8dbf-7964e459178d",
                                      "6c26ce72-a160-460d-8dbf-7964e459178g",
                                      "6c26ce72-a160-460d-8dbf-7964e45-178d",
                                      "------------------------------------",
                                      "eyJ0eXAiOiJKV1QifQ.c2VjcmV0.c2lnbmF0"};
    struct guid guid = guid_read(GUID), upper = guid_read("6C26CE72-A160-460D-8DBF-7964E459178D");
    char text[GUID_TEXT_SIZE];
    size_t i;

    (void)state;
    guid_write(text, &guid);
    assert_string_equal(text, GUID);
    assert_true(guid_equal(&guid, &upper));
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        guid = guid_read(bad[i]);
        assert_true(guid_none(&guid));
    }
}

static void a_random_guid_has_version_and_variant(void **state)
{
    const unsigned char zeros[GUID_BYTES] = {0};
    unsigned char ones[GUID_BYTES];
    struct guid guid = guid_of_random(zeros);
    char text[GUID_TEXT_SIZE];

    (void)state;
    guid_write(text, &guid);
    assert_string_equal(text, "00000000-0000-4000-8000-000000000000");
    memset(ones, 0xff, sizeof ones);
    guid = guid_of_random(ones);
    guid_write(text, &guid);
    assert_string_equal(text, "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

static void every_field_at_its_longest_fits(void **state)
{
    const struct log_entry entry = full();
    char text[LOG_TEXT_MAX], datagram[LOG_JOURNAL_MAX];
    size_t length = log_entry_text(text, &entry);

    (void)state;
    assert_int_equal(length, strlen(text));
    assert_non_null(strstr(text, " correlation_id=" OTHER_GUID)); /* the last one */
    assert_true(length < LOG_TEXT_MAX / 2);
    length = log_entry_journal(datagram, &entry);
    assert_int_equal(length, strlen(datagram));
    assert_non_null(strstr(datagram, "\nTHUNDERSEAL_CORRELATION_ID=" OTHER_GUID "\n"));
    assert_true(length < LOG_JOURNAL_MAX - LOG_TEXT_MAX / 4);
}

static void a_problem_gives_its_kind_and_ids_and_none_of_its_words(void **state)
{
    struct problem problem = {.kind = PROBLEM_NETWORK, .stage = "dns", .aadsts = 50173};
    struct log_entry entry = {.event = LOG_RENEWAL_FAILED, .request_id = guid_read(GUID)};
    char text[LOG_TEXT_MAX];

    (void)state;
    snprintf(problem.cause, sizeof problem.cause, "%s", TOKEN);
    snprintf(problem.correlation_id, sizeof problem.correlation_id, "%s", GUID);
    log_entry_problem(&entry, &problem);
    log_entry_text(text, &entry);
    assert_string_equal(text, "renewal-failed kind=network stage=dns aadsts=50173 request_id=" GUID);
    snprintf(problem.correlation_id, sizeof problem.correlation_id, "%s", OTHER_GUID);
    log_entry_problem(&entry, &problem);
    log_entry_text(text, &entry);
    assert_non_null(strstr(text, " correlation_id=" OTHER_GUID));
}

static void a_repetition_is_one_level_lower(void **state)
{
    struct log_entry entry = {.event = LOG_RENEWAL_FAILED};

    (void)state;
    assert_int_equal(log_entry_level(&entry), LEVEL_WARNING);
    entry.repeated = true;
    assert_int_equal(log_entry_level(&entry), LEVEL_INFO);
    entry.event = LOG_STATE;
    assert_int_equal(log_entry_level(&entry), LEVEL_DEBUG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_word_of_ours_is_left_out),
        cmocka_unit_test(a_guid_is_read_as_one_and_nothing_else_is),
        cmocka_unit_test(a_random_guid_has_version_and_variant),
        cmocka_unit_test(every_field_at_its_longest_fits),
        cmocka_unit_test(a_problem_gives_its_kind_and_ids_and_none_of_its_words),
        cmocka_unit_test(a_repetition_is_one_level_lower),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
