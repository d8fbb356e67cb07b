#include "driver/monitor/run_meter.h"

#include <gtest/gtest.h>

#include "driver/model/error.h"
#include "driver/waiting/wall_clock.h"

namespace parity::driver {
namespace {

using std::chrono::seconds;

RunMeter::Time at_second(int second) { return RunMeter::Time{seconds(second)}; }

/// A meter with a clock that a test moves, and a plan of three tables.
class RunMeterTest : public ::testing::Test {
  protected:
    RunMeterTest() {
        plan_.tables.resize(3);
        meter_.begin_run(plan_);
    }

    static TableResult result(const std::string& source_lsn, const std::string& target_lsn, FindingCounts counts = {},
                              const std::string& error = {}) {
        TableResult made;
        made.lsn = {source_lsn, target_lsn};
        made.counts = counts;
        made.error = error;
        return made;
    }

    Plan plan_;
    int now_ = 100;
    RunMeter meter_{[this] { return at_second(now_); }};
};

TEST_F(RunMeterTest, CountsTablesByHowTheyEnded) {
    EXPECT_EQ(meter_.figures().units, 3U);
    EXPECT_EQ(meter_.figures().pending(), 3U);
    meter_.finish_table(0, result("0/10", "0/20"));
    meter_.finish_table(1, result("0/10", "0/20", {}, "it failed"));
    EXPECT_EQ(meter_.figures().done, 1U);
    EXPECT_EQ(meter_.figures().failed, 1U);
    EXPECT_EQ(meter_.figures().pending(), 1U);
    meter_.postpone_table(2, Error(ErrorKind::kConnection, "lost"), std::chrono::milliseconds(10));
    meter_.postpone_table(2, Error(ErrorKind::kConnection, "lost"), std::chrono::milliseconds(10));
    EXPECT_EQ(meter_.figures().retries, 2U);
    EXPECT_EQ(meter_.figures().pending(), 1U);
}

TEST_F(RunMeterTest, CountsTablesOfWhichSomethingCouldNotBeRead) {
    TableResult unread = result("0/10", "0/20");
    unread.dead_letters.resize(3);
    meter_.finish_table(0, unread);
    meter_.finish_table(1, result("0/10", "0/20"));
    EXPECT_EQ(meter_.figures().done, 2U);
    EXPECT_EQ(meter_.figures().dead, 1U);
    meter_.reopen_table(0, unread);
    EXPECT_EQ(meter_.figures().dead, 0U);
}

TEST_F(RunMeterTest, AddsUpFindingsOfTablesThatFailedToo) {
    meter_.finish_table(0, result("", "", {1, 20, 300}));
    meter_.finish_table(1, result("", "", {4000, 50000, 600000}, "it failed"));
    EXPECT_EQ(meter_.figures().findings, (FindingCounts{4001, 50020, 600300}));
}

TEST_F(RunMeterTest, CountsOnceWhatIsFinishedTwice) {
    const TableResult first = result("0/10", "0/20", {1, 20, 300});
    meter_.finish_table(0, first);
    meter_.reopen_table(0, first);
    EXPECT_EQ(meter_.figures().pending(), 3U);
    EXPECT_EQ(meter_.figures().findings, FindingCounts{});
    meter_.finish_table(0, result("0/30", "0/40", {2, 0, 0}));
    EXPECT_EQ(meter_.figures().done, 1U);
    EXPECT_EQ(meter_.figures().findings, (FindingCounts{2, 0, 0}));
}

TEST_F(RunMeterTest, IsVerifiedThroughTheLowestPositionOfWhatIsDone) {
    EXPECT_FALSE(meter_.figures().side.source.verified_lsn);
    meter_.finish_table(0, result("1/00000010", "0/30"));
    meter_.finish_table(1, result("0/00000020", "0/40"));
    meter_.finish_table(2, result("0/00000001", "0/01", {}, "it failed"));
    EXPECT_EQ(meter_.figures().side.source.verified_lsn, 0x20U);
    EXPECT_EQ(meter_.figures().side.target.verified_lsn, 0x30U);
}

TEST_F(RunMeterTest, TellsTheAgeOfTheOldestSnapshotOfEachSide) {
    EXPECT_EQ(meter_.figures().side.source.snapshot_age, 0);
    meter_.take_snapshot(0, Side::kSource);
    now_ = 130;
    meter_.take_snapshot(0, Side::kTarget);
    meter_.take_snapshot(1, Side::kSource);
    now_ = 150;
    EXPECT_EQ(meter_.figures().side.source.snapshot_age, 50);
    EXPECT_EQ(meter_.figures().side.target.snapshot_age, 20);
    EXPECT_EQ(meter_.figures().side.source.longest_snapshot, 50);
    meter_.drop_snapshots(0);
    now_ = 160;
    EXPECT_EQ(meter_.figures().side.source.snapshot_age, 30);
    EXPECT_EQ(meter_.figures().side.target.snapshot_age, 0);
    EXPECT_EQ(meter_.figures().side.source.longest_snapshot, 50);
    EXPECT_EQ(meter_.figures().side.target.longest_snapshot, 20);
    now_ = 200;
    EXPECT_EQ(meter_.figures().side.source.longest_snapshot, 70);
}

TEST_F(RunMeterTest, CountsTheTimeOfReadingsThatOverlapOnce) {
    meter_.take_snapshot(0, Side::kSource);
    meter_.take_snapshot(1, Side::kSource);
    meter_.read(0, Side::kSource, {at_second(100), at_second(110), 1000, {}});
    meter_.read(0, Side::kTarget, {at_second(100), at_second(140), 1000, 77});
    now_ = 140;
    meter_.drop_snapshots(0);
    meter_.read(1, Side::kSource, {at_second(105), at_second(120), 500, {}});
    meter_.drop_snapshots(1);
    const RunFigures figures = meter_.figures();
    EXPECT_EQ(figures.side.source.rows, 1500U);
    EXPECT_EQ(figures.side.source.seconds, 20);
    EXPECT_FALSE(figures.side.source.bytes);
    EXPECT_EQ(figures.side.target.seconds, 40);
    EXPECT_EQ(figures.side.target.bytes, 77U);
}

TEST_F(RunMeterTest, KnowsWhenSomethingWasHeardLast) {
    const std::int64_t before = wall_clock_us();
    meter_.progress(0, Side::kSource, 1, 2);
    EXPECT_GE(meter_.figures().heard_us, before);
    EXPECT_LE(meter_.figures().heard_us, wall_clock_us());
}

}  // namespace
}  // namespace parity::driver
