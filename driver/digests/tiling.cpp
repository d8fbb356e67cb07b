#include "driver/digests/tiling.h"

#include <iterator>

#include <fmt/format.h>

#include "driver/model/error.h"

namespace parity::driver {

void Tiling::add(std::uint64_t from, std::uint64_t to) {
    auto next = parts_.lower_bound(from);
    const bool meets_next = next != parts_.end() && next->first < to;
    const bool meets_previous = next != parts_.begin() && std::prev(next)->second > from;
    if (from >= to || to > end_ || meets_next || meets_previous)
        throw_contradiction(fmt::format("{} {} to {} do not fit among the parts that were read", what_, from, to));
    if (next != parts_.end() && next->first == to) {
        to = next->second;
        next = parts_.erase(next);
    }
    if (next != parts_.begin() && std::prev(next)->second == from)
        std::prev(next)->second = to;
    else
        parts_.emplace(from, to);
}

void Tiling::require_whole() const {
    const bool whole =
        end_ == 0 || (parts_.size() == 1 && parts_.begin()->first == 0 && parts_.begin()->second == end_);
    if (!whole) throw_contradiction(fmt::format("some {} of {} were read in no part", what_, end_));
}

}  // namespace parity::driver
