/* SPDX-License-Identifier: MPL-2.0 */
/* XDG base directories, as the protocol's section 5 and 6 name them. */
#include "service/service_parts.h"

#include <stdio.h>
#include <stdlib.h>

static char *below(const char *variable, const char *otherwise, const char *rest, struct problem *problem)
{
    const char *base = getenv(variable), *home = getenv("HOME");
    char *path = NULL;
    int length;

    /* The XDG specification: a relative path is invalid and to be ignored. */
    if (base != NULL && base[0] == '/')
        length = asprintf(&path, "%s/thunderseal%s", base, rest);
    else if (home != NULL && home[0] == '/')
        length = asprintf(&path, "%s/%s/thunderseal%s", home, otherwise, rest);
    else {
        problem_set(problem, PROBLEM_MISCONFIGURED, "There is no home directory: HOME is not set.",
                    "Set HOME to an absolute path.");
        return NULL;
    }
    if (length < 0) {
        problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
        return NULL;
    }
    return path;
}

char *environment_state_folder(struct problem *problem)
{
    return below("XDG_STATE_HOME", ".local/state", "", problem);
}

char *environment_config_file(struct problem *problem)
{
    return below("XDG_CONFIG_HOME", ".config", "/config.json", problem);
}
