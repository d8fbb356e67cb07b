#include "driver/postgres/heap_reader.h"

#include <exception>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "driver/model/sides.h"
#include "driver/postgres/connection/connection.h"
#include "driver/postgres/feed/table.h"
#include "driver/postgres/queries/feed.h"
#include "driver/postgres/queries/session.h"

namespace parity::driver {
namespace {

/// The first version that reads a range of blocks without reading the others. An older one is given every location.
constexpr int kReadsBlockRanges = 140000;
constexpr std::int64_t kMostListedBlocks = 64;

/// What a block has besides its rows, and what a row takes at least (MaxHeapTuplesPerPage).
constexpr int kPageHeaderBytes = 24;
constexpr int kLeastRowBytes = 28;

/// Marks where the transaction is, and comes back to it: the settings are as before then, and so is the snapshot.
class SavepointScope {
  public:
    explicit SavepointScope(Connection& connection) : connection_(connection) {
        connection_.query(savepoint_statement());
    }
    ~SavepointScope() {
        try {
            if (connection_.alive()) connection_.query(rollback_to_savepoint_statement());
            if (connection_.alive()) connection_.query(release_savepoint_statement());
        } catch (const std::exception&) {
            // The transaction is lost, as the next statement tells.
        }
    }
    SavepointScope(const SavepointScope&) = delete;
    SavepointScope& operator=(const SavepointScope&) = delete;

  private:
    Connection& connection_;
};

class PostgresHeapReader : public HeapReader {
  public:
    PostgresHeapReader(Session& session, const TablePlan& table, const ServerInfo& server, MakeTableReader make_reader)
        : session_(session), table_(table), server_(server), make_reader_(std::move(make_reader)) {
        const int block_bytes = session_.connection().query(block_size_query().sql).number<int>(0, 0);
        lines_ = (block_bytes - kPageHeaderBytes) / kLeastRowBytes;
        read_parts(table);
    }

    const std::vector<HeapPart>& parts() const override { return parts_; }
    int lines_per_block() const override { return lines_; }
    std::int64_t most_blocks() const override {
        return reads_ranges() ? std::numeric_limits<std::int32_t>::max() : kMostListedBlocks;
    }

    std::vector<std::string> split(const TablePlan& table, int ranges) override {
        const SavepointScope savepoint(session_.connection());
        return make_reader_(table)->split(ranges);
    }

    void visit(const HeapPlace& place) override {
        const SavepointScope savepoint(session_.connection());
        session_.connection().query(only_locations_statements());
        const HeapPart& part = parts_[place.part];
        session_.connection().query(
            count_at_statement({part.oid, part.name, true, true, false, part.blocks}, condition(place)));
    }

    bool visit_keys(std::string_view lower, std::string_view upper) override {
        const SavepointScope savepoint(session_.connection());
        if (!keys_) keys_.emplace(session_, table_, server_);
        const std::optional<std::string> count = keys_->count_keys(lower, upper);
        if (!count) return false;
        session_.connection().query(only_indexes_statements());
        session_.connection().query(*count);
        return true;
    }

    /// A stream's rows come over connections of their own, and a subtransaction could not share its snapshot with them.
    void read(const TablePlan& table, const HeapPlace* place,
              const std::function<void(TableReader& reader)>& use) override {
        if (server_.is_streamed) return read_plainly(table, place, use);
        const SavepointScope savepoint(session_.connection());
        read_plainly(table, place, use);
    }

  private:
    bool reads_ranges() const { return server_.version_num >= kReadsBlockRanges; }

    void read_plainly(const TablePlan& table, const HeapPlace* place,
                      const std::function<void(TableReader& reader)>& use) {
        const TablePlan plan = place ? at(table, *place) : table;
        const std::unique_ptr<TableReader> reader = make_reader_(plan);
        if (place && server_.is_streamed) reader->avoid_indexes();
        if (place) session_.connection().query(only_locations_statements());
        use(*reader);
    }

    std::string condition(const HeapPlace& place) const {
        return place.by_line ? lines_condition(place.first_block, place.lines)
                             : block_range_condition(place.first_block, place.end_block, reads_ranges() ? 0 : lines_);
    }

    TablePlan at(TablePlan table, const HeapPlace& place) const {
        const Side side = session_.side();
        const HeapPart& part = parts_[place.part];
        const std::string chosen = condition(place);
        table.where = table.where.empty() ? chosen : fmt::format("(\n{}\n) AND {}", table.where, chosen);
        table.by_place = true;
        if (parts_.size() > 1) table.without_children[side] = true;
        if (part.oid == table.oid[side]) return table;
        table.oid[side] = part.oid;
        table.name[side] = part.name;
        table.relkind[side] = 'r';
        table.without_children[side] = true;
        return table;
    }

    /// Rows have places where every relation that holds some is a heap that may be read by itself, and no policy says
    /// which rows of it the whole shows.
    void read_parts(const TablePlan& table) {
        const Side side = session_.side();
        std::vector<std::string> columns;
        for (const auto* list : {&table.key, &table.columns})
            for (const ColumnPlan& column : *list) columns.push_back(column.name[side]);
        const Query query = stream_parts_query(table.oid[side], columns, table.without_children[side]);
        const Result result = session_.connection().query(query.sql, query.parameters);
        const bool is_divided = result.rows() != 1 || table.relkind[side] == 'p';
        if (is_divided && table.visible_rows_only) return;
        for (int row = 0; row < result.rows(); ++row) {
            const bool readable = result.is_true(row, 3) && result.is_true(row, 5) && result.is_true(row, 6) &&
                                  (!is_divided || !result.is_true(row, 7));
            if (!readable) return parts_.clear();
            parts_.push_back({result.number<std::uint32_t>(row, 0),
                              {std::string(result.text(row, 1)), std::string(result.text(row, 2))},
                              result.number<std::int64_t>(row, 4)});
        }
    }

    Session& session_;
    const TablePlan& table_;
    const ServerInfo& server_;
    const MakeTableReader make_reader_;
    std::optional<StreamTable> keys_;  ///< what conditions on the key can be said
    std::vector<HeapPart> parts_;
    int lines_ = 0;
};

}  // namespace

std::unique_ptr<HeapReader> make_heap_reader(Session& session, const TablePlan& table, const ServerInfo& server,
                                             MakeTableReader make_reader) {
    return std::make_unique<PostgresHeapReader>(session, table, server, std::move(make_reader));
}

}  // namespace parity::driver
