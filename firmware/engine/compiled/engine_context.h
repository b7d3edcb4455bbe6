/* Context of the `compiled` engine: the model's kernels (read in place) the gathered inputs and the plan of the work.
 */
#ifndef TL_ENGINE_CONTEXT_H
#define TL_ENGINE_CONTEXT_H

#include <stdint.h>

#include "dense.h"
#include "topology.h"

typedef struct {
    const uint8_t *kernels;
    /* x, then h of each layer, four values an entry, each padded with zeros to whole entries. */
    tl_quad signal[TL_SIGNAL_QUADS];
    tl_dense dense[2 * TL_LAYERS + 1]; /* drive and rate of each layer, then the head */
#if TL_BROKEN > 0
    int8_t rest[TL_BROKEN][TL_DENSE_ROWS]; /* of the denses whose rows are no whole groups */
#endif
} tl_engine;

#endif
