#include "driver/postgres/feed/bounds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "driver/digests/division.h"
#include "tests/support/key_bounds.h"

namespace parity::driver {
namespace {

using core::Form;
using test::frame;
using test::int_frame;
using test::key_bound;

const std::vector<Form> kInt{Form::kInt};

std::vector<std::string> ints(int first, int last) {
    std::vector<std::string> keys;
    for (int i = first; i <= last; ++i) keys.push_back(int_frame(i));
    return keys;
}

TEST(BoundsOfSample, AreEven) {
    EXPECT_EQ(bounds_of_sample(ints(1, 100), kInt, 4),
              (std::vector<std::string>{key_bound(int_frame(26)), key_bound(int_frame(51)), key_bound(int_frame(76))}));
}

/// Integers lie little endian in a frame: the order of bytes is another one.
TEST(BoundsOfSample, AreInTheOrderOfForms) {
    std::vector<std::string> keys = ints(-500, 500);
    std::shuffle(keys.begin(), keys.end(), std::mt19937(1));
    const std::vector<std::string> bounds = bounds_of_sample(keys, kInt, 100);
    EXPECT_EQ(bounds.size(), 99u);
    check_bounds(bounds, kInt);
}

TEST(BoundsOfSample, ComeOnceEach) {
    std::vector<std::string> keys(1000, int_frame(7));
    EXPECT_EQ(bounds_of_sample(keys, kInt, 10), std::vector<std::string>{key_bound(int_frame(7))});
    keys.push_back(int_frame(8));
    EXPECT_EQ(bounds_of_sample(keys, kInt, 10),
              (std::vector<std::string>{key_bound(int_frame(7)), key_bound(int_frame(8))}));
}

TEST(BoundsOfSample, AreNeverMoreThanAskedFor) {
    for (const int ranges : {2, 3, 7, 99, 100, 101, 102, 1000}) {
        const std::vector<std::string> bounds = bounds_of_sample(ints(1, 100), kInt, ranges);
        EXPECT_EQ(bounds.size(), static_cast<std::size_t>(std::min(ranges - 1, 100)));
        check_bounds(bounds, kInt);
    }
    for (const int ranges : {-1, 0, 1}) EXPECT_TRUE(bounds_of_sample(ints(1, 100), kInt, ranges).empty());
    EXPECT_TRUE(bounds_of_sample({}, kInt, 10).empty());
}

/// A histogram has the first column only.
TEST(BoundsOfSample, MayBeOnFirstColumns) {
    const std::vector<Form> forms{Form::kText, Form::kInt};
    std::vector<std::string> keys;
    for (const char* text : {"b", "", "a", "aa", "B"}) keys.push_back(frame(Form::kText, text));
    const std::vector<std::string> bounds = bounds_of_sample(keys, forms, 9);
    check_bounds(bounds, forms);
    EXPECT_EQ(bounds.front(), key_bound(frame(Form::kText, "")));
    EXPECT_EQ(bounds.back(), key_bound(frame(Form::kText, "b")));
    EXPECT_EQ(bounds.size(), 5u);
}

TEST(BoundsOfSample, HaveNullsLast) {
    const std::vector<std::string> keys{frame(Form::kInt, std::nullopt), int_frame(1)};
    EXPECT_EQ(bounds_of_sample(keys, kInt, 3),
              (std::vector<std::string>{key_bound(int_frame(1)), key_bound(frame(Form::kInt, std::nullopt))}));
}

}  // namespace
}  // namespace parity::driver
