#include "driver/compare/finding_sink.h"

#include <string>

#include "core/bytes.h"
#include "core/hash.h"
#include "driver/model/results.h"
#include "driver/state/sort_key.h"

namespace parity::driver {
namespace {

/// The sort key, and a hash of what else a finding is, so that those of equal keys are in the same order in every run.
/// Only findings that are alike in all but their values are not.
std::string place_key(const std::vector<core::Form>& forms, const Finding& finding) {
    std::string rest = finding.key_bytes;
    rest += static_cast<char>(finding.kind);
    for (int column : finding.columns) rest += std::to_string(column) + ' ';
    rest += std::to_string(finding.occurrences);
    std::uint8_t hash[sizeof(core::u64)];
    core::store_be(hash, core::hash_bytes<core::u64>(core::as_bytes(rest), 0));
    return sort_key(forms, finding.key_bytes) + static_cast<char>(finding.kind) +
           std::string(reinterpret_cast<const char*>(hash), sizeof hash);
}

}  // namespace

void StoreSink::take(const RowFinding& finding) {
    StoredFinding entry;
    entry.finding.kind = finding.kind;
    entry.finding.key_bytes = finding.key;
    entry.finding.columns = finding.columns;
    entry.finding.occurrences = finding.occurrences;
    entry.row_hash = {std::string(finding.row_hash.source), std::string(finding.row_hash.target)};
    entry.place.key = place_key(forms_, entry.finding);
    if (cap_ > 0 && listed_ >= cap_ && !make_room(entry.place.key)) return;
    findings_.add(table_no_, entry);
    count(entry.finding, true);
}

/// Takes the last finding away, unless this place is behind it.
bool StoreSink::make_room(const std::string& place) {
    if (last_ && place >= last_->key) return false;
    const std::optional<StoredFinding> last = findings_.last(table_no_);
    if (!last) return true;  // what was kept is lost, as the next write tells
    last_ = last->place;
    if (place >= last_->key) return false;
    findings_.remove(table_no_, last_->id);
    count(last->finding, false);
    last_.reset();
    return true;
}

void StoreSink::count(const Finding& finding, bool listed) {
    const auto add = [listed](auto& number, auto more) { number = listed ? number + more : number - more; };
    add(listed_, 1);
    add(listed_rows_, finding.occurrences);
    add(listed_mismatches_, std::uint64_t{finding.kind == FindingKind::kMismatch});
}

void StoreSink::restart() {
    findings_.discard(table_no_);
    last_.reset();
    listed_ = 0;
    listed_rows_ = 0;
    listed_mismatches_ = 0;
}

}  // namespace parity::driver
