#include "driver/postgres/values/decimal.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "core/decimal.h"
#include "driver/model/error.h"
#include "driver/model/sqlstates.h"

namespace parity::driver {
namespace {

constexpr std::int64_t kBaseDigits = 4;
/// numeric's own limits (src/backend/utils/adt/numeric.c): the weight is an int16, the scale has 14 bits, and the input
/// function refuses exponents from here on before it looks at the digits.
constexpr std::int64_t kMaxWeight = 32767;
constexpr std::int64_t kMaxScale = 16383;
constexpr std::int64_t kExponentLimit = 2147483647 / 2;

/// Integers of so many digits need no arithmetic on digits.
constexpr std::size_t kPlainDigits = 18;

[[noreturn]] void throw_overflow() {
    throw Error(ErrorKind::kServer, "value overflows numeric format", {}, {}, std::string(kNumericValueOutOfRange));
}

std::int64_t parse_exponent(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    std::int64_t exponent = 0;
    for (const char c : text) {
        exponent = exponent * 10 + (c - '0');
        if (exponent >= kExponentLimit) throw_overflow();
    }
    return negative ? -exponent : exponent;
}

/// The decimal digits of a number, without its sign, point and exponent.
struct Digits {
    std::string_view before;
    std::string_view behind;

    std::int64_t size() const { return static_cast<std::int64_t>(before.size() + behind.size()); }
    /// 0 where there is no such digit.
    int at(std::int64_t index) const {
        if (index < 0 || index >= size()) return 0;
        const auto i = static_cast<std::size_t>(index);
        return (i < before.size() ? before[i] : behind[i - before.size()]) - '0';
    }
};

/// Appends the digits from `first` to before `last`, neither of which is zero; the first one counts 10^weight.
void append_digits(core::ByteSink& sink, bool negative, const Digits& digits, std::int64_t first, std::int64_t last,
                   std::int64_t weight) {
    const std::int64_t base_weight = weight >= 0 ? weight / kBaseDigits : -((-weight + kBaseDigits - 1) / kBaseDigits);
    if (base_weight > kMaxWeight) throw_overflow();
    const std::int64_t zeros_before = (base_weight + 1) * kBaseDigits - (weight + 1);
    const std::int64_t groups = (last - first + zeros_before + kBaseDigits - 1) / kBaseDigits;
    std::uint8_t* room = sink.extend(core::kDecimalHeader + static_cast<std::size_t>(groups) * 2);
    if (!room) return;
    room[0] = static_cast<std::uint8_t>(negative ? core::DecimalKind::kNegative : core::DecimalKind::kPositive);
    core::store_le(room + 1, static_cast<std::int32_t>(base_weight));
    room += core::kDecimalHeader;
    std::int64_t at = first - zeros_before;
    for (std::int64_t group = 0; group < groups; ++group, room += 2) {
        int value = 0;
        for (int i = 0; i < kBaseDigits; ++i, ++at) value = value * 10 + (at < first ? 0 : digits.at(at));
        core::store_le(room, static_cast<std::uint16_t>(value));
    }
}

}  // namespace

void append_decimal_text(core::ByteSink& sink, std::string_view number) {
    const bool negative = number.starts_with('-');
    std::string_view digits_text = number.substr(negative ? 1 : 0);
    if (digits_text.size() <= kPlainDigits && digits_text.find_first_of(".eE") == std::string_view::npos) {
        std::int64_t value = 0;
        std::from_chars(digits_text.data(), digits_text.data() + digits_text.size(), value);
        return core::append_decimal(sink, negative ? -value : value);
    }
    std::int64_t exponent = 0;
    if (const std::size_t e = digits_text.find_first_of("eE"); e != std::string_view::npos) {
        exponent = parse_exponent(digits_text.substr(e + 1));
        digits_text = digits_text.substr(0, e);
    }
    const std::size_t point = std::min(digits_text.find('.'), digits_text.size());
    const Digits digits{digits_text.substr(0, point), digits_text.substr(std::min(point + 1, digits_text.size()))};
    if (static_cast<std::int64_t>(digits.behind.size()) - exponent > kMaxScale) throw_overflow();
    std::int64_t first = 0;
    std::int64_t last = digits.size();
    while (first < last && digits.at(first) == 0) ++first;
    while (last > first && digits.at(last - 1) == 0) --last;
    if (first == last) return core::append_decimal(sink, core::DecimalKind::kZero);
    const std::int64_t weight = static_cast<std::int64_t>(digits.before.size()) - 1 - first + exponent;
    append_digits(sink, negative, digits, first, last, weight);
}

}  // namespace parity::driver
