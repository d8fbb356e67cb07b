#include "driver/engine/memory.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

namespace parity::driver {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMega = 1 << 20;

/// A made-up proc and sys, which last as long as the test.
class Root {
  public:
    Root() {
        std::string name = fs::temp_directory_path() / "pgparity-root-XXXXXX";
        path_ = mkdtemp(name.data());
    }
    ~Root() { fs::remove_all(path_); }
    Root(const Root&) = delete;
    Root& operator=(const Root&) = delete;

    Root& write(const std::string& file, const std::string& text) {
        fs::create_directories((path_ / file).parent_path());
        std::ofstream(path_ / file) << text << '\n';
        return *this;
    }
    std::uint64_t available() const { return available_memory(path_); }

  private:
    fs::path path_;
};

TEST(MemoryLimit, WithoutControlGroupsIsTheMachines) {
    Root root;
    const std::uint64_t machine = root.available();
    EXPECT_GT(machine, 64 * kMega);
    root.write("proc/self/cgroup", "0::/");
    EXPECT_EQ(root.available(), machine);
    root.write("sys/fs/cgroup/memory.max", "max");
    EXPECT_EQ(root.available(), machine);
    root.write("sys/fs/cgroup/memory.max", "9223372036854771712");
    EXPECT_EQ(root.available(), machine);
}

TEST(MemoryLimit, TakesTheLeastOfAGroupAndThoseAroundIt) {
    Root root;
    root.write("proc/self/cgroup", "0::/system.slice/job")
        .write("sys/fs/cgroup/system.slice/job/memory.max", "67108864");
    EXPECT_EQ(root.available(), 64 * kMega);
    root.write("sys/fs/cgroup/system.slice/memory.max", "33554432");
    EXPECT_EQ(root.available(), 32 * kMega);
    root.write("sys/fs/cgroup/memory.max", "16777216");
    EXPECT_EQ(root.available(), 16 * kMega);
}

TEST(MemoryLimit, ReadsGroupsOfVersion1) {
    Root root;
    root.write("proc/self/cgroup", "12:cpu,cpuacct:/a\n9:memory:/docker/b\n0::/")
        .write("sys/fs/cgroup/memory/docker/b/memory.limit_in_bytes", "67108864")
        .write("sys/fs/cgroup/a/memory.max", "1");
    EXPECT_EQ(root.available(), 64 * kMega);
}

TEST(MemoryLimit, OfAGroupThatCannotBeSeenIsTheNextOnes) {
    Root root;
    root.write("proc/self/cgroup", "9:memory:/docker/b")
        .write("sys/fs/cgroup/memory/memory.limit_in_bytes", "67108864");
    EXPECT_EQ(root.available(), 64 * kMega);
}

TEST(MemoryPlan, SharesWhatIsNotReserved) {
    const std::uint64_t reserved = MemoryPlan(0, 2).least_limit(0);
    const MemoryPlan plan(reserved + 100 * kMega, 2);
    EXPECT_EQ(plan.threads(10 * kMega), 5u);
    EXPECT_EQ(plan.threads(50 * kMega), 1u);
    EXPECT_EQ(plan.threads(50 * kMega + 1), 0u);
    EXPECT_EQ(MemoryPlan(reserved, 2).threads(1), 0u);
    EXPECT_EQ(MemoryPlan(0, 2).threads(1), 0u);
}

TEST(MemoryPlan, ReservesASorterForEveryStream) {
    EXPECT_EQ(MemoryPlan(0, 8).least_limit(0) - MemoryPlan(0, 2).least_limit(0), 6 * kSorterBytes);
}

TEST(MemoryPlan, NamesALimitThatIsEnoughAndNoMore) {
    for (const std::uint64_t footprint : {kThreadBytes, kThreadBytes + 1, 1000 * kMega}) {
        for (const std::size_t streams : {1, 2, 8}) {
            const std::uint64_t least = MemoryPlan(0, streams).least_limit(footprint);
            EXPECT_EQ(MemoryPlan(least, streams).threads(footprint), 1u);
            EXPECT_EQ(MemoryPlan(least - 1, streams).threads(footprint), 0u);
        }
    }
}

}  // namespace
}  // namespace parity::driver
