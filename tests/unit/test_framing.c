/* SPDX-License-Identifier: MPL-2.0 */
/* Frames come out as they were sent, however the bytes arrive, and what is too long is passed over. */
#include "core/framing.h"

#include "core_support.h"

static size_t put_frame(unsigned char *to, const void *body, uint32_t length)
{
    memcpy(to, &length, FRAME_HEAD);
    memcpy(to + FRAME_HEAD, body, length);
    return FRAME_HEAD + length;
}

static void assert_message(struct frame_decoder *decoder, const char *body)
{
    assert_int_equal(decoder->length, strlen(body));
    assert_memory_equal(decoder->body, body, strlen(body) + 1);
    frame_next(decoder);
}

static void frames_come_out_however_the_bytes_arrive(void **state)
{
    static const char *const bodies[] = {"{\"a\":1}", "", "x", "{\"second\":\"message\"}"};
    unsigned char bytes[128];
    size_t total = 0, part, i;

    (void)state;
    for (i = 0; i < 4; i++)
        total += put_frame(bytes + total, bodies[i], (uint32_t)strlen(bodies[i]));
    for (part = 1; part <= total; part++) {
        struct frame_decoder decoder = {0};
        size_t offset, count = 0;
        for (offset = 0; offset < total; offset += part) {
            const unsigned char *input = bytes + offset;
            size_t length = total - offset < part ? total - offset : part;
            enum frame_event event;
            while ((event = frame_feed(&decoder, &input, &length)) == FRAME_MESSAGE)
                assert_message(&decoder, bodies[count++]);
            assert_int_equal(event, FRAME_NEEDS_MORE);
            assert_int_equal(length, 0);
        }
        assert_int_equal(count, 4);
        assert_true(frame_between(&decoder));
    }
}

static void the_input_may_end_only_between_frames(void **state)
{
    unsigned char bytes[16];
    size_t total = put_frame(bytes, "body", 4), i;
    struct frame_decoder decoder = {0};

    (void)state;
    assert_true(frame_between(&decoder));
    for (i = 0; i < total; i++) {
        const unsigned char *input = bytes + i;
        size_t length = 1;
        assert_int_equal(frame_feed(&decoder, &input, &length),
                         i < total - 1 ? FRAME_NEEDS_MORE : FRAME_MESSAGE);
        assert_false(frame_between(&decoder));
    }
    frame_next(&decoder);
    assert_true(frame_between(&decoder));
}

static void feed_head(struct frame_decoder *decoder, uint32_t announced, enum frame_event expected)
{
    unsigned char head[FRAME_HEAD];
    const unsigned char *input = head;
    size_t length = sizeof head;

    memcpy(head, &announced, FRAME_HEAD);
    assert_int_equal(frame_feed(decoder, &input, &length), expected);
    assert_int_equal(length, 0);
}

/* Feeds count bytes; whatever comes before the last of them must be "more". */
static enum frame_event feed_bytes(struct frame_decoder *decoder, size_t count)
{
    static const unsigned char zeros[65536];
    enum frame_event event = FRAME_NEEDS_MORE;

    while (count > 0) {
        const unsigned char *input = zeros;
        size_t length = count < sizeof zeros ? count : sizeof zeros;
        assert_int_equal(event, FRAME_NEEDS_MORE);
        count -= length;
        event = frame_feed(decoder, &input, &length);
        assert_int_equal(length, 0);
    }
    return event;
}

static void the_longest_frame_passes_and_one_byte_more_is_drained(void **state)
{
    struct frame_decoder decoder = {0};

    (void)state;
    feed_head(&decoder, (uint32_t)FRAME_MAX, FRAME_NEEDS_MORE);
    assert_int_equal(feed_bytes(&decoder, FRAME_MAX), FRAME_MESSAGE);
    assert_int_equal(decoder.length, FRAME_MAX);
    frame_next(&decoder);
    feed_head(&decoder, (uint32_t)FRAME_MAX + 1, FRAME_TOO_LARGE);
    assert_null(decoder.body);
    assert_int_equal(feed_bytes(&decoder, FRAME_MAX), FRAME_NEEDS_MORE);
    assert_false(frame_between(&decoder));
    assert_int_equal(feed_bytes(&decoder, 1), FRAME_NEEDS_MORE);
    assert_true(frame_between(&decoder));
    frame_next(&decoder);
}

static void the_session_goes_on_behind_a_drained_frame(void **state)
{
    static unsigned char bytes[FRAME_MAX + 64];
    struct frame_decoder decoder = {0};
    const unsigned char *input = bytes;
    const uint32_t announced = (uint32_t)FRAME_MAX + 1;
    size_t length;

    (void)state;
    memcpy(bytes, &announced, FRAME_HEAD);
    length = FRAME_HEAD + announced;
    length += put_frame(bytes + length, "next", 4);
    assert_int_equal(frame_feed(&decoder, &input, &length), FRAME_TOO_LARGE);
    assert_int_equal(frame_feed(&decoder, &input, &length), FRAME_MESSAGE);
    assert_message(&decoder, "next");
    assert_int_equal(length, 0);
}

static void the_highest_length_that_can_be_announced_is_drained(void **state)
{
    struct frame_decoder decoder = {0};

    (void)state;
    feed_head(&decoder, UINT32_MAX, FRAME_TOO_LARGE);
    assert_int_equal(feed_bytes(&decoder, 4 * FRAME_MAX), FRAME_NEEDS_MORE);
    assert_null(decoder.body);
    frame_next(&decoder);
}

static void feeding_nothing_changes_nothing(void **state)
{
    struct frame_decoder decoder = {0};
    const unsigned char *input = (const unsigned char *)"";
    size_t length = 0;

    (void)state;
    assert_int_equal(frame_feed(&decoder, &input, &length), FRAME_NEEDS_MORE);
    assert_true(frame_between(&decoder));
    feed_head(&decoder, 0, FRAME_MESSAGE);
    assert_int_equal(frame_feed(&decoder, &input, &length), FRAME_MESSAGE);
    assert_message(&decoder, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_out_however_the_bytes_arrive),
        cmocka_unit_test(the_input_may_end_only_between_frames),
        cmocka_unit_test(the_longest_frame_passes_and_one_byte_more_is_drained),
        cmocka_unit_test(the_session_goes_on_behind_a_drained_frame),
        cmocka_unit_test(the_highest_length_that_can_be_announced_is_drained),
        cmocka_unit_test(feeding_nothing_changes_nothing),
    };

    return CORE_TESTS(tests);
}
