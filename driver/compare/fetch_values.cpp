#include "driver/compare/fetch_values.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "driver/model/results.h"

namespace parity::driver {
namespace {

constexpr std::size_t kBatchBytes = 1024 * 1024;

/// Row hashes have one length, so that a hash in front of a key is unambiguous.
std::string row_name(std::string_view key, std::string_view row_hash) {
    std::string name(row_hash);
    name += key;
    return name;
}

/// The values of some columns out of all columns'.
ShownValues pick_values(const ShownValues& all, const std::vector<int>& columns) {
    ShownValues picked;
    for (int column : columns) {
        if (static_cast<std::size_t>(column) >= all.size())
            throw Error(ErrorKind::kInternal, "a server sent a row with too few values");
        picked.push_back(all[static_cast<std::size_t>(column)]);
    }
    return picked;
}

/// The mismatches of one batch by their rows on one side. Several may be about equal rows.
class MismatchesByRow {
  public:
    MismatchesByRow(const std::vector<StoredFinding>& batch, Side side) {
        for (const StoredFinding& entry : batch) {
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
    std::vector<const StoredFinding*> take(std::string_view key, std::string_view row_hash) {
        const auto node = by_row_.extract(row_name(key, row_hash));
        return node ? node.mapped() : std::vector<const StoredFinding*>{};
    }

  private:
    std::vector<std::string> keys_;
    std::unordered_map<std::string, std::vector<const StoredFinding*>> by_row_;
};

void fetch_side(FindingStore& findings, int table_no, const std::vector<StoredFinding>& batch, Side side,
                TableReader& reader, const std::function<void()>& on_row) {
    MismatchesByRow wanted(batch, side);
    if (wanted.keys().empty()) return;
    reader.values(wanted.keys(), [&](std::string_view key, std::string_view row_hash, const ShownValues& values) {
        for (const StoredFinding* entry : wanted.take(key, row_hash)) {
            findings.set_values(table_no, entry->place.id, side, pick_values(values, entry->finding.columns));
            on_row();
        }
    });
    if (!wanted.all_found())
        throw LostRowError(ErrorKind::kInternal,
                           fmt::format("a row that differs could not be read again on {}", side_name(side)), {},
                           std::string(side_name(side)), {});
}

}  // namespace

void fetch_values(FindingStore& findings, int table_no, const Both<TableReader*>& readers,
                  const std::function<void()>& on_row) {
    FindingPlace after;
    while (true) {
        const std::vector<StoredFinding> batch = findings.read(table_no, after, kBatchBytes);
        if (batch.empty()) return;
        for (Side side : kSides) fetch_side(findings, table_no, batch, side, *readers[side], on_row);
        after = batch.back().place;
    }
}

}  // namespace parity::driver
