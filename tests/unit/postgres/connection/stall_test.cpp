#include "driver/postgres/connection/stall.h"

#include <gtest/gtest.h>

namespace parity::driver {
namespace {

using std::chrono::milliseconds;

SilentBackend backend(const std::string& state, const std::string& type = "", const std::string& event = "") {
    SilentBackend made;
    made.state = state;
    made.wait_event_type = type;
    made.wait_event = event;
    return made;
}

TEST(Stall, AServerThatComputesIsNotStalled) {
    EXPECT_TRUE(is_at_work(backend("active")));
    for (const char* type : {"IO", "LWLock", "IPC", "BufferPin", "Timeout", "Extension"})
        EXPECT_TRUE(is_at_work(backend("active", type, "something"))) << type;
    EXPECT_TRUE(is_at_work(backend("disabled"))) << "track_activities is off";
    EXPECT_TRUE(is_at_work(backend(""))) << "it does not tell";
}

TEST(Stall, WhoWaitsForALockOrForUsIs) {
    EXPECT_FALSE(is_at_work(backend("active", "Lock", "relation")));
    EXPECT_FALSE(is_at_work(backend("", "Lock", "relation")));
    EXPECT_FALSE(is_at_work(backend("active", "Client", "ClientWrite")));
    for (const char* state : {"idle", "idle in transaction", "idle in transaction (aborted)"})
        EXPECT_FALSE(is_at_work(backend(state, "Client", "ClientRead"))) << state;
}

TEST(Stall, ASessionThatIsGoneIs) {
    SilentBackend gone = backend("");
    gone.there = false;
    EXPECT_FALSE(is_at_work(gone));
    EXPECT_EQ(stall_words(gone), "is gone");
    SilentBackend other = backend("active");
    other.same_server = false;
    EXPECT_FALSE(is_at_work(other)) << "a session of another server has that number by chance";
    EXPECT_EQ(stall_words(other), "is gone: the server was restarted, or is another one");
}

TEST(Stall, SaysWhoBlocksAndWhatIsLost) {
    SilentBackend blocked = backend("active", "Lock", "relation");
    EXPECT_EQ(stall_words(blocked), "waits for a lock (relation)");
    blocked.blockers = {"pid 7 (user ada)", "a prepared transaction (pg_prepared_xacts)"};
    EXPECT_EQ(stall_words(blocked),
              "waits for a lock (relation) of pid 7 (user ada), and of a prepared transaction (pg_prepared_xacts)");
    EXPECT_EQ(stall_words(backend("active", "Client", "ClientWrite")),
              "waits for the network (ClientWrite): what is sent does not arrive");
    EXPECT_EQ(stall_words(backend("idle in transaction", "Client", "ClientRead")),
              "is idle in transaction: its answer did not arrive");
    EXPECT_EQ(stall_words(backend("active", "Timeout", "PgSleep")), "is at work (Timeout: PgSleep)");
    EXPECT_EQ(stall_words(backend("active")), "is at work");
}

TEST(Stall, ShowsDurations) {
    EXPECT_EQ(show_duration(milliseconds(300'000)), "5 min");
    EXPECT_EQ(show_duration(milliseconds(300'017)), "5 min");
    EXPECT_EQ(show_duration(milliseconds(90'000)), "90 s");
    EXPECT_EQ(show_duration(milliseconds(2'000)), "2 s");
    EXPECT_EQ(show_duration(milliseconds(2'003)), "2 s");
    EXPECT_EQ(show_duration(milliseconds(1'500)), "1.5 s");
}

}  // namespace
}  // namespace parity::driver
