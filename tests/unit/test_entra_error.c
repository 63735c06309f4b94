/* SPDX-License-Identifier: MPL-2.0 */
/* Every number of FACTS 4: which kind a bare invalid_grant with it becomes, and that it is told in words. */
#include "core/diagnosis.h"
#include "core/entra_error.h"

#include "core_support.h"

/* Written down from FACTS 4, not from the table. */
static const int transient[] = {50033, 50087, 50088, 80001, 80002, 80005, 80014,
                                90006, 90012, 90024, 90033, 90090, 70012, 70016};
static const int throttled[] = {50196, 90055};
static const int sign_in[] = {70008, 700082, 700081, 700084, 50089, 50058,  50132, 50133,  50173, 70000,
                              54005, 70019,  70018,  90120,  50134, 50055,  50144, 50126,  50056, 50034,
                              51004, 50014,  50020,  500208, 16000, 160021, 50147, 501481, 501491};
static const int interaction[] = {70043, 70044, 50072, 50079, 50074, 50076, 50078, 50158,
                                  50097, 50187, 50129, 50125, 50140, 50199, 50127};
static const int consent[] = {65001, 90094, 90095, 90093, 90008};
static const int blocked[] = {50053,  50057, 53000,  53001,  53002, 53003,  530032, 530035,
                              530084, 50131, 50005,  53004,  53010, 53011,  530034, 500021,
                              500022, 50002, 500212, 500213, 50105, 650052, 650054};
static const int misconfigured[] = {
    50050,   50128,  50059,  90019,   90002,   900023,  50194,  90038, 900382,  900432,  9002332,
    9001023, 90124,  90130,  65005,   650056,  650057,  500011, 50001, 500014,  65002,   700016,
    700011,  90099,  70001,  7000112, 1000031, 7000218, 700025, 70002, 7000215, 7000222, 50011,
    500113,  900971, 70004,  9002326, 9002327, 70003,   70005,  70007, 700054,  70011,   28002,
    28003,   700022, 700023, 650053,  90013,   90014,   900144, 90023, 9002313, 90100,   90015,
    901002,  90056,  900561, 50049,   80013,   1002016};

#define LIST(numbers) numbers, sizeof numbers / sizeof numbers[0]

static const struct {
    enum problem_kind kind;
    const int *numbers;
    size_t count;
} kinds[] = {
    {PROBLEM_IDENTITY_PROVIDER, LIST(transient)}, {PROBLEM_THROTTLED, LIST(throttled)},
    {PROBLEM_SIGN_IN_REQUIRED, LIST(sign_in)},    {PROBLEM_INTERACTION_REQUIRED, LIST(interaction)},
    {PROBLEM_CONSENT_REQUIRED, LIST(consent)},    {PROBLEM_BLOCKED, LIST(blocked)},
    {PROBLEM_MISCONFIGURED, LIST(misconfigured)},
};

#define KINDS (sizeof kinds / sizeof kinds[0])

static enum token_failure diagnose(const char *error, const char *suberror, int number,
                                   struct problem *problem)
{
    const struct oauth_error answer = {.status = 400, .error = error, .suberror = suberror, .aadsts = number};

    return diagnose_token_error(&answer, problem);
}

static bool is_passing(enum problem_kind kind)
{
    return kind == PROBLEM_IDENTITY_PROVIDER || kind == PROBLEM_THROTTLED;
}

static void every_number_has_its_kind(void **state)
{
    struct problem problem;
    size_t i, k;

    (void)state;
    for (i = 0; i < KINDS; i++)
        for (k = 0; k < kinds[i].count; k++) {
            enum token_failure failure = diagnose("invalid_grant", NULL, kinds[i].numbers[k], &problem);
            if (problem.kind != kinds[i].kind)
                fail_msg("%d is %s", kinds[i].numbers[k], problem_kind_name(problem.kind));
            assert_int_equal(failure,
                             is_passing(kinds[i].kind) ? TOKEN_FAILURE_TRANSIENT : TOKEN_FAILURE_SUSPENDED);
            assert_int_equal(problem.aadsts, kinds[i].numbers[k]);
            assert_int_equal(problem.retry_after,
                             problem.kind == PROBLEM_THROTTLED ? RETRY_AFTER_DEFAULT : 0);
        }
    assert_int_equal(diagnose("invalid_grant", NULL, 65004, &problem), TOKEN_FAILURE_SUSPENDED);
    assert_int_equal(problem.kind, PROBLEM_SIGN_IN_REQUIRED);
}

/* A sentence of ours: it begins and ends like one, and nothing was cut off. */
static void assert_sentence(const char *text)
{
    size_t length = strlen(text);

    assert_true(length > 10 && length < PROBLEM_TEXT_MAX - 1);
    assert_true(text[0] >= 'A' && text[0] <= 'Z');
    assert_true(text[length - 1] == '.');
    assert_null(strstr(text, "  "));
    assert_null(strstr(text, "AADSTS"));
}

static void every_number_is_told_in_words_of_its_own(void **state)
{
    struct problem problem, of_the_kind;
    const struct entra_error *row;
    size_t i, k;

    (void)state;
    for (i = 0; i < KINDS; i++)
        for (k = 0; k < kinds[i].count; k++) {
            row = entra_error_find(kinds[i].numbers[k]);
            assert_non_null(row);
            assert_int_equal(row->kind, kinds[i].kind);
            assert_sentence(row->cause);
            assert_sentence(row->remedy);
            if (row->admin_remedy != NULL)
                assert_sentence(row->admin_remedy);
            diagnose("invalid_grant", NULL, kinds[i].numbers[k], &problem);
            assert_string_equal(problem.cause, row->cause);
            assert_string_equal(problem.remedy, row->remedy);
            assert_string_equal(problem.admin_remedy, row->admin_remedy == NULL ? "" : row->admin_remedy);
            diagnose_kind(kinds[i].kind, &of_the_kind);
            assert_string_not_equal(problem.cause, of_the_kind.cause);
        }
    assert_sentence(entra_error_find(65004)->cause);
    assert_sentence(entra_error_find(65004)->remedy);
}

