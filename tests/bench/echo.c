/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The least that a native messaging host in C can do, as what ours is measured against: it links and
 * initialises the same libraries, parses each message with Jansson and answers with as many bytes as a
 * token.get does.
 */
#include <curl/curl.h>
#include <jansson.h>
#include <microhttpd.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD 4
#define MESSAGE_MAX 65536
#define TOKEN_MAX 8192

static unsigned char input[HEAD + MESSAGE_MAX];
static size_t filled;
static char token[TOKEN_MAX + 1];

/* The next message in input + HEAD, as few reads as the pipe allows. Its length, or 0 at the end. */
static size_t read_frame(void)
{
    uint32_t length = 0;

    for (;;) {
        ssize_t part;
        if (filled >= HEAD) {
            memcpy(&length, input, HEAD);
            if (length > MESSAGE_MAX)
                return 0;
            if (filled >= HEAD + (size_t)length)
                return length;
        }
        part = read(STDIN_FILENO, input + filled, sizeof input - filled);
        if (part <= 0)
            return 0;
        filled += (size_t)part;
    }
}

static void drop_frame(size_t length)
{
    filled -= HEAD + length;
    memmove(input, input + HEAD + length, filled);
}

static int write_all(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t part = write(STDOUT_FILENO, bytes, length);
        if (part <= 0)
            return -1;
        bytes += part;
        length -= (size_t)part;
    }
    return 0;
}

static int write_frame(const json_t *answer)
{
    char *text = json_dumps(answer, JSON_COMPACT);
    size_t length = text == NULL ? 0 : strlen(text);
    uint32_t head = (uint32_t)length;
    char *frame = malloc(HEAD + length);
    int result = -1;

    if (text != NULL && frame != NULL) {
        memcpy(frame, &head, HEAD);
        memcpy(frame + HEAD, text, length);
        result = write_all(frame, HEAD + length);
    }
    free(frame);
    free(text);
    return result;
}

static int answer_message(size_t length)
{
    json_t *message = json_loadb((const char *)input + HEAD, length, JSON_REJECT_DUPLICATES, NULL);
    json_t *answer;
    int result;

    drop_frame(length);
    answer = json_pack(
        "{s:s, s:O, s:{s:s, s:s, s:I, s:[s, s], s:s, s:s}}", "jsonrpc", "2.0", "id",
        json_object_get(message, "id"), "result", "accessToken", token, "tokenType", "Bearer", "expiresAt",
        (json_int_t)1800000000, "scopes", "https://outlook.office.com/IMAP.AccessAsUser.All",
        "https://outlook.office.com/SMTP.Send", "resource", "https://outlook.office.com", "source", "cache");
    result = answer == NULL ? -1 : write_frame(answer);
    json_decref(answer);
    json_decref(message);
    return result;
}

/* Takes the length of its token, and answers until its input ends. */
int main(int argc, char **argv)
{
    unsigned long token_length = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    size_t length;

    if (token_length > TOKEN_MAX || sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != 0 ||
        MHD_get_version() == NULL)
        return 1;
    memset(token, 'x', token_length);
    while ((length = read_frame()) > 0)
        if (answer_message(length) != 0)
            return 1;
    return 0;
}
