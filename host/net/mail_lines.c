/* SPDX-License-Identifier: MPL-2.0 */
#include "net/mail_connection_parts.h"

#include <string.h>

/* Sends what can be sent. MAIL_FINE also when some is left, which then waits for its turn. */
static enum mail_failure send_some(struct mail_connection *connection)
{
    while (connection->sent < connection->unsent.length) {
        size_t count = 0;
        CURLcode code = curl_easy_send(connection->transfer.easy, connection->unsent.bytes + connection->sent,
                                       connection->unsent.length - connection->sent, &count);
        if (code == CURLE_AGAIN) {
            loop_watch_interest(connection->watch, LOOP_READ | LOOP_WRITE);
            return MAIL_FINE;
        }
        if (code != CURLE_OK)
            return MAIL_CLOSED;
        connection->sent += count;
    }
    secret_wipe(&connection->unsent);
    connection->sent = 0;
    loop_watch_interest(connection->watch, LOOP_READ);
    return MAIL_FINE;
}

int mail_connection_say(struct mail_connection *connection, struct secret *bytes)
{
    struct secret line = {0};
    int result = secret_reserve(&line, bytes->length + 2);

    if (result == 0) {
        if (bytes->length > 0)
            memcpy(line.bytes, bytes->bytes, bytes->length);
        memcpy(line.bytes + bytes->length, "\r\n", 2);
        secret_move(&connection->unsent, &line);
        connection->sent = 0;
        /* From the loop: whoever says something is about to return there. */
        loop_watch_interest(connection->watch, LOOP_READ | LOOP_WRITE);
    }
    secret_wipe(bytes);
    return result;
}

void mail_connection_say_last(struct mail_connection *connection, const char *text)
{
    size_t count;

    curl_easy_send(connection->transfer.easy, text, strlen(text), &count);
}

/* Hands on the lines in the buffer. false: the connection was closed. */
static bool hand_on(struct mail_connection *connection)
{
    char *end;

    while (connection->watch != NULL &&
           (end = memchr(connection->heard, '\n', connection->heard_length)) != NULL) {
        char line[MAIL_HEARD_LINE_MAX];
        size_t length = (size_t)(end - connection->heard);
        size_t rest = connection->heard_length - length - 1;
        memcpy(line, connection->heard, length);
        memmove(connection->heard, end + 1, rest);
        connection->heard_length = rest;
        if (length > 0 && line[length - 1] == '\r')
            length--;
        line[length] = '\0';
        if (!connection->user->line(connection->context, line, length))
            return false;
    }
    return true;
}

/* Takes what has come. MAIL_FINE when no more is there, or when the connection was closed: *closed. */
static enum mail_failure receive(struct mail_connection *connection, bool *closed)
{
    while (connection->watch != NULL) {
        size_t count = 0;
        CURLcode code =
            curl_easy_recv(connection->transfer.easy, connection->heard + connection->heard_length,
                           sizeof connection->heard - connection->heard_length, &count);
        if (code == CURLE_AGAIN)
            return MAIL_FINE;
        if (code != CURLE_OK || count == 0)
            return MAIL_CLOSED;
        connection->heard_length += count;
        connection->heard_in_all += count;
        if (!hand_on(connection)) {
            *closed = true;
            return MAIL_FINE;
        }
        if (connection->heard_length == sizeof connection->heard || connection->heard_in_all > MAIL_HEARD_MAX)
            return MAIL_TOO_LONG;
    }
    return MAIL_FINE;
}

void mail_lines_ready(void *context, int fd, unsigned ready)
{
    struct mail_connection *connection = context;
    enum mail_failure not_sent = MAIL_FINE;
    enum mail_failure failure;
    bool closed = false;

    (void)fd;
    if (ready & LOOP_WRITE)
        not_sent = send_some(connection);
    /* A server that closed may have said why. */
    failure = receive(connection, &closed);
    if (closed)
        return;
    if (failure == MAIL_FINE)
        failure = not_sent;
    if (failure != MAIL_FINE)
        connection->user->failed(connection->context, failure);
}
