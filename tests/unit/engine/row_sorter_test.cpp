#include "driver/engine/row_sorter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>
#include <tuple>

namespace parity::driver {
namespace {

using namespace std::string_literals;
using SortedRow = std::tuple<int, std::string, std::string, std::string>;

RowDigest digest(const SortedRow& row) {
    return {std::get<0>(row), std::get<1>(row), std::get<2>(row), std::get<3>(row)};
}

std::vector<SortedRow> sorted(RowSorter& sorter) {
    std::vector<SortedRow> rows;
    const std::unique_ptr<RowSource> source = sorter.sorted();
    for (RowDigest row; source->next(row);) rows.emplace_back(row.range_no, row.key, row.row_hash, row.cell_hashes);
    return rows;
}

std::vector<std::pair<std::uint32_t, std::string>> locations(RowSorter& sorter, const std::vector<std::string>& keys) {
    std::vector<std::pair<std::uint32_t, std::string>> found;
    sorter.find(keys,
                [&](const RowLocation& location) { found.emplace_back(location.part, std::string(location.tid)); });
    std::sort(found.begin(), found.end());
    return found;
}

constexpr std::size_t kMemory = 1 << 20;

TEST(RowSorter, HasNoRowsAtFirst) {
    RowSorter sorter(kMemory);
    EXPECT_EQ(sorted(sorter), std::vector<SortedRow>{});
    EXPECT_TRUE(locations(sorter, {"k"}).empty());
}

TEST(RowSorter, OrdersByRangeKeyAndHashAsBytes) {
    // what a comparison of signed characters, of C strings or of texts would order otherwise
    const std::vector<SortedRow> rows = {{1, "", "", ""},       {1, "\0"s, "h", "c"},     {1, "\0\0"s, "h", "c"},
                                         {1, "\0a"s, "h", "c"}, {1, "A", "\0\377"s, "c"}, {1, "A", "\x01"s, "c"},
                                         {1, "A", "\x7F", "c"}, {1, "A", "\x80", "c"},    {1, "A", "\x80", "c"},
                                         {1, "AB", "h", ""},    {1, "a", "h", "c\0d"s},   {1, "\xC3\xA4", "h", "c"},
                                         {1, "\xFF", "h", "c"}, {2, "", "h", "c"},        {10, "", "h", "c"}};
    for (const unsigned seed : {1, 2, 3}) {
        std::vector<SortedRow> shuffled = rows;
        std::shuffle(shuffled.begin(), shuffled.end(), std::mt19937(seed));
        RowSorter sorter(kMemory);
        for (const SortedRow& row : shuffled) sorter.add(digest(row), {0, "123456"});
        EXPECT_EQ(sorted(sorter), rows);
    }
}

TEST(RowSorter, FindsThePlacesOfKeys) {
    RowSorter sorter(kMemory);
    sorter.add(digest({1, "a", "h1", ""}), {0, "\0\0\0\1\0\1"s});
    sorter.add(digest({1, "a", "h2", ""}), {7, "\0\0\0\1\0\2"s});
    sorter.add(digest({2, "b\0"s, "h", ""}), {4294967295U, ""});
    sorter.add(digest({2, "b", "h", ""}), {1, "\0\0\0\1\0\3"s});
    sorter.add(digest({2, "", "h", ""}), {2, "\0\0\0\1\0\4"s});
    EXPECT_EQ(sorted(sorter).size(), 5u);
    using Locations = std::vector<std::pair<std::uint32_t, std::string>>;
    EXPECT_EQ(locations(sorter, {"a"}), (Locations{{0, "\0\0\0\1\0\1"s}, {7, "\0\0\0\1\0\2"s}}));
    EXPECT_EQ(locations(sorter, {"b\0"s}), (Locations{{4294967295U, ""}}));
    EXPECT_EQ(locations(sorter, {""}), (Locations{{2, "\0\0\0\1\0\4"s}}));
    EXPECT_EQ(locations(sorter, {"A", "aa", "c"}), Locations{});
    EXPECT_EQ(locations(sorter, {"a", "b"}).size(), 3u);
}

/// More than fits into the memory that it is given, by several threads, each row once.
TEST(RowSorter, OrdersMoreThanItsMemoryFromSeveralThreads) {
    constexpr int kThreads = 4, kRows = 20000;
    RowSorter sorter(64 << 10);
    const auto row = [](int thread, int i) {
        std::uint64_t key = static_cast<std::uint64_t>(i * kThreads + thread) * 0x9E3779B97F4A7C15u;
        return SortedRow{i % 7 + 1, std::string(reinterpret_cast<const char*>(&key), sizeof key),
                         "hash" + std::to_string(i), std::string(100, static_cast<char>(thread))};
    };
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread)
        threads.emplace_back([&sorter, &row, thread] {
            for (int i = 0; i < kRows; ++i)
                sorter.add(digest(row(thread, i)), {static_cast<std::uint32_t>(thread), "t"});
        });
    for (std::thread& thread : threads) thread.join();
    std::vector<SortedRow> expected;
    for (int thread = 0; thread < kThreads; ++thread)
        for (int i = 0; i < kRows; ++i) expected.push_back(row(thread, i));
    std::sort(expected.begin(), expected.end());
    EXPECT_TRUE(sorted(sorter) == expected);
    EXPECT_EQ(locations(sorter, {std::get<1>(row(2, 17))}),
              (std::vector<std::pair<std::uint32_t, std::string>>{{2, "t"}}));
}

}  // namespace
}  // namespace parity::driver
