#pragma once

#include <cstddef>
#include <string_view>

#include "driver/digests/merge.h"

namespace parity::driver {

/// How the rows of row_records are written.
struct RecordShape {
    std::size_t hash_bytes;  ///< of one hash
    std::size_t columns;     ///< cell hashes of a row
};

/// Reads what was read to find the rows of buckets: eight bytes with the number of all rows of their ranges, the sum of
/// these rows' key hashes, and the same of the rows sent, big endian.
/// Throws: Error{kInternal} for anything else.
KeysRead read_keys_read(std::string_view bytes, std::size_t hash_bytes);

/// Takes the first row off the records of one value.
/// Throws: Error{kInternal} where they are malformed.
void take_record(std::string_view& records, const RecordShape& shape, RowDigest& row);

}  // namespace parity::driver
