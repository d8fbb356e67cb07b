#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "driver/digests/ranges.h"
#include "driver/digests/unread_rows.h"
#include "driver/model/error.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"

namespace parity::driver {

/// One row of row_digests. Hashes are big endian, width / 8 bytes each; `cell_hashes` has one after the other.
struct RowDigest {
    int range_no = 0;
    std::string key;
    std::string row_hash;
    std::string cell_hashes;
};

/// The keys of rows that a server read to find those of chosen buckets, as it tells.
struct KeysRead {
    HashTotal seen;    ///< of all rows of their ranges
    HashTotal chosen;  ///< of the rows that it sent
};

/// Where rows come from, in the order (range_no, key, row_hash), bytes compared as memcmp does.
class RowSource {
  public:
    virtual ~RowSource() = default;
    /// Overwrites `row` with the next row.
    /// Returns: false at the end.
    virtual bool next(RowDigest& row) = 0;
    /// Where rows of buckets were asked for: what was read to find them.
    /// Requires: next() has returned false.
    virtual KeysRead keys_read() const { return {}; }
};

/// A difference as the merge finds it; the views live until the callback returns.
struct RowFinding {
    FindingKind kind = FindingKind::kMismatch;
    std::size_t range_index = 0;  ///< which of the ranges
    std::string_view key;
    std::vector<int> columns;         ///< mismatch: the columns that differ, ascending
    std::uint64_t occurrences = 1;    ///< missing or unresolved: how many rows of this key
    Both<std::string_view> row_hash;  ///< mismatch only
};

/// Rows that do not add up to their range's digest. error.server() is the side.
class TotalsError : public Error {
  public:
    using Error::Error;
};

struct MergeSpec {
    int width = 64;           ///< of hashes, in bits
    std::size_t columns = 0;  ///< cell hashes a row
    bool keyless = false;     ///< the key is the whole row: no mismatches, only numbers of occurrences
    bool proven = false;      ///< at most one row a key and side is to be expected
    /// Whether the ranges' digests were made under the forms of the rows' hashes. If not, rows add up to their ranges
    /// by their keys alone, and a range may show no difference.
    bool exact = true;
    int buckets =
        1;  ///< more: the ranges are buckets, so many of each; their totals have sums of rows alone, without numbers
    Both<HashTotal> keys{};  ///< of buckets: of all rows of their ranges, which must have been read
    /// What rows are in the ranges' exact digests, as indexes of the columns; empty: all columns.
    std::vector<int> digested_columns{};
    std::uint64_t seed = 0;  ///< of the hashes
    /// What could not be read on each side; nullptr: everything was. It must outlive the merge.
    Both<const UnreadRows*> unread{nullptr, nullptr};
    std::size_t max_kept_rows = 1000;              ///< unequal rows under one key and side that are paired at most
    std::size_t max_kept_bytes = 4 * 1024 * 1024;  ///< and their hashes' bytes

    /// A range or bucket, for messages.
    std::string part(int number) const { return fmt::format("{} {}", buckets > 1 ? "bucket" : "range", number); }
};

struct MergeReport {
    FindingCounts counts;                      ///< in rows
    std::vector<bool> column_divergent;        ///< some mismatch differs there
    std::vector<ColumnCounts> column_counts;   ///< of all mismatches
    Both<std::uint64_t> duplicate_keys{0, 0};  ///< keys with several rows on that side; counted only where `proven`
    std::string first_duplicate_key;
    std::uint64_t crowded_keys = 0;   ///< keys with more unequal rows than could be kept and paired
    std::vector<bool> range_differs;  ///< parallel to the ranges; what cannot be told makes no difference
};

/// Finds the differing rows of divergent ranges by merging both sides' rows. Rows match by key bytes.
///
/// Under one key, rows with equal row and cell hashes cancel (as multisets); of what is left, rows of the two sides are
/// paired as mismatches, the pair with the fewest differing columns first; the rest is missing on the other side. Of
/// more left than `max_kept_rows` or `max_kept_bytes` only the first are paired and the others count as missing on the
/// other side. `emit` may have been called before an error is thrown.
///
/// A row that nothing on the other side matches, and that may be among what could not be read there, is unresolved and
/// not missing. Values that could not be read differ from nothing.
/// Requires: `ranges` are those that `rows` were asked for, ascending.
/// Throws: Error{kInternal} when rows come out of order, in a range that was not asked for or in another shape than
/// `spec`, and when a range of exact digests shows no difference. TotalsError when the rows of a range do not add up to
/// its totals; when, for buckets, not all rows of their ranges were read; and when, for buckets of inexact digests,
/// other rows came than that side says it sent.
MergeReport merge_rows(const MergeSpec& spec, const std::vector<DivergentRange>& ranges, Both<RowSource*> rows,
                       const std::function<void(const RowFinding&)>& emit);

}  // namespace parity::driver
