/* SPDX-License-Identifier: MPL-2.0 */
/* The authorization URL and the token request forms, byte for byte. */
#include "core/authorization.h"

#include "core_support.h"

/* RFC 7636, appendix B */
#define VERIFIER "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

static struct secret state_secret, nonce, verifier, token;

static int make_secrets(void **state)
{
    if (core_open(state) != 0)
        return -1;
    put_secret(&state_secret, "st-ate");
    put_secret(&nonce, "no_nce");
    put_secret(&verifier, VERIFIER);
    put_secret(&token, "0.AX+/=&%?# ~-._*");
    return 0;
}

static int wipe_secrets(void **state)
{
    secret_wipe(&state_secret);
    secret_wipe(&nonce);
    secret_wipe(&verifier);
    secret_wipe(&token);
    return core_close(state);
}

static struct authorization_request ordinary_request(void)
{
    return (struct authorization_request){.authority = "https://login.microsoftonline.com",
                                          .tenant = "organizations",
                                          .client_id = "c-1",
                                          .redirect_uri = "http://localhost:40000",
                                          .scopes = IMAP_SCOPE " openid",
                                          .login_hint = "l\xc3\xa9na+x@example.org",
                                          .claims = "",
                                          .state = &state_secret,
                                          .nonce = &nonce,
                                          .verifier = &verifier};
}

static void the_url_is_what_the_standards_ask_for(void **state)
{
    const struct authorization_request request = ordinary_request();
    char url[AUTHORIZATION_URL_MAX];

    (void)state;
    assert_int_equal(authorization_url(url, &request), 0);
    assert_string_equal(url,
                        "https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize?"
                        "client_id=c-1&response_type=code&response_mode=query&"
                        "redirect_uri=http%3A%2F%2Flocalhost%3A40000&"
                        "scope=https%3A%2F%2Foutlook.office.com%2FIMAP.AccessAsUser.All%20openid&"
                        "state=st-ate&nonce=no_nce&code_challenge=" CHALLENGE "&code_challenge_method=S256&"
                        "login_hint=l%C3%A9na%2Bx%40example.org");
}

static void the_verifier_is_never_part_of_the_url(void **state)
{
    const struct authorization_request request = ordinary_request();
    char url[AUTHORIZATION_URL_MAX];

    (void)state;
    assert_int_equal(authorization_url(url, &request), 0);
    assert_null(strstr(url, VERIFIER));
}

static void the_longest_request_fits_and_a_longer_one_is_refused(void **state)
{
    struct authorization_request request = ordinary_request();
    char url[AUTHORIZATION_URL_MAX], authority[256], tenant[256], client_id[128], uri[64], scopes[1024],
        hint[255], claims[2048];
    char endless[AUTHORIZATION_URL_MAX];

    (void)state;
#define LONGEST(field) (memset(field, '+', sizeof field - 1), field[sizeof field - 1] = '\0', field)
    request.authority = LONGEST(authority);
    request.tenant = LONGEST(tenant);
    request.client_id = LONGEST(client_id);
    request.redirect_uri = LONGEST(uri);
    request.scopes = LONGEST(scopes);
    request.login_hint = LONGEST(hint);
    request.claims = LONGEST(claims);
    assert_int_equal(authorization_url(url, &request), 0);
    request.login_hint = LONGEST(endless);
    assert_int_equal(authorization_url(url, &request), -1);
    request = ordinary_request();
    request.tenant = endless;
    assert_int_equal(authorization_url(url, &request), -1);
#undef LONGEST
}

static void a_code_is_redeemed_with_its_verifier_and_redirect_uri(void **state)
{
    const struct token_request request = {.client_id = "c-1",
                                          .scopes = "openid",
                                          .code = &token,
                                          .redirect_uri = "http://localhost:40000",
                                          .verifier = &verifier};
    struct secret form = {0};

    (void)state;
    assert_int_equal(token_request_form(&form, &request), 0);
    assert_string_equal(
        secret_expose(&form),
        "client_id=c-1&client_info=1&scope=openid&grant_type=authorization_code&"
        "code=0.AX%2B%2F%3D%26%25%3F%23%20~-._%2A&redirect_uri=http%3A%2F%2Flocalhost%3A40000&"
        "code_verifier=" VERIFIER);
    assert_int_equal(form.length, strlen(secret_expose(&form)));
    assert_null(strstr(secret_expose(&form), "client_secret"));
    secret_wipe(&form);
}

static void a_renewal_names_scopes_and_refresh_token(void **state)
{
    const struct token_request request = {
        .client_id = "c-1", .scopes = IMAP_SCOPE " offline_access", .refresh_token = &token};
    struct secret form = {0};

    (void)state;
    assert_int_equal(token_request_form(&form, &request), 0);
    assert_string_equal(secret_expose(&form),
                        "client_id=c-1&client_info=1&"
                        "scope=https%3A%2F%2Foutlook.office.com%2FIMAP.AccessAsUser.All%20offline_access&"
                        "grant_type=refresh_token&refresh_token=0.AX%2B%2F%3D%26%25%3F%23%20~-._%2A");
    secret_wipe(&form);
}

static void the_longest_refresh_token_fits_a_form(void **state)
{
    struct secret longest = {0}, form = {0};
    const struct token_request request = {.client_id = "c", .scopes = "s", .refresh_token = &longest};

    (void)state;
    assert_int_equal(secret_reserve(&longest, 65536), 0);
    memset(longest.bytes, '+', longest.length);
    assert_int_equal(token_request_form(&form, &request), 0);
    assert_true(form.length > 3 * longest.length);
    assert_int_equal(secret_reserve(&longest, SECRET_MAX_LENGTH), 0);
    assert_int_equal(token_request_form(&form, &request), -1);
    secret_wipe(&longest);
    secret_wipe(&form);
}

static void random_text_is_base64url(void **state)
{
    static const unsigned char bytes[PKCE_RANDOM_BYTES] = {0xfb, 0xff, 0xfe, 0xff};
    struct secret text = {0};

    (void)state;
    assert_int_equal(authorization_random_text(&text, bytes, sizeof bytes), 0);
    assert_int_equal(text.length, 43); /* RFC 7636 section 4.1: at least 43 characters */
    assert_int_equal(strncmp(secret_expose(&text), "-__-_w", 6), 0);
    assert_int_equal(
        strspn(secret_expose(&text), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 43);
    secret_wipe(&text);
}

static void an_endpoint_that_does_not_fit_is_refused(void **state)
{
    char url[12];

    (void)state;
    assert_int_equal(endpoint_url(url, sizeof url, "https:a", "b", "/c"), 0);
    assert_string_equal(url, "https:a/b/c");
    assert_int_equal(endpoint_url(url, sizeof url, "https:a", "b", "/cd"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_url_is_what_the_standards_ask_for),
        cmocka_unit_test(the_verifier_is_never_part_of_the_url),
        cmocka_unit_test(the_longest_request_fits_and_a_longer_one_is_refused),
        cmocka_unit_test(a_code_is_redeemed_with_its_verifier_and_redirect_uri),
        cmocka_unit_test(a_renewal_names_scopes_and_refresh_token),
        cmocka_unit_test(the_longest_refresh_token_fits_a_form),
        cmocka_unit_test(random_text_is_base64url),
        cmocka_unit_test(an_endpoint_that_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, make_secrets, wipe_secrets);
}
