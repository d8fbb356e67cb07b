#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "driver/model/plan.h"
#include "driver/model/sides.h"
#include "driver/postgres/queries/query.h"

/// The part of the SQL about what the partitions of a table hold.
namespace parity::driver {

/// A partition and the condition that its bounds put on its rows.
struct PartitionBound {
    QualifiedName name;
    std::string condition;
    double percent = 100;  ///< of its blocks that are to be looked at
};

/// The leaves of a partitioned table that this role may read by themselves: schema, name, the condition of their
/// bounds, blocks.
Query partition_bounds_query(std::uint32_t oid);

/// How many rows of partitions their bounds exclude. Result: one bigint.
std::string count_misplaced_statement(const std::vector<PartitionBound>& bounds);

/// For the rest of a transaction: few rows are looked up by an index, and it takes a moment or fails.
std::string few_rows_settings_statements();

/// Of the rows with these framed keys, how many the partition with most of them has. Result: none where there are none
/// of them, or a row of schema, name, rows, the partition's share of the table's bytes.
/// Returns: nothing where the key has types that are not the server's own, or that two sides read in two ways.
std::optional<Query> fullest_partition_query(const TablePlan& table, Side side, const std::vector<std::string>& keys);

}  // namespace parity::driver
