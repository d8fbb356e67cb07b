#include "driver/state/holder.h"

#include <unistd.h>

#include <array>

#include <fmt/format.h>

namespace parity::driver {

std::string this_process() {
    std::array<char, 256> host{};
    if (gethostname(host.data(), host.size() - 1) != 0) host[0] = 0;
    return fmt::format("process {} on host {}", getpid(), host.data());
}

}  // namespace parity::driver
