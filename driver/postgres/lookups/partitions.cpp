#include "driver/postgres/lookups/partitions.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

#include "driver/model/error.h"
#include "driver/model/sides.h"
#include "driver/postgres/connection/connection.h"
#include "driver/postgres/queries/partitions.h"
#include "driver/postgres/queries/query.h"

namespace parity::driver {
namespace {

/// Blocks that are looked at, of one table and at least of each partition.
constexpr std::int64_t kBlocksOfTable = 16'384;
constexpr std::int64_t kBlocksOfPartition = 16;
/// Partitions that one statement is about.
constexpr std::size_t kPartitionsAtOnce = 100;

struct MisplacedRows {
    std::int64_t rows = 0;
    bool sampled = false;
};

/// The same table, over which no code of an owner is planned with this role's rights.
TablePlan with_care(TablePlan table, Side side, const Options& options) {
    table.must_run_no_code[side] = !options.run_owners_code;
    return table;
}

std::vector<PartitionBound> read_bounds(Session& session, const TablePlan& table) {
    const Query query = partition_bounds_query(table.oid[session.side()]);
    const Result found = session.connection().query(query.sql, query.parameters);
    const std::int64_t share = std::max(kBlocksOfPartition, kBlocksOfTable / std::max(1, found.rows()));
    std::vector<PartitionBound> bounds;
    for (int row = 0; row < found.rows(); ++row) {
        const std::int64_t blocks = found.number<std::int64_t>(row, 3);
        bounds.push_back({{std::string(found.text(row, 0)), std::string(found.text(row, 1))},
                          std::string(found.text(row, 2)),
                          blocks > share ? 100.0 * static_cast<double>(share) / static_cast<double>(blocks) : 100.0});
    }
    return bounds;
}

/// A name may have become another table's before it was locked: what is no such partition any more is left out.
void keep_partitions(Session& session, const TablePlan& table, std::vector<PartitionBound>& bounds) {
    const std::vector<PartitionBound> now = read_bounds(session, table);
    std::erase_if(bounds, [&](const PartitionBound& bound) {
        return std::none_of(now.begin(), now.end(), [&](const PartitionBound& other) {
            return other.name == bound.name && other.condition == bound.condition;
        });
    });
}

std::int64_t count_misplaced(Session& session, const TablePlan& table, std::vector<PartitionBound> bounds) {
    session.begin_table(table);
    keep_partitions(session, table, bounds);
    std::int64_t rows = 0;
    if (!bounds.empty())
        rows = session.connection().query(count_misplaced_statement(bounds)).number<std::int64_t>(0, 0);
    session.require_named_server();
    session.end();
    return rows;
}

MisplacedRows find_misplaced(Session& session, const TablePlan& table) {
    session.begin_table(table);
    const std::vector<PartitionBound> bounds = read_bounds(session, table);
    session.end();
    MisplacedRows misplaced;
    for (std::size_t first = 0; first < bounds.size(); first += kPartitionsAtOnce) {
        const auto begin = bounds.begin() + static_cast<std::ptrdiff_t>(first);
        const auto end = begin + static_cast<std::ptrdiff_t>(std::min(kPartitionsAtOnce, bounds.size() - first));
        misplaced.rows += count_misplaced(session, table, {begin, end});
    }
    misplaced.sampled =
        std::any_of(bounds.begin(), bounds.end(), [](const PartitionBound& bound) { return bound.percent < 100; });
    return misplaced;
}

std::optional<PartitionRows> ask_for_fullest(Session& session, const TablePlan& table, const Query& query) {
    session.begin_table(table);
    session.connection().query(few_rows_settings_statements());
    const Result found = session.connection().query(query.sql, query.parameters);
    std::optional<PartitionRows> fullest;
    if (found.rows() == 1)
        fullest = {.name = {std::string(found.text(0, 0)), std::string(found.text(0, 1))},
                   .rows = found.number<std::uint64_t>(0, 2),
                   .share_of_data = found.number<double>(0, 3)};
    session.require_named_server();
    session.end();
    return fullest;
}

/// Whether a failure is one of the run, and not only of a look that takes nothing from the comparison.
bool ends_the_run(const Error& error) {
    return error.kind() == ErrorKind::kCancelled || error.kind() == ErrorKind::kOtherServer;
}

}  // namespace

std::optional<std::string> note_misplaced_rows(Session& session, const TablePlan& table, const Options& options) {
    if (table.relkind[session.side()] != 'p') return std::nullopt;
    try {
        const MisplacedRows misplaced = find_misplaced(session, with_care(table, session.side(), options));
        if (misplaced.rows == 0) return std::nullopt;
        return fmt::format(
            "{}{} rows on {} are in partitions whose bounds exclude them: queries with a condition on the partition "
            "key may not see them",
            misplaced.sampled ? "at least " : "", misplaced.rows, side_name(session.side()));
    } catch (const Error& error) {
        session.end();
        if (ends_the_run(error)) throw;
        return std::nullopt;
    }
}

std::optional<PartitionRows> find_fullest_partition(Session& session, const TablePlan& table,
                                                    const std::vector<std::string>& keys, const Options& options) {
    if (table.relkind[session.side()] != 'p') return std::nullopt;
    try {
        const std::optional<Query> query = fullest_partition_query(table, session.side(), keys);
        if (!query) return std::nullopt;
        return ask_for_fullest(session, with_care(table, session.side(), options), *query);
    } catch (const Error& error) {
        session.end();
        if (ends_the_run(error)) throw;
        return std::nullopt;
    }
}

}  // namespace parity::driver
