#include "driver/postgres/connection/recovery_conflict.h"

#include <gtest/gtest.h>

namespace parity::driver {
namespace {

Error error(ErrorKind kind, const std::string& sqlstate, bool by_server_itself) {
    return {kind, "target: annulation", {}, "target", sqlstate, by_server_itself};
}

TEST(RecoveryConflicts, AreOfTheServerItself) {
    EXPECT_TRUE(may_be_recovery_conflict(error(ErrorKind::kServer, "40001", true)));
    EXPECT_TRUE(may_be_recovery_conflict(error(ErrorKind::kServer, "40P01", true)));
    EXPECT_TRUE(may_be_recovery_conflict(error(ErrorKind::kConnection, "40001", true)));  // the session was ended
    EXPECT_FALSE(may_be_recovery_conflict(error(ErrorKind::kServer, "40001", false)));    // a rewritten table
    EXPECT_FALSE(may_be_recovery_conflict(error(ErrorKind::kServer, "55P03", true)));
    EXPECT_FALSE(may_be_recovery_conflict(error(ErrorKind::kConnection, "", false)));
}

TEST(RecoveryConflicts, NameTheSettingsWithTheirValues) {
    const Error cause = error(ErrorKind::kServer, "40001", true);
    const Error off = conflict_error("table \"t\"", {"target", "max_standby_streaming_delay", "30s", "off"}, 5, cause);
    EXPECT_STREQ(
        off.what(),
        "gave table \"t\" up after 5 attempts: the target is a standby, whose replay ended each of them (target: "
        "annulation); max_standby_streaming_delay is 30s there, hot_standby_feedback is off");
    EXPECT_EQ(off.hint(),
              "set hot_standby_feedback = on on the target, or let max_standby_streaming_delay be longer than reading "
              "this takes");
    EXPECT_EQ(off.sqlstate(), "40001");
    const Error on = conflict_error("table \"t\"", {"source", "max_standby_archive_delay", "5min", "on"}, 5, cause);
    EXPECT_NE(std::string(on.what()).find("max_standby_archive_delay is 5min there, hot_standby_feedback is on"),
              std::string::npos);
    EXPECT_EQ(on.hint().find("set hot_standby_feedback"), std::string::npos);
    EXPECT_NE(on.hint().find("locks that conflict"), std::string::npos);
}

}  // namespace
}  // namespace parity::driver
