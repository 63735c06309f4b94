/* SPDX-License-Identifier: MPL-2.0 */
#include "net/redirect_page.h"

#include <string.h>

#define STYLE                                                                                                \
    "body{font-family:system-ui,sans-serif;max-width:32em;margin:20vh auto 0;padding:0 "                     \
    "1.5em;line-height:1.5;"                                                                                 \
    "color:#1c1b22;background:#fff}h1{font-size:1.5em;font-weight:600}"                                      \
    "@media(prefers-color-scheme:dark){body{color:#fbfbfe;background:#1c1b22}}"
/* base64 of the SHA-256 of STYLE; a test compares them. */
#define STYLE_HASH "sha256-qNfcATpof2mXIuq+PKJAIpcO3qQdn6Sf4fBycwAwo2Q="

#define PAGE(heading, text)                                                                                  \
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"                                \
    "<meta name=\"viewport\" content=\"width=device-width\">\n<title>Thunderseal</title>\n<style>" STYLE     \
    "</style>\n</head>\n<body>\n<h1>" heading "</h1>\n<p>" text "</p>\n</body>\n</html>\n"

static const struct {
    unsigned status;
    const char *text;
} pages[] = {
    [REDIRECT_PAGE_NOT_FOUND] = {MHD_HTTP_NOT_FOUND,
                                 PAGE("Nothing here", "Thunderseal waits here for one answer "
                                                      "from your organisation's sign-in page. "
                                                      "This was not it.")},
    [REDIRECT_PAGE_RECEIVED] = {MHD_HTTP_OK, PAGE("Your sign-in was received",
                                                  "You can close this window and go back to Thunderbird.")},
    [REDIRECT_PAGE_REFUSED] = {MHD_HTTP_OK,
                               PAGE("Your sign-in was not completed",
                                    "You can close this window and go back to Thunderbird. It shows "
                                    "what happened and what to do next.")},
};

static const struct {
    const char *name;
    const char *value;
} headers[] = {
    {"Content-Type", "text/html; charset=utf-8"},
    {"Content-Security-Policy", "default-src 'none'; style-src '" STYLE_HASH "'; base-uri 'none'; "
                                "form-action 'none'; frame-ancestors 'none'"},
    {"Cache-Control", "no-store"},
    {"Referrer-Policy", "no-referrer"},
    {"X-Content-Type-Options", "nosniff"},
    {"Connection", "close"},
};

enum MHD_Result redirect_page_queue(struct MHD_Connection *connection, enum redirect_page page)
{
    const char *text = pages[page].text;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result = MHD_YES;

    if (response == NULL)
        return MHD_NO;
    for (size_t i = 0; result == MHD_YES && i < sizeof headers / sizeof *headers; i++)
        result = MHD_add_response_header(response, headers[i].name, headers[i].value);
    if (result == MHD_YES)
        result = MHD_queue_response(connection, pages[page].status, response);
    MHD_destroy_response(response);
    return result;
}
