#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>

namespace parity::driver {

/// Where the report goes: standard output, or a file. A file is written under another name beside it and takes its name
/// only when the report is complete, so that a failed run leaves no half report and destroys no old one; what is no
/// regular file (a pipe, a device) is written directly. What killed processes left of their reports under such names is
/// removed.
/// Requires: SIGPIPE and SIGXFSZ are ignored (commands/process.h).
/// Throws: Error{kOutput} that names the file for every failure to write, a closed pipe at standard output too, and for
/// a signal that comes while nobody takes the report.
class Output {
  public:
    /// `file` empty: standard output. Opens at once.
    explicit Output(const std::string& file);
    ~Output();
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;

    /// A line of text, in which everything is made printable (text/printable.h); and the end of the line.
    void write_line(std::string_view text);
    /// A piece of a JSON document, in whose strings everything is made printable.
    void write_json(std::string_view json);
    /// Data for a program: as it is, but on a terminal as write_line() has it.
    void write_data(std::string_view text);
    /// Our own words.
    void write(std::string_view text);

    /// Writes out what is buffered and puts the file in its place.
    void finish();

    /// Writes out what is buffered.
    void flush();

    /// How long a write waits where nobody takes what is written.
    enum class Waits {
        kUntilSignal,  ///< until a signal comes
        kForever,      ///< whatever signals come
        kNever,        ///< only a fifth of a second
    };
    /// From now on writes wait so long, one that waits already as well. Without this, the first write takes
    /// waits_after_run(). May be called by another thread than the one that writes.
    void set_waits(Waits waits) { waits_ = waits; }
    /// The report of a run that was interrupted until now is written whatever signals come then; any other one until a
    /// signal comes.
    static Waits waits_after_run();

  private:
    void use_standard_output();
    void open_file(const std::string& file);
    bool gives_up() const;
    [[noreturn]] void fail(int error_number) const;

    std::string name_;       ///< for messages
    std::string final_;      ///< where the temporary file goes; empty: written directly
    std::string temporary_;  ///< empty once it is gone
    std::string buffer_;
    int descriptor_ = -1;
    std::atomic<std::optional<Waits>> waits_{};
    bool owned_ = false;  ///< whether the descriptor is ours to close
};

}  // namespace parity::driver
