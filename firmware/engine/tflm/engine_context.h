/* Context of the `tflm` engine: TensorFlow Lite Micro's objects and its arena, all inside. */
#ifndef TL_ENGINE_CONTEXT_H
#define TL_ENGINE_CONTEXT_H

#include <stdint.h>

#include "tflm_model.h"
#include "topology.h"

/* Room for the C++ objects, whose sizes C cannot know; engine_tflm.cc asserts that they fit. */
#define TL_TFLM_INTERPRETER_BYTES 512
#define TL_TFLM_RESOLVER_BYTES (128 + 96 * TL_TFLM_OPERATORS)

typedef struct {
    void *running; /* the interpreter in `interpreter`, or a null pointer before a good tl_engine_init */
    __attribute__((aligned(8))) unsigned char interpreter[TL_TFLM_INTERPRETER_BYTES];
    __attribute__((aligned(8))) unsigned char resolver[TL_TFLM_RESOLVER_BYTES];
    __attribute__((aligned(16))) unsigned char arena[TL_TFLM_ARENA_BYTES];
} tl_engine;

#endif
