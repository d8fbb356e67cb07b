#include "driver/interrupt.h"

#include <csignal>
#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "driver/error.h"
#include "driver/exit_status.h"

namespace parity::driver {

namespace {

volatile std::sig_atomic_t g_interrupted = 0;
std::array<int, 2> g_pipe = {-1, -1};

/// Async-signal-safe: a flag, write() and _exit() only.
void on_signal(int) {
    if (g_interrupted) _exit(kExitError);
    g_interrupted = 1;
    const char byte = 0;
    [[maybe_unused]] const ssize_t written = write(g_pipe[1], &byte, 1);
}

}  // namespace

void install_interrupt_handlers() {
    if (g_pipe[0] >= 0) return;
    if (pipe2(g_pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
        throw Error(ErrorKind::kInternal, "could not create a pipe for signals");
    }
    struct sigaction action = {};
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    for (int signal : {SIGINT, SIGTERM}) {
        sigaction(signal, &action, nullptr);
    }
}

bool interrupted() { return g_interrupted != 0; }

int interrupt_fd() { return g_pipe[0]; }

}  // namespace parity::driver
