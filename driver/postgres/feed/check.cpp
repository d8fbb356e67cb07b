#include "driver/postgres/feed/check.h"

#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/hash.h"
#include "driver/engine/value_reader.h"
#include "driver/model/error.h"
#include "driver/model/sides.h"
#include "driver/postgres/connection/copy_rows.h"
#include "driver/postgres/queries/feed.h"
#include "driver/postgres/queries/session.h"
#include "driver/text/display_name.h"

namespace parity::driver {
namespace {

/// Blocks of a table in which rows are looked at twice, and rows in each.
constexpr std::int64_t kBlocks = 4;
constexpr int kRowsOfBlock = 2;

[[noreturn]] void fail_check(const Session& session, const StreamTable& stream, const std::string& what) {
    throw Error(ErrorKind::kInternal,
                fmt::format("COPY gave {} {} on the {}{}", what, display_name(stream.name()), side_name(session.side()),
                            "; an extension changes what COPY does there"));
}

/// What is kept of a row: it may be long.
class RowHash {
  public:
    void add(const ValueField& field) {
        hash_ =
            core::hash_bytes<core::u128>(core::as_bytes(field.value_or("")), core::low_half(hash_) + field.has_value());
    }
    core::u128 result() const { return hash_; }

  private:
    core::u128 hash_ = 0;
};

std::vector<core::u128> copied(Connection& connection, const std::string& statement, std::size_t fields) {
    std::vector<core::u128> rows;
    CopyRowReader reader(fields);
    CopyStream copy = connection.copy_out(statement);
    while (const std::optional<std::string_view> message = copy.next()) {
        const auto row = reader.read(*message);
        if (!row) continue;
        RowHash hash;
        for (const ValueField& field : *row) hash.add(field);
        rows.push_back(hash.result());
    }
    reader.require_complete(copy.rows());
    return rows;
}

std::vector<core::u128> selected(Connection& connection, const std::string& statement, std::size_t fields) {
    std::vector<core::u128> rows;
    RowStream stream = connection.stream(statement);
    while (const std::optional<Row> row = stream.next()) {
        RowHash hash;
        for (int field = 0; field < static_cast<int>(fields); ++field)
            hash.add(row->is_null(field) ? ValueField() : ValueField(row->bytes(field)));
        rows.push_back(hash.result());
    }
    return rows;
}

/// Some blocks, far from each other, by the parts that they are of.
std::map<std::size_t, std::vector<std::int64_t>> some_blocks(const StreamTable& stream) {
    const std::int64_t all = stream.blocks();
    std::map<std::size_t, std::vector<std::int64_t>> chosen;
    std::int64_t before = 0, number = 0;
    for (std::size_t part = 0; part < stream.parts().size(); ++part) {
        const std::int64_t end = before + stream.parts()[part].blocks;
        for (; number < kBlocks && all * number / kBlocks < end; ++number)
            if (stream.parts()[part].has_locations) chosen[part].push_back(all * number / kBlocks - before);
        before = end;
    }
    return chosen;
}

}  // namespace

SelectCount::SelectCount(Connection& connection, const std::string& statement, const std::string& settings)
    : connection_(connection) {
    connection_.query(savepoint_statement());
    if (!settings.empty()) connection_.query(settings);
    stream_.emplace(connection_.stream(statement));
}

std::uint64_t SelectCount::take() {
    std::uint64_t rows = 0;
    while (const std::optional<Row> row = stream_->next()) rows = static_cast<std::uint64_t>(row->int64(0));
    stream_.reset();
    connection_.query(rollback_to_savepoint_statement());  // the settings are as before, and so is the snapshot
    connection_.query(release_savepoint_statement());
    return rows;
}

void require_as_many_as_selected(Session& session, const StreamTable& stream, std::uint64_t rows,
                                 std::optional<std::uint64_t> counted) {
    if (counted && *counted != rows)
        fail_check(session, stream, fmt::format("{} rows where SELECT counts {} of", rows, *counted));
    if (rows > 0 || !stream.may_be_asked_again()) return;
    if (session.connection().query(stream.any_row()).rows() > 0)
        fail_check(session, stream, "no rows where SELECT gives some of");
}

void require_values_as_selected(Session& session, const StreamTable& stream) {
    const std::size_t fields = stream.expressions().size();
    for (const auto& [part, blocks] : some_blocks(stream)) {
        const StreamItem item{part, {}, {}, blocks_condition(stream.alias(), blocks, kRowsOfBlock)};
        const auto by_copy = copied(session.connection(), stream.statement(stream.expressions(), item), fields);
        const auto by_select = selected(session.connection(), stream.selection(stream.expressions(), item), fields);
        if (by_copy != by_select) fail_check(session, stream, "other values than SELECT of");
    }
}

}  // namespace parity::driver
