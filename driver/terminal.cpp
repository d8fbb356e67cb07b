#include "driver/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

namespace parity::driver {
namespace {

constexpr std::size_t kDefaultWidth = 80;
constexpr std::string_view kEraseLine = "\r\x1b[K";

/// Standard error that is gone is nobody's loss: what matters stands in the report and the exit status.
void write_all(std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
        if (written < 0 && errno != EINTR) return;
        if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    }
}

}  // namespace

Terminal::Terminal() : is_tty_(isatty(STDERR_FILENO) == 1) {}

Terminal::~Terminal() { set_bar({}); }

std::size_t Terminal::width() const {
    winsize size{};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kDefaultWidth;
    return size.ws_col;
}

void Terminal::print_line(std::string_view line) {
    const std::lock_guard lock(mutex_);
    std::string text;
    erase_bar(text);
    text += line;
    text += '\n';
    text += bar_;
    write_all(text);
}

void Terminal::set_bar(std::string_view bar) {
    const std::lock_guard lock(mutex_);
    if (!is_tty_ || (bar.empty() && bar_.empty())) return;
    std::string text;
    erase_bar(text);
    bar_ = bar;
    text += bar_;
    write_all(text);
}

void Terminal::erase_bar(std::string& to) {
    if (!bar_.empty()) to += kEraseLine;
}

}  // namespace parity::driver
