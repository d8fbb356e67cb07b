#include "core/decimal.h"

#include <algorithm>
#include <array>

namespace parity::core {
namespace {

constexpr std::uint64_t kBase = 10000;
constexpr std::size_t kDigitBytes = 2;

DecimalKind kind_of(ByteView decimal) noexcept { return static_cast<DecimalKind>(decimal[0]); }

bool has_digits(DecimalKind kind) noexcept { return kind == DecimalKind::kNegative || kind == DecimalKind::kPositive; }

/// Orders two absolute values.
int compare_magnitudes(ByteView a, ByteView b) noexcept {
    std::int32_t weight_a = load_le<std::int32_t>(&a[1]);
    std::int32_t weight_b = load_le<std::int32_t>(&b[1]);
    if (weight_a != weight_b) return weight_a < weight_b ? -1 : 1;
    std::size_t common = std::min(a.size(), b.size());
    for (std::size_t at = kDecimalHeader; at < common; at += kDigitBytes) {
        std::uint16_t digit_a = load_le<std::uint16_t>(&a[at]);
        std::uint16_t digit_b = load_le<std::uint16_t>(&b[at]);
        if (digit_a != digit_b) return digit_a < digit_b ? -1 : 1;
    }
    // no digit is left out at the end but zeros: the longer one is larger
    return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
}

}  // namespace

void append_decimal(ByteSink& sink, DecimalKind kind) noexcept { sink.append_u8(static_cast<std::uint8_t>(kind)); }

void append_decimal(ByteSink& sink, bool negative, std::int32_t weight,
                    std::span<const std::uint16_t> digits) noexcept {
    while (!digits.empty() && digits.front() == 0) {
        digits = digits.subspan(1);
        --weight;
    }
    while (!digits.empty() && digits.back() == 0) digits = digits.first(digits.size() - 1);
    if (digits.empty()) return append_decimal(sink, DecimalKind::kZero);
    std::uint8_t* room = sink.extend(kDecimalHeader + digits.size() * kDigitBytes);
    if (!room) return;
    room[0] = static_cast<std::uint8_t>(negative ? DecimalKind::kNegative : DecimalKind::kPositive);
    store_le(room + 1, weight);
    for (std::size_t i = 0; i < digits.size(); ++i) store_le(room + kDecimalHeader + i * kDigitBytes, digits[i]);
}

void append_decimal(ByteSink& sink, std::int64_t value, int fraction_digits) noexcept {
    std::uint64_t rest = value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    const int fraction_groups = (fraction_digits + 3) / 4;
    std::array<std::uint16_t, 6> digits{};
    std::size_t i = digits.size();
    if (const int in_last_group = fraction_digits % 4) {  // the point falls inside a group: zeros fill it up
        std::uint64_t filling = 1;
        for (int digit = in_last_group; digit < 4; ++digit) filling *= 10;
        const std::uint64_t own = kBase / filling;
        digits[--i] = static_cast<std::uint16_t>(rest % own * filling);
        rest /= own;
    }
    for (; i-- > 0; rest /= kBase) digits[i] = static_cast<std::uint16_t>(rest % kBase);
    append_decimal(sink, value < 0, static_cast<std::int32_t>(digits.size()) - 1 - fraction_groups, digits);
}

bool is_decimal(ByteView bytes) noexcept {
    if (bytes.empty() || bytes[0] > static_cast<std::uint8_t>(DecimalKind::kNan)) return false;
    if (!has_digits(kind_of(bytes))) return bytes.size() == 1;
    if (bytes.size() < kDecimalHeader + kDigitBytes || (bytes.size() - kDecimalHeader) % kDigitBytes != 0) return false;
    for (std::size_t at = kDecimalHeader; at < bytes.size(); at += kDigitBytes)
        if (load_le<std::uint16_t>(&bytes[at]) >= kBase) return false;
    return load_le<std::uint16_t>(&bytes[kDecimalHeader]) != 0 &&
           load_le<std::uint16_t>(&bytes[bytes.size() - kDigitBytes]) != 0;
}

bool fits_numeric(ByteView decimal) noexcept {
    constexpr std::int64_t kMaxWeight = 131072 / 4 - 1;
    constexpr std::int64_t kMaxFraction = 16384 / 4;
    if (!has_digits(kind_of(decimal))) return true;
    std::int64_t weight = load_le<std::int32_t>(&decimal[1]);
    std::int64_t fraction = static_cast<std::int64_t>((decimal.size() - kDecimalHeader) / kDigitBytes) - 1 - weight;
    if (weight > kMaxWeight || fraction > kMaxFraction) return false;
    return fraction < kMaxFraction || load_le<std::uint16_t>(&decimal[decimal.size() - kDigitBytes]) % 10 == 0;
}

int compare_decimals(ByteView a, ByteView b) noexcept {
    DecimalKind kind = kind_of(a);
    if (kind != kind_of(b)) return kind < kind_of(b) ? -1 : 1;
    if (!has_digits(kind)) return 0;
    int order = compare_magnitudes(a, b);
    return kind == DecimalKind::kNegative ? -order : order;
}

}  // namespace parity::core
