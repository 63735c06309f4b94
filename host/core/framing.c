/* SPDX-License-Identifier: MPL-2.0 */
#include "core/framing.h"

#include "core/wiping_alloc.h"
#include <string.h>

static size_t at_most(size_t a, size_t b)
{
    return a < b ? a : b;
}

void frame_next(struct frame_decoder *decoder)
{
    wiping_free(decoder->body);
    memset(decoder, 0, sizeof *decoder);
}

bool frame_between(const struct frame_decoder *decoder)
{
    return decoder->head_filled == 0;
}

static enum frame_event begin_body(struct frame_decoder *decoder)
{
    memcpy(&decoder->length, decoder->head, FRAME_HEAD);
    if (decoder->length > FRAME_MAX) {
        decoder->draining = true;
        return FRAME_TOO_LARGE;
    }
    decoder->body = wiping_malloc((size_t)decoder->length + 1);
    if (decoder->body == NULL) {
        decoder->draining = true;
        return FRAME_NO_MEMORY;
    }
    decoder->body[decoder->length] = '\0';
    return FRAME_NEEDS_MORE;
}

static void take_body(struct frame_decoder *decoder, const unsigned char **input, size_t *length)
{
    size_t part = at_most(*length, decoder->length - decoder->body_filled);

    if (!decoder->draining)
        memcpy(decoder->body + decoder->body_filled, *input, part);
    decoder->body_filled += part;
    *input += part;
    *length -= part;
}

enum frame_event frame_feed(struct frame_decoder *decoder, const unsigned char **input, size_t *length)
{
    for (;;) {
        if (decoder->head_filled < FRAME_HEAD) {
            enum frame_event event;
            size_t part = at_most(*length, FRAME_HEAD - decoder->head_filled);
            memcpy(decoder->head + decoder->head_filled, *input, part);
            decoder->head_filled += part;
            *input += part;
            *length -= part;
            if (decoder->head_filled < FRAME_HEAD)
                return FRAME_NEEDS_MORE;
            event = begin_body(decoder);
            if (event != FRAME_NEEDS_MORE)
                return event;
        }
        take_body(decoder, input, length);
        if (decoder->body_filled < decoder->length)
            return FRAME_NEEDS_MORE;
        if (!decoder->draining)
            return FRAME_MESSAGE;
        frame_next(decoder);
        if (*length == 0)
            return FRAME_NEEDS_MORE;
    }
}
