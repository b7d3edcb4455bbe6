/* Runs kernels on cases from standard input and writes their outputs to standard output. Each array of a case lies in a
 * block of its own of its exact size, so that the address sanitizer sees every access outside.
 *
 * A case: name[32]; u32 count, rows; u32 bytes of parameters, loops, two tables, two inputs, output; the six arrays. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/kernels/elementwise.h"
#include "engine/kernels/lookup.h"
#include "engine/kernels/quantize.h"
#include "engine/kernels/sigmoid16.h"
#include "engine/kernels/softmax.h"

typedef struct {
    char name[32];
    uint32_t count;
    uint32_t rows;
    uint32_t bytes[7];
} header;

static void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(2);
}

static void *block(uint32_t bytes) {
    void *made = malloc(bytes ? bytes : 1u);
    if (!made) {
        fail("no memory");
    }
    return made;
}

static void scale(const int32_t *p, const int32_t *x, int32_t *y, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
        y[i] = tl_scale(x[i], p[0], p[1]);
    }
}

static void scale_wide(const int32_t *p, const int64_t *x, int32_t *y, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
        y[i] = tl_scale_wide(x[i], p[0], p[1]);
    }
}

#define IS(function) (strcmp(h->name, #function) == 0)
#define COUNTED(function)                                                                                              \
    if (IS(function)) {                                                                                                \
        function(part[0], part[4], part[6], h->count);                                                                 \
        return;                                                                                                        \
    }
#define ELEMENTWISE(function)                                                                                          \
    if (IS(function)) {                                                                                                \
        function(part[0], part[1], part[4], part[5], part[6]);                                                         \
        return;                                                                                                        \
    }
#define SIGMOID(function)                                                                                              \
    if (IS(function)) {                                                                                                \
        function(part[0], part[2], part[4], part[6], h->count);                                                        \
        return;                                                                                                        \
    }
#define SOFTMAX(function)                                                                                              \
    if (IS(function)) {                                                                                                \
        function(part[2], h->count, part[4], part[6], h->rows);                                                        \
        return;                                                                                                        \
    }

static void run(const header *h, void **part) {
    ELEMENTWISE(tl_add_int8)
    ELEMENTWISE(tl_add_int16)
    ELEMENTWISE(tl_subtract_int8)
    ELEMENTWISE(tl_subtract_int16)
    ELEMENTWISE(tl_multiply_int8)
    ELEMENTWISE(tl_multiply_int16)
    COUNTED(tl_quantize_int8_int8)
    COUNTED(tl_quantize_int8_uint8)
    COUNTED(tl_quantize_int8_int16)
    COUNTED(tl_quantize_int8_int32)
    COUNTED(tl_quantize_uint8_int8)
    COUNTED(tl_quantize_int16_int8)
    COUNTED(tl_quantize_int16_int16)
    COUNTED(tl_quantize_int16_int32)
    COUNTED(tl_quantize_int32_int8)
    COUNTED(tl_quantize_int32_int16)
    COUNTED(scale)
    COUNTED(scale_wide)
    SIGMOID(tl_tanh_int16)
    SIGMOID(tl_logistic_int16)
    SOFTMAX(tl_softmax_int8)
    SOFTMAX(tl_softmax_int8_int16)
    if (IS(tl_softmax_int16)) {
        tl_softmax_int16(part[0], part[2], part[3], h->count, part[4], part[6], h->rows);
        return;
    }
    if (IS(tl_lookup_int8)) {
        tl_lookup_int8(part[2], part[4], part[6], h->count);
        return;
    }
    fail(h->name);
}

int main(void) {
    header h;
    while (fread(&h, sizeof h, 1, stdin) == 1) {
        void *part[7];
        for (uint32_t i = 0; i < 7u; ++i) {
            part[i] = block(h.bytes[i]);
            if (i < 6u && fread(part[i], 1, h.bytes[i], stdin) != h.bytes[i]) {
                fail("a case ends early");
            }
        }
        h.name[sizeof h.name - 1u] = 0;
        run(&h, part);
        fwrite(part[6], 1, h.bytes[6], stdout);
        for (uint32_t i = 0; i < 7u; ++i) {
            free(part[i]);
        }
    }
    return 0;
}
