/* SPDX-License-Identifier: MPL-2.0 */
/*
 * FACTS 3 (national clouds), 2.1 (scopes) and 2.4 (hosts and ports). Documented by Microsoft: authorities,
 * Graph, the worldwide row, and the IMAP and POP hosts. From the field only, so the first to doubt when a
 * national cloud refuses a token: its outlook resource and its SMTP host. For DoD the sources differ: mail
 * programs ask for GCC High's resource, administration scripts for https://outlook-dod.office365.us. Whoever
 * has to differ sets the cloud "custom".
 */
#include "core/cloud.h"

#include <string.h>
#include <strings.h>

#define SCHEME "https://"

static const struct cloud clouds[] = {
    {.name = "worldwide", /* GCC "moderate" too */
     .authority = "https://login.microsoftonline.com",
     .outlook = "https://outlook.office.com",
     .graph = "https://graph.microsoft.com",
     .mail = {[MAIL_IMAP] = {"outlook.office365.com", 993, MAIL_TLS},
              [MAIL_POP3] = {"outlook.office365.com", 995, MAIL_TLS},
              [MAIL_SMTP] = {"smtp.office365.com", 587, MAIL_STARTTLS}},
     .other_mail_host = "smtp-mail.outlook.com", /* personal accounts (FACTS 2.4) */
     .portal = "portal.azure.com",
     .personal_accounts = true},
    {.name = "usgov", /* GCC High, L4 */
     .authority = "https://login.microsoftonline.us",
     .outlook = "https://outlook.office365.us",
     .graph = "https://graph.microsoft.us",
     .mail = {[MAIL_IMAP] = {"outlook.office365.us", 993, MAIL_TLS},
              [MAIL_POP3] = {"outlook.office365.us", 995, MAIL_TLS},
              [MAIL_SMTP] = {"smtp.office365.us", 587, MAIL_STARTTLS}},
     .portal = "portal.azure.us"},
    {.name = "usgov-dod", /* L5 */
     .authority = "https://login.microsoftonline.us",
     .outlook = "https://outlook.office365.us",
     .graph = "https://dod-graph.microsoft.us",
     .mail = {[MAIL_IMAP] = {"outlook-dod.office365.us", 993, MAIL_TLS},
              [MAIL_POP3] = {"outlook-dod.office365.us", 995, MAIL_TLS},
              [MAIL_SMTP] = {"outlook-dod.office365.us", 587, MAIL_STARTTLS}},
     .other_mail_host = "webmail.apps.mil", /* FACTS 3 */
     .portal = "portal.azure.us"},
    {.name = "china", /* operated by 21Vianet */
     .authority = "https://login.partner.microsoftonline.cn",
     .outlook = "https://partner.outlook.cn",
     .graph = "https://microsoftgraph.chinacloudapi.cn",
     .mail = {[MAIL_IMAP] = {"partner.outlook.cn", 993, MAIL_TLS},
              [MAIL_POP3] = {"partner.outlook.cn", 995, MAIL_TLS},
              [MAIL_SMTP] = {"smtp.partner.outlook.cn", 587, MAIL_STARTTLS}},
     .portal = "portal.azure.cn"},
};

/* Other names of the same sign-in servers. The .cn one stands in FACTS 3; the rest are the aliases by which
 * MSAL knows these clouds, not verified here. One too many costs nothing: a custom cloud does not live there.
 */
static const char *const aliases[] = {
    "login.chinacloudapi.cn", "login.windows.net",       "login.microsoft.com",
    "sts.windows.net",        "login.usgovcloudapi.net", "login-us.microsoftonline.com",
};

const struct cloud *cloud_find(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof clouds / sizeof clouds[0]; i++)
        if (strcmp(clouds[i].name, name) == 0)
            return &clouds[i];
    return NULL;
}

bool cloud_has_mail_host(const struct cloud *cloud, const char *host)
{
    int i;

    for (i = 0; i < MAIL_PROTOCOLS; i++)
        if (strcasecmp(cloud->mail[i].host, host) == 0)
            return true;
    return cloud->other_mail_host != NULL && strcasecmp(cloud->other_mail_host, host) == 0;
}

/* The first length bytes of text are this host name. */
static bool host_equal(const char *text, size_t length, const char *host)
{
    return strlen(host) == length && strncasecmp(text, host, length) == 0;
}

bool cloud_authority_is_built_in(const char *authority)
{
    size_t length, i;

    if (strncasecmp(authority, SCHEME, strlen(SCHEME)) != 0)
        return false;
    authority += strlen(SCHEME);
    length = strcspn(authority, ":/");
    while (length > 0 && authority[length - 1] == '.')
        length--;
    for (i = 0; i < sizeof clouds / sizeof clouds[0]; i++)
        if (host_equal(authority, length, clouds[i].authority + strlen(SCHEME)))
            return true;
    for (i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
        if (host_equal(authority, length, aliases[i]))
            return true;
    return false;
}
