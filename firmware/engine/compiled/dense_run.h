/* The work of tl_dense (dense.h): for the Cortex-M4, or the same in plain C. */
#ifndef TL_COMPILED_DENSE_RUN_H
#define TL_COMPILED_DENSE_RUN_H

#include <string.h>

#include "dense.h"

#if defined(TL_DENSE_M4)
#include "dense_m4.h"
#else
/* One group: eight requantized rows of `dense` from `kernel` on; returns where the next group stands. */
static inline const uint32_t *tl_dense_group(const tl_dense *dense, const uint32_t *kernel, int32_t q[TL_DENSE_ROWS]) {
    /* Even: of both rows of a pair; odd: of the lower. */
    uint32_t sums[TL_DENSE_ROWS];
    memcpy(sums, kernel, sizeof sums);
    kernel += TL_DENSE_ROWS;
    for (unsigned i = 0; dense->entry != 0u && i < TL_DENSE_ROWS; i += 2u, ++kernel) {
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
        /* Doubled, as SMMLAR wants them. */
        const uint32_t lower = 2u * sums[i + 1u] - dense->correction;
        const int32_t upper = (int32_t)(2u * sums[i] - lower) >> 8;
        q[i] = tl_requantize(upper, dense->multiplier, (unsigned)dense->right, dense->offset);
        q[i + 1u] = tl_requantize((int32_t)lower, dense->multiplier, (unsigned)dense->right, dense->offset);
    }
    return kernel;
}

/* Runs `dense` and all that stand behind it. */
static inline void tl_dense_run(const tl_dense *dense) {
    for (bool more = true; more; more = dense->more, ++dense) {
        const uint32_t *kernel = dense->kernel;
        for (uint32_t row = 0; row < dense->rows; row += TL_DENSE_ROWS) {
            int32_t q[TL_DENSE_ROWS];
            kernel = tl_dense_group(dense, kernel, q);
            int8_t *output = row + TL_DENSE_ROWS > dense->rows ? dense->rest : dense->output + row;
            for (unsigned i = 0; i < TL_DENSE_ROWS; ++i) {
                output[i] = dense->middle ? dense->middle[q[i]] : (int8_t)q[i];
            }
        }
    }
}
#endif

/* After a run: the rows of a last, broken group join the others. `rows` are the plan's. */
TL_ALWAYS_INLINE void tl_dense_join(const tl_dense *dense, uint32_t rows, int8_t *output) {
    const uint32_t whole = tl_dense_whole(rows);
    if (whole != rows) {
        memcpy(output + whole, dense->rest, rows - whole);
    }
}

#endif
