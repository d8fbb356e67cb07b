#pragma once

#include <bit>
#include <cstdint>

// Header-only XXH3: the calls are inlined for the short inputs that keys and cells are.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/bytes.h"

/// The hash functions of docs/digest-format.md, section 4. `H` is u64 (width 64) or u128 (width 128); sums of
/// hashes are the type's own modular arithmetic.
namespace parity::core {

using u64 = std::uint64_t;
__extension__ typedef unsigned __int128 u128;

inline constexpr u64 kNullLow = 0x9E3779B97F4A7C15;
inline constexpr u64 kNullHigh = 0xC2B2AE3D27D4EB4F;
inline constexpr u64 kFoldMultiplier = 0x9E3779B185EBCA87;
inline constexpr u64 kFoldAddend = 0x85EBCA77C2B2AE63;

constexpr u64 low_half(u64 hash) noexcept { return hash; }
constexpr u64 low_half(u128 hash) noexcept { return static_cast<u64>(hash); }
constexpr u64 high_half(u64) noexcept { return 0; }
constexpr u64 high_half(u128 hash) noexcept { return static_cast<u64>(hash >> 64); }
constexpr u128 join_halves(u64 low, u64 high) noexcept { return static_cast<u128>(high) << 64 | low; }

/// Adds a hash of 64 or 128 bits to the sum at `sum`, modulo 2^64 or 2^128; the low word comes first.
template <typename H>
inline void add_to_sum(u64* sum, H hash) noexcept {
    if constexpr (sizeof(H) == 8) {
        *sum += hash;
    } else {
        const u128 total = join_halves(sum[0], sum[1]) + hash;
        sum[0] = low_half(total);
        sum[1] = high_half(total);
    }
}

/// XXH3's finaliser of a u64.
constexpr u64 avalanche(u64 x) noexcept {
    x ^= x >> 37;
    x *= 0x165667919E3779F9;
    return x ^ x >> 32;
}

template <typename H>
H hash_bytes(ByteView bytes, u64 seed) noexcept {
    if constexpr (sizeof(H) == 8) {
        return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
    } else {
        XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.data(), bytes.size(), seed);
        return join_halves(hash.low64, hash.high64);
    }
}

/// The hash of a NULL cell: NULL has no bytes, so it is made from the cell seed alone.
template <typename H>
constexpr H null_cell_hash(u64 cell_seed) noexcept {
    if constexpr (sizeof(H) == 8)
        return avalanche(cell_seed ^ kNullLow);
    else
        return join_halves(avalanche(cell_seed ^ kNullLow), avalanche(cell_seed ^ kNullHigh));
}

/// Folds a row's key hash and its cell hashes, in the agreed order of columns, into the row hash.
template <typename H>
class RowFold {
  public:
    explicit constexpr RowFold(H key_hash) noexcept : low_(low_half(key_hash)), high_(high_half(key_hash)) {}

    constexpr void add(H cell_hash) noexcept {
        low_ = mix(low_, low_half(cell_hash));
        if constexpr (sizeof(H) == 16) high_ = mix(high_, high_half(cell_hash));
    }
    constexpr H result() const noexcept {
        if constexpr (sizeof(H) == 8)
            return avalanche(low_);
        else
            return join_halves(avalanche(low_), avalanche(high_));
    }

  private:
    static constexpr u64 mix(u64 state, u64 cell) noexcept {
        return std::rotl(state ^ cell, 27) * kFoldMultiplier + kFoldAddend;
    }
    u64 low_;
    u64 high_;
};

}  // namespace parity::core
