/* Context of the `compiled` engine: the model's kernels (read in place) and the gathered input vector. */
#ifndef TL_ENGINE_CONTEXT_H
#define TL_ENGINE_CONTEXT_H

#include <stdint.h>

#include "topology.h"

typedef struct {
    const uint8_t *kernels;
    /* x, then h of each layer, each padded with zeros to whole words; written as bytes, multiplied as words. */
    union {
        int8_t value[4 * TL_SIGNAL_WORDS];
        uint32_t word[TL_SIGNAL_WORDS];
    } signal;
} tl_engine;

#endif
