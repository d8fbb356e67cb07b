#include "driver/postgres/connection/locked.h"

#include <gtest/gtest.h>

namespace parity::driver {
namespace {

using Processes = std::vector<std::int32_t>;

TEST(Deadlocks, NameTheProcessesInThem) {
    EXPECT_EQ(
        deadlocked_processes(
            "Process 4711 waits for AccessShareLock on relation 16384 of database 5; blocked by process 812.\n"
            "Process 812 waits for AccessExclusiveLock on relation 16390 of database 5; blocked by process 4711."),
        (Processes{4711, 812}));
    EXPECT_EQ(deadlocked_processes("Prozess 7 wartet auf ShareLock-Sperre auf Transaktion 900; blockiert von Prozess "
                                   "8.\nProzess 8 wartet auf AccessShareLock-Sperre auf Tupel (0,1); …\n"),
              (Processes{7, 8}));
    EXPECT_EQ(deadlocked_processes("User transaction caused buffer deadlock with recovery."), Processes{});
    EXPECT_EQ(deadlocked_processes("99999999999999999999 processes"), Processes{});
    EXPECT_EQ(deadlocked_processes(""), Processes{});
}

TEST(Lockers, AreNamedOfFailuresOfLocksAndOnce) {
    const auto of = [](const char* sqlstate) { return Error(ErrorKind::kServer, "no", {}, "source", sqlstate); };
    EXPECT_TRUE(may_name_lockers(of("55P03")));
    EXPECT_TRUE(may_name_lockers(of("40P01")));
    EXPECT_FALSE(may_name_lockers(of("40001")));
    EXPECT_FALSE(may_name_lockers(of("55P03").because(ErrorCause::kNamedLocker)));
}

}  // namespace
}  // namespace parity::driver
