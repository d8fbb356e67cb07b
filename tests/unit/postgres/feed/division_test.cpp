#include "driver/postgres/feed/division.h"

#include <gtest/gtest.h>

#include "tests/support/key_bounds.h"

namespace parity::driver {
namespace {

using test::int_frame;
using test::key_bound;

const ConditionColumn kColumn{"k", "int8", core::Form::kInt, true, true};

StreamPart part(std::int64_t blocks, bool has_locations = true) {
    StreamPart made;
    made.is_heap = true;
    made.has_locations = has_locations;
    made.blocks = blocks;
    return made;
}

/// Bounds 10, 20, … of a key of one column.
RangeList tens(std::size_t bounds, std::vector<std::int32_t> only) {
    RangeList ranges;
    for (std::size_t i = 1; i <= bounds; ++i) ranges.bounds.push_back(key_bound(int_frame(static_cast<int>(i) * 10)));
    ranges.only = std::move(only);
    return ranges;
}

std::string between(int lower, int upper) {
    return "(k >= '" + std::to_string(lower) + "'::pg_catalog.int8 AND k <= '" + std::to_string(upper) +
           "'::pg_catalog.int8)";
}

std::vector<StreamItem> items(const std::vector<StreamPart>& parts, const RangeList& ranges,
                              const StreamDivision& how) {
    return stream_items(parts, range_conditions(kColumn, ranges), ranges, how);
}

/// Every block of every part is read exactly once, the last item of a part to its end.
void expect_all_blocks(const std::vector<StreamPart>& parts, const std::vector<StreamItem>& items) {
    std::size_t at = 0;
    for (std::size_t part = 0; part < parts.size(); ++part) {
        std::int64_t next = 0;
        for (bool open = false; !open; ++at) {
            ASSERT_LT(at, items.size());
            EXPECT_EQ(items[at].part, part);
            EXPECT_EQ(items[at].first_block.value_or(0), next);
            open = !items[at].end_block;
            if (open) continue;
            EXPECT_GT(*items[at].end_block, next);
            next = *items[at].end_block;
            EXPECT_LT(next, parts[part].blocks);
        }
    }
    EXPECT_EQ(at, items.size());
}

TEST(StreamItems, ReadEveryBlockOnce) {
    for (const std::size_t threads : {1, 2, 4, 64})
        for (const std::int64_t blocks : {0, 1, 255, 256, 257, 511, 512, 513, 8192, 100000, 10000000}) {
            const std::vector<StreamPart> parts{part(blocks), part(7), part(blocks / 3)};
            expect_all_blocks(parts, items(parts, {}, {threads, true, true}));
        }
}

TEST(StreamItems, AreSeveralAThreadButNotTiny) {
    EXPECT_EQ(items({part(255)}, {}, {4, true, false}).size(), 1u);
    EXPECT_EQ(items({part(100000)}, {}, {4, true, false}).size(), 32u);
    EXPECT_EQ(items({part(10000000)}, {}, {4, true, false}).size(), 1221u);
}

TEST(StreamItems, AreWholePartsWhereBlocksCannotBeChosen) {
    for (const auto& item : items({part(100000)}, {}, {4, false, false}))
        EXPECT_FALSE(item.first_block || item.end_block);
    EXPECT_EQ(items({part(100000), part(100000)}, {}, {4, false, false}).size(), 2u);
    EXPECT_EQ(items({part(100000, false)}, {}, {4, true, false}).size(), 1u);
}

TEST(StreamItems, HaveNoConditionWhereAllRangesAreAskedFor) {
    EXPECT_TRUE(range_conditions(kColumn, tens(100, {})).empty());
    for (const StreamItem& item : items({part(100000)}, tens(100, {}), {4, true, true})) EXPECT_EQ(item.condition, "");
}

TEST(StreamItems, GoThroughAnIndexForFewRanges) {
    const RangeList ranges = tens(99, {3, 4, 50});
    const std::vector<StreamItem> found = items({part(100000), part(10)}, ranges, {4, true, true});
    ASSERT_EQ(found.size(), 4u);
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(found[i].part, i / 2);
        EXPECT_FALSE(found[i].first_block || found[i].end_block);
        EXPECT_EQ(found[i].condition, i % 2 ? between(490, 500) : between(20, 40));
    }
}

TEST(StreamItems, GoThroughTheTableOtherwise) {
    const std::vector<StreamPart> parts{part(100000)};
    EXPECT_EQ(items({part(100000)}, tens(3, {2, 3}), {1, true, true, true}).size(), 1u) << "a span is read through it";
    EXPECT_GT(items({part(100000)}, tens(3, {2, 3}), {1, true, true, false}).size(), 1u);
    for (const auto& [ranges, by_index] : {std::pair{tens(99, {3, 50}), false}, {tens(9, {3}), true}}) {
        const std::vector<StreamItem> found = items(parts, ranges, {4, true, by_index});
        expect_all_blocks(parts, found);
        EXPECT_EQ(found.front().condition, by_index ? between(20, 30) : between(20, 30) + " OR " + between(490, 500));
    }
}

TEST(StreamItems, HaveTheFirstAndTheLastRangeOpen) {
    EXPECT_EQ(range_conditions(kColumn, tens(99, {1, 100})),
              (std::vector<std::string>{"(k <= '10'::pg_catalog.int8)", "(k >= '990'::pg_catalog.int8)"}));
}

/// A row that two statements chose would be counted twice.
TEST(StreamItems, JoinRangesThatTheFirstColumnDoesNotTellApart) {
    RangeList ranges;
    for (int a = 1; a <= 2; ++a)
        for (int b = 0; b < 50; ++b) ranges.bounds.push_back(key_bound(int_frame(a) + int_frame(b)));
    ranges.only = {5, 20, 40};
    EXPECT_EQ(range_conditions(kColumn, ranges), std::vector<std::string>{between(1, 1)});
    ranges.only = {5, 80, 90};
    EXPECT_EQ(range_conditions(kColumn, ranges), (std::vector<std::string>{between(1, 1), between(2, 2)}));
}

TEST(StreamItems, JoinManyGroups) {
    RangeList ranges = tens(9999, {});
    for (int range = 2; range < 1000; range += 2) ranges.only.push_back(range);
    const std::vector<std::string> conditions = range_conditions(kColumn, ranges);
    EXPECT_EQ(conditions.size(), 32u);
    EXPECT_TRUE(conditions.front().starts_with("(k >= '10'::")) << conditions.front();
    EXPECT_TRUE(conditions.back().ends_with("<= '9980'::pg_catalog.int8)")) << conditions.back();
}

TEST(StreamItems, HaveNoConditionWhereOneCannotBeSaid) {
    RangeList hashes{{"h" + std::string(8, '\x40'), "h" + std::string(8, '\x60')}, {2}};
    EXPECT_TRUE(range_conditions(kColumn, hashes).empty());
    EXPECT_TRUE(range_conditions({}, tens(99, {2})).empty());
    for (const StreamItem& item : items({part(1000)}, hashes, {1, true, true})) EXPECT_EQ(item.condition, "");
}

}  // namespace
}  // namespace parity::driver
