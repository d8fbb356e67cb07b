#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/digest.h"
#include "driver/model/sides.h"

/// Ranges of a table: which are asked for, and what a server tells of them.
namespace parity::driver {

/// What both sides' digests of one run share.
struct DigestSettings {
    std::uint64_t seed = 0;
    int width = 64;
    std::optional<int> workers;  ///< unset: the server's rule
};

/// A division of a table by bounds (docs/digest-format.md, section 7), and which of its ranges are asked for.
struct RangeList {
    std::vector<std::string> bounds;  ///< ascending, as bytes; none: one range
    std::vector<std::int32_t> only;   ///< range numbers, from 1, ascending; empty: all
    bool totals_only = false;         ///< digests of keys and rows are wanted, none of columns
    std::vector<int> columns{};       ///< with totals_only: what rows are, as indexes of TablePlan::columns; empty: all
    /// Into how many buckets each range is divided by its keys' hashes, for last_buckets_call(): a power of two. Rows
    /// are asked for by bucket: `only` then has the numbers of buckets, see bucket_number().
    int buckets = 1;
};

/// How many rows a side has somewhere and the sum of their row hashes, modulo 2^64 or 2^128.
struct HashTotal {
    std::uint64_t rows = 0;
    core::u128 sum = 0;

    /// Adds one row by its hash: big endian, 8 or 16 bytes for a width of 64 or 128.
    void add(std::string_view row_hash);
    void add(const HashTotal& other, int width);
    bool operator==(const HashTotal&) const = default;
};

/// One row of range_digests.
struct RangeDigests {
    int range_no = 0;
    std::uint64_t rows = 0;
    core::Digest key{};
    core::Digest row{};
    std::vector<core::Digest> columns;
};

/// Adds the digests of a part of a table to those of the whole, range by range.
/// Throws: Error{kInternal} where they are not of the same ranges and columns.
void add_digests(std::vector<RangeDigests>& whole, const std::vector<RangeDigests>& part);

/// The same range without rows.
RangeDigests emptied(RangeDigests range);

struct DivergentRange {
    int range_no = 0;
    Both<HashTotal> total;
    bool key_differs = false;
    bool row_differs = false;
    std::vector<bool> column_differs;
    Both<HashTotal> keys{};  ///< the same with key hashes in the place of row hashes
};

/// The sums of the row hashes of the buckets of some ranges, one text a range: one after the other, big endian, 8 or 16
/// bytes each for a width of 64 or 128.
using BucketSums = std::vector<std::string>;

/// The number of a bucket when those of all ranges are counted through; all count from 1.
inline std::int32_t bucket_number(std::int32_t range_no, int bucket, int buckets) {
    return (range_no - 1) * buckets + bucket;
}
inline std::int32_t range_of_bucket(std::int32_t number, int buckets) { return (number - 1) / buckets + 1; }

/// A sum of hashes as a digest of this width has it: modulo 2^64 or 2^128.
core::u128 truncated_to(core::u128 sum, int width);

}  // namespace parity::driver
