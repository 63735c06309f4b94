/* SPDX-License-Identifier: MPL-2.0 */
/* What an access token says, for the diagnosis alone. */
#include "core/jwt.h"
#include "core_support.h"

/* A token with this payload; its head and signature are of no interest. */
static void token_of(struct secret *token, const char *payload)
{
    char encoded[4096], text[4200];

    assert_non_null(sodium_bin2base64(encoded, sizeof encoded, (const unsigned char *)payload,
                                      strlen(payload), sodium_base64_VARIANT_URLSAFE_NO_PADDING));
    snprintf(text, sizeof text, "e30.%s.c2ln", encoded);
    put_secret(token, text);
}

static void the_claims_of_either_version_are_read(void **state)
{
    struct secret token = {0};
    struct access_claims claims;

    (void)state;
    token_of(&token, "{\"aud\":\"" OUTLOOK "\",\"scp\":\"IMAP.AccessAsUser.All SMTP.Send\",\"upn\":\"" USER
                     "\",\"tid\":\"t\",\"appid\":\"a\",\"iat\":10,\"exp\":20}");
    access_claims_read(&claims, &token);
    assert_true(claims.readable);
    assert_string_equal(claims.audience, OUTLOOK);
    assert_string_equal(claims.scopes, "IMAP.AccessAsUser.All SMTP.Send");
    assert_string_equal(claims.user, USER);
    assert_string_equal(claims.tenant, "t");
    assert_string_equal(claims.client_id, "a");
    assert_int_equal(claims.issued_at, 10);
    assert_int_equal(claims.expires_at, 20);
    token_of(&token, "{\"preferred_username\":\"" USER "\",\"azp\":\"b\"}");
    access_claims_read(&claims, &token);
    assert_string_equal(claims.user, USER);
    assert_string_equal(claims.client_id, "b");
    assert_string_equal(claims.audience, "");
    secret_wipe(&token);
}

static void what_is_no_such_token_is_opaque(void **state)
{
    static const char *const texts[] = {"EwBIA8l6BAAU", "a.b", "..", "e30.!!!.x", "e30.W10.x", "e30.e30"};
    struct secret token = {0};
    struct access_claims claims;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        put_secret(&token, texts[i]);
        access_claims_read(&claims, &token);
        if (claims.readable)
            fail_msg("%s was read", texts[i]);
    }
    token_of(&token, "{\"upn\":7,\"aud\":\"a\\nb\",\"exp\":\"soon\"}");
    access_claims_read(&claims, &token);
    assert_true(claims.readable);
    assert_string_equal(claims.user, "");
    assert_string_equal(claims.audience, "");
    assert_int_equal(claims.expires_at, 0);
    secret_wipe(&token);
}

static void a_resource_goes_by_several_names(void **state)
{
    (void)state;
    assert_true(access_audience_fits("https://outlook.office365.com/", OUTLOOK, false));
    assert_true(access_audience_fits("00000002-0000-0ff1-ce00-000000000000", OUTLOOK, false));
    assert_true(access_audience_fits("https://partner.outlook.cn", "https://partner.outlook.cn", false));
    assert_true(access_audience_fits("00000003-0000-0000-c000-000000000000", GRAPH, true));
    assert_false(access_audience_fits(GRAPH, OUTLOOK, false));
    assert_false(access_audience_fits(OUTLOOK, GRAPH, true));
    assert_false(access_audience_fits("", OUTLOOK, false));
    assert_false(access_audience_fits(OUTLOOK ".evil.example", OUTLOOK, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_claims_of_either_version_are_read),
        cmocka_unit_test(what_is_no_such_token_is_opaque),
        cmocka_unit_test(a_resource_goes_by_several_names),
    };

    return CORE_TESTS(tests);
}
