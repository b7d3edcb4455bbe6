/* FULLY_CONNECTED on int8: eight rows at a time, so that each input is loaded once for all of them. */
#ifndef TL_COMPILED_DENSE_H
#define TL_COMPILED_DENSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "requantize.h"
#include "simd.h"

#define TL_DENSE_ROWS 8u

/* Quads of inputs that are one straight block of code: 16 are a layer of 64. The last multiple of 16 quads runs through
 * all of it, what is left jumps into its middle first. */
#define TL_DENSE_BLOCK 16u
#define TL_DENSE_QUAD_BYTES 98u

/* What becomes of q, the requantized rows. */
typedef enum {
    TL_TO_INT8 = 0,  /* output[i] = table[q + 128], or q where there is none */
    TL_TO_WORD = 1,  /* output[i] = table[q + 128], 32 bits each; `end` is at a whole group */
    TL_TO_STATE = 2, /* firmware/engine/compiled/layer.h */
    TL_TARGETS = 3   /* the bits of all */
} tl_dense_target;

/* One FULLY_CONNECTED, and where it is. Several in a row are one piece of work. */
typedef struct {
    const uint32_t *kernel; /* toolchain/codegen/topology.py: for each eight rows their first sums, then their weights */
    int8_t *rest;           /* the int8 of a last, broken group of rows, [TL_DENSE_ROWS], or NULL */
    uint32_t more;          /* another one stands behind this one */
    /* From here on in the order of the FPU's registers s0 to s12, from where the M4 fetches them in one cycle. */
    uint32_t correction; /* tl_gather's over the inputs */
    int32_t multiplier;
    int32_t offset;
    int32_t right;
    uintptr_t start;  /* of the inputs, less the quads that the first run through the block skips */
    int32_t skipped;  /* bytes of code that it skips; negative: the dense has a pair */
    uintptr_t middle; /* of the table, which is 4-byte aligned, or 0; plus tl_dense_target */
    void *output;
    const void *end; /* of the output of whole groups */
    const tl_quad *inputs_end;
    uint16_t quads;
    uint16_t rows;
    uint32_t pair;     /* two inputs that stand apart from the quads, doubled, as int16 lanes */
    int8_t *quantized; /* TL_TO_STATE: where the state goes as int8 */
} tl_dense;

/* With `pair`, the quads are one more than a multiple of TL_DENSE_BLOCK. */
TL_ALWAYS_INLINE void tl_dense_plan(tl_dense *dense, const uint32_t *kernel, const tl_quad *inputs, uint32_t quads,
                                    uint32_t rows, const tl_requantization *record, bool pair) {
    const uint32_t skipped = TL_DENSE_BLOCK - 1u - (quads - 1u) % TL_DENSE_BLOCK;
    dense->kernel = kernel;
    dense->multiplier = record->multiplier;
    dense->offset = tl_requantize_offset(record);
    dense->right = -record->shift;
    dense->start = (uintptr_t)inputs - (pair ? 0u : skipped * sizeof *inputs);
    dense->skipped = pair ? -1 : (int32_t)(skipped * TL_DENSE_QUAD_BYTES);
    dense->inputs_end = inputs + quads;
    dense->quads = (uint16_t)quads;
    dense->rows = (uint16_t)rows;
}

/* Rows in whole groups. */
TL_ALWAYS_INLINE uint32_t tl_dense_whole(uint32_t rows) {
    return rows / TL_DENSE_ROWS * TL_DENSE_ROWS;
}

/* The next run writes output[rows] through a table of 256 int8 or, where it is NULL, as it is. */
TL_ALWAYS_INLINE void tl_dense_to_int8(tl_dense *dense, uint32_t correction, const int8_t *table, int8_t *output) {
    dense->correction = correction;
    dense->middle = table ? (uintptr_t)(table + 128) + TL_TO_INT8 : TL_TO_INT8;
    dense->output = output;
    dense->end = output + tl_dense_whole(dense->rows);
}

/* After a run: the rows of a last, broken group join the others. */
TL_ALWAYS_INLINE void tl_dense_join(const tl_dense *dense) {
    const uint32_t whole = tl_dense_whole(dense->rows);
    if (whole != dense->rows) {
        memcpy((int8_t *)dense->output + whole, dense->rest, dense->rows - whole);
    }
}

#if !defined(__ARM_FEATURE_DSP)
/* One group: eight requantized rows of `dense` from `kernel` on; returns where the next group stands. */
static inline const uint32_t *tl_dense_group(const tl_dense *dense, const uint32_t *kernel, int32_t q[TL_DENSE_ROWS]) {
    /* Even: of both rows of a pair; odd: of the lower. */
    uint32_t sums[TL_DENSE_ROWS];
    memcpy(sums, kernel, sizeof sums);
    kernel += TL_DENSE_ROWS;
    for (unsigned i = 0; dense->skipped < 0 && i < TL_DENSE_ROWS; i += 2u, ++kernel) {
        sums[i] = tl_dual_multiply(*kernel, dense->pair, sums[i]);
        sums[i + 1u] = tl_dual_multiply(tl_add_bytes(0, *kernel), dense->pair, sums[i + 1u]);
    }
    for (const tl_quad *in = dense->inputs_end - dense->quads; in < dense->inputs_end; ++in) {
        for (unsigned i = 0; i < TL_DENSE_ROWS; i += 2u, kernel += 2) {
            sums[i] = tl_dual_multiply(kernel[1], in->odd, tl_dual_multiply(kernel[0], in->even, sums[i]));
            sums[i + 1u] =
                tl_dual_multiply(tl_add_bytes(in->odd, kernel[0]), tl_add_bytes(in->even, kernel[1]), sums[i + 1u]);
        }
    }
    for (unsigned i = 0; i < TL_DENSE_ROWS; i += 2u) {
        const uint32_t lower = sums[i + 1u] - dense->correction;
        const int32_t upper = (int32_t)(sums[i] - lower) >> 8;
        q[i] = tl_requantize(upper, dense->multiplier, (unsigned)dense->right, dense->offset);
        q[i + 1u] = tl_requantize((int32_t)lower, dense->multiplier, (unsigned)dense->right, dense->offset);
    }
    return kernel;
}
#endif

#endif