static void what_only_an_administrator_can_change_says_so(void **state)
{
    struct problem problem;
    size_t i, k;

    (void)state;
    for (i = 0; i < KINDS; i++)
        for (k = 0; k < kinds[i].count; k++) {
            diagnose("invalid_grant", NULL, kinds[i].numbers[k], &problem);
            if (problem.kind == PROBLEM_BLOCKED || problem.kind == PROBLEM_MISCONFIGURED ||
                problem.kind == PROBLEM_CONSENT_REQUIRED)
                assert_sentence(problem.admin_remedy);
        }
}

static void an_unknown_number_is_told_as_its_error_is(void **state)
{
    static const int numbers[] = {1, 49999, 50012, 99999, 7777777, 99999999};
    static const struct {
        const char *error;
        enum problem_kind kind;
    } rows[] = {
        {"invalid_grant", PROBLEM_SIGN_IN_REQUIRED},
        {"interaction_required", PROBLEM_INTERACTION_REQUIRED},
        {"temporarily_unavailable", PROBLEM_IDENTITY_PROVIDER},
        {"invalid_client", PROBLEM_MISCONFIGURED},
        {"invalid_request", PROBLEM_MISCONFIGURED},
        {"sunspots", PROBLEM_MISCONFIGURED},
    };
    struct problem problem, of_the_kind;
    size_t i, k;

    (void)state;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (k = 0; k < sizeof numbers / sizeof numbers[0]; k++) {
            assert_null(entra_error_find(numbers[k]));
            diagnose(rows[i].error, NULL, numbers[k], &problem);
            assert_int_equal(problem.kind, rows[i].kind);
            diagnose_kind(rows[i].kind, &of_the_kind);
            assert_string_equal(problem.cause, of_the_kind.cause);
            assert_string_equal(problem.remedy, of_the_kind.remedy);
        }
    assert_null(entra_error_find(0));
    assert_null(entra_error_find(-50173));
}

static void no_number_kills_a_token_or_saves_one(void **state)
{
    static const char *const errors[] = {"invalid_grant", "interaction_required", "invalid_client", "x",
                                         NULL};
    static const char *const suberrors[] = {NULL, "consent_required", "basic_action", "client_mismatch"};
    struct problem problem;
    size_t i, k, e, s;

    (void)state;
    for (i = 0; i < KINDS; i++)
        for (k = 0; k < kinds[i].count; k++) {
            for (e = 0; e < sizeof errors / sizeof errors[0]; e++)
                for (s = 0; s < sizeof suberrors / sizeof suberrors[0]; s++)
                    assert_int_not_equal(diagnose(errors[e], suberrors[s], kinds[i].numbers[k], &problem),
                                         TOKEN_FAILURE_DEAD);
            assert_int_equal(diagnose("invalid_grant", "bad_token", kinds[i].numbers[k], &problem),
                             TOKEN_FAILURE_DEAD);
            assert_int_equal(problem.kind, PROBLEM_SIGN_IN_REQUIRED);
        }
}

static void what_was_kept_as_numbers_is_told_in_the_same_words(void **state)
{
    static const char *const errors[] = {"invalid_grant", "interaction_required", "invalid_client",
                                         "consent_required"};
    static const char *const suberrors[] = {NULL, "basic_action", "consent_required", "bad_token"};
    struct problem problem, restored;
    size_t i, k, e, s;

    (void)state;
    for (i = 0; i < KINDS; i++)
        for (k = 0; k <= kinds[i].count; k++)
            for (e = 0; e < sizeof errors / sizeof errors[0]; e++)
                for (s = 0; s < sizeof suberrors / sizeof suberrors[0]; s++) {
                    diagnose(errors[e], suberrors[s], k < kinds[i].count ? kinds[i].numbers[k] : 0, &problem);
                    memset(&restored, 'x', sizeof restored);
                    diagnose_restore(problem.kind, problem.aadsts, &restored);
                    assert_memory_equal(&problem, &restored, sizeof problem);
                }
}

static void whatever_was_kept_can_be_told(void **state)
{
    struct problem problem;
    int kind;

    (void)state;
    for (kind = -2; kind < PROBLEM_KINDS + 3; kind++) {
        diagnose_restore((enum problem_kind)kind, -7, &problem);
        assert_true(problem.kind > PROBLEM_NONE && problem.kind < PROBLEM_KINDS);
        assert_true(problem.cause[0] != '\0' && problem.remedy[0] != '\0');
        assert_int_equal(problem.aadsts, 0);
        assert_true((problem.kind == PROBLEM_NETWORK) == (problem.stage != NULL));
        assert_true((problem.kind == PROBLEM_THROTTLED) == (problem.retry_after > 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_has_its_kind),
        cmocka_unit_test(every_number_is_told_in_words_of_its_own),
        cmocka_unit_test(what_only_an_administrator_can_change_says_so),
        cmocka_unit_test(an_unknown_number_is_told_as_its_error_is),
        cmocka_unit_test(no_number_kills_a_token_or_saves_one),
        cmocka_unit_test(what_was_kept_as_numbers_is_told_in_the_same_words),
        cmocka_unit_test(whatever_was_kept_can_be_told),
    };

    return CORE_TESTS(tests);
}
