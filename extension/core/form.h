#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

/// The forms that columns are hashed as: docs/digest-format.md, section 2. Codes are part of the format.
namespace parity::core {

enum class Form : std::uint8_t {
    kNone = 0,
    kBool = 1,
    kInt = 2,
    kDecimal = 3,
    kFloat = 4,
    kText = 5,
    kBytes = 6,
    kUuid = 7,
    kDate = 8,
    kTime = 9,
    kTimetz = 10,
    kTimestamp = 11,
    kTimestamptz = 12,
    kInterval = 13,
    kJson = 14,
    kJsonbRaw = 15,
    kBits = 16,
    kInet = 17,
    kMacaddr = 18,
    kMacaddr8 = 19,
    kMoney = 20,
    kPoint = 21,
    kLine = 22,
    kLseg = 23,
    kBox = 24,
    kCircle = 25,
    kPath = 26,
    kPolygon = 27,
    kUnsigned = 28,
    kTid = 29,
    kSnapshot = 30,
    kTsvector = 31,
    kTsquery = 32,
    kHstore = 33,
    kRange = 34,
    kMultirange = 35,
    kRecord = 36,
    kTrimmed = 37,
    kFloat4 = 38,
    kKey = 64,  ///< the key slice of a digest
    kRow = 65,  ///< the row slice of a digest
};

inline constexpr std::uint8_t kArrayBit = 128;
inline constexpr std::uint8_t kFormRevision = 1;
/// No form's name is longer.
inline constexpr std::size_t kMaxFormName = 16;

constexpr bool is_array(Form form) noexcept { return static_cast<std::uint8_t>(form) & kArrayBit; }
constexpr Form array_of(Form element) noexcept {
    return static_cast<Form>(static_cast<std::uint8_t>(element) | kArrayBit);
}
constexpr Form element_of(Form array) noexcept {
    return static_cast<Form>(static_cast<std::uint8_t>(array) & ~kArrayBit);
}

/// Whether the form's full name tells of forms inside it, as "range<int>" does.
constexpr bool is_nested(Form form) noexcept {
    return form == Form::kRange || form == Form::kMultirange || form == Form::kRecord;
}

/// The name of a form, as in "int" or "text[]". Of a nested form it is the first part of the full name, "range" or
/// "range[]".
/// Returns: "?" for a code that is none.
std::string_view form_name(Form form) noexcept;

/// The form of a name, full or not. `key` and `row` are names here too.
/// Returns: nothing for a name that is none.
std::optional<Form> form_by_name(std::string_view name) noexcept;

/// The form of a code, or nothing.
std::optional<Form> form_by_code(std::uint8_t code) noexcept;

/// Bytes of every canonical value, or 0 where they vary.
constexpr std::uint32_t fixed_width(Form form) noexcept {
    switch (form) {
        case Form::kBool:
            return 1;
        case Form::kDate:
            return 4;
        case Form::kMacaddr:
        case Form::kTid:
            return 6;
        case Form::kInt:
        case Form::kFloat:
        case Form::kFloat4:
        case Form::kTime:
        case Form::kTimestamp:
        case Form::kTimestamptz:
        case Form::kMacaddr8:
        case Form::kMoney:
        case Form::kUnsigned:
            return 8;
        case Form::kTimetz:
            return 12;
        case Form::kUuid:
        case Form::kInterval:
        case Form::kPoint:
            return 16;
        case Form::kLine:
        case Form::kCircle:
            return 24;
        case Form::kLseg:
        case Form::kBox:
            return 32;
        default:
            return 0;
    }
}

/// Whether values are ordered as one little endian signed integer of fixed_width() bytes.
constexpr bool is_integer_ordered(Form form) noexcept {
    return form == Form::kInt || form == Form::kDate || form == Form::kTime || form == Form::kTimestamp ||
           form == Form::kTimestamptz || form == Form::kMoney;
}

}  // namespace parity::core
