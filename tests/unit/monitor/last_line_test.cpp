#include "driver/monitor/last_line.h"

#include <gtest/gtest.h>

namespace parity::driver {
namespace {

RunFigures figures_of(std::size_t units, std::size_t done, std::size_t failed) {
    RunFigures figures;
    figures.units = units;
    figures.done = done;
    figures.failed = failed;
    return figures;
}

TEST(LastLine, TellsTablesFailuresTimeAndSpeeds) {
    RunFigures figures = figures_of(415, 412, 3);
    figures.side.source = {1'204'000, {}, 1};
    figures.side.target = {1'960'000, {}, 2};
    EXPECT_EQ(
        last_line(figures, 723),
        "412 of 415 tables compared, 3 failed (0.7 %), 12 min 3 s, source 1,200,000 rows/s, target 980,000 rows/s");
}

TEST(LastLine, TellsNoSpeedOfASideThatReadNothing) {
    RunFigures figures = figures_of(1, 1, 0);
    EXPECT_EQ(last_line(figures, 0.04), "1 of 1 tables compared, 0 failed, 0.0 s");
    figures.side.target = {42, {}, 0.5};
    EXPECT_EQ(last_line(figures, 59.6), "1 of 1 tables compared, 0 failed, 1 min 0 s, target 84 rows/s");
}

TEST(LastLine, TellsWhatWasNotBegun) {
    EXPECT_EQ(last_line(figures_of(10, 3, 1), 4000),
              "3 of 10 tables compared, 1 failed (10.0 %), 6 not begun, 1 h 6 min");
}

TEST(LastLine, RoundsNoShareToAllOrNothing) {
    EXPECT_NE(last_line(figures_of(100'000, 99'999, 1), 1).find("1 failed (less than 0.1 %)"), std::string::npos);
    EXPECT_NE(last_line(figures_of(10'000, 1, 9'999), 1).find("9999 failed (99.9 %)"), std::string::npos);
    EXPECT_NE(last_line(figures_of(7, 0, 7), 1).find("7 failed (100 %)"), std::string::npos);
    EXPECT_NE(last_line(figures_of(0, 0, 0), 1).find("0 of 0 tables compared, 0 failed,"), std::string::npos);
}

TEST(LastLine, ShowsSpeedsToThreeFigures) {
    RunFigures figures = figures_of(1, 1, 0);
    figures.side.source = {999'700, {}, 1};
    figures.side.target = {12'345, {}, 1};
    EXPECT_NE(last_line(figures, 1).find("source 1,000,000 rows/s, target 12,300 rows/s"), std::string::npos);
    figures.side.target = {5, {}, 10};
    EXPECT_NE(last_line(figures, 1).find("target 1 rows/s"), std::string::npos);
}

}  // namespace
}  // namespace parity::driver
