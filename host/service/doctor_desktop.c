/* SPDX-License-Identifier: MPL-2.0 */
/* What the desktop lends: the session bus, over which a keyring is asked, and a browser. */
#include "service/doctor.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Copies what stands behind name up to a comma or semicolon (D-Bus specification, server addresses). */
static bool take_part(const char *address, const char *name, char *to, size_t size)
{
    size_t length;

    if (strncmp(address, name, strlen(name)) != 0)
        return false;
    address += strlen(name);
    length = strcspn(address, ",;");
    if (length >= size)
        return false;
    memcpy(to, address, length);
    to[length] = '\0';
    return true;
}

/* Where the bus listens. False: somewhere that is no socket of this kind. */
static bool find_socket(const char *address, struct sockaddr_un *socket_address, socklen_t *length)
{
    char *path = socket_address->sun_path;
    size_t size = sizeof socket_address->sun_path;

    memset(socket_address, 0, sizeof *socket_address);
    socket_address->sun_family = AF_UNIX;
    *length = sizeof *socket_address;
    if (take_part(address, "unix:path=", path, size))
        return true;
    if (!take_part(address, "unix:abstract=", path + 1, size - 1))
        return false;
    *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(path + 1));
    return true;
}

/* 0, the errno of a bus that does not answer, or -1 where it is nothing that can be tried. */
static int try_bus(const char *address)
{
    struct sockaddr_un socket_address;
    socklen_t length;
    int fd, error = 0;

    if (!find_socket(address, &socket_address, &length))
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    if (connect(fd, (const struct sockaddr *)&socket_address, length) != 0 && errno != EAGAIN)
        error = errno;
    close(fd);
    return error;
}

/* The address in force, NULL when the session has no bus. The caller frees it. */
static char *bus_address(void)
{
    const char *address = getenv("DBUS_SESSION_BUS_ADDRESS"), *runtime = getenv("XDG_RUNTIME_DIR");
    char *path, *found;

    if (address != NULL && address[0] != '\0')
        return strcmp(address, "disabled:") == 0 ? NULL : strdup(address);
    if (runtime == NULL || runtime[0] != '/')
        return NULL;
    path = doctor_text("%s/bus", runtime);
    found = path != NULL && access(path, F_OK) == 0 ? doctor_text("unix:path=%s", path) : NULL;
    free(path);
    return found;
}

void doctor_session_bus(struct doctor *doctor)
{
    json_t *check = check_new("session-bus", NULL, CHECK_OK, "Session bus");
    char *address = bus_address();
    int error = address == NULL ? 0 : try_bus(address);

    if (address == NULL) {
        json_decref(check);
        check = check_new("session-bus", NULL, CHECK_SKIPPED, "Session bus");
        check_detail(check, "There is no D-Bus session bus, so no keyring can be asked.");
    } else if (error < 0) {
        check_detail(check,
                     "The address of the session bus is of another kind than those that are tried here.");
        check_evidence_text(check, "address", address);
    } else if (error != 0) {
        check_worsen(check, CHECK_WARN);
        check_evidence_text(check, "address", address);
        check_detail(check, "The D-Bus session bus does not answer (%s), so no keyring can be asked.",
                     strerror(error));
        check_remedy(
            check,
            "Log in to the desktop again; on a computer without a desktop, take the address out of the "
            "environment. Run: unset DBUS_SESSION_BUS_ADDRESS");
    } else {
        check_detail(check, "The D-Bus session bus answers.");
    }
    check_list_add(&doctor->checks, check);
    free(address);
}

void doctor_browser(struct doctor *doctor)
{
    json_t *check = check_new("browser", NULL, CHECK_OK, "Browser");
    const char *wanted = doctor->roots.browser != NULL ? doctor->roots.browser : "";
    char *browser = wanted[0] == '\0' ? NULL : doctor_find_program(doctor->roots.search, wanted);
    char *opener = doctor_find_program(doctor->roots.search, "xdg-open");

    if (browser != NULL) {
        check_detail(check, "\"thunderseal login\" opens %s.", browser);
    } else if (wanted[0] != '\0') {
        check_worsen(check, CHECK_WARN);
        check_cause(check, "browser-variable");
        check_detail(check, "BROWSER names \"%s\", and there is no program of that name%s.", wanted,
                     opener == NULL ? "" : "; \"thunderseal login\" opens xdg-open instead");
        check_remedy(check, "Set BROWSER to one program, without options, or to nothing. Run: unset BROWSER");
    } else if (opener == NULL) {
        check_worsen(check, CHECK_WARN);
        check_cause(check, "no-opener");
        check_detail(check,
                     "\"thunderseal login\" finds no browser: BROWSER is not set, and there is no xdg-open. "
                     "Thunderbird's own button opens one by itself.");
        check_remedy(check, "Install xdg-utils (on Debian: sudo apt install xdg-utils), set BROWSER, or use "
                            "\"thunderseal login --no-browser\".");
    } else {
        check_detail(check, "\"thunderseal login\" opens %s.", opener);
    }
    check_list_add(&doctor->checks, check);
    free(browser);
    free(opener);
}
