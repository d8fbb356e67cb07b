#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/bytes.h"

/// Hashes as rows carry them: 8 or 16 bytes, big endian.
namespace parity::driver {

inline void append_hash(std::string& to, core::u64 hash) {
    std::uint8_t bytes[sizeof hash];
    core::store_be(bytes, hash);
    to.append(reinterpret_cast<const char*>(bytes), sizeof bytes);
}

inline void append_hash(std::string& to, core::u128 hash) {
    append_hash(to, core::high_half(hash));
    append_hash(to, core::low_half(hash));
}

/// The hash that `bytes` begin with.
template <typename H>
H load_hash(std::string_view bytes) {
    const std::uint8_t* from = core::as_bytes(bytes).data();
    if constexpr (sizeof(H) == sizeof(core::u64))
        return core::load_be<core::u64>(from);
    else
        return core::join_halves(core::load_be<core::u64>(from + sizeof(core::u64)), core::load_be<core::u64>(from));
}

}  // namespace parity::driver
