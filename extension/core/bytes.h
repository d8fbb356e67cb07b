#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace parity::core {

/// A view of bytes that somebody else owns.
using ByteView = std::span<const std::uint8_t>;

inline ByteView as_bytes(std::string_view text) noexcept {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view as_text(ByteView bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A growing run of bytes in its owner's memory. The owner supplies `grow`: the backend with repalloc (which raises an
/// error instead of failing), the driver with its own allocator. A failed growth sets `failed`; what is appended
/// afterwards is dropped, so that only the end of a long construction needs to look.
struct ByteSink {
    std::uint8_t* data = nullptr;
    std::size_t size = 0;
    std::size_t capacity = 0;
    /// Makes `capacity` at least `needed` and keeps the first `size` bytes.
    /// Returns: false where it cannot.
    bool (*grow)(ByteSink& sink, std::size_t needed) noexcept = nullptr;
    bool failed = false;

    ByteView view() const noexcept { return {data, size}; }
    void clear() noexcept { size = 0; }

    /// Room for `length` more bytes.
    /// Requires: the caller writes them at once.
    /// Returns: null where there is none.
    std::uint8_t* extend(std::size_t length) noexcept {
        if (failed || (capacity - size < length && !grow(*this, size + length))) {
            failed = true;
            return nullptr;
        }
        std::uint8_t* room = data + size;
        size += length;
        return room;
    }
    void append(const void* bytes, std::size_t length) noexcept {
        if (length == 0) return;
        if (std::uint8_t* room = extend(length)) std::memcpy(room, bytes, length);
    }
    void append(ByteView bytes) noexcept { append(bytes.data(), bytes.size()); }
    void append(std::string_view text) noexcept { append(text.data(), text.size()); }
    void append_u8(std::uint8_t value) noexcept { append(&value, 1); }
};

/// The same bytes in the other order.
template <typename T>
constexpr T byteswapped(T value) noexcept {
    static_assert(sizeof(T) == 1 || sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8);
    using U = std::make_unsigned_t<T>;
    const U bits = static_cast<U>(value);
    if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(bits));
    if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(bits));
    if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(bits));
    return value;
}

/// Integers in canonical bytes are little endian on every machine.
template <typename T>
constexpr T little_endian(T value) noexcept {
    return std::endian::native == std::endian::little ? value : byteswapped(value);
}

/// Integers on the wire are big endian.
template <typename T>
constexpr T big_endian(T value) noexcept {
    return std::endian::native == std::endian::big ? value : byteswapped(value);
}

template <typename T>
void store_le(std::uint8_t* to, T value) noexcept {
    value = little_endian(value);
    std::memcpy(to, &value, sizeof value);
}

template <typename T>
T load_le(const std::uint8_t* from) noexcept {
    T value;
    std::memcpy(&value, from, sizeof value);
    return little_endian(value);
}

template <typename T>
void append_le(ByteSink& sink, T value) noexcept {
    if (std::uint8_t* room = sink.extend(sizeof value)) store_le(room, value);
}

/// The binary64 number of these bits.
inline double double_from_bits(std::uint64_t bits) noexcept {
    double value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

inline std::uint64_t bits_of_double(double value) noexcept {
    std::uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

template <typename T>
void store_be(std::uint8_t* to, T value) noexcept {
    value = big_endian(value);
    std::memcpy(to, &value, sizeof value);
}

template <typename T>
T load_be(const std::uint8_t* from) noexcept {
    T value;
    std::memcpy(&value, from, sizeof value);
    return big_endian(value);
}

}  // namespace parity::core
