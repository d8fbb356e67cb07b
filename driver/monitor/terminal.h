#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace parity::driver {

/// Standard error, shared by messages and the progress bar: the one place that prints there while a run is on. What is
/// not printable in them is escaped here (text/printable.h). Thread-safe.
class Terminal {
  public:
    Terminal();
    ~Terminal();
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    /// Whether a bar can be drawn.
    bool is_tty() const { return is_tty_; }
    /// The number of columns.
    /// Returns: 80 where it cannot be told.
    std::size_t width() const;

    /// Prints a line above the bar, if there is one.
    void print_line(std::string_view line);

    /// Draws the bar on the last line, or replaces it; an empty one takes it away.
    void set_bar(std::string_view bar);

    /// Takes the bar away while `print` writes to the same terminal by other ways, and draws it again.
    void without_bar(const std::function<void()>& print);

  private:
    void erase_bar(std::string& to);

    std::mutex mutex_;
    std::string bar_;
    bool is_tty_;
};

}  // namespace parity::driver
