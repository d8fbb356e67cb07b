#include "driver/monitor/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "driver/text/printable.h"
#include "driver/waiting/interrupt.h"
#include "driver/waiting/write_whole.h"

namespace parity::driver {
namespace {

constexpr std::size_t kDefaultWidth = 80;
constexpr std::string_view kEraseLine = "\r\x1b[K";

/// How long a line waits for room once the run is to end.
constexpr std::chrono::milliseconds kPatience{1000};

/// Standard error that is gone is nobody's loss: what matters stands in the report and the exit status. One that is
/// slow is waited for, until a signal came.
void write_all(std::string_view text) {
    if (!interrupted() && write_whole(STDERR_FILENO, text, true) != EINTR) return;
    write_whole(STDERR_FILENO, text, false, kPatience);
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
    text += printable(line);
    text += '\n';
    text += bar_;
    write_all(text);
}

void Terminal::set_bar(std::string_view bar) {
    const std::lock_guard lock(mutex_);
    if (!is_tty_ || (bar.empty() && bar_.empty())) return;
    std::string text;
    erase_bar(text);
    bar_ = printable(bar);
    text += bar_;
    write_all(text);
}

void Terminal::without_bar(const std::function<void()>& print) {
    const std::lock_guard lock(mutex_);
    if (!bar_.empty()) write_all(kEraseLine);
    print();
    if (!bar_.empty()) write_all(bar_);
}

void Terminal::erase_bar(std::string& to) {
    if (!bar_.empty()) to += kEraseLine;
}

}  // namespace parity::driver
