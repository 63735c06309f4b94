/* SPDX-License-Identifier: MPL-2.0 */
/* The table of clouds, and which authorities count as Microsoft's. */
#include "core/cloud.h"

#include "core_support.h"

/* FACTS 2.1, 2.4 and 3 once more, by hand: a slip in one of the two tables shows in the other. */
static const struct {
    const char *name, *authority, *outlook, *graph, *imap, *pop3, *smtp, *portal;
} facts[] = {
    {"worldwide", "https://login.microsoftonline.com", "https://outlook.office.com",
     "https://graph.microsoft.com", "outlook.office365.com", "outlook.office365.com", "smtp.office365.com",
     "portal.azure.com"},
    {"usgov", "https://login.microsoftonline.us", "https://outlook.office365.us",
     "https://graph.microsoft.us", "outlook.office365.us", "outlook.office365.us", "smtp.office365.us",
     "portal.azure.us"},
    {"usgov-dod", "https://login.microsoftonline.us", "https://outlook.office365.us",
     "https://dod-graph.microsoft.us", "outlook-dod.office365.us", "outlook-dod.office365.us",
     "outlook-dod.office365.us", "portal.azure.us"},
    {"china", "https://login.partner.microsoftonline.cn", "https://partner.outlook.cn",
     "https://microsoftgraph.chinacloudapi.cn", "partner.outlook.cn", "partner.outlook.cn",
     "smtp.partner.outlook.cn", "portal.azure.cn"},
};

static void assert_server(const struct mail_server *server, const char *host, int port,
                          enum mail_security security)
{
    assert_string_equal(server->host, host);
    assert_int_equal(server->port, port);
    assert_int_equal(server->security, security);
}

static void every_cloud_has_its_own_endpoints(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        const struct cloud *cloud = cloud_find(facts[i].name);
        assert_non_null(cloud);
        assert_string_equal(cloud->authority, facts[i].authority);
        assert_string_equal(cloud->outlook, facts[i].outlook);
        assert_string_equal(cloud->graph, facts[i].graph);
        assert_server(&cloud->mail[MAIL_IMAP], facts[i].imap, 993, MAIL_TLS);
        assert_server(&cloud->mail[MAIL_POP3], facts[i].pop3, 995, MAIL_TLS);
        assert_server(&cloud->mail[MAIL_SMTP], facts[i].smtp, 587, MAIL_STARTTLS);
        assert_string_equal(cloud->portal, facts[i].portal);
        assert_int_equal(cloud->personal_accounts, strcmp(facts[i].name, "worldwide") == 0);
    }
}

static void other_names_are_no_clouds(void **state)
{
    static const char *const names[] = {"", "custom", "Worldwide", "worldwide ", "us", "usgov-", "germany"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_null(cloud_find(names[i]));
}

static void an_authority_is_microsofts_however_it_is_spelt(void **state)
{
    static const char *const spellings[] = {"https://%s",    "https://%s:443",  "https://%s:8443",
                                            "https://%s.",   "https://%s.:443", "HTTPS://%s",
                                            "https://%s/x.y"};
    char authority[256], upper[128];
    size_t i, k, c;

    (void)state;
    for (i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        const char *host = facts[i].authority + strlen("https://");
        for (k = 0; k < sizeof spellings / sizeof spellings[0]; k++) {
            snprintf(authority, sizeof authority, spellings[k], host);
            if (!cloud_authority_is_built_in(authority))
                fail_msg("%s is not taken for Microsoft's", authority);
        }
        for (c = 0; host[c] != '\0'; c++)
            upper[c] = (char)(host[c] >= 'a' && host[c] <= 'z' ? host[c] - 'a' + 'A' : host[c]);
        upper[c] = '\0';
        snprintf(authority, sizeof authority, "https://%s", upper);
        assert_true(cloud_authority_is_built_in(authority));
    }
    assert_true(cloud_authority_is_built_in("https://login.chinacloudapi.cn"));
    assert_true(cloud_authority_is_built_in("https://login.windows.net"));
}

static void another_authority_is_not_microsofts(void **state)
{
    static const char *const others[] = {"",
                                         "https://",
                                         "https://localhost:8443",
                                         "https://login.microsoftonline.com.evil.example",
                                         "https://xlogin.microsoftonline.com",
                                         "https://microsoftonline.com",
                                         "https://login.microsoftonline.co",
                                         "http://login.microsoftonline.com",
                                         "login.microsoftonline.com"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof others / sizeof others[0]; i++)
        if (cloud_authority_is_built_in(others[i]))
            fail_msg("%s is taken for Microsoft's", others[i]);
}

static void a_mail_host_belongs_to_one_cloud(void **state)
{
    static const char *const others[] = {"",
                                         "office365.com",
                                         "outlook.office365.com.evil.example",
                                         "imap.gmail.com",
                                         "outlook.office365.com.",
                                         "xsmtp.office365.com"};
    const struct cloud *worldwide = cloud_find("worldwide");
    size_t i, k;

    (void)state;
    for (i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        assert_true(cloud_has_mail_host(cloud_find(facts[i].name), facts[i].imap));
        assert_true(cloud_has_mail_host(cloud_find(facts[i].name), facts[i].smtp));
        assert_int_equal(cloud_has_mail_host(worldwide, facts[i].imap), i == 0);
        for (k = 0; k < sizeof others / sizeof others[0]; k++)
            assert_false(cloud_has_mail_host(cloud_find(facts[i].name), others[k]));
    }
    assert_true(cloud_has_mail_host(worldwide, "SMTP.Office365.com"));
    assert_true(cloud_has_mail_host(worldwide, "smtp-mail.outlook.com"));
    assert_true(cloud_has_mail_host(cloud_find("usgov-dod"), "webmail.apps.mil"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cloud_has_its_own_endpoints),
        cmocka_unit_test(other_names_are_no_clouds),
        cmocka_unit_test(an_authority_is_microsofts_however_it_is_spelt),
        cmocka_unit_test(another_authority_is_not_microsofts),
        cmocka_unit_test(a_mail_host_belongs_to_one_cloud),
    };

    return CORE_TESTS(tests);
}
