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

/// For the rest of a transaction: few rows are looked up by an index, and a statement that takes over 10 s fails, or
/// one that takes over the transaction's own limit if that is lower.
std::string few_rows_settings_statements();

/// For how many of these framed keys the partition that has rows of most of them has some. Result: one row of schema,
/// name, keys, the partition's share of the table's bytes. There is no row if no partition has any of the keys.
/// Requires: the key is proven.
/// Returns: nothing where a column of the key cannot be asked for: one of an array, of a type that PostgreSQL does not
/// come with, of a form with a zone, or one whose values the two sides read in two ways.
std::optional<Query> fullest_partition_query(const TablePlan& table, Side side, const std::vector<std::string>& keys);

}  // namespace parity::driver
