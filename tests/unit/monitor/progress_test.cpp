#include "driver/monitor/progress.h"

#include <gtest/gtest.h>

namespace parity::driver {
namespace {

TEST(ProgressLine, TellsNamesTimesTablesAndRows) {
    EXPECT_EQ(progress_line({0.25, 1'250'000, 10, 2, 12, {"public.orders"}}),
              "25 %, public.orders, 0:10, 0:30 left, 2 of 12 tables, 1.2 M rows, 125.0 k rows/s");
}

TEST(ProgressLine, NamesAFewOfTheTablesUnderWay) {
    EXPECT_EQ(progress_line({0.25, 0, 0, 2, 12, {"a", "b", "c"}}), "25 %, a, b, c, 0:00, 2 of 12 tables, 0 rows");
    EXPECT_EQ(progress_line({0.25, 0, 0, 2, 12, {"a", "b", "c", "d", "e"}}),
              "25 %, a, b, c, 2 more, 0:00, 2 of 12 tables, 0 rows");
}

TEST(ProgressLine, ForecastsNothingAtTheStart) {
    EXPECT_EQ(progress_line({0, 0, 0, 0, 3}), "0 %, 0:00, 0 of 3 tables, 0 rows");
    EXPECT_EQ(progress_line({0.5, 100, 0.2, 0, 3}), "50 %, 0:00, 0 of 3 tables, 100 rows, 500 rows/s");
}

TEST(ProgressLine, ForecastsNothingWhenAllIsRead) {
    EXPECT_EQ(progress_line({1, 100, 50, 0, 1, {"public.t: 7 differing rows"}}),
              "100 %, public.t: 7 differing rows, 0:50, 0 of 1 tables, 100 rows, 2 rows/s");
    EXPECT_EQ(progress_line({0.999, 100, 10, 0, 2}).find("left"), std::string::npos);
}

TEST(ProgressLine, ForecastsWhenValuesAreThere) {
    EXPECT_NE(progress_line({1, 100, 50, 0, 1, {"t"}, 75.0}).find("0:50, 1:15 left"), std::string::npos);
    EXPECT_NE(progress_line({0.5, 100, 50, 0, 1, {"t"}, 5.0}).find("0:50 left"), std::string::npos);
}

TEST(ProgressLine, ShowsHours) {
    EXPECT_NE(progress_line({0.01, 1, 100, 0, 1}).find("2:45:00 left"), std::string::npos);
}

TEST(DescribeProgress, TellsTheSidesWhereOneIsWellBehind) {
    EXPECT_EQ(describe_progress({"t", {0.52, 0.24}, {}}), "t (source 52 %, target 24 %)");
    EXPECT_EQ(describe_progress({"t", {0.52, 0.49}, {}}), "t");
    EXPECT_EQ(describe_progress({"t", {1, 1}, 12'345}), "t: 12.3 k differing rows");
    EXPECT_EQ(describe_progress({"t", {1, 1}, 200, 50, 200}), "t: 200 differing rows, 25 % of their values");
}

TEST(ProgressBar, FillsWithTheShareAndFitsTheTerminal) {
    EXPECT_TRUE(progress_bar({0.5, 0, 0, 0, 1}, 200).starts_with("[##########..........] 50 %"));
    EXPECT_TRUE(progress_bar({1, 0, 0, 1, 1}, 200).starts_with("[####################] 100 %"));
    EXPECT_EQ(progress_bar({0.5, 0, 0, 0, 1}, 30).size(), 29U);
    EXPECT_EQ(progress_bar({0.5, 0, 0, 0, 1}, 0), "");
}

TEST(ProgressBar, CutsCharactersWhole) {
    const std::string whole = progress_bar({0, 0, 0, 0, 1, {"日日日日"}}, 200);
    for (std::size_t width = 40; width < 60; ++width) {
        const std::string cut = progress_bar({0, 0, 0, 0, 1, {"日日日日"}}, width);
        ASSERT_TRUE(whole.starts_with(cut));
        ASSERT_TRUE(cut.size() == whole.size() || (static_cast<unsigned char>(whole[cut.size()]) & 0xC0) != 0x80)
            << width;
    }
}

}  // namespace
}  // namespace parity::driver
