#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "driver/model/sides.h"
#include "driver/postgres/queries/query.h"

/// The part of the SQL that the stream engine sends: reading a table's rows without the extension.
namespace parity::driver {

/// A relation that rows are read from: the table itself, or one of the parts that it is stored in.
struct StreamPart {
    std::uint32_t oid = 0;
    QualifiedName name;
    bool only = false;  ///< its own rows, without its descendants'
    bool is_heap = false;
    bool has_locations = false;  ///< it is a heap, and the role may ask for its rows' ctid
    std::int64_t blocks = 0;     ///< of a heap
};

/// Which rows of a part: block numbers [first, end), or those that a condition is true for, or both.
struct StreamItem {
    std::size_t part = 0;  ///< index into the list of parts
    std::optional<std::int64_t> first_block;
    std::optional<std::int64_t> end_block;  ///< unset: to the last
    std::string condition;                  ///< an SQL expression; empty: none
};

/// What columns_query gives, without the forms (which stand as empty texts), and the type's oid at the end.
Query streamed_columns_query(const std::vector<std::uint32_t>& oids);

/// The valid unique indexes of relations that are not partial and stand on whole columns none of which may be NULL, in
/// the order of relation and index, one row a column: relation's oid, index's oid, primary, immediate, the relation has
/// children that are no partitions, column.
Query unique_indexes_query(const std::vector<std::uint32_t>& oids);

/// Columns of a relation: name, type's oid, never null in it and its descendants; in the order of attnum.
Query stream_columns_query(std::uint32_t oid);

/// The relations that hold the rows of a relation: itself and its descendants, without partitioned ones. Result: oid,
/// schema, name, is a heap, blocks, readable (SELECT on every one of `columns`, USAGE on the schema), SELECT on the
/// whole, row security active.
Query stream_parts_query(std::uint32_t oid, const std::vector<std::string>& columns, bool without_children = false);

/// pg_stats.correlation of a column. Result: at most one row with a double precision, or NULL.
Query correlation_query(std::uint32_t oid, const std::string& column);
/// The valid indexes of a relation that conditions on a column, other than that it has a certain value, may be served
/// by: those that have it in their key, and partial ones whose condition names it. Result: the OID and the number of
/// the file (0 where it has none), both as texts.
Query span_indexes_query(std::uint32_t oid, const std::string& column);
/// The valid B-trees of a relation by their first column, without partial ones: name, its collation there is "C".
Query leading_columns_query(std::uint32_t oid);

/// COPY of expressions over the rows of an item, in binary. Of a part with locations, rows count only if they are its
/// own: where something changes what a COPY reads, there are none. `alias` is the name that expressions and the filter
/// know the part by; `filter` is the user's condition, empty for none.
std::string copy_statement(const std::vector<std::string>& expressions, const StreamPart& part,
                           const std::string& alias, const StreamItem& item, const std::string& filter);

/// The same rows by a SELECT.
std::string select_statement(const std::vector<std::string>& expressions, const StreamPart& part,
                             const std::string& alias, const StreamItem& item, const std::string& filter);

/// Before a query: its plan, as why_not_plain() takes it (postgres/queries/read_plan.h). Result: one json.
constexpr std::string_view kExplain = "EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) ";

/// For kExplain: the planner has nothing to choose from but scans of tables, and says every name in quotes.
std::string plan_settings_statements();

/// A whole tree of inheritance, without any column.
std::string tree_statement(const QualifiedName& root);

/// Columns of the relation as a whole.
std::string whole_statement(const StreamPart& whole, const std::string& alias, const std::vector<std::string>& columns);

/// The number of rows of a relation as a whole under the user's condition. Result: one bigint.
std::string count_statement(const StreamPart& whole, const std::string& alias, const std::string& filter);

/// The number of rows of a part at a place, as block_range_condition() and lines_condition() tell it.
std::string count_at_statement(const StreamPart& part, const std::string& place);

/// One row of a relation as a whole under the user's condition, or none.
std::string any_row_statement(const StreamPart& whole, const std::string& alias,
                              const std::vector<std::string>& columns, const std::string& filter);

/// COPY of expressions over a sample of a part's blocks, always the same ones.
std::string copy_sample_statement(const std::vector<std::string>& expressions, const StreamPart& part,
                                  const std::string& alias, double percent);

/// COPY of the histogram of a column's values as pg_stats has it, in binary, as values of `type`, which is quoted and
/// has no modifier. It sends nothing where there is none, or this role may not see it.
std::string copy_histogram_statement(const QualifiedName& relation, const std::string& column, const std::string& type,
                                     bool with_descendants);

/// The expression of a row's location, for `RowLocation::tid`.
std::string location_expression(const std::string& alias);

/// A condition that chooses rows by their locations, as location_expression sends them.
std::string locations_condition(const std::string& alias, const std::vector<std::string>& locations);

/// Conditions that choose the rows of blocks [first, end), and those of a block with these line pointers, of whatever
/// relation a query reads. `lines`: how many a block may have, for a server that cannot read a range of blocks; 0 for
/// another one.
std::string block_range_condition(std::int64_t first, std::int64_t end, int lines);
std::string lines_condition(std::int64_t block, const std::vector<int>& lines);

/// The same of the first `rows` locations of some blocks.
std::string blocks_condition(const std::string& alias, const std::vector<std::int64_t>& blocks, int rows);

}  // namespace parity::driver
