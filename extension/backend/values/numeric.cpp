#include "backend/values/numeric.h"

namespace parity::backend {
namespace {

using namespace numeric_header;

void append_special(core::ByteSink& sink, std::uint16_t header) {
    core::append_decimal(sink, header == kInfinity        ? core::DecimalKind::kInfinity
                               : header == kMinusInfinity ? core::DecimalKind::kMinusInfinity
                                                          : core::DecimalKind::kNan);
}

/// Writes the digits in canonical byte order, without the zeros at both ends.
void append_digits(core::ByteSink& sink, bool negative, std::int32_t weight, core::ByteView digits) {
    while (!digits.empty() && load_digit(digits.data()) == 0) {
        digits = digits.subspan(2);
        --weight;
    }
    while (!digits.empty() && load_digit(digits.data() + digits.size() - 2) == 0)
        digits = digits.first(digits.size() - 2);
    if (digits.empty()) return core::append_decimal(sink, core::DecimalKind::kZero);
    std::uint8_t* room = sink.extend(core::kDecimalHeader + digits.size());
    room[0] = static_cast<std::uint8_t>(negative ? core::DecimalKind::kNegative : core::DecimalKind::kPositive);
    core::store_le(room + 1, weight);
    for (std::size_t at = 0; at < digits.size(); at += 2)
        core::store_le(room + core::kDecimalHeader + at, load_digit(&digits[at]));
}

[[noreturn]] void raise_corrupt() {
    ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("stored numeric is too short")));
    pg_unreachable();
}

}  // namespace

void append_numeric(core::ByteSink& sink, core::ByteView stored) {
    if (stored.size() < 2 || stored.size() % 2 != 0) raise_corrupt();
    std::uint16_t header = load_digit(stored.data());
    switch (header & kKindMask) {
        case kSpecial:
            return append_special(sink, header);
        case kShort:
            return append_digits(sink, header & kShortNegative, short_weight(header), stored.subspan(2));
        default:
            if (stored.size() < 4) raise_corrupt();
            return append_digits(sink, (header & kKindMask) == kNegative,
                                 static_cast<std::int16_t>(load_digit(&stored[2])), stored.subspan(4));
    }
}

}  // namespace parity::backend
