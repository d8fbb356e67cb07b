#include "driver/salvage/readable_ranges.h"

#include <algorithm>
#include <utility>

#include "driver/digests/division.h"
#include "driver/digests/tiling.h"
#include "driver/engine/memory.h"

namespace parity::driver {
namespace {

/// Nobody knows how many rows a range of keys has that cannot be read: more than there are.
constexpr std::uint64_t kAnyNumberOfRows = std::uint64_t{1} << 40;

/// Adds the ranges that cannot be read, as if they had no rows, and checks that each range is there once.
void complete(std::vector<RangeDigests>& total, const std::set<std::int32_t>& lost,
              const std::vector<std::int32_t>& numbers) {
    const RangeDigests none = emptied(total.front());
    for (const std::int32_t number : lost) {
        total.push_back(none);
        total.back().range_no = number;
    }
    std::sort(total.begin(), total.end(),
              [](const RangeDigests& a, const RangeDigests& b) { return a.range_no < b.range_no; });
    Tiling tiling("ranges", numbers.size());
    for (std::size_t i = 0; i < total.size(); ++i)
        if (i < numbers.size() && total[i].range_no == numbers[i]) tiling.add(i, i + 1);
    tiling.require_whole();
}

}  // namespace

/// Ranges that are divided anew are looked at anew.
std::vector<RangeDigests> ReadableRanges::digest(const RangeList& ranges) {
    damage_.forget();
    lost_.clear();
    const std::vector<std::int32_t> numbers = requested_ranges(ranges);
    SurveyLog log(damage_);
    std::vector<RangeDigests> total;
    survey(ranges, numbers, 0, numbers.size(), log, total);
    log.require_success();
    if (!total.empty()) complete(total, lost_, numbers);
    return total;
}

void ReadableRanges::survey(const RangeList& ranges, const std::vector<std::int32_t>& numbers, std::size_t first,
                            std::size_t end, SurveyLog& log, std::vector<RangeDigests>& total) {
    RangeList part = ranges;
    part.only.assign(numbers.begin() + static_cast<std::ptrdiff_t>(first),
                     numbers.begin() + static_cast<std::ptrdiff_t>(end));
    try {
        const std::vector<RangeDigests> read = reader_.digest(nullptr, part);
        total.insert(total.end(), read.begin(), read.end());
        return log.succeeded();
    } catch (const Error& error) {
        log.failed(error);
        if (end - first == 1) return lose(ranges, numbers[first], error);
    }
    const std::size_t middle = first + (end - first) / 2;
    survey(ranges, numbers, first, middle, log, total);
    survey(ranges, numbers, middle, end, log, total);
}

void ReadableRanges::lose(const RangeList& ranges, std::int32_t number, const Error& error) {
    const auto at = static_cast<std::size_t>(number - 1);
    DeadLetter range;
    range.has_range = true;
    if (at > 0) range.lower = ranges.bounds[at - 1];
    if (at < ranges.bounds.size()) range.upper = ranges.bounds[at];
    lost_.insert(number);
    const bool in_key_order = !ranges.bounds.empty() && !are_hash_bounds(ranges.bounds);
    if (in_key_order)
        damage_.unread().add_interval(range.lower, range.upper);
    else
        damage_.unread().add_anywhere(0);
    damage_.unread().add_rows(kAnyNumberOfRows);
    damage_.add(std::move(range), error);
}

RangeList ReadableRanges::readable_of(const RangeList& ranges) const {
    RangeList readable = ranges;
    readable.only.clear();
    for (const std::int32_t number : requested_ranges(ranges))
        if (!lost_.contains(number)) readable.only.push_back(number);
    return readable;
}

std::unique_ptr<RowSource> ReadableRanges::rows(const RangeList& ranges) {
    sorter_ = std::make_unique<RowSorter>(kSorterBytes);
    sorted_ranges_ = readable_of(ranges);
    // No numbers would mean all ranges.
    if (!sorted_ranges_.only.empty())
        reader_.rows(nullptr, sorted_ranges_, [&](const RowDigest& row) { sorter_->add(row, {0, {}}); });
    return sorter_->sorted();
}

void ReadableRanges::values(const std::vector<std::string>& keys, const TakeValues& take) {
    for (const auto& [part, of_part] : keys_by_part(*sorter_, keys))
        reader_.values(nullptr, sorted_ranges_, of_part, take);
}

}  // namespace parity::driver
