/* SPDX-License-Identifier: MPL-2.0 */
/* Opening the system browser in a child that shares nothing with us: an inherited stdout would corrupt the framing. */
#include "service/service_parts.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void run_browser(const char *browser, const char *url)
{
    struct rlimit core;
    int null = open("/dev/null", O_RDWR);

    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 || close_range(3, ~0U, 0) != 0)
        _exit(127);
    umask(022);
    signal(SIGPIPE, SIG_DFL);
    /* Our own start-up lowered the soft limit alone. */
    if (getrlimit(RLIMIT_CORE, &core) == 0) {
        core.rlim_cur = core.rlim_max;
        (void)setrlimit(RLIMIT_CORE, &core);
    }
    setsid();
    /* The grandchild is adopted by init, so that nobody has to wait for a browser that stays open. */
    if (fork() != 0)
        _exit(0);
    if (browser != NULL && browser[0] != '\0')
        execlp(browser, browser, url, (char *)NULL);
    execlp("xdg-open", "xdg-open", url, (char *)NULL);
    _exit(127);
}

int browser_open(const char *url, struct problem *problem)
{
    const char *browser = getenv("BROWSER");
    pid_t child = fork();

    if (child == 0)
        run_browser(browser, url);
    if (child < 0 || waitpid(child, NULL, 0) < 0) {
        problem_set(problem, PROBLEM_INTERNAL, "The browser could not be started.",
                    "Use \"thunderseal login --no-browser\" and open the address yourself.");
        return -1;
    }
    return 0;
}
