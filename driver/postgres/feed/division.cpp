#include "driver/postgres/feed/division.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace parity::driver {
namespace {

/// A statement reads at least and at most this many blocks: starting one costs about as much as reading the former, and
/// the latter keeps progress and the threads' shares even.
constexpr std::int64_t kLeastBlocks = 256;
constexpr std::int64_t kMostBlocks = 8192;
/// How many statements each thread is to find.
constexpr std::int64_t kShares = 8;

/// More groups of neighbouring ranges than this are joined: a statement each for few, a condition for all otherwise.
constexpr std::size_t kMaxGroups = 32;
/// Through an index only up to this part of the ranges.
constexpr double kFewRanges = 0.05;

/// First and last number of ranges that lie side by side, or nearly so where there are many.
struct Group {
    std::int32_t first;
    std::int32_t last;
};

/// The bound in front of a range, empty for the first one; that behind the last one is empty too.
std::string_view bound_before(const RangeList& ranges, std::int32_t number) {
    const auto at = static_cast<std::size_t>(number - 2);
    return number < 2 || at >= ranges.bounds.size() ? std::string_view() : std::string_view(ranges.bounds[at]);
}

/// Neighbours, and ranges that the first column does not tell apart: a row is chosen by one group's condition only.
bool belong_together(const ConditionColumn& leading, const RangeList& ranges, const Group& group, std::int32_t next) {
    return group.last + 1 == next ||
           !are_apart(leading, bound_before(ranges, group.last + 1), bound_before(ranges, next));
}

std::vector<Group> groups_of(const ConditionColumn& leading, const RangeList& ranges) {
    std::vector<Group> groups;
    for (std::int32_t range : ranges.only) {
        if (!groups.empty() && belong_together(leading, ranges, groups.back(), range))
            groups.back().last = range;
        else
            groups.push_back({range, range});
    }
    if (groups.size() <= kMaxGroups) return groups;
    std::vector<Group> joined;
    for (std::size_t i = 0; i < kMaxGroups; ++i) {
        const std::size_t begin = i * groups.size() / kMaxGroups, end = (i + 1) * groups.size() / kMaxGroups;
        joined.push_back({groups[begin].first, groups[end - 1].last});
    }
    return joined;
}

std::int64_t blocks_of(const std::vector<StreamPart>& parts) {
    std::int64_t blocks = 0;
    for (const StreamPart& part : parts) blocks += part.blocks;
    return blocks;
}

void append_blocks(std::vector<StreamItem>& items, std::size_t part, std::int64_t blocks, std::int64_t size,
                   const std::string& condition) {
    for (std::int64_t first = 0; first < blocks; first += size) {
        const bool last = first + size >= blocks;  // the file may have grown since its length was read
        items.push_back({part, first, last ? std::nullopt : std::optional(first + size), condition});
    }
}

}  // namespace

std::vector<std::string> range_conditions(const ConditionColumn& leading, const RangeList& ranges) {
    std::vector<std::string> conditions;
    if (!has_conditions(leading)) return conditions;
    for (const Group& group : groups_of(leading, ranges)) {
        const std::optional<std::string> condition =
            range_condition(leading, bound_before(ranges, group.first), bound_before(ranges, group.last + 1));
        if (!condition) return {};
        conditions.push_back(fmt::format("({})", *condition));
    }
    return conditions;
}

std::vector<StreamItem> stream_items(const std::vector<StreamPart>& parts, const std::vector<std::string>& conditions,
                                     const RangeList& ranges, const StreamDivision& division) {
    const double share = static_cast<double>(ranges.only.size()) / static_cast<double>(ranges.bounds.size() + 1);
    std::vector<StreamItem> items;
    if (division.by_index && !conditions.empty() && (division.in_span || share <= kFewRanges)) {
        for (std::size_t part = 0; part < parts.size(); ++part)
            for (const std::string& condition : conditions) items.push_back({part, {}, {}, condition});
        return items;
    }
    const std::string condition = fmt::format("{}", fmt::join(conditions, " OR "));
    const std::int64_t size = std::clamp(blocks_of(parts) / (static_cast<std::int64_t>(division.threads) * kShares),
                                         kLeastBlocks, kMostBlocks);
    for (std::size_t part = 0; part < parts.size(); ++part) {
        if (division.by_blocks && parts[part].has_locations && parts[part].blocks > size)
            append_blocks(items, part, parts[part].blocks, size, condition);
        else
            items.push_back({part, {}, {}, condition});
    }
    return items;
}

}  // namespace parity::driver
