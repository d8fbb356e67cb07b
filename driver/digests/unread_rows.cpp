#include "driver/digests/unread_rows.h"

#include <algorithm>
#include <utility>

#include "core/bounds.h"
#include "core/bytes.h"
#include "core/order.h"

namespace parity::driver {

void UnreadRows::add_anywhere(std::uint64_t most_rows) {
    anywhere_ = true;
    most_rows_ += most_rows;
}

void UnreadRows::add_interval(std::string lower, std::string upper) {
    intervals_.push_back({std::move(lower), std::move(upper)});
}

void UnreadRows::add_row(const std::string& key, const std::vector<int>& columns) {
    std::vector<int>& known = rows_[key];
    known.insert(known.end(), columns.begin(), columns.end());
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
}

/// A bound is a byte and a framed key.
bool UnreadRows::may_hold(std::string_view key) const {
    if (anywhere_) return true;
    const auto is_below = [&](std::string_view bound) {
        return core::compare_keys(forms_, core::as_bytes(key), core::as_bytes(bound.substr(1))) < 0;
    };
    return std::any_of(intervals_.begin(), intervals_.end(), [&](const Interval& interval) {
        if (!interval.lower.empty() && is_below(interval.lower)) return false;
        return interval.upper.empty() || is_below(interval.upper);
    });
}

const std::vector<int>* UnreadRows::unknown_columns(std::string_view key) const {
    const auto found = rows_.find(key);
    return found == rows_.end() ? nullptr : &found->second;
}

}  // namespace parity::driver
