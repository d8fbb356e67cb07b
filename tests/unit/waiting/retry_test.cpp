#include "driver/waiting/retry.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>

namespace parity::driver {
namespace {

Error of_server(const std::string& sqlstate) { return {ErrorKind::kServer, "refused", "", "target", sqlstate}; }
Error of_connection(const std::string& sqlstate) { return {ErrorKind::kConnection, "lost", "", "target", sqlstate}; }

TEST(FailureRules, EachSqlstateHasOneRule) {
    std::set<std::pair<std::string_view, ErrorCause>> seen;
    for (const FailureRule& rule : failure_rules()) {
        EXPECT_TRUE(seen.insert({rule.sqlstate, rule.cause}).second) << rule.sqlstate;
        const bool has_steps = rule.remedy == Remedy::kFallBack || rule.cause == ErrorCause::kRecoveryConflict;
        EXPECT_EQ(rule.steps.empty(), !has_steps) << rule.sqlstate;
        EXPECT_TRUE(rule.sqlstate.empty() || rule.sqlstate.size() == 2 || rule.sqlstate.size() == 5) << rule.sqlstate;
        EXPECT_NE(rule.remedy, Remedy::kNone) << rule.sqlstate;
        EXPECT_FALSE(rule.meaning.empty()) << rule.sqlstate;
    }
}

TEST(RemedyFor, ABrokenConnectionIsMadeAnew) {
    EXPECT_EQ(remedy_for(of_connection("")), Remedy::kReconnect);
    for (const char* sqlstate : {"57P01", "57P02", "57P03", "53300", "25P03", "25P04", "57P05", "08006", "08P01"})
        EXPECT_EQ(remedy_for(of_connection(sqlstate)), Remedy::kReconnect) << sqlstate;
    EXPECT_EQ(remedy_for(of_server("08001")), Remedy::kReconnect);
}

TEST(RuleFor, OnlyReplayMakesUnitsSmaller) {
    const auto halves = [](const Error& error) { return rule_for(error)->steps.contains(FallBackStep::kSpans); };
    EXPECT_TRUE(halves(of_server("40001").because(ErrorCause::kRecoveryConflict)));
    EXPECT_TRUE(halves(of_server("53200")));
    for (const char* sqlstate : {"40001", "40P01", "55P03", "54000", "0A000"})
        EXPECT_FALSE(halves(of_server(sqlstate))) << sqlstate;
}

TEST(RemedyFor, ConflictsWantANewSnapshot) {
    for (const char* sqlstate : {"40001", "40P01", "55P03"}) {
        EXPECT_EQ(remedy_for(of_server(sqlstate)), Remedy::kNewSnapshot) << sqlstate;
        EXPECT_EQ(remedy_for(of_connection(sqlstate)), Remedy::kNewSnapshot) << sqlstate;
    }
}

TEST(RemedyFor, ASideAsksLessOfAServerThatLacksSomething) {
    for (const char* sqlstate : {"53000", "53200", "53400", "54000", "0A000"})
        EXPECT_EQ(remedy_for(of_server(sqlstate)), Remedy::kFallBack) << sqlstate;
    EXPECT_EQ(remedy_for(of_server("57014").because(ErrorCause::kOwnTimeout)), Remedy::kFallBack);
    EXPECT_EQ(remedy_for(of_server("53100")), Remedy::kStopSide);
    EXPECT_EQ(remedy_for(of_server("53100").because(ErrorCause::kSharedMemory)), Remedy::kFallBack);
    EXPECT_FALSE(may_pass(of_server("53200")));
    EXPECT_TRUE(may_pass(of_server("40001")));
}

TEST(RemedyFor, WhatCannotBeReadIsADeadLetter) {
    for (const char* sqlstate : {"XX001", "XX002", "58P01", "22021", "22P02"}) {
        EXPECT_EQ(remedy_for(of_server(sqlstate)), Remedy::kDeadLetter) << sqlstate;
        EXPECT_FALSE(may_pass(of_server(sqlstate))) << sqlstate;
    }
    EXPECT_TRUE(may_pass(of_server("40001")));
    EXPECT_TRUE(may_pass(of_connection("")));
    EXPECT_FALSE(may_pass(of_server("42501")));
}

TEST(RemedyFor, WhatWouldFailAgainHasNone) {
    for (const char* sqlstate : {"42501", "42P01", "57014", "XX000", "XX003", "54001"})
        EXPECT_EQ(remedy_for(of_server(sqlstate)), Remedy::kNone) << sqlstate;
    for (const char* sqlstate : {"28P01", "28000", "3D000", "42501"})
        EXPECT_EQ(remedy_for(of_connection(sqlstate)), Remedy::kNone) << sqlstate;
    EXPECT_EQ(remedy_for(of_server("")), Remedy::kNone);
}

TEST(RemedyFor, FailuresOfOurOwnHaveNone) {
    for (ErrorKind kind : {ErrorKind::kUsage, ErrorKind::kCancelled, ErrorKind::kOtherServer, ErrorKind::kChangedServer,
                           ErrorKind::kOutput, ErrorKind::kResources, ErrorKind::kInternal}) {
        EXPECT_EQ(remedy_for(Error(kind, "failed", "", "target", "40001")), Remedy::kNone);
        EXPECT_EQ(remedy_for(Error(kind, "failed")), Remedy::kNone);
    }
}

}  // namespace
}  // namespace parity::driver
