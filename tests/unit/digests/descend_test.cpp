#include "driver/digests/descend.h"

#include <gtest/gtest.h>

#include <cmath>

#include "driver/digests/division.h"
#include "driver/digests/merge.h"
#include "driver/model/error.h"
#include "tests/support/key_bounds.h"

namespace parity::driver {
namespace {

using core::Form;

using test::int_bound;
using test::kIntKey;

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

TEST(FinerRanges, GrowWithTheDifferencesAndTheRowsAmongThem) {
    const std::size_t few = finer_ranges(comparison_of(4000, 1000, 400));
    EXPECT_NEAR(static_cast<double>(few), std::sqrt(421.4 * 400'000), 10) << "-4000 ln(0.9) differences";
    EXPECT_GT(finer_ranges(comparison_of(4000, 1000, 2000)), few);
    EXPECT_GT(finer_ranges(comparison_of(4000, 2000, 400)), few);
    EXPECT_EQ(finer_ranges(comparison_of(4000, 10'000, 4000)), 131'072U) << "so many at most";
    EXPECT_GE(finer_ranges(comparison_of(4000, 1, 4000)), 8000U) << "at least two parts each";
    EXPECT_EQ(finer_ranges(comparison_of(80'000, 2, 70'000)), 131'072U) << "which may be more than there may be";
}

struct FakeServers {
    std::vector<std::string> candidates;
    Comparison finer;
    Comparison exact;  ///< what a pass under the forms that count gives where the first was under others
    int asked_to_split = 0;
    std::vector<RangeList> compared;
    bool first_is_exact = true;
    bool can_leave_out = true;

    DescentCalls calls() {
        return {[this](int ranges) {
                    asked_to_split = ranges;
                    return candidates;
                },
                [this](const RangeList& ranges, bool exactly) {
                    compared.push_back(ranges);
                    return exactly && !first_is_exact ? exact : finer;
                }};
    }
};

/// Two ranges of a million rows with the bound 1000, the first divergent; the finer pass cuts it at 500 and finds the
/// second half.
struct HalvedFirstRange : FakeServers {
    Comparison first;
    HalvedFirstRange() {
        candidates = {int_bound(500), int_bound(1500)};
        first = comparison_of(2, 1'000'000, 1);
        finer.ranges = 2;
        finer.total = {{1'000'000, 1}, {1'000'000, 2}};
        finer.divergent.push_back({2, {{500'000, 0}, {500'000, 1}}, false, true, {}});
    }
    const std::vector<std::string> bounds{int_bound(1000)};
    DivergentRanges run() { return descend({bounds, kIntKey, 64, first_is_exact, can_leave_out}, first, calls()); }
};

TEST(Descend, GivesTheRangesOfTheFinerPass) {
    HalvedFirstRange servers;
    const DivergentRanges located = servers.run();
    EXPECT_EQ(located.bounds, (std::vector<std::string>{int_bound(500), int_bound(1000)}));
    ASSERT_EQ(located.divergent.size(), 1U);
    EXPECT_EQ(located.divergent[0].range_no, 2);
    ASSERT_EQ(servers.compared.size(), 1U);
    EXPECT_EQ(servers.compared[0].only, (std::vector<std::int32_t>{1, 2}));
    EXPECT_TRUE(servers.compared[0].totals_only);
    EXPECT_EQ(located.parents, std::vector<std::int32_t>{1});
    EXPECT_TRUE(located.exact);
    EXPECT_GT(servers.asked_to_split, 2);
}

/// Three columns, of which the last one differs in the first range. Without the others rows have other hashes.
struct OneColumnDiffers : HalvedFirstRange {
    OneColumnDiffers() {
        first.divergent[0].column_differs = {false, false, true};
        first.divergent[0].keys = {{1'000'000, 7}, {1'000'000, 7}};
        finer.total = {{1'000'000, 10}, {1'000'000, 20}};
        finer.keys = first.divergent[0].keys;
    }
};

TEST(Descend, LooksAtColumnsThatDifferAlone) {
    OneColumnDiffers servers;
    EXPECT_EQ(servers.run().columns, std::vector<int>{2});
    EXPECT_EQ(servers.compared[0].columns, std::vector<int>{2});
    servers.finer.keys.source.sum += 1;
    EXPECT_THROW(servers.run(), TotalsError) << "the pass went over other rows";
}

TEST(Descend, LooksAtAllColumnsWhereThatIsNotKnownToBeEnough) {
    const auto expect_all = [](auto change) {
        OneColumnDiffers servers;
        servers.finer.total = {{1'000'000, 1}, {1'000'000, 2}};
        change(servers);
        EXPECT_TRUE(servers.run().columns.empty());
        EXPECT_TRUE(servers.compared[0].columns.empty());
    };
    expect_all([](OneColumnDiffers& servers) { servers.can_leave_out = false; });
    expect_all([](OneColumnDiffers& servers) { servers.first.divergent[0].column_differs = {true, true, true}; });
    expect_all([](OneColumnDiffers& servers) { servers.first.divergent[0].column_differs = {false, false, false}; });
    expect_all([](OneColumnDiffers& servers) {
        servers.first.divergent[0].column_differs = {false, false, false};
        servers.first.divergent[0].key_differs = true;
    });
}

TEST(Descend, RefusesAFinerPassOverOtherRows) {
    HalvedFirstRange lost_row;
    lost_row.finer.total.source.rows -= 1;
    EXPECT_THROW(lost_row.run(), Error);
    HalvedFirstRange other_sum;
    other_sum.finer.total.target.sum += 1;
    EXPECT_THROW(other_sum.run(), Error);
}

TEST(Descend, RefusesAFinerPassThatFindsNothing) {
    HalvedFirstRange servers;
    servers.finer.divergent.clear();
    EXPECT_THROW(servers.run(), Error);
}

/// The same after a first pass under other forms: half a million rows are left, which are digested exactly.
struct InexactFirstPass : HalvedFirstRange {
    InexactFirstPass() {
        first_is_exact = false;
        finer.divergent[0].keys = {{500'000, 7}, {500'000, 8}};
        exact.ranges = 1;
        exact.keys = {{500'000, 7}, {500'000, 8}};
        exact.total = {{500'000, 70}, {500'000, 80}};
        exact.divergent.push_back({2, {{500'000, 70}, {500'000, 80}}, false, true, {}, exact.keys});
    }
};

TEST(Descend, DigestsManyRowsExactlyThatDifferUnderOtherForms) {
    InexactFirstPass servers;
    const DivergentRanges located = servers.run();
    EXPECT_TRUE(located.exact);
    ASSERT_EQ(servers.compared.size(), 2U);
    EXPECT_EQ(servers.compared[1].only, std::vector<std::int32_t>{2});
    ASSERT_EQ(located.divergent.size(), 1U);
    EXPECT_EQ(located.divergent[0].total.source.sum, 70U);
    EXPECT_EQ(located.parents, std::vector<std::int32_t>{1});
}

TEST(Descend, FindsNothingWhereRowsAreOnlyWrittenAnotherWay) {
    InexactFirstPass servers;
    servers.exact.divergent.clear();
    const DivergentRanges located = servers.run();
    EXPECT_TRUE(located.exact);
    EXPECT_TRUE(located.divergent.empty());
    EXPECT_TRUE(located.parents.empty());
}

TEST(Descend, RefusesAnExactPassOverOtherKeys) {
    InexactFirstPass servers;
    servers.exact.keys.target.sum += 1;
    EXPECT_THROW(servers.run(), TotalsError);
}

TEST(Descend, LeavesFewRowsToBeReadAsTheyAre) {
    InexactFirstPass servers;
    servers.finer.divergent[0].total = {{1000, 0}, {1000, 1}};
    const DivergentRanges located = servers.run();
    EXPECT_FALSE(located.exact);
    EXPECT_EQ(servers.compared.size(), 1U);
}

TEST(Descend, KeepsTheFirstPassWhereNoFinerBoundsHelp) {
    HalvedFirstRange servers;
    servers.candidates = {int_bound(1500)};
    const DivergentRanges located = servers.run();
    EXPECT_EQ(located.bounds, (std::vector<std::string>{int_bound(1000)}));
    EXPECT_TRUE(servers.compared.empty());
}

TEST(Descend, KeepsTheFirstPassWhereAServerHasNoMemory) {
    HalvedFirstRange servers;
    DescentCalls calls = servers.calls();
    calls.compare = [](const RangeList&, bool) { return std::nullopt; };
    const DivergentRanges located = descend({servers.bounds, kIntKey, 64, true, true}, servers.first, calls);
    EXPECT_EQ(located.bounds, (std::vector<std::string>{int_bound(1000)}));
    EXPECT_EQ(located.divergent.size(), 1U);
}

TEST(BucketsFor, AreAsManyAsTheirSumsShouldTake) {
    EXPECT_EQ(buckets_for(1, 100, {Form::kText}), 64);
    EXPECT_EQ(buckets_for(2048, 5e6, {Form::kUuid}), 32);
    EXPECT_EQ(buckets_for(2048, 5e6, kIntKey), 64);
    EXPECT_EQ(buckets_for(2048, 5e6, {Form::kInt, Form::kInt}), 32);
    EXPECT_EQ(buckets_for(2048, 1e9, {Form::kUuid}), 64);
    EXPECT_EQ(buckets_for(65'537, -1, {Form::kUuid}), 1) << "none where there are many ranges";
}

/// Two ranges, the first divergent in the second of its four buckets.
struct SecondBucketDiffers : FakeServers {
    Comparison first = comparison_of(2, 1000, 1);
    std::vector<DivergentRange> differing{{2, {{0, 10}, {0, 20}}, false, true, {}}};
    SecondBucketDiffers() { first.divergent[0].keys = {{1000, 7}, {1000, 8}}; }
    DivergentRanges run() {
        DescentCalls asked = calls();
        asked.differing_buckets = [this](const std::vector<DivergentRange>&) { return differing; };
        return descend({{int_bound(1000)}, kIntKey, 64, first_is_exact, true, 4, differing}, first, asked);
    }
};

TEST(Descend, GivesTheBucketsThatDifferWithoutAskingAgain) {
    SecondBucketDiffers servers;
    const DivergentRanges located = servers.run();
    EXPECT_EQ(located.buckets, 4);
    EXPECT_EQ(located.bounds, std::vector<std::string>{int_bound(1000)});
    ASSERT_EQ(located.divergent.size(), 1U);
    EXPECT_EQ(located.divergent[0].range_no, 2);
    EXPECT_EQ(located.parents, std::vector<std::int32_t>{1});
    EXPECT_EQ(located.keys.source, (HashTotal{1000, 7}));
    EXPECT_EQ(located.keys.target, (HashTotal{1000, 8}));
    EXPECT_TRUE(located.exact);
    EXPECT_TRUE(servers.compared.empty());
}

TEST(Descend, DividesLargeRangesWhereMostOfTheirBucketsDiffer) {
    SecondBucketDiffers servers;
    servers.first = comparison_of(2, 1'000'000, 2);
    for (int bucket : {3, 4, 5, 6, 7, 8}) servers.differing.push_back({bucket, {{0, 1}, {0, 2}}, false, true, {}});
    servers.candidates = {int_bound(500), int_bound(1500)};
    servers.finer.total = {{2'000'000, 2}, {2'000'000, 4}};
    servers.finer.divergent.push_back({2, {{500'000, 0}, {500'000, 1}}, false, true, {}});
    const DivergentRanges located = servers.run();
    EXPECT_EQ(located.buckets, 1);
    EXPECT_EQ(servers.compared.size(), 1U);
    EXPECT_EQ(located.bounds.size(), 3U);
}

/// Half of 400 ranges of 1000 rows each are divergent, in some of their 64 buckets.
struct BucketsDiffer : FakeServers {
    Comparison first = comparison_of(400, 1000, 200);
    std::vector<DivergentRange> differing;
    bool known = true;  ///< whether a further pass has buckets
    explicit BucketsDiffer(int buckets_of_each) {
        first_is_exact = false;
        for (int range = 1; range <= 200; ++range)
            for (int bucket = 1; bucket <= buckets_of_each; ++bucket)
                differing.push_back({bucket_number(range, bucket, 64), {{0, 1}, {0, 2}}, false, true, {}});
    }
    DivergentRanges run() {
        DescentCalls asked = calls();
        asked.differing_buckets =
            [this](const std::vector<DivergentRange>&) -> std::optional<std::vector<DivergentRange>> {
            if (!known) return std::nullopt;
            return differing;
        };
        return descend({std::vector<std::string>(399), kIntKey, 64, first_is_exact, true, 64, differing}, first, asked);
    }
};

TEST(Descend, ReadsBucketsThatDifferUnderOtherFormsWhereTheyAreFew) {
    BucketsDiffer servers(16);
    const DivergentRanges located = servers.run();
    EXPECT_FALSE(located.exact);
    EXPECT_EQ(located.divergent.size(), 3200U);
    EXPECT_TRUE(servers.compared.empty());
}

TEST(Descend, DigestsRangesExactlyWhereMuchOfThemDiffersUnderOtherForms) {
    BucketsDiffer servers(40);
    const DivergentRanges equal = servers.run();
    EXPECT_TRUE(equal.exact && equal.divergent.empty()) << "written another way";
    ASSERT_EQ(servers.compared.size(), 1U);
    EXPECT_EQ(servers.compared[0].only.size(), 200U);
    EXPECT_EQ(servers.compared[0].buckets, 64);

    servers.exact.divergent.push_back({1, {{1000, 1}, {1000, 2}}, false, true, {}});
    const DivergentRanges exact = servers.run();
    EXPECT_TRUE(exact.exact);
    EXPECT_EQ(exact.buckets, 64);
    EXPECT_EQ(exact.divergent.size(), 8000U);

    servers.known = false;
    const DivergentRanges whole = servers.run();
    EXPECT_EQ(whole.buckets, 1);
    ASSERT_EQ(whole.divergent.size(), 1U);
    EXPECT_EQ(whole.divergent[0].range_no, 1);

    servers.exact.keys.source.sum += 1;
    EXPECT_THROW(servers.run(), TotalsError);
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
    const DivergentRanges located =
        descend({division->bounds, {}, 64, true, true}, comparison_of(2, 1'000'000, 1), servers.calls());
    EXPECT_EQ(servers.asked_to_split, 0);
    ASSERT_EQ(servers.compared.size(), 1U);
    EXPECT_GT(servers.compared[0].only.size(), 1000U);
    EXPECT_EQ(located.bounds.size(), servers.compared[0].bounds.size());
}

}  // namespace
}  // namespace parity::driver
