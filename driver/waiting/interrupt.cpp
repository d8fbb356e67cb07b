#include "driver/waiting/interrupt.h"

#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include <fmt/format.h>

#include "driver/model/error.h"
#include "driver/model/exit_codes.h"

namespace parity::driver {

namespace {

std::atomic<RunEnd> g_end{RunEnd::kNone};
std::atomic<bool> g_signalled{false};
static_assert(std::atomic<RunEnd>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);
std::array<int, 2> g_pipe = {-1, -1};

void wake_waits() {
    const char byte = 0;
    [[maybe_unused]] const ssize_t written = write(g_pipe[1], &byte, 1);
}

bool set_end(RunEnd why) {
    RunEnd none = RunEnd::kNone;
    return g_end.compare_exchange_strong(none, why);
}

/// Async-signal-safe: lock-free flags, write() and _exit() only. Any thread may be the one that is interrupted.
void on_signal(int) {
    if (g_signalled.exchange(true)) _exit(kExitError);
    const int saved_errno = errno;
    if (set_end(RunEnd::kSignal)) wake_waits();
    errno = saved_errno;
}

}  // namespace

void install_interrupt_handlers() {
    if (g_pipe[0] >= 0) return;
    if (pipe2(g_pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
        throw Error(ErrorKind::kResources, fmt::format("could not create a pipe: {}", std::strerror(errno)));
    }
    struct sigaction action = {};
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    for (int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
    struct sigaction given = {};
    sigaction(SIGHUP, nullptr, &given);
    if (given.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);  // nohup's doing
}

void interrupt_run(RunEnd why) {
    if (set_end(why)) wake_waits();
}

RunEnd run_end() { return g_end; }

bool interrupted() { return g_end != RunEnd::kNone; }

std::string_view run_end_name(RunEnd end) {
    switch (end) {
        case RunEnd::kSignal:
            return "signal";
        case RunEnd::kRunTime:
            return "run-time";
        case RunEnd::kFailures:
            return "fail-above";
        case RunEnd::kNone:
        case RunEnd::kHopeless:
            break;
    }
    return "";
}

RunEnd run_end_named(std::string_view name) {
    for (const RunEnd end : {RunEnd::kSignal, RunEnd::kRunTime, RunEnd::kFailures})
        if (name == run_end_name(end)) return end;
    return RunEnd::kNone;
}

std::string_view run_end_words(RunEnd end) {
    if (end == RunEnd::kRunTime) return "the run time is over (--run-time)";
    if (end == RunEnd::kFailures) return "too much has failed (--fail-above)";
    return "the run was interrupted";
}

std::string_view run_end_words() { return run_end_words(run_end()); }

Error interruption() {
    const bool has_reason = g_end == RunEnd::kRunTime || g_end == RunEnd::kFailures;
    return {ErrorKind::kCancelled, has_reason ? std::string(run_end_words()) : "interrupted"};
}

int interrupt_fd() { return g_pipe[0]; }

void pause_unless_interrupted(std::chrono::milliseconds time) {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + time;
    while (!interrupted() && Clock::now() < end) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
        pollfd signal{g_pipe[0], POLLIN, 0};
        poll(&signal, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    }
    if (interrupted()) throw interruption();
}

}  // namespace parity::driver
