#include "driver/waiting/write_whole.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "driver/waiting/interrupt.h"

namespace parity::driver {
namespace {

/// A pipe that can be written takes as much as this without blocking, in whatever mode it is.
constexpr std::size_t kChunkBytes = PIPE_BUF;

/// Gives 0 once the descriptor takes something or has an error to tell.
int await_room(int descriptor, bool watch_signals, std::optional<std::chrono::milliseconds> patience) {
    for (;;) {
        std::array<pollfd, 2> fds = {{{descriptor, POLLOUT, 0}, {watch_signals ? interrupt_fd() : -1, POLLIN, 0}}};
        const int ready = poll(fds.data(), fds.size(), patience ? static_cast<int>(patience->count()) : -1);
        if (ready == 0) return ETIMEDOUT;
        if (ready < 0 && errno != EINTR) return errno;
        if (ready < 0) continue;
        if (fds[0].revents) return 0;
        if (fds[1].revents) return EINTR;
    }
}

}  // namespace

int write_whole(int descriptor, std::string_view& text, bool watch_signals,
                std::optional<std::chrono::milliseconds> patience) noexcept {
    while (!text.empty()) {
        if (const int error = await_room(descriptor, watch_signals, patience)) return error;
        const ssize_t written = write(descriptor, text.data(), std::min(text.size(), kChunkBytes));
        if (written < 0 && errno != EINTR && errno != EAGAIN) return errno;
        if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    }
    return 0;
}

}  // namespace parity::driver
