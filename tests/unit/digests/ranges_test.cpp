#include "driver/digests/ranges.h"

#include <gtest/gtest.h>

#include <vector>

#include "driver/model/error.h"

namespace parity::driver {
namespace {

core::Digest digest_of(std::uint64_t rows, std::uint64_t sum) {
    core::Digest made{};
    made.width = 64;
    made.count = rows;
    made.sum_low = sum;
    return made;
}

RangeDigests range(int number, std::uint64_t rows, std::uint64_t sum) {
    return {number, rows, digest_of(rows, sum), digest_of(rows, sum + 1), {digest_of(rows, sum + 2)}};
}

TEST(AddDigests, RangesAreAddedOneByOne) {
    std::vector<RangeDigests> whole{range(1, 2, 10), range(4, 0, 0)};
    add_digests(whole, {range(1, 3, 100), range(4, 1, 7)});
    EXPECT_EQ(whole[0].rows, 5U);
    EXPECT_EQ(whole[0].key.count, 5U);
    EXPECT_EQ(whole[0].key.sum_low, 110U);
    EXPECT_EQ(whole[0].row.sum_low, 112U);
    EXPECT_EQ(whole[0].columns[0].sum_low, 114U);
    EXPECT_EQ(whole[1].rows, 1U);
    EXPECT_EQ(whole[1].key.sum_low, 7U);
}

TEST(AddDigests, OtherRangesAreRefused) {
    std::vector<RangeDigests> whole{range(1, 2, 10)};
    EXPECT_THROW(add_digests(whole, {}), Error);
    EXPECT_THROW(add_digests(whole, {range(2, 2, 10)}), Error);
    RangeDigests more_columns = range(1, 2, 10);
    more_columns.columns.push_back(digest_of(2, 1));
    EXPECT_THROW(add_digests(whole, {more_columns}), Error);
    RangeDigests other_width = range(1, 2, 10);
    other_width.row.width = 128;
    EXPECT_THROW(add_digests(whole, {other_width}), Error);
}

TEST(Emptied, TheRangeStaysAndItsRowsGo) {
    RangeDigests full = range(3, 2, 10);
    full.key.tag = 77;
    const RangeDigests none = emptied(full);
    EXPECT_EQ(none.range_no, 3);
    EXPECT_EQ(none.rows, 0U);
    EXPECT_EQ(none.key.tag, 77U);
    EXPECT_EQ(none.columns[0].count, 0U);
}

}  // namespace
}  // namespace parity::driver
