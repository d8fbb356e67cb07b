#include "driver/work/unit_validity.h"

#include <gtest/gtest.h>

namespace parity::driver {
namespace {

constexpr std::uint64_t kRead = 0x3000000;

/// A primary on timeline 2, which left timeline 1 at 0/4000000.
ServerInfo server() {
    ServerInfo server;
    server.identity.started_us = 1000;
    server.identity.timeline = 2;
    server.identity.log_end = 0x5000000;
    server.checkpointer = 77;
    server.log_history = std::vector<LogSwitch>{{1, 0x4000000}};
    return server;
}

ServerInfo restarted() {
    ServerInfo now = server();
    now.identity.started_us = 2000;
    now.checkpointer = 78;
    return now;
}

/// What was read at kRead, and was on disk when the unit was saved.
SidePosition read_on(std::uint32_t timeline) { return {kRead, timeline, 0, false, 1000, 77, 1500, kRead}; }

std::string lost(const SidePosition& read, const ServerInfo& now, bool has_unlogged = false) {
    return why_lost(Side::kTarget, read, has_unlogged, now).value_or("");
}

TEST(WhyLost, NothingOnAServerThatStillRuns) {
    SidePosition read = read_on(2);
    read.on_disk = 0;
    EXPECT_EQ(lost(read, server()), "");
    EXPECT_EQ(lost(read, server(), true), "");
}

TEST(WhyLost, NothingAfterARestartIfItWasOnDisk) { EXPECT_EQ(lost(read_on(2), restarted()), ""); }

TEST(WhyLost, WhatMayNotHaveBeenOnDisk) {
    SidePosition read = read_on(2);
    read.on_disk = kRead - 1;
    EXPECT_EQ(lost(read, restarted()),
              "the target was restarted, and what was read last may not have been on its disk");
}

TEST(WhyLost, UnloggedRowsWithAnyOtherCheckpointer) {
    ServerInfo crashed = server();
    crashed.checkpointer = 78;  // a crash keeps the time of the start
    EXPECT_EQ(lost(read_on(2), crashed, true), "rows of it are unlogged, and the target crashed or was promoted");
    EXPECT_EQ(lost(read_on(2), crashed), "");
    ServerInfo unseen = server();
    unseen.checkpointer = 0;
    SidePosition read = read_on(2);
    read.checkpointer = 0;
    EXPECT_NE(lost(read, unseen, true), "") << "two that are not seen are not the same one";
}

TEST(WhyLost, ALogThatEndsEarlierThanItWasRead) {
    ServerInfo now = restarted();
    now.identity.log_end = kRead - 1;
    EXPECT_EQ(lost(read_on(2), now),
              "the log of the target ends at 0/2FFFFFF now, before 0/3000000, where the table was read");
    now.identity.log_end = kRead;
    EXPECT_EQ(lost(read_on(2), now), "");
}

TEST(WhyLost, CountsUpToWhereATimelineWasLeft) {
    ServerInfo now = restarted();
    EXPECT_EQ(lost(read_on(1), now), "");
    now.log_history->front().end = kRead;
    EXPECT_EQ(lost(read_on(1), now), "");
    now.log_history->front().end = kRead - 1;
    EXPECT_EQ(lost(read_on(1), now),
              "the target left timeline 1 at 0/2FFFFFF, before 0/3000000, where the table was read");
    EXPECT_EQ(lost(read_on(3), now), "the target is on timeline 2 now, which did not come from timeline 3");
}

TEST(WhyLost, WhatTheRoleMayNotSee) {
    ServerInfo now = restarted();
    now.log_history.reset();
    EXPECT_EQ(lost(read_on(1), now),
              "the target is on timeline 2 now, and this role may not read where it left timeline 1");
    EXPECT_EQ(lost(read_on(2), now), "") << "the same timeline needs no history";
    EXPECT_NE(lost(read_on(0), now), "");
    now.identity.timeline = 0;
    EXPECT_EQ(lost(read_on(2), now), "the target was restarted, and this role may not see on which timeline it is");
}

TEST(WhyLost, AStandbyThatWasPromotedIsNotTheSameAnyMore) {
    SidePosition read = read_on(1);
    read.in_recovery = true;
    ServerInfo promoted = server();  // the same process
    promoted.log_history->front().end = kRead - 1;
    EXPECT_NE(lost(read, promoted), "");
}

TEST(WhyLost, APrimaryThatRanBesideTheOneThatWasRead) {
    ServerInfo other = restarted();
    other.identity.started_us = 1200;  // it was read until 1500
    EXPECT_EQ(lost(read_on(2), other),
              "the target is another server now, which ran beside the one where the table was read");
    other.identity.started_us = 1501;
    EXPECT_EQ(lost(read_on(2), other), "");
    SidePosition standby = read_on(2);
    standby.in_recovery = true;
    other.identity.started_us = 1200;
    EXPECT_EQ(lost(standby, other), "") << "a standby has what its primary has";
    EXPECT_EQ(lost(read_on(1), other), "") << "what was before the timelines parted, all of them have";
}

TEST(WhyLost, TheSameTimelineThatBeganElsewhere) {
    SidePosition read = read_on(2);
    read.timeline_began = 0x4000000;
    EXPECT_EQ(lost(read, restarted()), "");
    read.timeline_began = 0x2000000;
    EXPECT_NE(lost(read, restarted()), "");
}

TEST(WhyLost, ARoleThatSeesNoCheckpointerIsToldSo) {
    SidePosition read = read_on(2);
    read.on_disk = 0;
    ServerInfo now = server();
    now.checkpointer = 0;
    EXPECT_EQ(lost(read, now),
              "this role may not see whether the target crashed (pg_read_all_stats), and what was read last may not "
              "have been on its disk");
    now.identity.log_end = kRead - 1;
    now.lsn = "0/3000000";
    read.on_disk = kRead;
    EXPECT_EQ(lost(read, now), "") << "what was written and is not on disk yet is still there";
}

TEST(PositionOf, IsOfTheServerThatAnsweredLast) {
    ServerIdentity seen = server().identity;
    seen.read_us = 1500;
    seen.log_end = kRead;
    const SidePosition position = position_of(server(), seen, "0/3000000");
    EXPECT_EQ(position.lsn, kRead);
    EXPECT_EQ(position.timeline_began, 0x4000000u);
    EXPECT_EQ(position.seen_us, 1500);
    EXPECT_EQ(lost(position, restarted()), "");
    EXPECT_NE(lost(position_of(server(), seen, ""), restarted()), "") << "a position that cannot be read never counts";
}

TablePlan table() {
    TablePlan plan;
    plan.columns_text = {"id int, v text", "id int, v text"};
    plan.storage.source = {"1=1", false, "de 153.14"};
    plan.storage.target = {"5=5 6=6", false, "de 153.14"};
    ColumnPlan column;
    column.name = {"v", "v"};
    column.form = "text";
    plan.columns.push_back(column);
    column.name = {"id", "id"};
    plan.key.push_back(column);
    plan.key_proven = true;
    return plan;
}

std::string changed(const TablePlan& now) { return why_changed(table(), now).value_or(""); }

TEST(WhyChanged, NothingInTheSameTable) { EXPECT_EQ(changed(table()), ""); }

TEST(WhyChanged, NamesWhatChanged) {
    TablePlan now = table();
    now.storage.target.files = "5=5 6=7";
    EXPECT_EQ(changed(now), "it was truncated or rewritten on target (TRUNCATE, VACUUM FULL, CLUSTER, ALTER TABLE)");
    now = table();
    now.storage.target.files = "5=5 6=6 9=9";
    EXPECT_EQ(changed(now), "its partitions or children changed on target");
    now = table();
    now.storage.source.collations = "de 154";
    EXPECT_EQ(changed(now), "a collation of its columns has another version on source");
    now = table();
    now.columns_text.source += ", c int";
    EXPECT_EQ(changed(now), "its columns changed on source");
    now = table();
    now.key_proven = false;
    EXPECT_EQ(changed(now), "its key changed");
    now = table();
    now.columns[0].form = "varchar";
    EXPECT_EQ(changed(now), "other columns of it are compared, or in other forms");
    now = table();
    now.where = "id > 5";
    EXPECT_EQ(changed(now), "its condition changed");
    now = table();
    now.visible_rows_only = true;
    EXPECT_EQ(changed(now), "row security applies in another way");
    now = table();
    now.without_children.target = true;
    EXPECT_EQ(changed(now), "its children are compared in another way");
    now = table();
    now.skipped.emplace_back("column w: no form");
    EXPECT_EQ(changed(now), "other parts of it cannot be compared now");
    now = table();
    now.relkind.source = 'p';
    EXPECT_EQ(changed(now), "it is another kind of table on source");
}

std::string left_out(const TablePlan& now) { return what_is_left_out(table(), now).value_or(""); }

TEST(WhatIsLeftOut, NothingWhereAllIsStillCompared) {
    TablePlan now = table();
    now.columns.emplace_back().name = {"w", "w"};
    now.key_proven = false;
    now.storage.target.files = "5=9 6=6 7=7";
    EXPECT_EQ(left_out(now), "");
}

TEST(WhatIsLeftOut, NamesIt) {
    TablePlan now = table();
    now.columns.clear();
    EXPECT_EQ(left_out(now), "its column v");
    now = table();
    now.visible_rows_only = true;
    EXPECT_EQ(left_out(now), "rows that row security hides now");
    now = table();
    now.storage.target.files = "5=5";
    EXPECT_EQ(left_out(now), "a partition or child that it had on target");
}

}  // namespace
}  // namespace parity::driver
