#include "driver/digests/lockstep.h"

#include <gtest/gtest.h>

#include <functional>

#include "driver/digests/buckets.h"
#include "tests/support/errors.h"

namespace parity::driver {
namespace {

using core::Digest;
using core::Form;

Digest slice(Form form, std::uint64_t count, std::uint64_t sum, std::uint8_t width = 64) {
    return {1, width, form, 1, static_cast<std::uint32_t>(form), count, sum, 0};
}

/// A range of two columns.
RangeDigests range(int range_no, std::uint64_t rows, std::uint64_t key, std::uint64_t row, std::uint64_t a,
                   std::uint64_t b) {
    return {range_no,
            rows,
            slice(Form::kKey, rows, key),
            slice(Form::kRow, rows, row),
            {slice(Form::kInt, rows, a), slice(Form::kText, rows, b)}};
}

Comparison compare(const std::vector<RangeDigests>& source, const std::vector<RangeDigests>& target) {
    LockstepComparison comparison(2, 64);
    for (std::size_t i = 0; i < source.size(); ++i) comparison.add(source[i], target[i]);
    return comparison.finish();
}

using fixtures::internal_error;

TEST(LockstepComparison, KeepsNothingOfEqualRanges) {
    const std::vector<RangeDigests> ranges{range(1, 10, 1, 2, 3, 4), range(2, 0, 0, 0, 0, 0)};
    const Comparison comparison = compare(ranges, ranges);
    EXPECT_EQ(comparison.ranges, 2U);
    EXPECT_TRUE(comparison.divergent.empty());
    EXPECT_EQ(comparison.total.source.rows, 10U);
    EXPECT_EQ(comparison.total.target.rows, 10U);
    EXPECT_EQ(comparison.column_sum_differs, (std::vector<bool>{false, false}));
}

TEST(LockstepComparison, EachSliceAloneMakesARangeDivergent) {
    const RangeDigests equal = range(1, 10, 1, 2, 3, 4);
    const std::vector<RangeDigests> others{range(1, 10, 9, 2, 3, 4), range(1, 10, 1, 9, 3, 4), range(1, 10, 1, 2, 9, 4),
                                           range(1, 10, 1, 2, 3, 9), range(1, 11, 1, 2, 3, 4)};
    for (std::size_t i = 0; i < others.size(); ++i) {
        SCOPED_TRACE(i);
        const Comparison comparison = compare({equal}, {others[i]});
        ASSERT_EQ(comparison.divergent.size(), 1U);
        EXPECT_EQ(comparison.divergent[0].key_differs, i == 0 || i == 4);
        EXPECT_EQ(comparison.divergent[0].row_differs, i == 1 || i == 4);
        EXPECT_EQ(comparison.divergent[0].column_differs, (std::vector<bool>{i == 2 || i == 4, i == 3 || i == 4}));
    }
}

TEST(LockstepComparison, TellsCountsAndRowSumsOfDivergentRanges) {
    const Comparison comparison = compare({range(1, 1, 1, 1, 1, 1), range(2, 10, 1, 2, 3, 4)},
                                          {range(1, 1, 1, 1, 1, 1), range(2, 11, 5, 6, 7, 8)});
    ASSERT_EQ(comparison.divergent.size(), 1U);
    EXPECT_EQ(comparison.divergent[0].range_no, 2);
    EXPECT_EQ(comparison.divergent[0].total.source, (HashTotal{10, 2}));
    EXPECT_EQ(comparison.divergent[0].total.target, (HashTotal{11, 6}));
    EXPECT_EQ(comparison.total.target, (HashTotal{12, 7}));
}

TEST(LockstepComparison, ColumnSumsOverAllRangesAreModular) {
    const std::uint64_t large = ~std::uint64_t{0};
    const Comparison comparison = compare({range(1, 1, 1, 1, large, 5), range(2, 1, 1, 1, 3, 5)},
                                          {range(1, 1, 1, 1, 1, 5), range(2, 1, 1, 1, 1, 6)});
    EXPECT_EQ(comparison.column_sum_differs, (std::vector<bool>{false, true})) << "2^64 - 1 + 3 = 1 + 1";
}

TEST(LockstepComparison, RefusesRangesOutOfStep) {
    EXPECT_NE(
        internal_error([] { compare({range(1, 1, 1, 1, 1, 1)}, {range(2, 1, 1, 1, 1, 1)}); }).find("out of order"),
        std::string::npos);
    EXPECT_NE(internal_error([] {
                  compare({range(1, 1, 1, 1, 1, 1), range(1, 1, 1, 1, 1, 1)},
                          {range(1, 1, 1, 1, 1, 1), range(1, 1, 1, 1, 1, 1)});
              }).find("out of order"),
              std::string::npos);
}

TEST(LockstepComparison, RefusesDigestsThatMustNotBeMixed) {
    const RangeDigests good = range(1, 1, 1, 1, 1, 1);
    RangeDigests other_tag = good;
    other_tag.key.tag ^= 1;
    EXPECT_NE(internal_error([&] { compare({good}, {other_tag}); }).find("cannot be compared"), std::string::npos);
    RangeDigests other_form = good;
    other_form.columns[1].form = Form::kBytes;
    EXPECT_NE(internal_error([&] { compare({good}, {other_form}); }).find("cannot be compared"), std::string::npos);
}

TEST(LockstepComparison, RefusesADigestThatDoesNotFitTheRequest) {
    const RangeDigests good = range(1, 1, 1, 1, 1, 1);
    RangeDigests wide = good;
    wide.row.width = 128;
    EXPECT_NE(internal_error([&] { compare({wide}, {wide}); }).find("width 128"), std::string::npos);
    RangeDigests narrow = good;
    narrow.columns.pop_back();
    EXPECT_NE(internal_error([&] { compare({narrow}, {narrow}); }).find("1 columns where 2"), std::string::npos);
    RangeDigests miscounted = good;
    miscounted.columns[0].count = 2;
    EXPECT_NE(internal_error([&] { compare({miscounted}, {miscounted}); }).find("contradict"), std::string::npos);
}

std::string sums_of(const std::vector<std::uint64_t>& sums) {
    std::string bytes(sums.size() * 8, '\0');
    for (std::size_t i = 0; i < sums.size(); ++i)
        core::store_be(reinterpret_cast<std::uint8_t*>(&bytes[i * 8]), sums[i]);
    return bytes;
}

DivergentRange divergent_range(int range_no, std::uint64_t source, std::uint64_t target) {
    return {range_no, {{10, source}, {10, target}}, false, true, {}};
}

TEST(DifferingBuckets, AreThoseOfOtherSums) {
    const std::vector<DivergentRange> ranges{divergent_range(3, 15, 17), divergent_range(8, 0, 1)};
    const Both<BucketSums> sums{{sums_of({1, 2, 4, 8}), sums_of({~std::uint64_t{0}, 1, 0, 0})},
                                {sums_of({1, 3, 4, 9}), sums_of({~std::uint64_t{0}, 1, 1, 0})}};
    const std::vector<DivergentRange> buckets = differing_buckets(ranges, sums, 4, 64);
    ASSERT_EQ(buckets.size(), 3U);
    EXPECT_EQ(buckets[0].range_no, 10);
    EXPECT_EQ(buckets[1].range_no, 12);
    EXPECT_EQ(buckets[2].range_no, 31);
    EXPECT_EQ(buckets[1].total.source, (HashTotal{0, 8}));
    EXPECT_EQ(buckets[1].total.target, (HashTotal{0, 9}));
    EXPECT_EQ(range_of_bucket(12, 4), 3);
    EXPECT_EQ(range_of_bucket(31, 4), 8);
}

TEST(DifferingBuckets, AreReadWholeAt128Bits) {
    const DivergentRange range{1, {{1, core::join_halves(2, 1)}, {1, core::join_halves(2, 3)}}, false, true, {}};
    const Both<BucketSums> sums{{sums_of({1, 1, 0, 1})}, {sums_of({1, 1, 2, 1})}};
    const std::vector<DivergentRange> buckets = differing_buckets({range}, sums, 2, 128);
    ASSERT_EQ(buckets.size(), 1U);
    EXPECT_EQ(buckets[0].range_no, 2);
    EXPECT_TRUE(buckets[0].total.target.sum == core::join_halves(1, 2));
}

TEST(DifferingBuckets, MustAddUpToTheirRange) {
    const std::vector<DivergentRange> ranges{divergent_range(3, 3, 4)};
    const std::string source = sums_of({1, 2}), target = sums_of({2, 2});
    EXPECT_EQ(differing_buckets(ranges, {{source}, {target}}, 2, 64).size(), 1U);
    EXPECT_EQ(internal_error([&] {
                  differing_buckets(ranges, {{sums_of({1, 3})}, {target}}, 2, 64);
              }),
              "the buckets of range 3 on source do not add up to its digest");
    EXPECT_EQ(internal_error([&] {
                  differing_buckets(ranges, {{source}, {sums_of({2, 1})}}, 2, 64);
              }),
              "the buckets of range 3 on target do not add up to its digest");
    EXPECT_EQ(internal_error([&] {
                  differing_buckets(ranges, {{source}, {sums_of({4})}}, 2, 64);
              }),
              "target sent another number of buckets of range 3 than was asked for");
    EXPECT_EQ(internal_error([&] {
                  differing_buckets({divergent_range(3, 3, 3)}, {{source}, {source}}, 2, 64);
              }),
              "range 3 is divergent, but its buckets are equal");
    EXPECT_EQ(internal_error([&] {
                  differing_buckets(ranges, {{source}, {}}, 2, 64);
              }),
              "a server sent the buckets of other ranges than were asked for");
}

TEST(HashTotal, AddsHashesOf64BitsWithoutCarry) {
    HashTotal total;
    total.add(std::string(8, '\xff'));
    total.add(std::string(7, '\0') + '\x02');
    EXPECT_EQ(total, (HashTotal{2, 1}));
}

TEST(HashTotal, AddsHashesOf128BitsWithCarry) {
    HashTotal total;
    total.add(std::string(8, '\0') + std::string(8, '\xff'));
    total.add(std::string(15, '\0') + '\x02');
    EXPECT_EQ(total, (HashTotal{2, core::join_halves(1, 1)}));
}

TEST(HashTotal, AddsTotalsModuloTheWidth) {
    HashTotal narrow{1, ~std::uint64_t{0}};
    narrow.add({1, 1}, 64);
    EXPECT_EQ(narrow, (HashTotal{2, 0}));
    HashTotal wide{1, ~std::uint64_t{0}};
    wide.add({1, 1}, 128);
    EXPECT_EQ(wide, (HashTotal{2, core::join_halves(0, 1)}));
}

}  // namespace
}  // namespace parity::driver
