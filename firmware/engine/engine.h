/* The right-hand side of the network's ODE: one header, several engines.
 *
 * Every engine defines `struct tl_engine` in its own engine_context.h, has no writable globals, calls no HAL and no
 * libm, and gives the bits that TensorFlow Lite Micro gives for the same .tflite (docs/SPEC.md, 2.4). */
#ifndef TL_ENGINE_H
#define TL_ENGINE_H

#include <stdint.h>

#include "core/model.h"
#include "engine_context.h" /* of the engine that the build chose: typedef struct { ... } tl_engine; */

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    TL_ENGINE_OK = 0,
    TL_ENGINE_NO_WEIGHTS = 1, /* the image has no section for this engine */
    TL_ENGINE_MODEL = 2,      /* the section is not what this engine can run */
    TL_ENGINE_MEMORY = 3,     /* the arena is too small */
    TL_ENGINE_RUN = 4         /* a kernel failed */
} tl_engine_status;

/* 0 compiled, 1 tflm, 2 callback (host tests): the number that the hello message carries. */
extern const uint8_t tl_engine_kind;

tl_engine_status tl_engine_init(tl_engine *engine, const tl_model *model);

/* Reads x[TL_INPUTS] and h[TL_STATES] (layer after layer), all in [-127, 127]; writes f[TL_STATES], z[TL_STATES] and
 * y[TL_OUTPUTS]. */
tl_engine_status tl_engine_rhs(tl_engine *engine, const int8_t *x, const int8_t *h, int8_t *f, int8_t *z, int8_t *y);

/* Bytes of RAM that the engine uses, its context included. */
uint32_t tl_engine_ram(const tl_engine *engine);

#ifdef __cplusplus
}
#endif

#endif
