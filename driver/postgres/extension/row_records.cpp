#include "driver/postgres/extension/row_records.h"

#include <cstdint>

#include "core/bytes.h"
#include "driver/digests/ranges.h"
#include "driver/model/error.h"

namespace parity::driver {
namespace {

constexpr std::size_t kNumberBytes = sizeof(std::uint32_t);

std::string_view take_from(std::string_view& from, std::size_t length) {
    if (from.size() < length) throw Error(ErrorKind::kInternal, "a server sent rows that end too early");
    const std::string_view taken = from.substr(0, length);
    from.remove_prefix(length);
    return taken;
}

std::uint32_t take_uint32(std::string_view& from) {
    return core::load_be<std::uint32_t>(core::as_bytes(take_from(from, kNumberBytes)).data());
}

}  // namespace

KeysRead read_keys_read(std::string_view bytes, std::size_t hash_bytes) {
    const auto take_total = [&] {
        HashTotal total;
        const std::string_view rows = take_from(bytes, sizeof(std::uint64_t));
        total.add(take_from(bytes, hash_bytes));
        total.rows = core::load_be<std::uint64_t>(core::as_bytes(rows).data());
        return total;
    };
    KeysRead read;
    read.seen = take_total();
    read.chosen = take_total();
    if (!bytes.empty()) throw Error(ErrorKind::kInternal, "a server told more than what it read");
    return read;
}

void take_record(std::string_view& records, const RecordShape& shape, RowDigest& row) {
    std::string_view record = take_from(records, take_uint32(records));
    row.range_no = static_cast<int>(take_uint32(record));
    const std::size_t hashes = shape.hash_bytes * (1 + shape.columns);
    if (record.size() < hashes) throw Error(ErrorKind::kInternal, "a server sent a row without its hashes");
    row.key = take_from(record, record.size() - hashes);
    row.row_hash = take_from(record, shape.hash_bytes);
    row.cell_hashes = record;
}

}  // namespace parity::driver
