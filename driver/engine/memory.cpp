#include "driver/engine/memory.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

namespace parity::driver {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();
/// What the process takes before it reads a row: the program, the plan, the findings' cache.
constexpr std::uint64_t kProcessBytes = 48 << 20;

std::uint64_t read_limit(const fs::path& file) {
    std::ifstream in(file);
    std::uint64_t limit = 0;
    return in >> limit ? limit : kUnlimited;  // "max" is no number
}

/// The least limit of a group and the groups around it.
std::uint64_t least_limit_upwards(const fs::path& root, fs::path group, const char* file) {
    std::uint64_t least = kUnlimited;
    for (;; group = group.parent_path()) {
        least = std::min(least, read_limit(root / group.relative_path() / file));
        if (group.relative_path().empty()) return least;
    }
}

std::uint64_t control_group_limit(const fs::path& root) {
    std::ifstream groups(root / "proc/self/cgroup");
    std::uint64_t least = kUnlimited;
    for (std::string line; std::getline(groups, line);) {
        const std::size_t first = line.find(':'), second = line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        const fs::path group = line.substr(second + 1);
        if (controllers.empty())
            least = std::min(least, least_limit_upwards(root / "sys/fs/cgroup", group, "memory.max"));
        else if (controllers == "memory")
            least = std::min(least, least_limit_upwards(root / "sys/fs/cgroup/memory", group, "memory.limit_in_bytes"));
    }
    return least;
}

std::uint64_t machine_memory() {
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page) : kUnlimited;
}

}  // namespace

std::uint64_t available_memory(const fs::path& root) { return std::min(machine_memory(), control_group_limit(root)); }

std::uint64_t MemoryPlan::reserved() const { return kProcessBytes + streams_ * kSorterBytes; }

std::size_t MemoryPlan::threads(std::uint64_t footprint) const {
    if (limit_ <= reserved()) return 0;
    return static_cast<std::size_t>((limit_ - reserved()) / footprint / streams_);
}

std::uint64_t MemoryPlan::least_limit(std::uint64_t footprint) const { return reserved() + footprint * streams_; }

}  // namespace parity::driver
