#include "driver/postgres/connection/copy_rows.h"

#include <fmt/format.h>

#include "core/bytes.h"
#include "driver/model/error.h"

namespace parity::driver {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kSignature = "PGCOPY\n\377\r\n\0"sv;
constexpr std::int16_t kTrailer = -1;
/// Flags from this bit on change how the rest is to be read. The one that is defined stands for OIDs, which no server
/// sends any more.
constexpr std::uint32_t kCriticalFlags = 0xFFFF0000;

[[noreturn]] void throw_malformed_copy(std::string_view what) {
    throw Error(ErrorKind::kInternal, fmt::format("malformed COPY data: {}", what));
}

std::string_view take(std::string_view& rest, std::size_t length) {
    if (rest.size() < length) throw_malformed_copy("a message ends too early");
    const std::string_view taken = rest.substr(0, length);
    rest.remove_prefix(length);
    return taken;
}

template <typename T>
T take_number(std::string_view& rest) {
    return static_cast<T>(core::load_be<std::make_unsigned_t<T>>(core::as_bytes(take(rest, sizeof(T))).data()));
}

}  // namespace

void CopyRowReader::skip_header(std::string_view& rest) {
    if (take(rest, kSignature.size()) != kSignature) throw_malformed_copy("the signature is not that of a binary COPY");
    if (take_number<std::uint32_t>(rest) & kCriticalFlags) throw_malformed_copy("unknown flags");
    take(rest, take_number<std::uint32_t>(rest));
    header_read_ = true;
}

std::optional<std::span<const ValueField>> CopyRowReader::read(std::string_view message) {
    if (trailer_read_) throw_malformed_copy("something follows the trailer");
    if (!header_read_) {
        skip_header(message);
        if (message.empty()) return std::nullopt;
    }
    const auto count = take_number<std::int16_t>(message);
    if (count == kTrailer) {
        if (!message.empty()) throw_malformed_copy("something follows the trailer");
        trailer_read_ = true;
        return std::nullopt;
    }
    if (count < 0 || static_cast<std::size_t>(count) != fields_.size())
        throw_malformed_copy("a row has another number of fields");
    for (ValueField& field : fields_) {
        const auto length = take_number<std::int32_t>(message);
        if (length < kNullLength) throw_malformed_copy("a field has a negative length");
        field = length == kNullLength ? ValueField() : take(message, static_cast<std::size_t>(length));
    }
    if (!message.empty()) throw_malformed_copy("a message holds more than a row");
    ++rows_;
    return std::span<const ValueField>(fields_);
}

void CopyRowReader::require_complete(std::uint64_t rows_sent) const {
    if (!trailer_read_) throw_malformed_copy("the trailer is missing");
    if (rows_sent != rows_) throw_malformed_copy(fmt::format("{} rows came of {} that were sent", rows_, rows_sent));
}

}  // namespace parity::driver
