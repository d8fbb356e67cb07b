#include "driver/postgres/values/scalars.h"

#include <array>
#include <bit>
#include <limits>
#include <optional>

#include "core/ascii.h"
#include "core/float_form.h"
#include "core/render.h"
#include "driver/model/error.h"
#include "driver/model/sqlstates.h"

namespace parity::driver {
namespace {

constexpr std::uint16_t kNumericPositive = 0x0000;
constexpr std::uint16_t kNumericNegative = 0x4000;
constexpr std::uint16_t kNumericNan = 0xC000;
constexpr std::uint16_t kNumericInfinity = 0xD000;
constexpr std::uint16_t kNumericMinusInfinity = 0xF000;
constexpr std::uint16_t kNumericBase = 10000;
constexpr std::size_t kNumericHeader = 8;
constexpr std::string_view kNumeric = "a numeric";

constexpr std::size_t kPointBytes = 16;

/// The digits behind numeric's header, without the zeros at both ends.
void append_digits(core::ByteSink& sink, bool negative, std::int32_t weight, core::ByteView digits) {
    while (!digits.empty() && core::load_be<std::uint16_t>(digits.data()) == 0) {
        digits = digits.subspan(2);
        --weight;
    }
    while (!digits.empty() && core::load_be<std::uint16_t>(digits.data() + digits.size() - 2) == 0)
        digits = digits.first(digits.size() - 2);
    if (digits.empty()) return core::append_decimal(sink, core::DecimalKind::kZero);
    std::uint8_t* room = sink.extend(core::kDecimalHeader + digits.size());
    if (!room) return;
    room[0] = static_cast<std::uint8_t>(negative ? core::DecimalKind::kNegative : core::DecimalKind::kPositive);
    core::store_le(room + 1, weight);
    room += core::kDecimalHeader;
    for (std::size_t at = 0; at < digits.size(); at += 2) {
        const auto digit = core::load_be<std::uint16_t>(digits.data() + at);
        if (digit >= kNumericBase) throw_malformed(kNumeric);
        core::store_le(room + at, digit);
    }
}

/// So many points up to the end of the value, behind their number.
void append_points(WireCursor& cursor, core::ByteSink& sink) {
    const std::uint32_t count = cursor.count(kPointBytes);
    core::append_le(sink, count);
    for (std::uint32_t i = 0; i < count; ++i) {
        append_double(cursor.integer<std::uint64_t>(), sink);
        append_double(cursor.integer<std::uint64_t>(), sink);
    }
    cursor.finish();
}

/// 32 digits with a hyphen after each group of four or not, as uuid_in() reads them; false for any other text.
bool parse_uuid(std::string_view text, std::array<std::uint8_t, 16>& uuid) {
    if (text.starts_with('{')) {
        if (!text.ends_with('}')) return false;
        text = text.substr(1, text.size() - 2);
    }
    for (std::size_t i = 0; i < uuid.size(); ++i) {
        if (text.size() < 2) return false;
        const std::optional<std::uint8_t> high = core::hex_digit(text[0]);
        const std::optional<std::uint8_t> low = core::hex_digit(text[1]);
        if (!high || !low) return false;
        uuid[i] = static_cast<std::uint8_t>(*high << 4 | *low);
        text.remove_prefix(2);
        if (i % 2 == 1 && i + 1 < uuid.size() && text.starts_with('-')) text.remove_prefix(1);
    }
    return text.empty();
}

}  // namespace

core::ByteView view_bpchar(std::string_view wire) {
    while (wire.ends_with(' ')) wire.remove_suffix(1);
    return core::as_bytes(wire);
}

core::ByteView view_versioned_text(std::string_view wire) {
    if (!wire.starts_with('\1')) throw_malformed("text behind the version 1");
    return core::as_bytes(wire.substr(1));
}

void append_bool(std::string_view wire, core::ByteSink& sink) {
    if (wire.size() != 1 || static_cast<unsigned char>(wire[0]) > 1) throw_malformed("a boolean");
    sink.append_u8(static_cast<std::uint8_t>(wire[0]));
}

void append_numeric(std::string_view wire, core::ByteSink& sink) {
    if (wire.size() < kNumericHeader) throw_malformed(kNumeric);
    const core::ByteView bytes = core::as_bytes(wire);
    const auto count = core::load_be<std::uint16_t>(bytes.data());
    const auto weight = core::load_be<std::int16_t>(bytes.data() + 2);
    const auto sign = core::load_be<std::uint16_t>(bytes.data() + 4);
    if (bytes.size() != kNumericHeader + 2 * std::size_t{count}) throw_malformed(kNumeric);
    switch (sign) {
        case kNumericPositive:
        case kNumericNegative:
            return append_digits(sink, sign == kNumericNegative, weight, bytes.subspan(kNumericHeader));
        case kNumericNan:
            return core::append_decimal(sink, core::DecimalKind::kNan);
        case kNumericInfinity:
            return core::append_decimal(sink, core::DecimalKind::kInfinity);
        case kNumericMinusInfinity:
            return core::append_decimal(sink, core::DecimalKind::kMinusInfinity);
        default:
            throw_malformed(kNumeric);
    }
}

void append_double(std::uint64_t bits, core::ByteSink& sink) {
    core::append_le(sink, core::canonical_float(core::double_from_bits(bits)));
}

void append_rounded_double(std::string_view wire, core::ByteSink& sink) {
    const double value = core::double_from_bits(load_integer<std::uint64_t>(wire));
    core::append_le(sink, core::canonical_rounded_float(value));
}

void append_float4(std::string_view wire, core::ByteSink& sink) {
    const auto narrow = std::bit_cast<float>(load_integer<std::uint32_t>(wire));
    core::append_le(sink, core::canonical_float(static_cast<double>(narrow)));
}

void append_uuid_as_text(std::string_view wire, core::ByteSink& sink) {
    const auto no_doubles = [](core::ByteSink&, double) {};
    core::render_value(core::Form::kUuid, view_exactly<16>(wire), no_doubles, sink);
}

void append_text_as_uuid(std::string_view wire, core::ByteSink& sink) {
    std::array<std::uint8_t, 16> uuid;
    if (!parse_uuid(core::as_text(view_bpchar(wire)), uuid))
        throw Error(ErrorKind::kServer, "invalid input syntax for type uuid", {}, {},
                    std::string(kInvalidTextRepresentation));
    sink.append(uuid.data(), uuid.size());
}

/// Infinity is the type's least and greatest value on both sides.
void append_date_as_timestamp(std::string_view wire, core::ByteSink& sink) {
    constexpr std::int64_t kMicrosADay = 86'400'000'000;
    constexpr std::int64_t kLeastTimestamp = -211'813'488'000'000'000;
    constexpr std::int64_t kTimestampEnd = 9'223'371'331'200'000'000;
    using Date = std::numeric_limits<std::int32_t>;
    using Timestamp = std::numeric_limits<std::int64_t>;
    const auto date = load_integer<std::int32_t>(wire);
    if (date == Date::min()) return core::append_le(sink, Timestamp::min());
    if (date == Date::max()) return core::append_le(sink, Timestamp::max());
    if (date < kLeastTimestamp / kMicrosADay || date >= kTimestampEnd / kMicrosADay)
        throw Error(ErrorKind::kServer, "date as timestamp out of range", {}, {}, std::string(kDatetimeFieldOverflow));
    core::append_le(sink, date * kMicrosADay);
}

void append_timetz(std::string_view wire, core::ByteSink& sink) {
    WireCursor cursor(wire, "a time with time zone");
    core::append_le(sink, cursor.integer<std::int64_t>());
    core::append_le(sink, cursor.integer<std::int32_t>());
    cursor.finish();
}

void append_interval(std::string_view wire, core::ByteSink& sink) {
    WireCursor cursor(wire, "an interval");
    core::append_le(sink, cursor.integer<std::int64_t>());
    core::append_le(sink, cursor.integer<std::int32_t>());
    core::append_le(sink, cursor.integer<std::int32_t>());
    cursor.finish();
}

/// The bits behind the last one in the last byte are taken as they come, as the extension takes them from storage.
void append_bits(std::string_view wire, core::ByteSink& sink) {
    WireCursor cursor(wire, "a bit string");
    const auto bits = cursor.integer<std::int32_t>();
    if (bits < 0 || cursor.left() != (static_cast<std::size_t>(bits) + 7) / 8) cursor.fail();
    core::append_le(sink, static_cast<std::uint32_t>(bits));
    sink.append(cursor.take(cursor.left()));
}

/// The family is the server's AF_INET, which is 2 everywhere, or one more.
void append_inet(std::string_view wire, core::ByteSink& sink) {
    WireCursor cursor(wire, "an inet");
    const auto family = cursor.integer<std::uint8_t>();
    const auto prefix = cursor.integer<std::uint8_t>();
    cursor.take(1);  // whether it is a cidr
    const auto length = cursor.integer<std::uint8_t>();
    if ((family != 2 && family != 3) || length != (family == 2 ? 4 : 16) || prefix > 8 * length) cursor.fail();
    sink.append_u8(family == 2 ? 4 : 6);
    sink.append_u8(prefix);
    sink.append(cursor.take(length));
    cursor.finish();
}

void append_path(std::string_view wire, core::ByteSink& sink) {
    WireCursor cursor(wire, "a path");
    sink.append_u8(cursor.integer<std::uint8_t>() != 0 ? 1 : 0);
    append_points(cursor, sink);
}

void append_polygon(std::string_view wire, core::ByteSink& sink) {
    WireCursor cursor(wire, "a polygon");
    append_points(cursor, sink);
}

void append_tid(std::string_view wire, core::ByteSink& sink) {
    WireCursor cursor(wire, "a tid");
    core::append_le(sink, cursor.integer<std::uint32_t>());
    core::append_le(sink, cursor.integer<std::uint16_t>());
    cursor.finish();
}

void append_snapshot(std::string_view wire, core::ByteSink& sink) {
    WireCursor cursor(wire, "a snapshot");
    const std::uint32_t running = cursor.count(sizeof(std::uint64_t));
    core::append_le(sink, cursor.integer<std::uint64_t>());
    core::append_le(sink, cursor.integer<std::uint64_t>());
    core::append_le(sink, running);
    for (std::uint32_t i = 0; i < running; ++i) core::append_le(sink, cursor.integer<std::uint64_t>());
    cursor.finish();
}

}  // namespace parity::driver
