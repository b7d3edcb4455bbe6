/* FULLY_CONNECTED on int8: eight rows at a time, so that each input is loaded once for all of them. */
#ifndef TL_COMPILED_DENSE_H
#define TL_COMPILED_DENSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "requantize.h"
#include "simd.h"

#define TL_DENSE_ROWS 8u

/* Quads of inputs that are one straight block of code: 16 are a layer of 64. The last multiple of 16 quads runs through
 * all of it, what is left jumps into its middle first. */
#define TL_DENSE_BLOCK 16u
#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FP)
#define TL_DENSE_M4
#define TL_DENSE_QUAD_BYTES 98u
/* dense_m4.h: where a run begins that has a pair, and the block. */
extern const uint8_t tl_dense_pair[], tl_dense_block[];
#endif

/* One FULLY_CONNECTED, and where it is. Several in a row are one piece of work. */
typedef struct {
    const uint32_t
        *kernel;   /* toolchain/codegen/topology.py: for each eight rows their first sums, then their weights */
    int8_t *rest;  /* the int8 of a last, broken group of rows, [TL_DENSE_ROWS], or NULL */
    uint32_t more; /* another one stands behind this one */
    /* From here on in the order of the FPU's registers s0 to s11, from where the M4 fetches them in one cycle. */
    uint32_t correction; /* tl_gather's over the inputs, doubled as the sums are then */
    int32_t multiplier;
    int32_t offset;
    int32_t right;
    uintptr_t start;      /* of the inputs, less the quads that the first run through the block skips */
    uintptr_t entry;      /* M4: where the first run begins; else whether the dense has a pair */
    const int8_t *middle; /* output = middle[q], or q where it is NULL */
    int8_t *output;
    const int8_t *end; /* of whole groups of rows */
    const tl_quad *inputs_end;
    uint16_t quads;
    uint16_t rows;
    uint32_t pair; /* two inputs that stand apart from the quads, as int16 lanes */
} tl_dense;

/* With `pair`, the quads are one more than a multiple of TL_DENSE_BLOCK. What is made goes through `table`, 256 int8,
 * or, where it is NULL, stays as it is. `rest`: where a last, broken group of rows goes, NULL without one. */
TL_ALWAYS_INLINE void tl_dense_plan(tl_dense *dense, const uint32_t *kernel, const tl_quad *inputs, uint32_t quads,
                                    uint32_t rows, const tl_requantization *record, bool pair, const int8_t *table,
                                    int8_t *rest, bool more) {
    const uint32_t skipped = pair ? 0u : TL_DENSE_BLOCK - 1u - (quads - 1u) % TL_DENSE_BLOCK;
    dense->kernel = kernel;
    dense->rest = rest;
    dense->more = more;
    dense->multiplier = record->multiplier;
    dense->offset = tl_requantize_offset(record);
    dense->right = -record->shift;
    dense->start = (uintptr_t)inputs - skipped * sizeof *inputs;
#if defined(TL_DENSE_M4)
    dense->entry =
        ((uintptr_t)(pair ? tl_dense_pair : tl_dense_block) + skipped * TL_DENSE_QUAD_BYTES) | 1u; /* Thumb */
#else
    dense->entry = pair;
#endif
    dense->middle = table ? table + 128 : NULL;
    dense->inputs_end = inputs + quads;
    dense->quads = (uint16_t)quads;
    dense->rows = (uint16_t)rows;
}

/* Rows in whole groups. */
TL_ALWAYS_INLINE uint32_t tl_dense_whole(uint32_t rows) {
    return rows / TL_DENSE_ROWS * TL_DENSE_ROWS;
}

/* The next run writes output[rows]; `rows` are the plan's. */
TL_ALWAYS_INLINE void tl_dense_to(tl_dense *dense, uint32_t rows, uint32_t correction, int8_t *output) {
    dense->correction = 2u * correction;
    dense->output = output;
    dense->end = output + tl_dense_whole(rows);
}

#endif
