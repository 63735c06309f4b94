/* SPDX-License-Identifier: MPL-2.0 */
/* FACTS 2.3. */
#include "core/deadlines.h"

#include <string.h>

static const struct deadline {
    int64_t at; /* 00:00 UTC of the day */
    const char *date;
    const char *type;
    bool password_only;
    bool final; /* no administrator can make an exception any more */
    const char *cause, *what, *remedy, *admin_remedy;
} deadlines[] TEXTS = {
    {1672531200, "2023-01-01", "imap", true, true, "password-retired",
     "Exchange Online takes no passwords for IMAP.",
     "In Thunderbird's server settings, choose OAuth2 as authentication method.", NULL},
    {1672531200, "2023-01-01", "pop3", true, true, "password-retired",
     "Exchange Online takes no passwords for POP.",
     "In Thunderbird's server settings, choose OAuth2 as authentication method.", NULL},
    {1790812800, "2026-10-01", "ews", false, false, "ews-blocked",
     "Exchange Online blocks EWS, but for apps that your organisation has listed.",
     "Set the account up anew with IMAP and SMTP.",
     "For the time left, list the app: Set-OrganizationConfig -EwsEnabled $true -EwsAllowedAppIDs "
     "9e5f94bc-e8a4-4e73-b8be-63364c29d753"},
    {1798675200, "2026-12-31", "smtp", true, false, "password-retired",
     "Exchange Online turns passwords for sending (SMTP AUTH) off, unless your organisation turns them on "
     "again.",
     "In Thunderbird's settings of the outgoing server, choose OAuth2 as authentication method.",
     "Find who still sends with a password in the Exchange admin center: Reports, Mail flow, SMTP AUTH "
     "clients."},
    {1806537600, "2027-04-01", "ews", false, true, "ews-removed", "EWS is gone from Exchange Online.",
     "Set the account up anew with IMAP and SMTP.", NULL},
};

static bool touches(const struct deadline *deadline, const struct server_use *use)
{
    return strcmp(deadline->type, use->type) == 0 && (use->password || !deadline->password_only);
}

static bool touches_any(const struct deadline *deadline, const struct server_use *uses, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (touches(deadline, &uses[i]))
            return true;
    return false;
}

static enum check_status status_of(const struct deadline *deadline, int64_t now)
{
    if (now >= deadline->at)
        return deadline->final ? CHECK_FAIL : CHECK_WARN;
    return deadline->at - now <= DEADLINE_WARN_S ? CHECK_WARN : CHECK_OK;
}

static void tell(json_t *check, const struct deadline *deadline, int64_t now)
{
    check_detail(check, now >= deadline->at ? "Since %s: %-s" : "From %s: %-s", deadline->date,
                 deadline->what);
    check_remedy(check, "%-s", deadline->remedy);
    if (deadline->admin_remedy != NULL)
        check_admin_remedy(check, "%-s", deadline->admin_remedy);
}

void deadlines_judge(json_t *check, const struct server_use *uses, size_t count, int64_t now)
{
    const struct deadline *worst = NULL;
    json_t *touching = json_array();
    size_t i;

    for (i = 0; i < sizeof deadlines / sizeof deadlines[0]; i++) {
        const struct deadline *deadline = &deadlines[i];
        if (!touches_any(deadline, uses, count))
            continue;
        json_array_append_new(touching, json_pack("{s:s, s:s, s:s, s:b}", "date", deadline->date, "type",
                                                  deadline->type, "cause", deadline->cause, "passed",
                                                  now >= deadline->at));
        if (status_of(deadline, now) == CHECK_OK)
            continue;
        check_cause(check, deadline->cause);
        check_worsen(check, status_of(deadline, now));
        if (worst == NULL || status_of(deadline, now) > status_of(worst, now))
            worst = deadline;
    }
    if (worst != NULL)
        tell(check, worst, now);
    else
        check_detail(check, "No change that Microsoft has announced touches this account (as of %s).",
                     DEADLINES_AS_OF);
    check_evidence(check, "asOf", json_string(DEADLINES_AS_OF));
    check_evidence(check, "deadlines", touching);
}
