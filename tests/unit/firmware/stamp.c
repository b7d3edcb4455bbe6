#include "hal/stamp.h"

uint64_t extend(uint64_t near_us, uint32_t counter);
uint64_t extend(uint64_t near_us, uint32_t counter) {
    return hal_stamp_extend(near_us, counter);
}
