/* Context of the `callback` engine, for tests on the host: the right-hand side is a function of the caller. */
#ifndef TL_ENGINE_CONTEXT_H
#define TL_ENGINE_CONTEXT_H

#include <stdint.h>

/* As tl_engine_rhs; returns 0 when it worked. */
typedef int (*tl_rhs_callback)(void *argument, const int8_t *x, const int8_t *h, int8_t *f, int8_t *z, int8_t *y);

typedef struct {
    tl_rhs_callback rhs; /* set after tl_engine_init */
    void *argument;
} tl_engine;

#endif
