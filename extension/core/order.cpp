#include "core/order.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/decimal.h"

namespace parity::core {
namespace {

template <typename T>
int compare_numbers(T a, T b) noexcept {
    return a < b ? -1 : a > b ? 1 : 0;
}

int compare_bytes(ByteView a, ByteView b) noexcept {
    std::size_t common = std::min(a.size(), b.size());
    if (int order = common ? std::memcmp(a.data(), b.data(), common) : 0) return order < 0 ? -1 : 1;
    return compare_numbers(a.size(), b.size());
}

/// Canonical floats hold one NaN and one zero, so that only NaN needs care.
int compare_floats(ByteView a, ByteView b) noexcept {
    double x = double_from_bits(load_le<std::uint64_t>(a.data()));
    double y = double_from_bits(load_le<std::uint64_t>(b.data()));
    if (x != x || y != y) return compare_numbers(x != x, y != y);
    return compare_numbers(x, y);
}

}  // namespace

void append_null_frame(ByteSink& sink) noexcept { sink.append_u8(kFrameNull); }

bool append_frame(ByteSink& sink, Form form, ByteView canonical) noexcept {
    if (canonical.size() > std::numeric_limits<std::uint32_t>::max()) return false;
    std::size_t header = fixed_width(form) ? 1 : 1 + kFrameLengthBytes;
    std::uint8_t* room = sink.extend(header + canonical.size());
    if (!room) return true;
    room[0] = kFrameValue;
    if (header > 1) store_le(room + 1, static_cast<std::uint32_t>(canonical.size()));
    if (!canonical.empty()) std::memcpy(room + header, canonical.data(), canonical.size());
    return true;
}

std::optional<FramedValue> FrameReader::next(Form form) noexcept {
    if (rest_.empty()) return std::nullopt;
    std::uint8_t mark = rest_[0];
    rest_ = rest_.subspan(1);
    if (mark == kFrameNull) return FramedValue{true, {}};
    if (mark != kFrameValue) return std::nullopt;
    std::size_t length = fixed_width(form);
    if (length == 0) {
        if (rest_.size() < kFrameLengthBytes) return std::nullopt;
        length = load_le<std::uint32_t>(rest_.data());
        rest_ = rest_.subspan(kFrameLengthBytes);
    }
    if (rest_.size() < length) return std::nullopt;
    FramedValue value{false, rest_.first(length)};
    rest_ = rest_.subspan(length);
    return value;
}

bool is_canonical(Form form, ByteView bytes) noexcept {
    if (std::uint32_t width = fixed_width(form)) return bytes.size() == width;
    return form != Form::kDecimal || is_decimal(bytes);
}

int compare_values(Form form, ByteView a, ByteView b) noexcept {
    switch (form) {
        case Form::kInt:
        case Form::kTime:
        case Form::kTimestamp:
        case Form::kTimestamptz:
        case Form::kMoney:
            return compare_numbers(load_le<std::int64_t>(a.data()), load_le<std::int64_t>(b.data()));
        case Form::kDate:
            return compare_numbers(load_le<std::int32_t>(a.data()), load_le<std::int32_t>(b.data()));
        case Form::kUnsigned:
            return compare_numbers(load_le<std::uint64_t>(a.data()), load_le<std::uint64_t>(b.data()));
        case Form::kFloat:
        case Form::kFloat4:
            return compare_floats(a, b);
        case Form::kDecimal:
            return compare_decimals(a, b);
        default:
            return compare_bytes(a, b);
    }
}

int compare_keys(std::span<const Form> forms, ByteView a, ByteView b) noexcept {
    FrameReader left(a);
    FrameReader right(b);
    for (Form form : forms) {
        if (left.at_end() || right.at_end()) break;
        std::optional<FramedValue> x = left.next(form);
        std::optional<FramedValue> y = right.next(form);
        if (!x || !y) return 0;
        if (x->null || y->null) {
            if (x->null != y->null) return x->null ? 1 : -1;
            continue;
        }
        if (int order = compare_values(form, x->bytes, y->bytes)) return order;
    }
    return compare_numbers(!left.at_end(), !right.at_end());
}

}  // namespace parity::core
