#include "driver/monitor/progress.h"

#include <gtest/gtest.h>

namespace parity::driver {
namespace {

TEST(ProgressLine, TellsShareRowsSpeedAndTimeLeft) {
    EXPECT_EQ(progress_line({0.25, 1'250'000, 10, 2, 12, "public.orders"}),
              "25 %, 1.2 M rows, 125.0 k rows/s, 0:30 left, 2 of 12 tables, public.orders");
}

TEST(ProgressLine, ForecastsNothingAtTheStart) {
    EXPECT_EQ(progress_line({0, 0, 0, 0, 3, ""}), "0 %, 0 rows, 0 of 3 tables");
    EXPECT_EQ(progress_line({0.5, 100, 0.2, 0, 3, ""}), "50 %, 100 rows, 500 rows/s, 0 of 3 tables");
}

TEST(ProgressLine, ForecastsNothingWhenAllIsRead) {
    EXPECT_EQ(progress_line({1, 100, 50, 0, 1, "public.t: 7 differing rows"}),
              "100 %, 100 rows, 2 rows/s, 0 of 1 tables, public.t: 7 differing rows");
    EXPECT_EQ(progress_line({0.999, 100, 10, 0, 2, ""}).find("left"), std::string::npos);
}

TEST(ProgressLine, ShowsHours) {
    EXPECT_NE(progress_line({0.01, 1, 100, 0, 1, ""}).find("2:45:00 left"), std::string::npos);
}

TEST(ProgressBar, FillsWithTheShareAndFitsTheTerminal) {
    EXPECT_TRUE(progress_bar({0.5, 0, 0, 0, 1, ""}, 200).starts_with("[##########..........] 50 %"));
    EXPECT_TRUE(progress_bar({1, 0, 0, 1, 1, ""}, 200).starts_with("[####################] 100 %"));
    EXPECT_EQ(progress_bar({0.5, 0, 0, 0, 1, ""}, 30).size(), 29U);
    EXPECT_EQ(progress_bar({0.5, 0, 0, 0, 1, ""}, 0), "");
}

TEST(ProgressBar, CutsCharactersWhole) {
    const std::string whole = progress_bar({0, 0, 0, 0, 1, "日日日日"}, 200);
    for (std::size_t width = 40; width < 60; ++width) {
        const std::string cut = progress_bar({0, 0, 0, 0, 1, "日日日日"}, width);
        ASSERT_TRUE(whole.starts_with(cut));
        ASSERT_TRUE(cut.size() == whole.size() || (static_cast<unsigned char>(whole[cut.size()]) & 0xC0) != 0x80)
            << width;
    }
}

}  // namespace
}  // namespace parity::driver
