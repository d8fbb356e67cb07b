#include "driver/digests/spans.h"

#include <gtest/gtest.h>

#include "tests/support/key_bounds.h"

namespace parity::driver {
namespace {

using test::int_bound;
using test::int_frame;
using test::key_bound;
using test::kIntKey;

const std::vector<core::Form> kPairKey{core::Form::kInt, core::Form::kInt};

std::string pair_bound(int first, int second) { return key_bound(int_frame(first) + int_frame(second)); }

std::vector<std::string> int_bounds(int first, int last) {
    std::vector<std::string> bounds;
    for (int value = first; value <= last; ++value) bounds.push_back(int_bound(value));
    return bounds;
}

TEST(SpansOfRanges, FollowOneAnotherFromTheFirstKeyToTheEnd) {
    const std::vector<Span> spans = spans_of_ranges({int_bound(10), int_bound(20)}, 3, kIntKey);
    EXPECT_EQ(spans, (std::vector<Span>{{"", int_bound(10)}, {int_bound(10), int_bound(20)}, {int_bound(20), ""}}));
    EXPECT_EQ(spans_of_ranges({}, 3, kIntKey), (std::vector<Span>{{"", ""}}));
    EXPECT_EQ(spans_of_ranges(int_bounds(1, 3), 1, kIntKey), (std::vector<Span>{{"", ""}}));
}

TEST(SpansOfRanges, HaveAboutAsManyRangesEach) {
    EXPECT_EQ(spans_of_ranges(int_bounds(1, 7), 3, kIntKey),
              (std::vector<Span>{{"", int_bound(2)}, {int_bound(2), int_bound(5)}, {int_bound(5), ""}}));
    EXPECT_EQ(spans_of_ranges(int_bounds(1, 999), 40, kIntKey).size(), 40u);
    EXPECT_EQ(spans_of_ranges(int_bounds(1, 3), 9, kIntKey).size(), 4u);
}

TEST(SpansOfRanges, AreCutWhereTheFirstColumnChanges) {
    const std::vector<std::string> bounds{pair_bound(1, 5), pair_bound(1, 9), pair_bound(2, 3), pair_bound(2, 4)};
    EXPECT_EQ(
        spans_of_ranges(bounds, 5, kPairKey),
        (std::vector<Span>{{"", pair_bound(1, 5)}, {pair_bound(1, 5), pair_bound(2, 3)}, {pair_bound(2, 3), ""}}));
    EXPECT_EQ(spans_of_ranges({pair_bound(1, 5), pair_bound(1, 9)}, 2, kPairKey),
              (std::vector<Span>{{"", pair_bound(1, 5)}, {pair_bound(1, 5), ""}}));
    EXPECT_EQ(spans_of_ranges({pair_bound(1, 5), pair_bound(1, 9), pair_bound(1, 11)}, 2, kPairKey),
              (std::vector<Span>{{"", ""}}));
}

TEST(BoundsInside, AreNotThoseAtTheEnds) {
    const std::vector<std::string> bounds{int_bound(5), int_bound(10), int_bound(15), int_bound(20), int_bound(25)};
    EXPECT_EQ(bounds_inside(bounds, {int_bound(10), int_bound(20)}, kIntKey),
              (std::vector<std::string>{int_bound(15)}));
    EXPECT_EQ(bounds_inside(bounds, {"", int_bound(15)}, kIntKey),
              (std::vector<std::string>{int_bound(5), int_bound(10)}));
    EXPECT_EQ(bounds_inside(bounds, {int_bound(20), ""}, kIntKey), (std::vector<std::string>{int_bound(25)}));
}

TEST(RangesOfTable, AskForNothingOutsideOfTheSpan) {
    const Span span{int_bound(10), int_bound(20)};
    const RangeList all = ranges_of_table({{int_bound(15)}, {}}, span, numbers_before(span, 1));
    EXPECT_EQ(all.bounds, (std::vector<std::string>{int_bound(10), int_bound(15), int_bound(20)}));
    EXPECT_EQ(all.only, (std::vector<std::int32_t>{2, 3}));
    const RangeList one = ranges_of_table({{int_bound(15)}, {2}}, span, numbers_before(span, 1));
    EXPECT_EQ(one.only, (std::vector<std::int32_t>{3}));
}

TEST(RangesOfTable, OfASpanThatIsOpen) {
    const Span first{"", int_bound(20)}, last{int_bound(20), ""};
    EXPECT_EQ(ranges_of_table({{}, {}}, first, numbers_before(first, 1)).only, (std::vector<std::int32_t>{1}));
    const RangeList ranges = ranges_of_table({{}, {}}, last, numbers_before(last, 1));
    EXPECT_EQ(ranges.bounds, (std::vector<std::string>{int_bound(20)}));
    EXPECT_EQ(ranges.only, (std::vector<std::int32_t>{2}));
}

TEST(HalvesOfSpan, AreOfItsRangesAndBeginWithOtherValues) {
    const std::vector<std::string> bounds = int_bounds(1, 7);
    EXPECT_EQ(halves_of_span({"", ""}, bounds, kIntKey), (std::vector<Span>{{"", int_bound(4)}, {int_bound(4), ""}}));
    EXPECT_EQ(halves_of_span({int_bound(2), int_bound(4)}, bounds, kIntKey),
              (std::vector<Span>{{int_bound(2), int_bound(3)}, {int_bound(3), int_bound(4)}}));
    const Span one{int_bound(2), int_bound(3)};
    EXPECT_EQ(halves_of_span(one, bounds, kIntKey), (std::vector<Span>{one}));
}

}  // namespace
}  // namespace parity::driver
