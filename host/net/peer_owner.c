/* SPDX-License-Identifier: MPL-2.0 */
#include "net/peer_owner.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One line has 150 bytes and is read in under a microsecond. Somebody who opens more connections than this
 * must not hold up the loop. */
#define TABLE_LINES_MAX 65536
#define TABLE_LINE_MAX 512
#define UID_TEXT_MAX 16
#define END_POINT_MAX 40 /* 32 digits, a colon, 4 digits */

enum owner { OWNER_UNKNOWN, OWNER_US, OWNER_OTHER };

/* As the tables write an address: the words of it in host order, then the port. */
static void write_end_point(const struct sockaddr_storage *address, bool mapped, char text[END_POINT_MAX])
{
    struct in6_addr six = {0};
    uint32_t words[4];
    in_port_t port;

    if (address->ss_family == AF_INET) {
        struct sockaddr_in four;
        memcpy(&four, address, sizeof four);
        if (!mapped) {
            snprintf(text, END_POINT_MAX, "%08X:%04X", four.sin_addr.s_addr, ntohs(four.sin_port));
            return;
        }
        six.s6_addr[10] = six.s6_addr[11] = 0xff;
        memcpy(six.s6_addr + 12, &four.sin_addr, sizeof four.sin_addr);
        port = four.sin_port;
    } else {
        struct sockaddr_in6 other;
        memcpy(&other, address, sizeof other);
        six = other.sin6_addr;
        port = other.sin6_port;
    }
    memcpy(words, &six, sizeof words);
    snprintf(text, END_POINT_MAX, "%08X%08X%08X%08X:%04X", words[0], words[1], words[2], words[3],
             ntohs(port));
}

static enum owner find_owner(const char *table_path, const char *peer, const char *ours)
{
    FILE *table = fopen(table_path, "re");
    enum owner owner = OWNER_UNKNOWN;
    char line[TABLE_LINE_MAX];
    int lines = 0;

    if (table == NULL)
        return OWNER_UNKNOWN;
    while (owner == OWNER_UNKNOWN && fgets(line, sizeof line, table) != NULL) {
        char local[END_POINT_MAX];
        char remote[END_POINT_MAX];
        char uid[UID_TEXT_MAX];

        if (++lines > TABLE_LINES_MAX) {
            owner = OWNER_OTHER;
            break;
        }
        if (sscanf(line, " %*u: %39s %39s %*x %*x:%*x %*x:%*x %*x %15[0-9]", local, remote, uid) != 3)
            continue;
        if (strcmp(local, peer) == 0 && strcmp(remote, ours) == 0)
            owner = strtoul(uid, NULL, 10) == getuid() ? OWNER_US : OWNER_OTHER;
    }
    fclose(table);
    return owner;
}

bool peer_may_be_ours(int fd)
{
    struct sockaddr_storage peer = {0};
    struct sockaddr_storage ours = {0};
    socklen_t peer_size = sizeof peer;
    socklen_t our_size = sizeof ours;
    enum owner owner = OWNER_UNKNOWN;
    char peer_text[END_POINT_MAX];
    char our_text[END_POINT_MAX];

    if (getpeername(fd, (struct sockaddr *)&peer, &peer_size) != 0 ||
        getsockname(fd, (struct sockaddr *)&ours, &our_size) != 0)
        return false;
    if (peer.ss_family == AF_INET) {
        write_end_point(&peer, false, peer_text);
        write_end_point(&ours, false, our_text);
        owner = find_owner("/proc/net/tcp", peer_text, our_text);
    }
    /* A browser may use one kind of socket for both families: its IPv4 connection then stands in the other
     * table. */
    if (owner == OWNER_UNKNOWN) {
        write_end_point(&peer, true, peer_text);
        write_end_point(&ours, true, our_text);
        owner = find_owner("/proc/net/tcp6", peer_text, our_text);
    }
    return owner != OWNER_OTHER;
}
