#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"

/// Byte strings in the tests of the core.
namespace parity::test {

/// A sink in malloc'd memory that the test process leaves behind.
inline core::ByteSink make_sink() {
    core::ByteSink sink;
    sink.grow = [](core::ByteSink& grown, std::size_t needed) noexcept {
        std::size_t capacity = needed > 2 * grown.capacity ? needed : 2 * grown.capacity;
        void* data = std::realloc(grown.data, capacity);
        if (!data) return false;
        grown.data = static_cast<std::uint8_t*>(data);
        grown.capacity = capacity;
        return true;
    };
    return sink;
}

/// A sink that has no memory at all.
inline core::ByteSink make_failing_sink() {
    core::ByteSink sink;
    sink.grow = [](core::ByteSink&, std::size_t) noexcept { return false; };
    return sink;
}

/// Bytes that are owned, and hash and compare as a string.
using Bytes = std::string;

inline core::ByteView view(const Bytes& bytes) { return core::as_bytes(bytes); }
inline Bytes bytes_of(core::ByteView view) { return Bytes(core::as_text(view)); }

inline int hex_digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

/// "0aff", with blanks for the reader, as two bytes.
inline Bytes from_hex(std::string_view hex) {
    Bytes bytes;
    for (std::size_t i = 0; i < hex.size();) {
        if (hex[i] == ' ') {
            ++i;
            continue;
        }
        bytes.push_back(static_cast<char>(hex_digit(hex[i]) << 4 | hex_digit(hex[i + 1])));
        i += 2;
    }
    return bytes;
}

inline std::string to_hex(std::string_view bytes) {
    std::string hex;
    for (unsigned char c : bytes) {
        hex.push_back("0123456789abcdef"[c >> 4]);
        hex.push_back("0123456789abcdef"[c & 15]);
    }
    return hex;
}

template <typename T>
Bytes le(T value) {
    Bytes bytes(sizeof value, '\0');
    core::store_le(reinterpret_cast<std::uint8_t*>(bytes.data()), value);
    return bytes;
}

/// What `append(sink)` appends.
template <typename Append>
Bytes appended(Append append) {
    core::ByteSink sink = make_sink();
    append(sink);
    EXPECT_FALSE(sink.failed);
    Bytes bytes = bytes_of(sink.view());
    std::free(sink.data);
    return bytes;
}

/// Canonical bytes behind their length.
inline std::string counted(const std::string& bytes) { return le(static_cast<std::uint32_t>(bytes.size())) + bytes; }

}  // namespace parity::test
