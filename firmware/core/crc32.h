/* CRC-32 of IEEE 802.3 (reflected, polynomial 0xEDB88320), the one that zlib's crc32() computes. */
#ifndef TL_CORE_CRC32_H
#define TL_CORE_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Continues `crc` (0 to start) over `n` bytes; tl_crc32(tl_crc32(0, a), b) is the CRC of a followed by b. */
uint32_t tl_crc32(uint32_t crc, const void *data, size_t n);

#endif
