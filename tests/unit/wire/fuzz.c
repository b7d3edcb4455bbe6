/* Fuzzes the firmware's frame receiver against a second, plain decoder written here. Built with sanitizers.
 *
 * Frames are cut, flipped, lengthened and shortened, with random bytes between them. After every delimiter the receiver
 * must have delivered exactly what the plain decoder says, and its CRC (computed here bit by bit) must be right.
 * Prints "frames delivered damaged"; exits 1 with a sentence on the first difference. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/frame.h"

static uint64_t seed;

static uint32_t rnd(uint32_t below) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 24) % below);
}

static uint32_t plain_crc(const uint8_t *data, size_t size) {
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < size; ++i) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1) ^ ((crc & 1u) ? 0xEDB88320u : 0u);
        }
    }
    return ~crc;
}

/* Payload size of the stretch between two delimiters, 0 if it is no frame. */
static size_t plain_decode(const uint8_t *data, size_t size, uint8_t *out) {
    size_t used = 0;
    size_t i = 0;
    while (i < size) {
        const size_t code = data[i];
        if (i + code > size) {
            return 0;
        }
        memcpy(out + used, data + i + 1, code - 1);
        used += code - 1;
        i += code;
        if (code != 255 && i < size) {
            out[used++] = 0;
        }
    }
    if (used < 16 || used > 244) {
        return 0;
    }
    const uint32_t sent = (uint32_t)out[used - 4] | ((uint32_t)out[used - 3] << 8) | ((uint32_t)out[used - 2] << 16) |
                          ((uint32_t)out[used - 1] << 24);
    return plain_crc(out, used - 4) == sent ? used - 4 : 0;
}

#define STRETCH 4096
static uint8_t stretch[STRETCH];
static size_t stretch_size;
static uint64_t delivered;

static void feed(tl_frame_receiver *receiver, uint8_t byte) {
    static uint8_t expected[STRETCH];
    const size_t got = tl_frame_receive(receiver, byte);
    if (byte != 0) {
        if (got != 0) {
            puts("a frame was delivered before its delimiter");
            exit(1);
        }
        if (stretch_size < STRETCH) {
            stretch[stretch_size++] = byte;
        }
        return;
    }
    const size_t want = plain_decode(stretch, stretch_size, expected);
    stretch_size = 0;
    if (got != want || memcmp(receiver->buffer, expected, got) != 0) {
        printf("delivered %zu bytes, expected %zu\n", got, want);
        exit(1);
    }
    delivered += got > 0;
}

int main(int argc, char **argv) {
    const uint32_t frames = (uint32_t)strtoul(argc > 1 ? argv[1] : "1000", NULL, 10);
    seed = strtoull(argc > 2 ? argv[2] : "1", NULL, 10) * 0x9E3779B97F4A7C15u + 1u;
    tl_frame_receiver *receiver = malloc(sizeof *receiver); /* on the heap, where a byte beyond it is caught */
    uint64_t damaged = 0;
    if (receiver == NULL) {
        return 2;
    }
    tl_frame_receiver_init(receiver);
    for (uint32_t n = 0; n < frames; ++n) {
        uint8_t payload[TL_PAYLOAD_MAX];
        uint8_t line[TL_FRAME_MAX + 8];
        const size_t size = TL_PAYLOAD_MIN + rnd(TL_PAYLOAD_MAX - TL_PAYLOAD_MIN + 1);
        const uint32_t zeros = 1 + rnd(64);
        for (size_t i = 0; i < size; ++i) {
            payload[i] = rnd(zeros) == 0 ? 0 : (uint8_t)rnd(256);
        }
        size_t length = tl_frame_build(payload, size, line);
        const uint32_t damage = rnd(8);
        if (damage == 1) { /* a flipped bit */
            line[rnd((uint32_t)length)] ^= (uint8_t)(1u << rnd(8));
        } else if (damage == 2) { /* cut */
            length = rnd((uint32_t)length);
        } else if (damage == 3) { /* a dropped byte */
            const size_t at = rnd((uint32_t)length);
            memmove(line + at, line + at + 1, length - at - 1);
            length -= 1;
        } else if (damage == 4) { /* inserted bytes */
            const size_t at = rnd((uint32_t)length);
            const size_t more = 1 + rnd(8);
            memmove(line + at + more, line + at, length - at);
            for (size_t i = 0; i < more; ++i) {
                line[at + i] = (uint8_t)rnd(256);
            }
            length += more;
        } else if (damage == 5) { /* noise before it */
            for (uint32_t i = rnd(600); i > 0; --i) {
                feed(receiver, (uint8_t)rnd(256));
            }
        }
        damaged += damage >= 1 && damage <= 5;
        for (size_t i = 0; i < length; ++i) {
            feed(receiver, line[i]);
        }
    }
    printf("%u %llu %llu\n", (unsigned)frames, (unsigned long long)delivered, (unsigned long long)damaged);
    if (delivered != receiver->frames) {
        puts("the counter of delivered frames is wrong");
        return 1;
    }
    free(receiver);
    return 0;
}
