#pragma once

#include <cstdint>

#include "core/bytes.h"

/// The pieces of the `json` form: docs/digest-format.md, section 2.3.
/// Requires: who walks a document calls these in document order; an object's members come in the order of their keys'
/// UTF-8 bytes, without repetitions.
namespace parity::core {

inline constexpr std::uint8_t kJsonNull = 'n';
inline constexpr std::uint8_t kJsonFalse = 'f';
inline constexpr std::uint8_t kJsonTrue = 't';
inline constexpr std::uint8_t kJsonNumber = '#';
inline constexpr std::uint8_t kJsonString = 's';
inline constexpr std::uint8_t kJsonArray = '[';
inline constexpr std::uint8_t kJsonObject = '{';

inline void append_json_null(ByteSink& sink) noexcept { sink.append_u8(kJsonNull); }
inline void append_json_bool(ByteSink& sink, bool value) noexcept { sink.append_u8(value ? kJsonTrue : kJsonFalse); }

/// An object's key: its length and UTF-8 bytes.
inline void append_json_key(ByteSink& sink, ByteView utf8) noexcept {
    append_le(sink, static_cast<std::uint32_t>(utf8.size()));
    sink.append(utf8);
}
inline void append_json_string(ByteSink& sink, ByteView utf8) noexcept {
    sink.append_u8(kJsonString);
    append_json_key(sink, utf8);
}
/// A number.
/// Requires: `decimal` holds the number's canonical decimal bytes.
inline void append_json_number(ByteSink& sink, ByteView decimal) noexcept {
    sink.append_u8(kJsonNumber);
    append_json_key(sink, decimal);
}
inline void begin_json_array(ByteSink& sink, std::uint32_t elements) noexcept {
    sink.append_u8(kJsonArray);
    append_le(sink, elements);
}
inline void begin_json_object(ByteSink& sink, std::uint32_t members) noexcept {
    sink.append_u8(kJsonObject);
    append_le(sink, members);
}

}  // namespace parity::core
