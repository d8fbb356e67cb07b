#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "driver/digests/ranges.h"
#include "driver/model/plan.h"
#include "driver/model/sides.h"
#include "driver/postgres/queries/query.h"

/// The calls of the extension.
namespace parity::driver {

/// Bounds that divide the table on this side into at most `ranges` ranges.
/// Result: one row with a bytea[], ascending as the function gives them.
Query split_keys_call(const TablePlan& table, Side side, int ranges);

/// One row a range, ascending: range_no integer, row_count bigint, key_digest, row_digest parity.digest,
/// column_digests parity.digest[] (parallel to table.columns), path_taken text.
Query range_digests_call(const TablePlan& table, Side side, const DigestSettings& settings, const RangeList& ranges);

/// One row for several ranges, ascending: range_numbers integer[], row_counts bigint[], key_digests, row_digests
/// parity.digest[], path_taken text. Rows have the columns of the list only.
Query range_totals_call(const TablePlan& table, Side side, const DigestSettings& settings, const RangeList& ranges);

/// The buckets into which the transaction's last digests divided these ranges. One row a range, in their order:
/// range_no integer, buckets integer, and sums bytea: those of rows of each bucket in turn, big endian. No row where
/// the server has none.
Query last_buckets_call(const std::vector<std::int32_t>& ranges);

/// What the last range_digests of the session took, as one text for people.
Query last_digest_call();

/// The rows of the chosen ranges in the order of range, key bytes and row hash, several together: row_count integer,
/// records bytea, as take_record() takes them. Of buckets there is one more row with a row_count of 0, whose records
/// are read_keys_read()'s.
Query row_records_call(const TablePlan& table, Side side, const DigestSettings& settings, const RangeList& ranges);

/// The rows with these framed keys, in the order of key bytes and row hash: key bytea, row_hash bytea and column_values
/// text[], parallel to table.columns, each as read_shown() takes it.
Query row_values_call(const TablePlan& table, Side side, const DigestSettings& settings,
                      const std::vector<std::string>& keys);

/// Why the table cannot be read by the blocks that the key's index lists: one row with a text, NULL where it can.
Query span_obstacle_call(const TablePlan& table, Side side);

/// From now on the transaction reads ranges by blocks; others were read before.
Query read_by_blocks_call(const std::string& blocks_read_before);

/// The blocks that the transaction has read so: one row with a bytea.
Query last_blocks_call();

/// Holds the blocks that are not among these against the key's index.
Query check_other_blocks_call(const TablePlan& table, Side side, const std::string& blocks_read);

}  // namespace parity::driver
