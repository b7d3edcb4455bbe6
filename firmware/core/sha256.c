#include "core/sha256.h"

/* FIPS 180-4, 4.2.2: first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t round_constant[64] = {
    0x428A2F98u, 0x71374491u, 0xB5C0FBCFu, 0xE9B5DBA5u, 0x3956C25Bu, 0x59F111F1u, 0x923F82A4u, 0xAB1C5ED5u,
    0xD807AA98u, 0x12835B01u, 0x243185BEu, 0x550C7DC3u, 0x72BE5D74u, 0x80DEB1FEu, 0x9BDC06A7u, 0xC19BF174u,
    0xE49B69C1u, 0xEFBE4786u, 0x0FC19DC6u, 0x240CA1CCu, 0x2DE92C6Fu, 0x4A7484AAu, 0x5CB0A9DCu, 0x76F988DAu,
    0x983E5152u, 0xA831C66Du, 0xB00327C8u, 0xBF597FC7u, 0xC6E00BF3u, 0xD5A79147u, 0x06CA6351u, 0x14292967u,
    0x27B70A85u, 0x2E1B2138u, 0x4D2C6DFCu, 0x53380D13u, 0x650A7354u, 0x766A0ABBu, 0x81C2C92Eu, 0x92722C85u,
    0xA2BFE8A1u, 0xA81A664Bu, 0xC24B8B70u, 0xC76C51A3u, 0xD192E819u, 0xD6990624u, 0xF40E3585u, 0x106AA070u,
    0x19A4C116u, 0x1E376C08u, 0x2748774Cu, 0x34B0BCB5u, 0x391C0CB3u, 0x4ED8AA4Au, 0x5B9CCA4Fu, 0x682E6FF3u,
    0x748F82EEu, 0x78A5636Fu, 0x84C87814u, 0x8CC70208u, 0x90BEFFFAu, 0xA4506CEBu, 0xBEF9A3F7u, 0xC67178F2u,
};

static inline uint32_t rotate_right(uint32_t x, unsigned n) {
    return (x >> n) | (x << (32u - n));
}

static void compress(uint32_t hash[8], const uint8_t block[64]) {
    uint32_t w[64];
    for (unsigned t = 0; t < 16; ++t) {
        w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 | (uint32_t)block[4 * t + 2] << 8 |
               (uint32_t)block[4 * t + 3];
    }
    for (unsigned t = 16; t < 64; ++t) {
        const uint32_t s0 = rotate_right(w[t - 15], 7) ^ rotate_right(w[t - 15], 18) ^ (w[t - 15] >> 3);
        const uint32_t s1 = rotate_right(w[t - 2], 17) ^ rotate_right(w[t - 2], 19) ^ (w[t - 2] >> 10);
        w[t] = s1 + w[t - 7] + s0 + w[t - 16];
    }

    uint32_t a = hash[0], b = hash[1], c = hash[2], d = hash[3];
    uint32_t e = hash[4], f = hash[5], g = hash[6], h = hash[7];
#pragma GCC unroll 8
    for (unsigned t = 0; t < 64; ++t) {
        const uint32_t sum1 = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
        const uint32_t choose = (e & f) ^ (~e & g);
        const uint32_t t1 = h + sum1 + choose + round_constant[t] + w[t];
        const uint32_t sum0 = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
        const uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
        const uint32_t t2 = sum0 + majority;
        h = g, g = f, f = e, e = d + t1;
        d = c, c = b, b = a, a = t1 + t2;
    }
    hash[0] += a, hash[1] += b, hash[2] += c, hash[3] += d;
    hash[4] += e, hash[5] += f, hash[6] += g, hash[7] += h;
}

void tl_sha256_init(tl_sha256 *sha) {
    /* FIPS 180-4, 5.3.3: first 32 bits of the fractional parts of the square roots of the first 8 primes. */
    static const uint32_t initial[8] = {0x6A09E667u, 0xBB67AE85u, 0x3C6EF372u, 0xA54FF53Au,
                                        0x510E527Fu, 0x9B05688Cu, 0x1F83D9ABu, 0x5BE0CD19u};
    for (unsigned i = 0; i < 8; ++i) {
        sha->hash[i] = initial[i];
    }
    sha->bytes = 0;
}

void tl_sha256_update(tl_sha256 *sha, const void *data, size_t n) {
    const uint8_t *bytes = data;
    size_t filled = (size_t)(sha->bytes % sizeof sha->block);
    sha->bytes += n;
    while (n > 0) {
        if (filled == 0 && n >= sizeof sha->block) {
            compress(sha->hash, bytes);
            bytes += sizeof sha->block;
            n -= sizeof sha->block;
            continue;
        }
        const size_t room = sizeof sha->block - filled;
        const size_t take = n < room ? n : room;
        for (size_t i = 0; i < take; ++i) {
            sha->block[filled + i] = bytes[i];
        }
        filled += take;
        bytes += take;
        n -= take;
        if (filled == sizeof sha->block) {
            compress(sha->hash, sha->block);
            filled = 0;
        }
    }
}

void tl_sha256_final(tl_sha256 *sha, uint8_t digest[TL_SHA256_BYTES]) {
    const uint64_t bits = sha->bytes * 8u;
    static const uint8_t padding[64] = {0x80};
    const size_t filled = (size_t)(sha->bytes % sizeof sha->block);
    tl_sha256_update(sha, padding, filled < 56u ? 56u - filled : 120u - filled);

    uint8_t length[8];
    for (unsigned i = 0; i < 8; ++i) {
        length[i] = (uint8_t)(bits >> (56u - 8u * i));
    }
    tl_sha256_update(sha, length, sizeof length);
    for (unsigned i = 0; i < TL_SHA256_BYTES; ++i) {
        digest[i] = (uint8_t)(sha->hash[i / 4] >> (24u - 8u * (i % 4)));
    }
}
