/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Thunderseal takes Office 365 sign-in off Thunderbird's hands. Thunderbird starts this program with the path
 * of the native manifest and the add-on's id; everybody else gives it a command.
 */
#include "cli/cli.h"
#include "core/secret.h"
#include "core/wiping_alloc.h"
#include "net/https.h"
#include "service/native.h"
#include "vault/key_task.h"
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

/* Before anything is parsed: no descriptor that we open may become stdin, stdout or stderr; what we create is
 * ours alone; nobody dumps or traces us. */
static void harden(void)
{
    struct rlimit core;
    int fd;

    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
    umask(077);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (getrlimit(RLIMIT_CORE, &core) == 0) {
        core.rlim_cur = 0; /* the hard limit stays, so that the browser can have its own back */
        setrlimit(RLIMIT_CORE, &core);
    }
    signal(SIGPIPE, SIG_IGN);
}

/* What is on disk is whole at any moment, so that nothing is lost by leaving at this one. */
static void leave_without_memory(void)
{
    fputs("thunderseal: There is not enough memory to go on. Close other programs.\n", stderr);
    _exit(EX_SOFTWARE);
}

static int initialise(bool key_child)
{
    wiping_on_exhaustion(leave_without_memory);
    if (sodium_init() < 0 || secret_arena_open() != 0)
        return -1;
    json_set_alloc_funcs(wiping_malloc, wiping_free);
    return key_child ? 0 : https_global_init();
}

/* Thunderbird's way of starting a native host: two arguments, the first an absolute path ending in ".json".
 */
static bool started_by_thunderbird(int argc, char **argv)
{
    size_t length = argc == 3 ? strlen(argv[1]) : 0;

    return length > 5 && argv[1][0] == '/' && strcmp(argv[1] + length - 5, ".json") == 0;
}

int main(int argc, char **argv)
{
    bool native = started_by_thunderbird(argc, argv);
    bool key_child = argc == 2 && strcmp(argv[1], KEY_CHILD_ARGUMENT) == 0;
    int status;

    harden();
    if (native && strcmp(argv[2], EXTENSION_ID) != 0) {
        fputs("thunderseal: Only the add-on " EXTENSION_ID " may start this program.\n", stderr);
        return EX_NOPERM;
    }
    if (initialise(key_child) != 0) {
        fputs("thunderseal: There is not enough memory to start. Close other programs.\n", stderr);
        return EX_SOFTWARE;
    }
    status = native ? native_run() : key_child ? key_child_run() : cli_run(argc, argv);
    secret_arena_close();
    /* Not exit: libcurl's resolver thread may still be waiting for a dead name server. */
    fflush(stdout);
    _exit(status);
}
