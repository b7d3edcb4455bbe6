#include "engine/engine.h"

#include <stddef.h>

const uint8_t tl_engine_kind = 2;

tl_engine_status tl_engine_init(tl_engine *engine, const tl_model *model) {
    (void)model;
    engine->rhs = NULL;
    engine->argument = NULL;
    return TL_ENGINE_OK;
}

tl_engine_status tl_engine_rhs(tl_engine *engine, const int8_t *x, const int8_t *h, int8_t *f, int8_t *z, int8_t *y) {
    if (!engine->rhs || engine->rhs(engine->argument, x, h, f, z, y) != 0) {
        return TL_ENGINE_RUN;
    }
    return TL_ENGINE_OK;
}

uint32_t tl_engine_ram(const tl_engine *engine) {
    return (uint32_t)sizeof *engine;
}
