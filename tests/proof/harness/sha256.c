/* SHA-256 (core/sha256.h).
 *
 * Proven: from any state of the hash, update reads the bytes it is given and none beyond, and final writes a digest; both
 * stay inside the block buffer.
 * Bounds: pieces of at most 2 blocks and a byte, in a hash that any number of bytes below 2^60 went into before. */
#include "core/sha256.h"
#include "proof.h"

void proof_update(void) {
    tl_sha256 sha;
    size_t n;
    assume(n <= 2u * sizeof sha.block + 1u && sha.bytes < (1ull << 60));
    tl_sha256_update(&sha, any_bytes(n), n);
    reached();
}

void proof_final(void) {
    tl_sha256 sha;
    assume(sha.bytes < (1ull << 60));
    tl_sha256_final(&sha, any_bytes(TL_SHA256_BYTES));
    reached();
}
