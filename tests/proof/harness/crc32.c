/* CRC-32 (core/crc32.h).
 *
 * Proven: it reads `n` bytes and none beyond them, for any content and any start.
 * Bounds: n is at most CRC_BYTES, the receiver's buffer. */
#include "core/crc32.h"
#include "proof.h"

#define CRC_BYTES 244u

void proof_crc32(void) {
    size_t n;
    uint32_t start;
    assume(n <= CRC_BYTES);
    (void)tl_crc32(start, any_bytes(n), n);
    reached();
}
