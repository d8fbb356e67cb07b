#include "driver/digests/concentration.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/bytes.h"
#include "core/hash.h"
#include "core/order.h"

namespace parity::driver {
namespace {

constexpr std::uint64_t kFewestRows = 10;
constexpr std::uint64_t kFewestRanges = 20;
constexpr std::uint64_t kMostOfRanges = 5;  ///< an interval is this part of the ranges at most
/// Sets of columns that are told apart; rows with others count as rows alone.
constexpr std::size_t kMostSets = 1000;
constexpr std::size_t kSampledKeys = 1000;
/// Of longer keys no sample is kept: they would take more memory than what they tell is worth.
constexpr std::size_t kMostSampledBytes = 4 << 20;

/// A share of a number, in hundredths, rounded up.
std::uint64_t hundredths(std::uint64_t number, std::uint64_t share) {
    return number / 100 * share + (number % 100 * share + 99) / 100;
}

}  // namespace

ConcentrationCounter::ConcentrationCounter(std::vector<core::Form> key_forms, std::size_t columns, std::uint64_t ranges,
                                           bool in_key_order, bool samples_keys)
    : key_forms_(std::move(key_forms)),
      columns_(columns),
      ranges_(ranges),
      in_key_order_(in_key_order),
      samples_keys_(samples_keys) {}

void ConcentrationCounter::add(const RowFinding& finding, std::int32_t range_no) {
    rows_ += finding.occurrences;
    if (finding.kind == FindingKind::kMismatch) {
        ++mismatches_;
        if (by_columns_.size() < kMostSets || by_columns_.contains(finding.columns)) ++by_columns_[finding.columns];
    }
    if (samples_keys_) sample(finding);
    if (!in_key_order_) return;
    RangeCount& range = by_range_[range_no];
    const auto is_before = [&](std::string_view a, std::string_view b) {
        return core::compare_keys(key_forms_, core::as_bytes(a), core::as_bytes(b)) < 0;
    };
    if (range.rows == 0 || is_before(finding.key, range.first_key)) range.first_key = finding.key;
    if (range.rows == 0 || is_before(range.last_key, finding.key)) range.last_key = finding.key;
    range.rows += finding.occurrences;
}

/// The keys with the lowest hashes.
void ConcentrationCounter::sample(const RowFinding& finding) {
    const std::uint64_t hash = core::hash_bytes<std::uint64_t>(core::as_bytes(finding.key), 0);
    if (sample_.size() == kSampledKeys && hash > sample_.rbegin()->first) {
        sample_is_all_ = false;
        return;
    }
    SampledKey& sampled = sample_[hash];
    if (sampled.key.empty()) {
        sampled.key = finding.key;
        sampled_bytes_ += finding.key.size();
    }
    if (finding.kind != FindingKind::kMissingOnSource) sampled.on.source = true;
    if (finding.kind != FindingKind::kMissingOnTarget) sampled.on.target = true;
    if (sample_.size() > kSampledKeys) {
        const auto last = std::prev(sample_.end());
        sampled_bytes_ -= last->second.key.size();
        sample_.erase(last);
        sample_is_all_ = false;
    }
    if (sampled_bytes_ <= kMostSampledBytes) return;
    sample_.clear();
    samples_keys_ = false;
}

DifferingKeys ConcentrationCounter::differing_keys() const {
    DifferingKeys found{.number = sample_.size(), .sampled = !sample_is_all_};
    for (const auto& [hash, sampled] : sample_)
        for (Side side : kSides)
            if (sampled.on[side]) found.keys[side].push_back(sampled.key);
    return found;
}

Concentration ConcentrationCounter::result() const {
    Concentration found;
    find_interval(found);
    find_columns(found);
    return found;
}

/// Of windows of equally many ranges the one with more rows.
void ConcentrationCounter::find_interval(Concentration& found) const {
    if (by_range_.empty() || rows_ < kFewestRows || ranges_ < kFewestRanges) return;
    const std::uint64_t wanted = hundredths(rows_, 99);
    std::uint64_t rows = 0;
    auto first = by_range_.begin();
    for (auto last = by_range_.begin(); last != by_range_.end(); ++last) {
        rows += last->second.rows;
        while (rows - first->second.rows >= wanted) rows -= (first++)->second.rows;
        if (rows < wanted) continue;
        const auto ranges = static_cast<std::uint64_t>(last->first - first->first) + 1;
        const bool is_better = !found.interval || ranges < found.interval->ranges ||
                               (ranges == found.interval->ranges && rows > found.interval->rows);
        if (ranges * kMostOfRanges <= ranges_ && is_better)
            found.interval = {first->second.first_key, last->second.last_key, rows, rows_, ranges};
    }
}

void ConcentrationCounter::find_columns(Concentration& found) const {
    if (mismatches_ < kFewestRows) return;
    const auto most = std::max_element(by_columns_.begin(), by_columns_.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    const auto& [columns, mismatches] = *most;
    if (mismatches < hundredths(mismatches_, 95) || columns.size() >= columns_) return;
    const bool is_told_anyway = columns.size() == 1 && mismatches == mismatches_;
    if (!is_told_anyway || found.interval) found.columns = {columns, mismatches, mismatches_};
}

bool may_be_concentrated(std::uint64_t rows) { return rows >= kFewestRows; }

bool are_most(std::uint64_t rows, std::uint64_t all) { return rows >= hundredths(all, 95); }

bool is_concentrated(const PartitionRows& fullest, std::uint64_t asked) {
    return may_be_concentrated(asked) && are_most(fullest.rows, asked) && fullest.share_of_data <= 0.5;
}

}  // namespace parity::driver
