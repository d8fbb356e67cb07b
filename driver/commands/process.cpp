#include "driver/commands/process.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>

#include <fmt/format.h>

#include "driver/model/error.h"
#include "driver/model/exit_codes.h"
#include "driver/monitor/terminal.h"
#include "driver/waiting/interrupt.h"

namespace parity::driver {
namespace {

constexpr std::string_view kOutOfMemory = "pgparity: error: out of memory\n";
constexpr std::string_view kBrokenOff = "pgparity: error: internal error: a failure could not be dealt with\n";
/// Enough for messages and for the exceptions of several threads.
constexpr std::size_t kReserveBytes = 256 * 1024;

std::atomic<void*> g_reserve{nullptr};

void write_plainly(std::string_view text) noexcept {
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

/// The mode is the one that nobody asks for: reading what was closed fails as it did, and so does writing.
void open_standard_descriptors() {
    static constexpr std::array<int, 3> kModes = {O_WRONLY, O_RDONLY, O_RDONLY};
    for (int descriptor = 0; descriptor < static_cast<int>(kModes.size()); ++descriptor) {
        if (fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
        if (open("/dev/null", kModes[static_cast<std::size_t>(descriptor)]) == descriptor) continue;
        throw Error(ErrorKind::kResources, fmt::format("could not open \"/dev/null\": {}", std::strerror(errno)));
    }
}

/// The first lack of memory fails as it should, but what deals with it has the reserve.
void release_reserve() {
    std::free(g_reserve.exchange(nullptr));
    throw std::bad_alloc();
}

/// Not even a destructor that needs memory, as some libraries have, ends in SIGABRT. Nothing was concluded.
[[noreturn]] void end_process() {
    bool out_of_memory = false;
    try {
        if (const std::exception_ptr error = std::current_exception()) std::rethrow_exception(error);
    } catch (const std::bad_alloc&) {
        out_of_memory = true;
    } catch (...) {
        // There is no memory to tell which.
    }
    write_plainly(out_of_memory ? kOutOfMemory : kBrokenOff);
    _exit(kExitError);
}

}  // namespace

void prepare_process() {
    std::set_terminate(end_process);
    open_standard_descriptors();
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
    install_interrupt_handlers();
    g_reserve = std::malloc(kReserveBytes);
    std::set_new_handler(release_reserve);
}

int print_failure(const std::exception& error) noexcept {
    try {
        const Error shown = as_error(error);
        Terminal terminal;
        terminal.print_line(fmt::format("pgparity: error: {}", shown.what()));
        if (!shown.hint().empty()) terminal.print_line(fmt::format("hint: {}", shown.hint()));
    } catch (const std::exception&) {
        write_plainly(kOutOfMemory);
    }
    return kExitError;
}

}  // namespace parity::driver
