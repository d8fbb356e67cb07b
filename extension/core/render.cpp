#include "core/render.h"

#include <array>
#include <limits>

#include "core/ascii.h"
#include "core/bounds.h"
#include "core/decimal.h"
#include "core/json_form.h"
#include "core/order.h"

namespace parity::core {
namespace {

constexpr int kMaxDepth = 512;

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;
constexpr std::int64_t kDaysFromCivilEpoch = 730'425;  // 0000-03-01 to 2000-01-01

void append_hex_byte(ByteSink& sink, std::uint8_t byte) noexcept {
    sink.append_u8(static_cast<std::uint8_t>(kHexDigits[byte >> 4]));
    sink.append_u8(static_cast<std::uint8_t>(kHexDigits[byte & 15]));
}

void append_hex(ByteSink& sink, ByteView bytes) noexcept {
    sink.append(std::string_view("\\x"));
    for (std::uint8_t byte : bytes) append_hex_byte(sink, byte);
}

/// Decimal digits, at least `width` of them with leading zeros.
void append_number(ByteSink& sink, std::uint64_t value, std::size_t width = 1) noexcept {
    std::array<char, 20> digits;
    std::size_t at = digits.size();
    while (value > 0 || digits.size() - at < width) {
        digits[--at] = static_cast<char>('0' + value % 10);
        value /= 10;
    }
    sink.append(std::string_view(&digits[at], digits.size() - at));
}

std::uint64_t magnitude(std::int64_t value) noexcept {
    return value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
}

void append_signed(ByteSink& sink, std::int64_t value) noexcept {
    if (value < 0) sink.append_u8('-');
    append_number(sink, magnitude(value));
}

void trim_zeros_back(ByteSink& sink, std::size_t floor) noexcept {
    while (!sink.failed && sink.size > floor && sink.data[sink.size - 1] == '0') --sink.size;
}

void render_decimal_digits(ByteView decimal, ByteSink& sink) noexcept {
    std::int32_t weight = load_le<std::int32_t>(&decimal[1]);
    std::int32_t count = static_cast<std::int32_t>((decimal.size() - kDecimalHeader) / 2);
    auto digit = [&](std::int32_t i) {
        return i < 0 || i >= count ? std::uint16_t{0}
                                   : load_le<std::uint16_t>(&decimal[kDecimalHeader + 2 * static_cast<std::size_t>(i)]);
    };
    if (weight < 0) sink.append_u8('0');
    for (std::int32_t i = 0; i <= weight; ++i) append_number(sink, digit(i), i == 0 ? 1 : 4);
    if (count - 1 <= weight) return;
    sink.append_u8('.');
    for (std::int32_t i = weight + 1; i < count; ++i) append_number(sink, digit(i), 4);
    trim_zeros_back(sink, 0);
}

void render_decimal(ByteView decimal, ByteSink& sink) noexcept {
    if (!fits_numeric(decimal)) return append_hex(sink, decimal);
    switch (static_cast<DecimalKind>(decimal[0])) {
        case DecimalKind::kMinusInfinity:
            return sink.append(std::string_view("-Infinity"));
        case DecimalKind::kInfinity:
            return sink.append(std::string_view("Infinity"));
        case DecimalKind::kNan:
            return sink.append(std::string_view("NaN"));
        case DecimalKind::kZero:
            return sink.append_u8('0');
        case DecimalKind::kNegative:
            sink.append_u8('-');
            break;
        case DecimalKind::kPositive:
            break;
    }
    render_decimal_digits(decimal, sink);
}

void render_macaddr(ByteView address, ByteSink& sink) noexcept {
    for (std::size_t i = 0; i < address.size(); ++i) {
        if (i > 0) sink.append_u8(':');
        append_hex_byte(sink, address[i]);
    }
}

void render_bits(ByteView canonical, ByteSink& sink) noexcept {
    std::size_t count = canonical.size() < 4 ? 0 : load_le<std::uint32_t>(canonical.data());
    if (canonical.size() != 4 + (count + 7) / 8 || count == 0) return append_hex(sink, canonical);
    for (std::size_t i = 0; i < count; ++i) sink.append_u8(canonical[4 + i / 8] >> (7 - i % 8) & 1 ? '1' : '0');
}

void render_inet(ByteView canonical, ByteSink& sink) noexcept {
    bool v4 = canonical.size() == 6 && canonical[0] == 4;
    if (!v4 && (canonical.size() != 18 || canonical[0] != 6)) return append_hex(sink, canonical);
    for (std::size_t i = 2; i < canonical.size(); ++i) {
        if (i > 2 && (v4 || i % 2 == 0)) sink.append_u8(v4 ? '.' : ':');
        if (v4)
            append_number(sink, canonical[i]);
        else
            append_hex_byte(sink, canonical[i]);
    }
    sink.append_u8('/');
    append_number(sink, canonical[1]);
}

void render_uuid(ByteView uuid, ByteSink& sink) noexcept {
    for (std::size_t i = 0; i < uuid.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) sink.append_u8('-');
        append_hex_byte(sink, uuid[i]);
    }
}

/// A date in the proleptic Gregorian calendar, from days since 2000-01-01. The algorithm is the usual one over eras of
/// 400 years that begin on March 1st. Gives whether the year is before Christ.
bool append_date_digits(ByteSink& sink, std::int64_t days) noexcept {
    std::int64_t shifted = days + kDaysFromCivilEpoch;
    std::int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
    std::int64_t day_of_era = shifted - era * 146'097;
    std::int64_t year_of_era = (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    std::int64_t march_month = (5 * day_of_year + 2) / 153;
    std::int64_t day = day_of_year - (153 * march_month + 2) / 5 + 1;
    std::int64_t month = march_month < 10 ? march_month + 3 : march_month - 9;
    std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    bool before_christ = year <= 0;
    append_number(sink, magnitude(before_christ ? 1 - year : year), 4);
    sink.append_u8('-');
    append_number(sink, magnitude(month), 2);
    sink.append_u8('-');
    append_number(sink, magnitude(day), 2);
    return before_christ;
}

void render_date(std::int32_t days, ByteSink& sink) noexcept {
    if (days == std::numeric_limits<std::int32_t>::min()) return sink.append(std::string_view("-infinity"));
    if (days == std::numeric_limits<std::int32_t>::max()) return sink.append(std::string_view("infinity"));
    if (append_date_digits(sink, days)) sink.append(std::string_view(" BC"));
}

void append_time(ByteSink& sink, std::uint64_t micros) noexcept {
    std::uint64_t seconds = micros / kMicrosPerSecond;
    append_number(sink, seconds / 3600, 2);
    sink.append_u8(':');
    append_number(sink, seconds / 60 % 60, 2);
    sink.append_u8(':');
    append_number(sink, seconds % 60, 2);
    if (micros % kMicrosPerSecond == 0) return;
    sink.append_u8('.');
    std::size_t floor = sink.size;
    append_number(sink, micros % kMicrosPerSecond, 6);
    trim_zeros_back(sink, floor);
}

void render_timestamp(std::int64_t micros, std::string_view zone, ByteSink& sink) noexcept {
    if (micros == std::numeric_limits<std::int64_t>::min()) return sink.append(std::string_view("-infinity"));
    if (micros == std::numeric_limits<std::int64_t>::max()) return sink.append(std::string_view("infinity"));
    std::int64_t of_day = micros % kMicrosPerDay;
    std::int64_t days = micros / kMicrosPerDay;
    if (of_day < 0) {
        of_day += kMicrosPerDay;
        --days;
    }
    bool before_christ = append_date_digits(sink, days);
    sink.append_u8(' ');
    append_time(sink, magnitude(of_day));
    sink.append(zone);
    if (before_christ) sink.append(std::string_view(" BC"));
}

void render_timetz(ByteView value, ByteSink& sink) noexcept {
    append_time(sink, magnitude(load_le<std::int64_t>(value.data())));
    std::int32_t west = load_le<std::int32_t>(&value[8]);
    std::uint64_t seconds = magnitude(west);
    sink.append_u8(west > 0 ? '-' : '+');
    append_number(sink, seconds / 3600, 2);
    if (seconds % 3600 == 0) return;
    sink.append_u8(':');
    append_number(sink, seconds / 60 % 60, 2);
    if (seconds % 60 == 0) return;
    sink.append_u8(':');
    append_number(sink, seconds % 60, 2);
}

void render_interval(ByteView value, ByteSink& sink) noexcept {
    using Micros = std::numeric_limits<std::int64_t>;
    using Units = std::numeric_limits<std::int32_t>;
    std::int64_t micros = load_le<std::int64_t>(value.data());
    std::int32_t days = load_le<std::int32_t>(&value[8]);
    std::int32_t months = load_le<std::int32_t>(&value[12]);
    if (micros == Micros::min() && days == Units::min() && months == Units::min())
        return sink.append(std::string_view("-infinity"));
    if (micros == Micros::max() && days == Units::max() && months == Units::max())
        return sink.append(std::string_view("infinity"));
    append_signed(sink, months);
    sink.append(std::string_view(" mons "));
    append_signed(sink, days);
    sink.append(std::string_view(" days "));
    if (micros < 0) sink.append_u8('-');
    append_time(sink, magnitude(micros));
}

void append_array_text(ByteSink& sink, ByteView text) noexcept {
    sink.append_u8('"');
    for (std::uint8_t c : text) {
        if (c == '"' || c == '\\') sink.append_u8('\\');
        sink.append_u8(c);
    }
    sink.append_u8('"');
}

void append_quoted_json(ByteSink& sink, ByteView text) noexcept {
    sink.append_u8('"');
    for (std::uint8_t c : text) {
        if (c == '"' || c == '\\') sink.append_u8('\\');
        if (c >= 0x20) {
            sink.append_u8(c);
        } else {
            sink.append(std::string_view("\\u00"));
            append_hex_byte(sink, c);
        }
    }
    sink.append_u8('"');
}

/// Reads the `json` form and writes JSON text; false where the bytes are not of the form.
class JsonRenderer {
  public:
    JsonRenderer(ByteView bytes, ByteSink& sink) noexcept : rest_(bytes), sink_(sink) {}

    bool render() noexcept { return value(0) && rest_.empty(); }

  private:
    bool value(int depth) noexcept {
        if (rest_.empty() || depth > kMaxDepth) return false;
        std::uint8_t kind = rest_[0];
        rest_ = rest_.subspan(1);
        switch (kind) {
            case kJsonNull:
                sink_.append(std::string_view("null"));
                return true;
            case kJsonFalse:
                sink_.append(std::string_view("false"));
                return true;
            case kJsonTrue:
                sink_.append(std::string_view("true"));
                return true;
            case kJsonNumber:
                return number();
            case kJsonString:
                return string();
            case kJsonArray:
                return members('[', ']', false, depth);
            case kJsonObject:
                return members('{', '}', true, depth);
            default:
                return false;
        }
    }
    bool count(std::uint32_t& value) noexcept {
        if (rest_.size() < sizeof value) return false;
        value = load_le<std::uint32_t>(rest_.data());
        rest_ = rest_.subspan(sizeof value);
        return true;
    }
    bool counted(ByteView& bytes) noexcept {
        std::uint32_t length;
        if (!count(length) || rest_.size() < length) return false;
        bytes = rest_.first(length);
        rest_ = rest_.subspan(length);
        return true;
    }
    bool number() noexcept {
        ByteView decimal;
        if (!counted(decimal) || !is_decimal(decimal)) return false;
        render_decimal(decimal, sink_);
        return true;
    }
    bool string() noexcept {
        ByteView text;
        if (!counted(text)) return false;
        append_quoted_json(sink_, text);
        return true;
    }
    bool members(char open, char close, bool keyed, int depth) noexcept {
        std::uint32_t length;
        if (!count(length)) return false;
        sink_.append_u8(static_cast<std::uint8_t>(open));
        for (std::uint32_t i = 0; i < length; ++i) {
            if (i > 0) sink_.append(std::string_view(", "));
            if (keyed) {
                if (!string()) return false;
                sink_.append(std::string_view(": "));
            }
            if (!value(depth + 1)) return false;
        }
        sink_.append_u8(static_cast<std::uint8_t>(close));
        return true;
    }

    ByteView rest_;
    ByteSink& sink_;
};

/// Reads the array form and writes it as an array literal; false where the bytes are not of the form.
class ArrayRenderer {
  public:
    ArrayRenderer(Form element, ByteView bytes, DoubleWriter write_double, ByteSink& sink) noexcept
        : element_(element), bytes_(bytes), write_double_(write_double), sink_(sink), frames_({}) {}

    bool render() noexcept {
        if (!read_dimensions()) return false;
        if (dimensions_ == 0) {
            sink_.append(std::string_view("{}"));
            return frames_.at_end();
        }
        append_lower_bounds();
        return level(0) && frames_.at_end();
    }

  private:
    static constexpr std::uint32_t kMaxDimensions = 6;  // PostgreSQL's MAXDIM

    bool read_dimensions() noexcept {
        if (bytes_.size() < 4) return false;
        dimensions_ = load_le<std::uint32_t>(bytes_.data());
        if (dimensions_ > kMaxDimensions || bytes_.size() < 4 + dimensions_ * 8) return false;
        u64 elements = 1;
        for (std::uint32_t i = 0; i < dimensions_; ++i) {
            lengths_[i] = load_le<std::uint32_t>(&bytes_[4 + i * 8]);
            lower_[i] = load_le<std::int32_t>(&bytes_[8 + i * 8]);
            elements *= lengths_[i];
            if (elements == 0 || elements > bytes_.size()) return false;  // each takes a byte at least
        }
        frames_ = FrameReader(bytes_.subspan(4 + dimensions_ * 8));
        return true;
    }
    void append_lower_bounds() noexcept {
        bool plain = true;
        for (std::uint32_t i = 0; i < dimensions_; ++i) plain = plain && lower_[i] == 1;
        if (plain) return;
        for (std::uint32_t i = 0; i < dimensions_; ++i) {
            sink_.append_u8('[');
            append_signed(sink_, lower_[i]);
            sink_.append_u8(':');
            append_signed(sink_, std::int64_t{lower_[i]} + lengths_[i] - 1);
            sink_.append_u8(']');
        }
        sink_.append_u8('=');
    }
    bool level(std::uint32_t depth) noexcept {
        if (depth == dimensions_) return element();
        sink_.append_u8('{');
        for (std::uint32_t i = 0; i < lengths_[depth]; ++i) {
            if (i > 0) sink_.append_u8(',');
            if (!level(depth + 1)) return false;
        }
        sink_.append_u8('}');
        return true;
    }
    bool element() noexcept {
        std::optional<FramedValue> value = frames_.next(element_);
        if (!value) return false;
        if (value->null)
            sink_.append(std::string_view("NULL"));
        else if (element_ == Form::kText || element_ == Form::kTrimmed)
            append_array_text(sink_, value->bytes);
        else
            render_value(element_, value->bytes, write_double_, sink_);
        return true;
    }

    Form element_;
    ByteView bytes_;
    DoubleWriter write_double_;
    ByteSink& sink_;
    FrameReader frames_;
    std::uint32_t dimensions_ = 0;
    std::array<std::uint32_t, kMaxDimensions> lengths_{};
    std::array<std::int32_t, kMaxDimensions> lower_{};
};

bool render_nested(Form form, ByteView canonical, DoubleWriter write_double, ByteSink& sink) noexcept {
    std::size_t start = sink.size;
    bool good = is_array(form) ? ArrayRenderer(element_of(form), canonical, write_double, sink).render()
                               : JsonRenderer(canonical, sink).render();
    if (!good) sink.size = start;
    return good;
}

void render_scalar(Form form, ByteView canonical, DoubleWriter write_double, ByteSink& sink) noexcept {
    const std::uint8_t* at = canonical.data();
    switch (form) {
        case Form::kBool:
            return sink.append(std::string_view(at[0] ? "true" : "false"));
        case Form::kInt:
            return append_signed(sink, load_le<std::int64_t>(at));
        case Form::kDecimal:
            return render_decimal(canonical, sink);
        case Form::kFloat:
        case Form::kFloat4:
            return write_double(sink, double_from_bits(load_le<std::uint64_t>(at)));
        case Form::kText:
        case Form::kTrimmed:
            return sink.append(canonical);
        case Form::kUuid:
            return render_uuid(canonical, sink);
        case Form::kDate:
            return render_date(load_le<std::int32_t>(at), sink);
        case Form::kTime:
            return append_time(sink, magnitude(load_le<std::int64_t>(at)));
        case Form::kTimetz:
            return render_timetz(canonical, sink);
        case Form::kTimestamp:
            return render_timestamp(load_le<std::int64_t>(at), {}, sink);
        case Form::kTimestamptz:
            return render_timestamp(load_le<std::int64_t>(at), "+00", sink);
        case Form::kInterval:
            return render_interval(canonical, sink);
        case Form::kMoney:
            return append_signed(sink, load_le<std::int64_t>(at));
        case Form::kUnsigned:
            return append_number(sink, load_le<std::uint64_t>(at));
        case Form::kMacaddr:
        case Form::kMacaddr8:
            return render_macaddr(canonical, sink);
        case Form::kBits:
            return render_bits(canonical, sink);
        case Form::kInet:
            return render_inet(canonical, sink);
        default:
            return append_hex(sink, canonical);
    }
}

}  // namespace

void render_value(Form form, ByteView canonical, DoubleWriter write_double, ByteSink& sink) noexcept {
    if (!is_canonical(form, canonical)) return append_hex(sink, canonical);
    if (is_array(form) || form == Form::kJson) {
        if (!render_nested(form, canonical, write_double, sink)) append_hex(sink, canonical);
        return;
    }
    render_scalar(form, canonical, write_double, sink);
}

void render_key(std::span<const Form> forms, ByteView framed, DoubleWriter write_double, ByteSink& sink) noexcept {
    FrameReader reader(framed);
    if (forms.size() > 1) sink.append_u8('(');
    for (std::size_t i = 0; i < forms.size() && !reader.at_end(); ++i) {
        if (i > 0) sink.append(std::string_view(", "));
        std::optional<FramedValue> value = reader.next(forms[i]);
        if (!value) {
            append_hex(sink, framed);
            break;
        }
        if (value->null)
            sink.append(std::string_view("NULL"));
        else
            render_value(forms[i], value->bytes, write_double, sink);
    }
    if (forms.size() > 1) sink.append_u8(')');
}

void render_bound(std::span<const Form> forms, ByteView bound, DoubleWriter write_double, ByteSink& sink) noexcept {
    if (!bound.empty() && bound[0] == kKeyBound) return render_key(forms, bound.subspan(1), write_double, sink);
    sink.append(std::string_view("hash 0x"));
    for (std::uint8_t byte : bound.empty() ? bound : bound.subspan(1)) append_hex_byte(sink, byte);
}

}  // namespace parity::core
