#include "driver/state/sort_key.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "core/bytes.h"
#include "core/decimal.h"
#include "core/order.h"

namespace parity::driver {
namespace {

// NULLs are last, and a key that ends early is smaller than a longer one.
constexpr char kValueMark = 1;
constexpr char kNullMark = 2;

constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;

template <typename T>
void put_be(std::string& to, T value) {
    std::uint8_t bytes[sizeof value];
    core::store_be(bytes, value);
    to.append(reinterpret_cast<const char*>(bytes), sizeof value);
}

/// Canonical floats hold one NaN, which is last, and one zero.
void put_float(std::string& to, std::uint64_t bits) {
    const double value = core::double_from_bits(bits);
    if (value != value)
        put_be(to, ~std::uint64_t{0});
    else
        put_be(to, bits & kSignBit ? ~bits : bits | kSignBit);
}

/// The kind, the weight, and the digits with an end that is smaller than a digit. Of negative numbers the other way
/// round.
void put_decimal(std::string& to, core::ByteView decimal) {
    to.push_back(static_cast<char>(decimal[0]));
    const auto kind = static_cast<core::DecimalKind>(decimal[0]);
    if (kind != core::DecimalKind::kNegative && kind != core::DecimalKind::kPositive) return;
    const std::size_t magnitude = to.size();
    put_be(to, static_cast<std::uint32_t>(core::load_le<std::int32_t>(&decimal[1])) ^ std::uint32_t{1} << 31);
    for (std::size_t at = core::kDecimalHeader; at < decimal.size() && to.size() < kMaxSortKeyBytes; at += 2)
        put_be(to, static_cast<std::uint16_t>(core::load_le<std::uint16_t>(&decimal[at]) + 1));
    put_be(to, std::uint16_t{0});
    if (kind == core::DecimalKind::kNegative)
        std::transform(to.begin() + static_cast<std::ptrdiff_t>(magnitude), to.end(),
                       to.begin() + static_cast<std::ptrdiff_t>(magnitude),
                       [](char c) { return static_cast<char>(~c); });
}

/// A zero byte is followed by 255, the end is two zero bytes.
void put_bytes(std::string& to, core::ByteView bytes) {
    for (std::size_t i = 0; i < bytes.size() && to.size() < kMaxSortKeyBytes; ++i) {
        to.push_back(static_cast<char>(bytes[i]));
        if (bytes[i] == 0) to.push_back('\xff');
    }
    to.append(2, '\0');
}

void put_value(std::string& to, core::Form form, core::ByteView bytes) {
    if (core::is_integer_ordered(form)) {
        const std::int64_t value = core::fixed_width(form) == 4 ? core::load_le<std::int32_t>(bytes.data())
                                                                : core::load_le<std::int64_t>(bytes.data());
        put_be(to, static_cast<std::uint64_t>(value) ^ kSignBit);
    } else if (form == core::Form::kUnsigned) {
        put_be(to, core::load_le<std::uint64_t>(bytes.data()));
    } else if (form == core::Form::kFloat || form == core::Form::kFloat4) {
        put_float(to, core::load_le<std::uint64_t>(bytes.data()));
    } else if (form == core::Form::kDecimal) {
        put_decimal(to, bytes);
    } else if (core::fixed_width(form) > 0) {
        to.append(core::as_text(bytes));
    } else {
        put_bytes(to, bytes);
    }
}

}  // namespace

std::string sort_key(std::span<const core::Form> forms, std::string_view framed) {
    std::string key;
    core::FrameReader reader(core::as_bytes(framed));
    for (core::Form form : forms) {
        const std::optional<core::FramedValue> value = reader.next(form);
        if (!value || (!value->null && !core::is_canonical(form, value->bytes))) break;
        key.push_back(value->null ? kNullMark : kValueMark);
        if (!value->null) put_value(key, form, value->bytes);
        if (key.size() >= kMaxSortKeyBytes) break;
    }
    key.resize(std::min(key.size(), kMaxSortKeyBytes));
    return key;
}

}  // namespace parity::driver
