#include "driver/descend.h"

#include <gtest/gtest.h>

#include "driver/division.h"
#include "driver/error.h"

namespace parity::driver {
namespace {

using core::Form;

const std::vector<Form> kIntKey{Form::kInt};

std::string key_bound(std::int64_t value) {
    std::string bound = "k" + std::string(9, '\1');
    core::store_le(reinterpret_cast<std::uint8_t*>(&bound[2]), value);
    return bound;
}

/// `ranges` ranges of `rows` rows each, of which the first `divergent` are.
Comparison comparison_of(std::uint64_t ranges, std::uint64_t rows, int divergent) {
    Comparison comparison;
    comparison.ranges = ranges;
    comparison.total = {{ranges * rows, 0}, {ranges * rows, 0}};
    for (int i = 1; i <= divergent; ++i) comparison.divergent.push_back({i, {{rows, 1}, {rows, 2}}, false, true, {}});
    return comparison;
}

TEST(WorthDescending, OnlyForManyRowsInDivergentRanges) {
    EXPECT_FALSE(worth_descending(comparison_of(1000, 1000, 0)));
    EXPECT_FALSE(worth_descending(comparison_of(1000, 1000, 100))) << "100,000 rows";
    EXPECT_TRUE(worth_descending(comparison_of(1000, 1000, 101)));
}

TEST(WorthDescending, OnlyForMuchOfTheTable) {
    EXPECT_FALSE(worth_descending(comparison_of(1000, 100'000, 50))) << "5 %";
    EXPECT_TRUE(worth_descending(comparison_of(1000, 100'000, 51)));
}

TEST(WorthDescending, NotWhereNearlyAllIsDivergent) {
    EXPECT_TRUE(worth_descending(comparison_of(1000, 1000, 899)));
    EXPECT_FALSE(worth_descending(comparison_of(1000, 1000, 900)));
    EXPECT_TRUE(worth_descending(comparison_of(1, 1'000'000, 1))) << "one range says nothing about density";
}

TEST(MaxFinerRanges, ShrinkWithTheNumberOfSlices) {
    EXPECT_EQ(max_finer_ranges(11), 16384U);
    EXPECT_LT(max_finer_ranges(1502), 300U);
    EXPECT_GE(max_finer_ranges(100'000), 1U);
}

struct FakeServers {
    std::vector<std::string> candidates;
    Comparison finer;
    int asked_to_split = 0;
    std::vector<RangeList> compared;

    Descent descent() {
        return {[this](int ranges) {
                    asked_to_split = ranges;
                    return candidates;
                },
                [this](const RangeList& ranges) {
                    compared.push_back(ranges);
                    return finer;
                }};
    }
};

/// Two ranges of a million rows with the bound 1000, the first divergent; the finer pass cuts it at 500 and finds the
/// second half.
struct HalvedFirstRange : FakeServers {
    Comparison first;
    HalvedFirstRange() {
        candidates = {key_bound(500), key_bound(1500)};
        first = comparison_of(2, 1'000'000, 1);
        finer.ranges = 2;
        finer.total = {{1'000'000, 1}, {1'000'000, 2}};
        finer.divergent.push_back({2, {{500'000, 0}, {500'000, 1}}, false, true, {}});
    }
    Located run() { return descend({key_bound(1000)}, first, kIntKey, 5, 64, descent()); }
};

TEST(Descend, GivesTheRangesOfTheFinerPass) {
    HalvedFirstRange servers;
    const Located located = servers.run();
    EXPECT_EQ(located.bounds, (std::vector<std::string>{key_bound(500), key_bound(1000)}));
    ASSERT_EQ(located.divergent.size(), 1U);
    EXPECT_EQ(located.divergent[0].range_no, 2);
    ASSERT_EQ(servers.compared.size(), 1U);
    EXPECT_EQ(servers.compared[0].only, (std::vector<std::int32_t>{1, 2}));
    EXPECT_GT(servers.asked_to_split, 2);
}

TEST(Descend, RefusesAFinerPassOverOtherRows) {
    HalvedFirstRange lost_row;
    lost_row.finer.total.source.rows -= 1;
    EXPECT_THROW(lost_row.run(), Error);
    HalvedFirstRange other_sum;
    other_sum.finer.total.target.row_sum += 1;
    EXPECT_THROW(other_sum.run(), Error);
}

TEST(Descend, RefusesAFinerPassThatFindsNothing) {
    HalvedFirstRange servers;
    servers.finer.divergent.clear();
    EXPECT_THROW(servers.run(), Error);
}

TEST(Descend, KeepsTheFirstPassWhereNoFinerBoundsHelp) {
    HalvedFirstRange servers;
    servers.candidates = {key_bound(1500)};
    const Located located = servers.run();
    EXPECT_EQ(located.bounds, (std::vector<std::string>{key_bound(1000)}));
    EXPECT_TRUE(servers.compared.empty());
}

TEST(Descend, KeepsTheFirstPassWhereAServerHasNoMemory) {
    HalvedFirstRange servers;
    Descent descent = servers.descent();
    descent.compare = [](const RangeList&) { return std::nullopt; };
    const Located located = descend({key_bound(1000)}, servers.first, kIntKey, 5, 64, descent);
    EXPECT_EQ(located.bounds, (std::vector<std::string>{key_bound(1000)}));
    EXPECT_EQ(located.divergent.size(), 1U);
}

TEST(Descend, AsksNobodyForFewRows) {
    HalvedFirstRange servers;
    servers.first = comparison_of(2, 1000, 1);
    EXPECT_EQ(servers.run().divergent.size(), 1U);
    EXPECT_EQ(servers.asked_to_split, 0);
}

TEST(Descend, DividesHashRangesWithoutAsking) {
    FakeServers servers;
    const auto division = subdivide_by_hash({}, {{1, {}, false, false, {}}}, 2);
    servers.finer.total = {{1'000'000, 1}, {1'000'000, 2}};
    servers.finer.divergent.push_back({3, {{5, 0}, {5, 1}}, false, true, {}});
    const Located located = descend(division->bounds, comparison_of(2, 1'000'000, 1), {}, 5, 64, servers.descent());
    EXPECT_EQ(servers.asked_to_split, 0);
    ASSERT_EQ(servers.compared.size(), 1U);
    EXPECT_GT(servers.compared[0].only.size(), 1000U);
    EXPECT_EQ(located.bounds.size(), servers.compared[0].bounds.size());
}

}  // namespace
}  // namespace parity::driver
