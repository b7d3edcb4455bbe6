/* Context of the `compiled` engine: the model's kernels (read in place) and the gathered inputs. */
#ifndef TL_ENGINE_CONTEXT_H
#define TL_ENGINE_CONTEXT_H

#include <stdint.h>

#include "simd.h"
#include "topology.h"

typedef struct {
    const uint8_t *kernels;
    /* x, then h of each layer, four values an entry, each padded with zeros to whole entries. */
    tl_quad signal[TL_SIGNAL_QUADS];
} tl_engine;

#endif
