/* 64-bit microseconds from a 32-bit counter that wraps every 71.6 minutes. */
#ifndef HAL_STAMP_H
#define HAL_STAMP_H

#include <stdint.h>

/* Returns the 64-bit time of `counter`, given a 64-bit time at most 2^31 us (35 minutes) away from it, earlier or
 * later. No wrap interrupt is involved, so none can be missed or raced: whoever calls often enough is always right. */
static inline uint64_t hal_stamp_extend(uint64_t near_us, uint32_t counter) {
    const uint32_t ahead = counter - (uint32_t)near_us;
    return ahead < 0x80000000u ? near_us + ahead : near_us - (uint64_t)(0u - ahead);
}

#endif
