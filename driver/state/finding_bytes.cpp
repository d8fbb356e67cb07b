#include "driver/state/finding_bytes.h"

#include <cstdint>
#include <optional>

#include "core/bytes.h"

namespace parity::driver {
namespace {

template <typename T>
void put(std::string& to, T value) {
    std::uint8_t bytes[sizeof value];
    core::store_le(bytes, value);
    to.append(reinterpret_cast<const char*>(bytes), sizeof value);
}

template <typename T>
T get(std::string_view& from) {
    const T value = core::load_le<T>(core::as_bytes(from).data());
    from.remove_prefix(sizeof value);
    return value;
}

}  // namespace

std::string pack_columns(const std::vector<int>& columns) {
    std::string packed;
    for (int column : columns) put<std::int32_t>(packed, column);
    return packed;
}

std::vector<int> unpack_columns(std::string_view packed) {
    std::vector<int> columns;
    while (!packed.empty()) columns.push_back(get<std::int32_t>(packed));
    return columns;
}

/// Length −1 is NULL; the length of the whole value stands behind that of what is there of it.
std::string pack_values(const ShownValues& values) {
    std::string packed;
    for (const auto& value : values) {
        put<std::int64_t>(packed, value ? static_cast<std::int64_t>(value->text.size()) : -1);
        if (!value) continue;
        put<std::uint64_t>(packed, value->bytes);
        packed += value->text;
    }
    return packed;
}

ShownValues unpack_values(std::string_view packed) {
    ShownValues values;
    while (!packed.empty()) {
        const auto length = get<std::int64_t>(packed);
        if (length < 0) {
            values.emplace_back();
            continue;
        }
        const auto bytes = get<std::uint64_t>(packed);
        values.emplace_back(ShownValue(std::string(packed.substr(0, static_cast<std::size_t>(length))), bytes));
        packed.remove_prefix(static_cast<std::size_t>(length));
    }
    return values;
}

}  // namespace parity::driver
