/* SPDX-License-Identifier: MPL-2.0 */
/* Only the person whom the account needs is signed in, and by claims that only Microsoft sets. */
#include "identity_events.h"

static void three_wrong_accounts_end_the_sign_in(void **state)
{
    struct bench bench;
    struct token_answer answer;
    const struct problem *problem;
    uint64_t id;
    int i;

    (void)state;
    signed_in_long_ago(&bench);
    memset(bench.identity.grant.oid, 0, DIRECTORY_ID_SIZE);
    id = start_sign_in(&bench, ALL_SCOPES);
    for (i = 0; i < SIGN_IN_TRIES; i++) {
        forget_seen(&bench);
        good_code_answer(&answer, "hers", "hers-too");
        strcpy(answer.id.preferred_username, "mallory@example.org");
        try_with(&bench, &answer);
        assert_refresh_token(&bench, "refresh-1");
        assert_int_equal(count_seen(&bench, EFFECT_SAVE), 0);
        problem = i < SIGN_IN_TRIES - 1 ? retried_with(&bench, id, PROBLEM_WRONG_ACCOUNT)
                                        : finished_with(&bench, id, PROBLEM_WRONG_ACCOUNT);
        assert_string_equal(problem->signed_in_as, "mallory@example.org");
    }
    assert_int_equal(count_seen(&bench, EFFECT_SIGN_IN_RETRY), 0);
    bench_close(&bench);
}

static void a_wrong_account_may_be_followed_by_the_right_one(void **state)
{
    struct bench bench;
    struct token_answer answer;
    uint64_t id;

    (void)state;
    bench_open(&bench);
    id = start_sign_in(&bench, ALL_SCOPES);
    good_code_answer(&answer, "hers", "hers-too");
    strcpy(answer.id.preferred_username, "mallory@example.org");
    try_with(&bench, &answer);
    retried_with(&bench, id, PROBLEM_WRONG_ACCOUNT);
    good_code_answer(&answer, "outlook-1", "refresh-1");
    answer.id.preferred_username[0] = '\0';
    strcpy(answer.id.upn, USER);
    try_with(&bench, &answer);
    finished_with(&bench, id, PROBLEM_NONE);
    bench_close(&bench);
}

static void a_known_person_is_known_by_oid_and_tid_alone(void **state)
{
    struct bench bench;
    struct token_answer answer;
    uint64_t id;

    (void)state;
    signed_in_long_ago(&bench);
    id = start_sign_in(&bench, ALL_SCOPES);
    good_code_answer(&answer, "outlook-2", "refresh-2");
    strcpy(answer.id.tid, "tid-other");
    try_with(&bench, &answer);
    retried_with(&bench, id, PROBLEM_WRONG_ACCOUNT);
    good_code_answer(&answer, "outlook-2", "refresh-2");
    strcpy(answer.id.preferred_username, "lena.renamed@example.org");
    try_with(&bench, &answer);
    finished_with(&bench, id, PROBLEM_NONE);
    bench_close(&bench);
}

static void a_name_that_cannot_be_shown_is_not_shown(void **state)
{
    struct bench bench;
    struct token_answer answer;
    json_t *object;
    char name[ACCOUNT_NAME_SIZE];
    size_t i;

    (void)state;
    bench_open(&bench);
    start_sign_in(&bench, ALL_SCOPES);
    good_code_answer(&answer, "hers", "hers-too");
    strcpy(answer.id.preferred_username, "nobody at all\177");
    try_with(&bench, &answer);
    assert_string_equal(bench.identity.sign_in_reply.signed_in_as, "");
    for (i = 0; i < 250; i += 2)
        memcpy(name + i, "\xc3\xa9", 2);
    strcpy(name + i, "x@y");
    name[0] = 'a'; /* every é now stands at an odd place, so that no even cut hits its end */
    memmove(name + 1, name + 2, strlen(name + 2) + 1);
    assert_true(account_name_valid(name));
    good_code_answer(&answer, "hers", "hers-too");
    strcpy(answer.id.preferred_username, name);
    try_with(&bench, &answer);
    object = problem_to_json(&bench.identity.sign_in_reply);
    assert_non_null(object);
    assert_string_equal(json_string_value(json_object_get(object, "signedInAs")), name);
    assert_non_null(strstr(json_string_value(json_object_get(object, "cause")), name));
    json_decref(object);
    bench_close(&bench);
}

static void an_id_token_that_is_not_for_us_is_not_taken(void **state)
{
    struct bench bench;
    struct token_answer answer;
    uint64_t id;
    int spoiled;

    (void)state;
    for (spoiled = 0; spoiled < 4; spoiled++) {
        bench_open(&bench);
        id = start_sign_in(&bench, ALL_SCOPES);
        good_code_answer(&answer, "outlook-1", "refresh-1");
        if (spoiled == 0)
            strcpy(answer.id.audience, "another-client");
        else if (spoiled == 1)
            strcpy(answer.id.nonce, "bm9uY2V");
        else if (spoiled == 2)
            answer.id.nonce[0] = '\0';
        else
            memset(&answer.id, 0, sizeof answer.id);
        try_with(&bench, &answer);
        retried_with(&bench, id, PROBLEM_IDENTITY_PROVIDER);
        assert_refresh_token(&bench, "");
        bench_close(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_wrong_accounts_end_the_sign_in),
        cmocka_unit_test(a_wrong_account_may_be_followed_by_the_right_one),
        cmocka_unit_test(a_known_person_is_known_by_oid_and_tid_alone),
        cmocka_unit_test(a_name_that_cannot_be_shown_is_not_shown),
        cmocka_unit_test(an_id_token_that_is_not_for_us_is_not_taken),
    };

    return CORE_TESTS(tests);
}
