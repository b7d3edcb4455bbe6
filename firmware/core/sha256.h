/* SHA-256 (FIPS 180-4, 6.2), in pieces of any size. */
#ifndef TL_CORE_SHA256_H
#define TL_CORE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define TL_SHA256_BYTES 32u

typedef struct {
    uint32_t hash[8];
    uint64_t bytes;
    uint8_t block[64];
} tl_sha256;

void tl_sha256_init(tl_sha256 *sha);
void tl_sha256_update(tl_sha256 *sha, const void *data, size_t n);
void tl_sha256_final(tl_sha256 *sha, uint8_t digest[TL_SHA256_BYTES]);

#endif
