#include "driver/compare/object_bytes.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "driver/model/error.h"

namespace parity::driver {
namespace {

struct Page {
    std::uint32_t object;
    std::int32_t number;
    std::string bytes;
};

/// Gives pages from memory that is overwritten at once, as a connection's is.
class Pages : public LargeObjectPages {
  public:
    explicit Pages(std::vector<Page> pages) : pages_(std::move(pages)) {}
    bool next(LargeObjectPage& page) override {
        if (at_ == pages_.size()) return false;
        bytes_ = pages_[at_].bytes;
        page = {pages_[at_].object, pages_[at_].number, bytes_};
        ++at_;
        return true;
    }

  private:
    std::vector<Page> pages_;
    std::string bytes_;
    std::size_t at_ = 0;
};

std::vector<LargeObjectComparison> compare(std::vector<Page> source, std::vector<Page> target,
                                           Both<std::int64_t> page_bytes = {4, 4}) {
    Pages a(std::move(source)), b(std::move(target));
    std::vector<LargeObjectComparison> found;
    compare_large_object_bytes({&a, &b}, page_bytes, [&](const LargeObjectComparison& one) { found.push_back(one); });
    return found;
}

/// What is found of the only object.
LargeObjectComparison compare_one(std::vector<Page> source, std::vector<Page> target,
                                  Both<std::int64_t> page_bytes = {4, 4}) {
    const auto found = compare(std::move(source), std::move(target), page_bytes);
    EXPECT_EQ(found.size(), 1U);
    return found.empty() ? LargeObjectComparison{} : found.front();
}

using Offset = std::optional<std::uint64_t>;
const std::string kZeros(4, '\0');

TEST(LargeObjectBytes, SamePagesAreTheSame) {
    const auto found = compare_one({{7, 0, "abcd"}, {7, 1, "e"}}, {{7, 0, "abcd"}, {7, 1, "e"}});
    EXPECT_EQ(found.object, 7U);
    EXPECT_EQ(found.first_difference, Offset());
    EXPECT_EQ(found.length.source, 5U);
    EXPECT_EQ(found.stored, FindingCounts{});
}

TEST(LargeObjectBytes, OneByteDiffers) {
    const auto found = compare_one({{7, 0, "abcd"}, {7, 1, "efgh"}}, {{7, 0, "abcd"}, {7, 1, "efGh"}});
    EXPECT_EQ(found.first_difference, Offset(6));
    EXPECT_EQ(found.stored, (FindingCounts{1, 0, 0}));
}

TEST(LargeObjectBytes, HolesAreZeros) {
    const auto found = compare_one({{7, 2, "ij"}}, {{7, 0, kZeros}, {7, 1, kZeros}, {7, 2, "ij"}});
    EXPECT_EQ(found.first_difference, Offset());
    EXPECT_EQ(found.length.source, 10U);
    EXPECT_EQ(found.length.target, 10U);
    EXPECT_EQ(found.stored, (FindingCounts{0, 0, 2}));
    EXPECT_EQ(compare_one({{7, 2, "ij"}}, {{7, 0, kZeros}, {7, 1, "\0\0\0x"}, {7, 2, "ij"}}).first_difference,
              Offset());
}

TEST(LargeObjectBytes, AHoleIsNotData) {
    const auto found = compare_one({{7, 2, "ij"}}, {{7, 0, kZeros}, {7, 1, std::string("\0\0\0x", 4)}, {7, 2, "ij"}});
    EXPECT_EQ(found.first_difference, Offset(7));
}

TEST(LargeObjectBytes, AShortPageBeforeAnotherIsPaddedWithZeros) {
    const auto equal = compare_one({{7, 0, "ab"}, {7, 1, "e"}}, {{7, 0, std::string("ab\0\0", 4)}, {7, 1, "e"}});
    EXPECT_EQ(equal.first_difference, Offset());
    EXPECT_EQ(equal.stored, (FindingCounts{1, 0, 0}));
    EXPECT_EQ(compare_one({{7, 0, "ab"}, {7, 1, "e"}}, {{7, 0, "abc"}, {7, 1, "e"}}).first_difference, Offset(2));
}

TEST(LargeObjectBytes, ATrailingPageOfZerosMakesItLonger) {
    const auto found = compare_one({{7, 0, "abcd"}}, {{7, 0, "abcd"}, {7, 1, std::string(2, '\0')}});
    EXPECT_EQ(found.first_difference, Offset(4));
    EXPECT_EQ(found.length.source, 4U);
    EXPECT_EQ(found.length.target, 6U);
}

TEST(LargeObjectBytes, ATrailingPageWithoutBytesDoesNot) {
    const auto found = compare_one({{7, 0, "abcd"}}, {{7, 0, "abcd"}, {7, 1, ""}});
    EXPECT_EQ(found.first_difference, Offset());
    EXPECT_EQ(found.stored, (FindingCounts{0, 0, 1}));
    // behind a hole it does
    EXPECT_EQ(compare_one({{7, 0, "abcd"}}, {{7, 0, "abcd"}, {7, 2, ""}}).first_difference, Offset(4));
}

TEST(LargeObjectBytes, EmptyPagesOnBothSidesAreSeenTogether) {
    const auto found = compare_one({{7, 0, "ab"}, {7, 1, ""}, {7, 2, "x"}}, {{7, 0, "abcd"}, {7, 1, ""}, {7, 2, "x"}});
    EXPECT_EQ(found.first_difference, Offset(2));
    EXPECT_EQ(found.stored, (FindingCounts{1, 0, 0}));
}

TEST(LargeObjectBytes, WhereOneEndsItDiffersAtTheLatest) {
    const auto found = compare_one({{7, 0, "ab"}}, {{7, 0, std::string("ab\0\0", 4)}, {7, 1, "x"}});
    EXPECT_EQ(found.first_difference, Offset(2));
    EXPECT_EQ(compare_one({}, {{7, 0, "a"}}).first_difference, Offset(0));
}

TEST(LargeObjectBytes, ObjectsAreToldApart) {
    const auto found = compare({{1, 0, "a"}, {2, 0, "b"}, {4, 0, "d"}}, {{1, 0, "a"}, {3, 0, "c"}, {4, 0, "D"}});
    ASSERT_EQ(found.size(), 4U);
    EXPECT_EQ(found[0].first_difference, Offset());
    EXPECT_EQ(found[1].length.target, 0U);
    EXPECT_EQ(found[1].stored, (FindingCounts{0, 1, 0}));
    EXPECT_EQ(found[2].length.source, 0U);
    EXPECT_EQ(found[3].first_difference, Offset(0));
}

TEST(LargeObjectBytes, PagesOfOtherSizes) {
    EXPECT_EQ(compare_one({{7, 0, "abcd"}, {7, 1, "ef"}}, {{7, 0, "abcdef"}}, {4, 8}).first_difference, Offset());
    EXPECT_EQ(compare_one({{7, 0, "abcd"}, {7, 1, "ef"}}, {{7, 0, "abcdeF"}}, {4, 8}).first_difference, Offset(5));
    EXPECT_EQ(compare_one({{7, 3, "x"}}, {{7, 1, std::string("\0\0\0\0x", 5)}}, {4, 8}).first_difference, Offset());
}

TEST(LargeObjectBytes, PagesThatAreNoneAreRefused) {
    const auto refused = [](std::vector<Page> pages) { EXPECT_THROW(compare(pages, {}), Error); };
    refused({{7, 1, "a"}, {7, 0, "b"}});
    refused({{7, 0, "a"}, {7, 0, "a"}});
    refused({{7, 0, "a"}, {6, 0, "a"}});
    refused({{7, 0, "abcde"}});
    refused({{7, -1, "a"}});
}

/// Random objects as they may be stored, and their bytes by themselves.
struct Stored {
    std::vector<Page> pages;
    std::string bytes;
};

Stored store(std::mt19937& random, std::size_t page_bytes) {
    Stored stored;
    for (std::int32_t number = 0; number < 4; ++number) {
        if (random() % 2) continue;
        std::string bytes(random() % (page_bytes + 1), '\0');
        for (char& byte : bytes) byte = random() % 3 ? '\0' : 'x';
        stored.bytes.resize(static_cast<std::size_t>(number) * page_bytes, '\0');
        stored.bytes += bytes;
        stored.pages.push_back({7, number, bytes});
    }
    return stored;
}

TEST(LargeObjectBytes, AgreesWithTheBytesThemselves) {
    std::mt19937 random(testing::UnitTest::GetInstance()->random_seed());
    for (int i = 0; i < 20000; ++i) {
        const std::int64_t size = i % 2 ? 3 : 2;
        const Stored a = store(random, 3), b = store(random, static_cast<std::size_t>(size));
        const auto found = compare(a.pages, b.pages, {3, size});
        if (found.empty()) continue;
        const auto common = std::min(a.bytes.size(), b.bytes.size());
        Offset expected;
        for (std::size_t at = 0; at < common && !expected; ++at)
            if (a.bytes[at] != b.bytes[at]) expected = at;
        if (!expected && a.bytes.size() != b.bytes.size()) expected = common;
        ASSERT_EQ(found.front().first_difference, expected) << i;
        ASSERT_EQ(found.front().length.source, a.bytes.size());
        ASSERT_EQ(found.front().length.target, b.bytes.size());
        if (size != 3) continue;
        FindingCounts stored;
        std::map<std::int32_t, Both<const std::string*>> pages;
        for (const Page& page : a.pages) pages[page.number].source = &page.bytes;
        for (const Page& page : b.pages) pages[page.number].target = &page.bytes;
        for (const auto& [number, sides] : pages) {
            stored.missing_on_target += !sides.target;
            stored.missing_on_source += !sides.source;
            stored.mismatch += sides.source && sides.target && *sides.source != *sides.target;
        }
        ASSERT_EQ(found.front().stored, stored) << i;
    }
}

}  // namespace
}  // namespace parity::driver
