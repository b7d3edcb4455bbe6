/* CONCATENATION and RESHAPE, where a value cannot be made in its place: copies. */
#ifndef TL_KERNELS_CONCATENATE_H
#define TL_KERNELS_CONCATENATE_H

#include <stdint.h>
#include <string.h>

/* Copies `blocks` blocks of `bytes` bytes; blocks start `stride` bytes apart in the output, back to back in the input.
 */
static inline void tl_copy_blocks(const void *input, uint32_t blocks, uint32_t bytes, uint32_t stride, void *output) {
    const uint8_t *from = (const uint8_t *)input;
    uint8_t *to = (uint8_t *)output;
    for (; blocks; --blocks) {
        memcpy(to, from, bytes);
        from += bytes;
        to += stride;
    }
}

#endif
