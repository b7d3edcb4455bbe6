/* Two FULLY_CONNECTED in one run over the same inputs: for the host's plain C and the Cortex-M4's code alike. */
#include "engine/compiled/dense_run.h"
#include "engine/compiled/gather.h"

typedef struct {
    uint32_t inputs;
    uint32_t pair; /* the two inputs in front stand apart */
    uint32_t rows[2];
    tl_requantization record[2];
} shape;

void run(const shape *what, const int8_t *inputs, const uint32_t *first, const uint32_t *second, const int8_t *table,
         int8_t *output);

void run(const shape *what, const int8_t *inputs, const uint32_t *first, const uint32_t *second, const int8_t *table,
         int8_t *output) {
    static tl_quad quads[128];
    static int8_t rest[2][TL_DENSE_ROWS];
    static tl_dense dense[2];
    const uint32_t apart = what->pair ? 2u : 0u;
    const uint32_t count = (what->inputs - apart + 3u) / 4u;
    const uint32_t correction = tl_gather(inputs + apart, what->inputs - apart, quads);
    for (unsigned i = 0; i < 2u; ++i) {
        tl_dense_plan(dense + i, i ? second : first, quads, count, what->rows[i], what->record + i, what->pair != 0u,
                      i ? NULL : table, what->rows[i] % TL_DENSE_ROWS != 0u ? rest[i] : NULL, i == 0u);
        dense[i].pair = apart ? tl_pair_from(inputs) : 0u;
    }
    tl_dense_to(dense, what->rows[0], correction, output);
    tl_dense_to(dense + 1, what->rows[1], correction, output + what->rows[0]);
    tl_dense_run(dense);
    tl_dense_join(dense, what->rows[0], output);
    tl_dense_join(dense + 1, what->rows[1], output + what->rows[0]);
}
