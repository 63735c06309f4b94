/* SPDX-License-Identifier: MPL-2.0 */
/* The address where an administrator consents, byte for byte. */
#include "core/consent.h"

#include "core_support.h"

#define ID "00000000-0000-0000-0000-000000000001"

static void target_of(struct account_target *target, const char *cloud, const char *tenant)
{
    const struct cloud *row = cloud_find(cloud);

    memset(target, 0, sizeof *target);
    target->cloud = row->name;
    target->outlook = row->outlook;
    target->graph = row->graph;
    strcpy(target->key.authority, row->authority);
    strcpy(target->key.tenant, tenant);
    strcpy(target->key.client_id, ID);
}

static void the_url_is_what_entra_documents(void **state)
{
    struct account_target target;
    struct consent consent;

    (void)state;
    target_of(&target, "worldwide", "contoso.test");
    assert_int_equal(consent_make(&consent, &target, "localhost", ""), 0);
    assert_string_equal(consent.url,
                        "https://login.microsoftonline.com/contoso.test/v2.0/adminconsent?client_id=" ID
                        "&scope=https%3A%2F%2Foutlook.office.com%2FIMAP.AccessAsUser.All%20"
                        "https%3A%2F%2Foutlook.office.com%2FPOP.AccessAsUser.All%20"
                        "https%3A%2F%2Foutlook.office.com%2FSMTP.Send%20"
                        "https%3A%2F%2Fgraph.microsoft.com%2FUser.Read%20offline_access%20openid%20profile"
                        "&redirect_uri=http%3A%2F%2Flocalhost&state=admin-consent");
    assert_string_equal(consent.scopes, IMAP_SCOPE " " OUTLOOK "/POP.AccessAsUser.All " SMTP_SCOPE
                                                   " " USER_SCOPE " offline_access openid profile");
    assert_string_equal(consent.tenant, "contoso.test");
}

static void what_is_missing_is_asked_for_too_if_it_is_the_clouds(void **state)
{
    struct account_target target;
    struct consent consent;

    (void)state;
    target_of(&target, "worldwide", "contoso.test");
    assert_int_equal(consent_make(&consent, &target, "localhost",
                                  SMTP_SCOPE " https://graph.microsoft.com/Mail.Send "
                                             "https://elsewhere.test/Mail.Send offline_access"),
                     0);
    assert_string_equal(consent.scopes,
                        IMAP_SCOPE " " OUTLOOK "/POP.AccessAsUser.All " SMTP_SCOPE " " USER_SCOPE
                                   " https://graph.microsoft.com/Mail.Send offline_access openid profile");
    assert_non_null(strstr(consent.url, "graph.microsoft.com%2FMail.Send"));
    assert_null(strstr(consent.url, "elsewhere"));
}

static void a_national_cloud_consents_at_home(void **state)
{
    struct account_target target;
    struct consent consent;

    (void)state;
    target_of(&target, "china", "organizations");
    assert_int_equal(consent_make(&consent, &target, "127.0.0.1", ""), 0);
    assert_string_equal(
        consent.url, "https://login.partner.microsoftonline.cn/organizations/v2.0/adminconsent?client_id=" ID
                     "&scope=https%3A%2F%2Fpartner.outlook.cn%2FIMAP.AccessAsUser.All%20"
                     "https%3A%2F%2Fpartner.outlook.cn%2FPOP.AccessAsUser.All%20"
                     "https%3A%2F%2Fpartner.outlook.cn%2FSMTP.Send%20"
                     "https%3A%2F%2Fmicrosoftgraph.chinacloudapi.cn%2FUser.Read%20"
                     "offline_access%20openid%20profile"
                     "&redirect_uri=http%3A%2F%2F127.0.0.1&state=admin-consent");
}

/* Personal accounts have no administrator. */
static void an_organisation_consents(void **state)
{
    static const char *const rows[][2] = {{"common", "organizations"},
                                          {"consumers", "organizations"},
                                          {"9188040d-6c67-4c5b-b112-36a304b66dad", "organizations"},
                                          {"organizations", "organizations"},
                                          {ID, ID},
                                          {"contoso.test", "contoso.test"}};
    struct account_target target;
    struct consent consent;
    char start[128];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        target_of(&target, "worldwide", rows[i][0]);
        assert_int_equal(consent_make(&consent, &target, "localhost", ""), 0);
        assert_string_equal(consent.tenant, rows[i][1]);
        snprintf(start, sizeof start, "https://login.microsoftonline.com/%s/v2.0/", rows[i][1]);
        assert_int_equal(strncmp(consent.url, start, strlen(start)), 0);
    }
}

static void the_longest_custom_cloud_fits_and_a_longer_one_is_refused(void **state)
{
    struct account_target target;
    struct consent consent;
    char resource[RESOURCE_SIZE];

    (void)state;
    target_of(&target, "worldwide", "contoso.test");
    target.outlook = target.graph = resource;
    memset(target.key.authority, '+', AUTHORITY_SIZE - 1);
    memset(target.key.tenant, '+', TENANT_SIZE - 1);
    memset(target.key.client_id, '+', CLIENT_ID_SIZE - 1);
    memset(resource, '+', 200); /* settings_values.c takes no longer one */
    resource[200] = '\0';
    assert_int_equal(consent_make(&consent, &target, "localhost", ""), 0);
    assert_non_null(strstr(consent.url, "&state=admin-consent"));
    memset(resource, '+', sizeof resource - 1);
    resource[sizeof resource - 1] = '\0';
    assert_int_equal(consent_make(&consent, &target, "localhost", ""), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_url_is_what_entra_documents),
        cmocka_unit_test(what_is_missing_is_asked_for_too_if_it_is_the_clouds),
        cmocka_unit_test(a_national_cloud_consents_at_home),
        cmocka_unit_test(an_organisation_consents),
        cmocka_unit_test(the_longest_custom_cloud_fits_and_a_longer_one_is_refused),
    };

    return CORE_TESTS(tests);
}
