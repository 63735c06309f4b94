/* SPDX-License-Identifier: MPL-2.0 */
/* The app registration that setup prints: what Entra is told about who may sign in, and for what. */
#include "core/registration.h"

#include "core_support.h"

static struct registration of(const char *cloud, const char *tenant, bool device)
{
    return (struct registration){
        .cloud = cloud_find(cloud), .tenant = tenant, .redirect_host = "localhost", .device = device};
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void the_manifest_is_a_public_client_with_the_permissions_of_the_consent_page(void **state)
{
    static const char *const ids[] = {
        "652390e4-393a-48de-9484-05f9b1212954", "d7b7f2d9-0f45-4ea1-9d42-e50810c06991",
        "258f6531-6087-4cc4-bb90-092c5fb3ed3f", "e1fe6dd8-ba31-4d61-89e7-88639da4683d",
        "7427e0e9-2fba-42fe-b0c0-848c9e6a8182", "37f7f235-527c-4136-accd-4a02d197296e",
        "14dad69e-099b-42c9-810b-d002981feec1"};
    struct registration registration = of("worldwide", "contoso.test", false);
    json_t *manifest = registration_manifest(&registration), *uris, *access, *each;
    size_t i;

    (void)state;
    uris = json_object_get(json_object_get(manifest, "publicClient"), "redirectUris");
    assert_int_equal(json_array_size(uris), 1);
    assert_string_equal(json_string_value(json_array_get(uris, 0)), "http://localhost");
    assert_false(json_is_true(json_object_get(manifest, "isFallbackPublicClient")));
    assert_int_equal(json_array_size(json_object_get(manifest, "requiredResourceAccess")), 1);
    access = json_array_get(json_object_get(manifest, "requiredResourceAccess"), 0);
    assert_string_equal(text_of(access, "resourceAppId"), "00000003-0000-0000-c000-000000000000");
    access = json_object_get(access, "resourceAccess");
    assert_int_equal(json_array_size(access), sizeof ids / sizeof ids[0]);
    json_array_foreach(access, i, each)
    {
        assert_string_equal(text_of(each, "id"), ids[i]);
        assert_string_equal(text_of(each, "type"), "Scope");
    }
    /* No secret, and no permission that reaches further than the user. */
    assert_null(json_object_get(manifest, "passwordCredentials"));
    json_decref(manifest);
}

static void who_may_sign_in_follows_the_tenant(void **state)
{
    static const struct {
        const char *tenant, *audience;
        int version;
    } rows[] = {
        {"contoso.test", "AzureADMyOrg", 0},
        {"9188040d-6c67-4c5b-b112-36a304b66dad", "PersonalMicrosoftAccount", 2},
        {"1f3a5c7e-0000-4000-8000-00000000000a", "AzureADMyOrg", 0},
        {"organizations", "AzureADMultipleOrgs", 0},
        {"common", "AzureADandPersonalMicrosoftAccount", 2},
        {"consumers", "PersonalMicrosoftAccount", 2},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct registration registration = of("worldwide", rows[i].tenant, true);
        json_t *manifest = registration_manifest(&registration);
        const json_t *api = json_object_get(manifest, "api");
        assert_string_equal(text_of(manifest, "signInAudience"), rows[i].audience);
        assert_int_equal(json_integer_value(json_object_get(api, "requestedAccessTokenVersion")),
                         rows[i].version);
        assert_true(json_is_true(json_object_get(manifest, "isFallbackPublicClient")));
        json_decref(manifest);
    }
}

static void the_commands_name_cloud_and_tenant(void **state)
{
    static const struct {
        const char *cloud, *az, *powershell, *graph;
    } rows[] = {
        {"worldwide", "--name AzureCloud\n", "-Environment Global ",
         "POST https://graph.microsoft.com/v1.0/"},
        {"usgov", "--name AzureUSGovernment\n", "-Environment USGov ",
         "POST https://graph.microsoft.us/v1.0/"},
        {"usgov-dod", "--name AzureUSGovernment\n", "-Environment USGovDoD ",
         "POST https://dod-graph.microsoft.us/v1.0/"},
        {"china", "--name AzureChinaCloud\n", "-Environment China ",
         "POST https://microsoftgraph.chinacloudapi.cn/v1.0/"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct registration registration = of(rows[i].cloud, "contoso.test", false);
        char *az = registration_commands(&registration, REGISTRATION_AZ);
        char *powershell = registration_commands(&registration, REGISTRATION_POWERSHELL);
        char *graph = registration_commands(&registration, REGISTRATION_GRAPH);
        assert_non_null(strstr(az, rows[i].az));
        assert_non_null(strstr(az, "--tenant contoso.test\n"));
        assert_non_null(strstr(az, "--public-client-redirect-uris http://localhost "));
        assert_non_null(strstr(powershell, rows[i].powershell));
        assert_non_null(strstr(powershell, "-TenantId contoso.test\n"));
        assert_non_null(strstr(powershell, "RedirectUris = @('http://localhost')"));
        assert_non_null(strstr(graph, rows[i].graph));
        assert_non_null(strstr(graph, "\"http://localhost\""));
        free(az);
        free(powershell);
        free(graph);
    }
}

static void a_word_for_several_organisations_is_no_tenant_to_log_in_to(void **state)
{
    struct registration registration = of("worldwide", "organizations", false);
    char *az = registration_commands(&registration, REGISTRATION_AZ);
    char *powershell = registration_commands(&registration, REGISTRATION_POWERSHELL);

    (void)state;
    assert_null(strstr(az, "--tenant"));
    assert_null(strstr(powershell, "-TenantId"));
    free(az);
    free(powershell);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_manifest_is_a_public_client_with_the_permissions_of_the_consent_page),
        cmocka_unit_test(who_may_sign_in_follows_the_tenant),
        cmocka_unit_test(the_commands_name_cloud_and_tenant),
        cmocka_unit_test(a_word_for_several_organisations_is_no_tenant_to_log_in_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
