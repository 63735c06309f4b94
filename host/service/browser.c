/* SPDX-License-Identifier: MPL-2.0 */
/* Opening the system browser in a child that shares nothing with us: an inherited stdout would corrupt the
 * framing. */
#include "service/service_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where the child tells of its failure; closed by a successful exec. */
#define REPORT_FD 3

static void run_browser(const char *browser, const char *url, int report)
{
    int null = open("/dev/null", O_RDWR);
    struct rlimit core;

    if (report != REPORT_FD && dup3(report, REPORT_FD, O_CLOEXEC) < 0)
        _exit(127);
    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
        close_range(REPORT_FD + 1, ~0U, 0) != 0)
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
    (void)!write(REPORT_FD, "x", 1);
    _exit(127);
}

/* Whether the browser was started: end of file without a word. */
static bool started(int report)
{
    char word;
    ssize_t length;

    do
        length = read(report, &word, 1);
    while (length < 0 && errno == EINTR);
    return length == 0;
}

int browser_open(const char *url, struct problem *problem)
{
    const char *browser = getenv("BROWSER");
    int report[2] = {-1, -1};
    bool success = false;
    pid_t child;

    if (pipe2(report, O_CLOEXEC) == 0 && (child = fork()) >= 0) {
        if (child == 0)
            run_browser(browser, url, report[1]);
        close(report[1]);
        report[1] = -1;
        success = started(report[0]);
        waitpid(child, NULL, 0);
    }
    if (report[0] >= 0)
        close(report[0]);
    if (report[1] >= 0)
        close(report[1]);
    if (success)
        return 0;
    problem_set(problem, PROBLEM_MISCONFIGURED, "No browser could be started.",
                "Set BROWSER, install xdg-utils, or use \"thunderseal login --no-browser\".");
    return -1;
}
