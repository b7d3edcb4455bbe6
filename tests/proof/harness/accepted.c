/* Stands for the check of the KERN section where proof_init (engine.c) has shown what it accepts: that is accepted, so
 * that CBMC sees one way through tl_engine_init instead of two, and folds what it plans. */
#include "engine/engine.h"
#include "engine_compiled.h"
#include "proof.h"
#include "requantize.h"

bool accepted(const uint8_t *kernels) {
    for (unsigned i = 0; i < TL_DENSES; ++i) {
        const tl_requantization *record = (const tl_requantization *)(const void *)kernels + i;
        assume(record->multiplier >= TL_MULTIPLIER_MIN && record->shift >= TL_SHIFT_MIN);
        assume(record->shift <= TL_SHIFT_MAX && record->zero_point >= INT8_MIN && record->zero_point <= INT8_MAX);
    }
    return true;
}
