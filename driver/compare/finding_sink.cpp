#include "driver/compare/finding_sink.h"

#include <string>

#include "driver/model/results.h"

namespace parity::driver {

void StoreSink::take(const RowFinding& finding) {
    if (cap_ > 0 && listed_ >= cap_) return;
    ++listed_;
    listed_rows_ += finding.occurrences;
    listed_mismatches_ += finding.kind == FindingKind::kMismatch;
    StoredFinding entry;
    entry.finding.kind = finding.kind;
    entry.finding.key_bytes = finding.key;
    entry.finding.columns = finding.columns;
    entry.finding.occurrences = finding.occurrences;
    entry.row_hash = {std::string(finding.row_hash.source), std::string(finding.row_hash.target)};
    findings_.add(table_no_, entry);
}

void StoreSink::restart() {
    findings_.discard(table_no_);
    listed_ = 0;
    listed_rows_ = 0;
    listed_mismatches_ = 0;
}

}  // namespace parity::driver
