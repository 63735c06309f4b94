/* SPDX-License-Identifier: MPL-2.0 */
/* Tokens as text that says whose they are, and the provider's answers as JSON, read by the core itself. */
#include "sim.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const resource_names[RESOURCES] = {"https://outlook.office.com", "https://graph.microsoft.com"};
const char *const resource_scopes[RESOURCES] = {"https://outlook.office.com/IMAP.AccessAsUser.All",
                                                "https://graph.microsoft.com/Mail.ReadWrite"};

static void put_hex(char *to, int digits, uint64_t number)
{
    while (digits-- > 0) {
        to[digits] = "0123456789abcdef"[number & 15];
        number >>= 4;
    }
}

static bool take_hex(const char *from, int digits, uint64_t *number)
{
    for (*number = 0; digits-- > 0; from++) {
        if (*from >= '0' && *from <= '9')
            *number = *number << 4 | (uint64_t)(*from - '0');
        else if (*from >= 'a' && *from <= 'f')
            *number = *number << 4 | (uint64_t)(*from - 'a' + 10);
        else
            return false;
    }
    return true;
}

/* A letter, the identity (4 digits), two numbers (8 digits each), 21 characters in all. */
static void token_text(char text[TOKEN_TEXT], char letter, const struct world *world, uint64_t a, uint64_t b)
{
    text[0] = letter;
    put_hex(text + 1, 4, (uint64_t)world->index);
    put_hex(text + 5, 8, a);
    put_hex(text + 13, 8, b);
    text[21] = '\0';
}

static bool token_read(const struct secret *secret, char letter, const struct world *world, uint64_t *a,
                       uint64_t *b)
{
    const char *text = secret_expose(secret);
    uint64_t index;

    return secret->length == 21 && text[0] == letter && take_hex(text + 1, 4, &index) &&
           index == (uint64_t)world->index && take_hex(text + 5, 8, a) && take_hex(text + 13, 8, b);
}

void refresh_token_text(char text[TOKEN_TEXT], const struct world *world, uint32_t family, uint32_t number)
{
    token_text(text, 'R', world, family, number);
}

bool refresh_token_read(const struct world *world, const struct secret *secret, uint32_t *family,
                        uint32_t *number)
{
    uint64_t a, b;

    if (!token_read(secret, 'R', world, &a, &b) || a >= world->family_count)
        return false;
    *family = (uint32_t)a;
    *number = (uint32_t)b;
    return true;
}

void access_token_text(char text[TOKEN_TEXT], const struct world *world, int64_t token)
{
    token_text(text, 'A', world, 0, (uint64_t)token);
}

int64_t access_token_read(const struct world *world, const struct secret *secret)
{
    uint64_t a, b;

    return token_read(secret, 'A', world, &a, &b) && (int64_t)b < world->token_count ? (int64_t)b : -1;
}

static void encode(char *to, size_t size, const char *text)
{
    sodium_bin2base64(to, size, (const unsigned char *)text, strlen(text),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static size_t add_person(char *body, size_t size, const struct world *world, const struct wire *wire)
{
    char claims[320], encoded[480], client_info[128], encoded_info[200];
    const char *who = wire->wrong_account ? "other" : "user";

    snprintf(client_info, sizeof client_info, "{\"uid\":\"oid-%s-%d\",\"utid\":\"tid\"}", who, world->index);
    encode(encoded_info, sizeof encoded_info, client_info);
    if (wire->purpose != PURPOSE_SIGN_IN)
        return (size_t)snprintf(body, size, ",\"client_info\":\"%s\"", encoded_info);
    snprintf(claims, sizeof claims,
             "{\"aud\":\"%s\",\"nonce\":\"n%llu\",\"oid\":\"oid-%s-%d\",\"tid\":\"tid\","
             "\"preferred_username\":\"%s%d@example.com\"}",
             CLIENT_ID, (unsigned long long)world->sign_ins[wire->sign_in].nonce, who, world->index, who,
             world->index);
    encode(encoded, sizeof encoded, claims);
    return (size_t)snprintf(body, size, ",\"client_info\":\"%s\",\"id_token\":\"h.%s.s\"", encoded_info,
                            encoded);
}

static void tokens_body(char *body, size_t size, const struct world *world, const struct wire *wire)
{
    const struct reply *reply = &wire->reply;
    char text[TOKEN_TEXT];
    size_t used;

    access_token_text(text, world, reply->token);
    used = (size_t)snprintf(body, size,
                            "{\"token_type\":\"Bearer\",\"access_token\":\"%s\",\"expires_in\":%lld,"
                            "\"scope\":\"%s\"",
                            text, (long long)world->tokens[reply->token].lifetime,
                            resource_scopes[wire->resource]);
    if (!reply->without_refresh_token) {
        refresh_token_text(text, world, reply->family, reply->number);
        used += (size_t)snprintf(body + used, size - used, ",\"refresh_token\":\"%s\"", text);
    }
    if (reply->refresh_in != 0)
        used +=
            (size_t)snprintf(body + used, size - used, ",\"refresh_in\":%lld", (long long)reply->refresh_in);
    if (wire->purpose == PURPOSE_SIGN_IN || (reply->number & 7) == 0)
        used += add_person(body + used, size - used, world, wire);
    snprintf(body + used, size - used, "}");
}

static void error_body(char *body, size_t size, const struct reply *reply)
{
    size_t used =
        (size_t)snprintf(body, size, "{\"error\":\"%s\",\"error_codes\":[%d]", reply->error, reply->aadsts);

    if (reply->suberror != NULL)
        used += (size_t)snprintf(body + used, size - used, ",\"suberror\":\"%s\"", reply->suberror);
    if (reply->claims)
        used += (size_t)snprintf(body + used, size - used,
                                 ",\"claims\":\"{\\\"access_token\\\":{\\\"polids\\\":{}}}\"");
    snprintf(body + used, size - used, "}");
}

void answer_make(struct world *world, const struct wire *wire, struct token_answer *answer)
{
    const struct reply *reply = &wire->reply;
    struct secret secret = {0};
    struct token_http http = {.body = &secret, .status = reply->status, .retry_after = reply->retry_after};
    char body[2048] = "<html>";

    memset(answer, 0, sizeof *answer);
    if (reply->kind == REPLY_TRANSPORT)
        http.failed_stage = reply->stage;
    if (reply->kind == REPLY_TOKENS)
        tokens_body(body, sizeof body, world, wire);
    if (reply->kind == REPLY_ERROR)
        error_body(body, sizeof body, reply);
    if (secret_set(&secret, body, strlen(body)) != 0)
        abort();
    token_answer_read(answer, &http);
    secret_wipe(&secret);
}
