#include "driver/values.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "driver/error.h"
#include "driver/wire_array.h"

namespace parity::driver {
namespace {

constexpr std::size_t kBatchBytes = 1024 * 1024;

// The columns of the query's result, see row_values_call.
enum Column { kRangeNo, kKey, kRowHash, kCellHashes, kColumnValues };

using Values = std::vector<std::optional<std::string>>;

/// Row hashes have one length, so that a hash in front of a key is unambiguous.
std::string row_name(std::string_view key, std::string_view row_hash) {
    std::string name(row_hash);
    name += key;
    return name;
}

/// The values of some columns out of all columns'. `columns` ascend.
Values pick_values(std::string_view wire, const std::vector<int>& columns) {
    Values values;
    int position = 0;
    read_wire_array(wire, [&](std::optional<std::string_view> value) {
        if (values.size() < columns.size() && columns[values.size()] == position)
            values.push_back(value ? std::optional<std::string>(*value) : std::nullopt);
        ++position;
    });
    if (values.size() != columns.size()) throw Error(ErrorKind::kInternal, "a server sent a row with too few values");
    return values;
}

/// The mismatches of one batch by their rows on one side. Several may be about equal rows.
class Wanted {
  public:
    Wanted(const std::vector<SpooledFinding>& batch, Side side) {
        for (const SpooledFinding& entry : batch) {
            if (entry.finding.kind != FindingKind::kMismatch) continue;
            keys_.push_back(entry.finding.key_bytes);
            by_row_[row_name(entry.finding.key_bytes, entry.row_hash[side])].push_back(&entry);
        }
        std::sort(keys_.begin(), keys_.end());
        keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
    }

    const std::vector<std::string>& keys() const { return keys_; }
    bool all_found() const { return by_row_.empty(); }

    /// Hands out the findings about a row, once.
    std::vector<const SpooledFinding*> take(std::string_view key, std::string_view row_hash) {
        const auto node = by_row_.extract(row_name(key, row_hash));
        return node ? node.mapped() : std::vector<const SpooledFinding*>{};
    }

  private:
    std::vector<std::string> keys_;
    std::unordered_map<std::string, std::vector<const SpooledFinding*>> by_row_;
};

void fetch_side(Spool& spool, const std::vector<SpooledFinding>& batch, const TablePlan& table,
                const DigestSettings& settings, Session& session) {
    const Side side = session.side();
    Wanted wanted(batch, side);
    if (wanted.keys().empty()) return;
    const Query query = row_values_call(table, side, settings, wanted.keys());
    RowStream rows = session.connection().stream(query.sql, query.parameters);
    while (const std::optional<Row> row = rows.next())
        for (const SpooledFinding* entry : wanted.take(row->bytes(kKey), row->bytes(kRowHash)))
            spool.set_values(entry->id, side, pick_values(row->bytes(kColumnValues), entry->finding.columns));
    if (!wanted.all_found())
        throw Error(ErrorKind::kInternal,
                    fmt::format("a row that differs could not be read again on {}", side_name(side)));
}

}  // namespace

void fetch_values(Spool& spool, int table_no, const TablePlan& table, const DigestSettings& settings,
                  const Both<Session*>& sessions) {
    std::int64_t after = 0;
    while (true) {
        const std::vector<SpooledFinding> batch = spool.read(table_no, after, kBatchBytes);
        if (batch.empty()) return;
        fetch_side(spool, batch, table, settings, *sessions.source);
        fetch_side(spool, batch, table, settings, *sessions.target);
        after = batch.back().id;
    }
}

}  // namespace parity::driver
