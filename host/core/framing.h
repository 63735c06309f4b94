/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Native messaging frames: a 32-bit length in native byte order, then that many bytes. A pure decoder: bytes
 * go in as they come, messages come out. It holds one message at most, and none that is too long.
 */
#ifndef THUNDERSEAL_CORE_FRAMING_H
#define THUNDERSEAL_CORE_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX                                                                                            \
    ((size_t)1024 * 1024) /* Thunderbird's own limit for what a host writes; we keep it both ways */
#define FRAME_HEAD 4

struct frame_decoder {
    unsigned char head[FRAME_HEAD];
    size_t head_filled;
    uint32_t length;
    char *body; /* NULL while a message that is too long is drained, or none is open */
    size_t body_filled;
    bool draining;
};

enum frame_event {
    FRAME_NEEDS_MORE, /* all bytes were taken */
    FRAME_MESSAGE, /* decoder->body holds decoder->length bytes and a NUL: call frame_next before going on */
    FRAME_TOO_LARGE, /* a message over FRAME_MAX has begun and will be drained */
    FRAME_NO_MEMORY  /* no room for this message: it will be drained */
};

/* Takes bytes from *input (advancing it, lowering *length) until something happens. Zeroed is a fresh
 * decoder. */
enum frame_event frame_feed(struct frame_decoder *decoder, const unsigned char **input, size_t *length);
/* Wipes and releases the message, ready for the next. */
void frame_next(struct frame_decoder *decoder);
/* Whether the input may end here. */
bool frame_between(const struct frame_decoder *decoder);

#endif
