/* SPDX-License-Identifier: MPL-2.0 */
/* What mail_connection.c, which connects, and mail_lines.c, which sends and hears, share. */
#ifndef THUNDERSEAL_NET_MAIL_CONNECTION_PARTS_H
#define THUNDERSEAL_NET_MAIL_CONNECTION_PARTS_H

#include "net/mail_connection.h"

#include <curl/curl.h>

#define MAIL_NOWHERE_SIZE sizeof "::127.255.255.255:"

struct mail_connection {
    struct loop_transfer transfer; /* first: the loop hands back its address */
    struct loop *loop;
    struct mail_connection_options options;
    const struct mail_connection_user *user;
    void *context;
    struct mail_result *result;
    struct loop_watch *watch; /* once connected */
    /* The socket of the connection that TLS is to be laid over, until libcurl has taken it; else -1. So its
     * two steps can be told apart, and STARTTLS has its place between them. */
    int plain;
    bool tls;         /* it is TLS that is being made or stands */
    int64_t started;  /* loop_monotonic_ms, of connecting or of STARTTLS */
    int64_t resolved; /* when the first address was tried, 0 before */
    struct secret unsent;
    size_t sent;
    char nowhere_text[MAIL_NOWHERE_SIZE];
    struct curl_slist nowhere; /* libcurl reads it while TLS is made */
    char heard[MAIL_HEARD_LINE_MAX];
    size_t heard_length;
    size_t heard_in_all;
    char error[CURL_ERROR_SIZE];
};

/* A loop_fd_callback: sends and hears what it can. The connection may be closed then. */
void mail_lines_ready(void *context, int fd, unsigned ready);

#endif
