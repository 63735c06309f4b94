/* SPDX-License-Identifier: MPL-2.0 */
/* The clock: with a wrong one, certificates seem invalid and tokens expired or fresh for ever. */
#include "service/shared_checks.h"

#define OFF_MAX_S 60    /* Entra allows five minutes; what drifts so far is not kept in time */
#define WRONG_MAX_S 300 /* FACTS 1.3: beyond, tokens are refused */

json_t *check_of_clock(long long date, long long now)
{
    long long ahead = now - date, off = ahead < 0 ? -ahead : ahead;
    json_t *check = check_new("clock", NULL, date < 0 ? CHECK_SKIPPED : CHECK_OK, "Clock");

    if (date < 0) {
        check_detail(check, "The sign-in service told no time to compare with.");
    } else if (off <= OFF_MAX_S) {
        check_detail(check, "It agrees with the sign-in service's.");
        check_evidence(check, "aheadSeconds", json_integer(ahead));
    } else {
        check_worsen(check, off > WRONG_MAX_S ? CHECK_FAIL : CHECK_WARN);
        check_detail(check,
                     ahead > 0 ? "The computer's clock is %lld s ahead of the sign-in service's."
                               : "The computer's clock is %lld s behind the sign-in service's.",
                     off);
        check_remedy(check, "Have it set by the network. Run: sudo timedatectl set-ntp true");
        check_evidence(check, "aheadSeconds", json_integer(ahead));
    }
    return check;
}
