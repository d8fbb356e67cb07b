#include "driver/digests/division.h"

#include <gtest/gtest.h>

#include "core/bounds.h"
#include "driver/model/error.h"
#include "driver/model/plan.h"
#include "tests/support/key_bounds.h"

namespace parity::driver {
namespace {

using core::Form;

using test::int_bound;
using test::int_frame;
using test::kIntKey;

std::vector<std::string> int_bounds(const std::vector<std::int64_t>& values) {
    std::vector<std::string> bounds;
    for (std::int64_t value : values) bounds.push_back(int_bound(value));
    return bounds;
}

std::string hash_bound(std::uint64_t hash) {
    std::string bound = "h" + std::string(8, '\0');
    core::store_be(reinterpret_cast<std::uint8_t*>(&bound[1]), hash);
    return bound;
}

std::vector<DivergentRange> divergent(const std::vector<int>& numbers) {
    std::vector<DivergentRange> ranges;
    for (int number : numbers) ranges.push_back({number, {}, false, true, {}});
    return ranges;
}

std::optional<RangeList> by_keys(const std::vector<std::int64_t>& bounds, const std::vector<int>& ranges,
                                 const std::vector<std::int64_t>& candidates, std::size_t max = 1000) {
    return subdivide_by_keys(int_bounds(bounds), divergent(ranges), int_bounds(candidates), max, kIntKey);
}

void expect_division(const std::optional<RangeList>& division, const std::vector<std::int64_t>& bounds,
                     const std::vector<std::int32_t>& only) {
    ASSERT_TRUE(division);
    EXPECT_EQ(division->bounds, int_bounds(bounds));
    EXPECT_EQ(division->only, only);
}

TEST(SubdivideByKeys, CutsInnerRangesAndJoinsEqualNeighbours) {
    // Ranges: (,10) [10,20) [20,30) [30,40) [40,)
    expect_division(by_keys({10, 20, 30, 40}, {2, 4}, {5, 12, 15, 25, 33, 45}), {10, 12, 15, 20, 30, 33, 40},
                    {2, 3, 4, 6, 7});
}

TEST(SubdivideByKeys, CutsTheOpenRangesAtBothEnds) {
    expect_division(by_keys({10, 20}, {1, 3}, {-5, 3, 12, 22}), {-5, 3, 10, 20, 22}, {1, 2, 3, 5, 6});
}

TEST(SubdivideByKeys, SharesTheBoundBetweenDivergentNeighbours) {
    expect_division(by_keys({10, 20, 30}, {2, 3}, {15, 25}), {10, 15, 20, 25, 30}, {2, 3, 4, 5});
}

TEST(SubdivideByKeys, LeavesOutCandidatesThatAreBoundsAlready) {
    expect_division(by_keys({10, 20}, {2}, {10, 15, 20}), {10, 15, 20}, {2, 3});
}

TEST(SubdivideByKeys, KeepsDivergentRangesWithoutCandidates) {
    expect_division(by_keys({10, 20, 30}, {1, 3}, {25}), {10, 20, 25, 30}, {1, 3, 4});
}

TEST(SubdivideByKeys, DividesAWholeTable) { expect_division(by_keys({}, {1}, {1, 2, 3}), {1, 2, 3}, {1, 2, 3, 4}); }

TEST(SubdivideByKeys, GivesNothingWhereNoCandidateLiesWithin) {
    EXPECT_FALSE(by_keys({10, 20}, {2}, {5, 10, 20, 25}));
    EXPECT_FALSE(by_keys({10, 20}, {2}, {}));
}

TEST(SubdivideByKeys, ThinsEvenly) {
    const auto division = by_keys({100}, {1}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 200}, 5);
    expect_division(division, {2, 4, 6, 8, 10, 100}, {1, 2, 3, 4, 5, 6});
}

TEST(SubdivideByKeys, OrdersByTheFormAndNotByBytes) {
    // Little endian bytes of 256 sort before those of 1, and those of -1 after all.
    expect_division(by_keys({-1000, 1000}, {2}, {-1, 1, 256}), {-1000, -1, 1, 256, 1000}, {2, 3, 4, 5});
}

TEST(SubdivideByKeys, ABoundOnLeadingColumnsComesBeforeItsKeys) {
    const std::vector<Form> forms{Form::kInt, Form::kInt};
    const std::vector<std::string> bounds{"k" + int_frame(1), "k" + int_frame(2)};
    const std::vector<std::string> candidates{"k" + int_frame(1) + int_frame(-5), "k" + int_frame(2) + int_frame(-5)};
    const auto division = subdivide_by_keys(bounds, divergent({2}), candidates, 100, forms);
    ASSERT_TRUE(division);
    EXPECT_EQ(division->bounds, (std::vector<std::string>{bounds[0], candidates[0], bounds[1]}));
    EXPECT_EQ(division->only, (std::vector<std::int32_t>{2, 3}));
}

TEST(SubdivideByHash, DividesAWholeTableLikeTheSpecification) {
    const auto division = subdivide_by_hash({}, divergent({1}), 7);
    ASSERT_TRUE(division);
    std::vector<std::string> expected;
    for (std::uint32_t i = 1; i < 7; ++i) {
        std::string bound(core::kHashBoundBytes, '\0');
        core::write_hash_bound(i, 7,
                               std::span<std::uint8_t, core::kHashBoundBytes>(
                                   reinterpret_cast<std::uint8_t*>(bound.data()), core::kHashBoundBytes));
        expected.push_back(bound);
    }
    EXPECT_EQ(division->bounds, expected);
    EXPECT_EQ(division->only, (std::vector<std::int32_t>{1, 2, 3, 4, 5, 6, 7}));
    EXPECT_EQ(even_hash_bounds(7), expected);
    EXPECT_TRUE(even_hash_bounds(1).empty());
}

TEST(SubdivideByHash, CutsDivergentRangesOnly) {
    const std::vector<std::string> bounds{hash_bound(1000), hash_bound(2000), hash_bound(3000)};
    const auto division = subdivide_by_hash(bounds, divergent({2}), 4);
    ASSERT_TRUE(division);
    EXPECT_EQ(division->bounds, (std::vector<std::string>{hash_bound(1000), hash_bound(1250), hash_bound(1500),
                                                          hash_bound(1750), hash_bound(2000)}));
    EXPECT_EQ(division->only, (std::vector<std::int32_t>{2, 3, 4, 5}));
}

TEST(SubdivideByHash, NeverMakesABoundTwice) {
    const std::vector<std::string> bounds{hash_bound(10), hash_bound(12)};
    const auto division = subdivide_by_hash(bounds, divergent({2}), 100);
    ASSERT_TRUE(division);
    EXPECT_EQ(division->bounds, (std::vector<std::string>{hash_bound(10), hash_bound(11), hash_bound(12)}));
}

TEST(BetterBounds, TakesTheSideThatDividesMore) {
    EXPECT_EQ(better_bounds({int_bounds({1, 2}), int_bounds({1, 2})}), Side::kSource);
    EXPECT_EQ(better_bounds({int_bounds({1}), int_bounds({1, 2})}), Side::kTarget);
    EXPECT_EQ(better_bounds({{}, int_bounds({1})}), Side::kTarget);
    EXPECT_EQ(better_bounds({{}, {}}), Side::kSource);
}

TEST(BetterBounds, PrefersKeysToHashesUnlessTheyAreFew) {
    const std::vector<std::string> hashes{hash_bound(1), hash_bound(2), hash_bound(3), hash_bound(4)};
    EXPECT_EQ(better_bounds({hashes, int_bounds({1, 2})}), Side::kTarget);
    EXPECT_EQ(better_bounds({hashes, int_bounds({1})}), Side::kSource);
    EXPECT_EQ(better_bounds({int_bounds({1, 2}), hashes}), Side::kSource);
    EXPECT_EQ(better_bounds({int_bounds({1}), hashes}), Side::kTarget);
    EXPECT_EQ(better_bounds({{}, hashes}), Side::kTarget);
}

TEST(CheckBounds, RefusesWhatIsMalformedMixedOrNotAscending) {
    EXPECT_NO_THROW(check_bounds(int_bounds({-3, 1, 7}), kIntKey));
    EXPECT_THROW(check_bounds(int_bounds({1, 1}), kIntKey), Error);
    EXPECT_THROW(check_bounds({int_bound(1), hash_bound(2)}, kIntKey), Error);
    EXPECT_THROW(check_bounds({"k\x01zz"}, kIntKey), Error);
    EXPECT_THROW(check_bounds({""}, kIntKey), Error);
}

TEST(RequestedRanges, AreAllUnlessSomeAreChosen) {
    EXPECT_EQ(requested_ranges({int_bounds({1, 2}), {}}), (std::vector<std::int32_t>{1, 2, 3}));
    EXPECT_EQ(requested_ranges({int_bounds({1, 2}), {2}}), (std::vector<std::int32_t>{2}));
    EXPECT_EQ(requested_ranges({{}, {}}), (std::vector<std::int32_t>{1}));
}

TEST(Plan, ChoosesRangesFromTheEstimate) {
    EXPECT_EQ(default_ranges(0, 0, 3), 1);
    EXPECT_EQ(default_ranges(2499, 0, 3), 1);
    EXPECT_EQ(default_ranges(50000, 0, 3), 40);
    EXPECT_EQ(default_ranges(1e12, 0, 3), 2048);
    EXPECT_EQ(default_ranges(-1, 5000000, 3), 40);
    EXPECT_EQ(default_ranges(1e12, 0, 1502), 349);
    EXPECT_EQ(default_ranges(1e12, 0, 10000000), 1);
}

}  // namespace
}  // namespace parity::driver
