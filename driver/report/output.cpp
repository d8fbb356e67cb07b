#include "driver/report/output.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include <fmt/format.h>

#include "driver/model/error.h"
#include "driver/text/printable.h"
#include "driver/waiting/interrupt.h"
#include "driver/waiting/write_whole.h"

namespace parity::driver {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBufferBytes = 64 * 1024;
/// How long a write waits before it looks again whether it is to wait on.
constexpr std::chrono::milliseconds kWriteAgain{200};
constexpr mode_t kFileMode = 0666;  // less the umask
constexpr std::string_view kSuffix = ".part";

/// The name under which a process writes what becomes the file.
std::string temporary_name(const std::string& file, pid_t process) {
    return fmt::format("{}.{}{}", file, process, kSuffix);
}

/// The process whose temporary name for the file this is; 0 for any other name.
pid_t process_in_name(const std::string& name, const std::string& file) {
    pid_t process = 0;
    if (!name.starts_with(file + ".")) return 0;
    std::from_chars(name.data() + file.size() + 1, name.data() + name.size(), process);
    return process > 0 && name == temporary_name(file, process) ? process : 0;
}

/// Whether nobody writes a temporary file any more. The number of a process says nothing about those of other machines
/// and containers that have the directory; the lock does.
bool is_abandoned(const std::string& temporary, pid_t process) {
    if (kill(process, 0) == 0 || errno != ESRCH) return false;
    const int descriptor = open(temporary.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) return false;
    struct stat status {};
    const bool abandoned =
        fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && flock(descriptor, LOCK_EX | LOCK_NB) == 0;
    close(descriptor);
    return abandoned;
}

/// Nothing that fails here keeps a report from being written.
void remove_abandoned(const std::string& file) {
    const fs::path path(file);
    const fs::path directory = path.has_parent_path() ? path.parent_path() : fs::path(".");
    std::error_code ignored;
    for (fs::directory_iterator entry(directory, ignored), end; !ignored && entry != end; entry.increment(ignored)) {
        const pid_t process = process_in_name(entry->path().filename().string(), path.filename().string());
        if (process > 0 && is_abandoned(entry->path().string(), process)) unlink(entry->path().c_str());
    }
}

/// The file that a path leads to through symbolic links, so that they stay when it is replaced; the path itself if
/// there is none yet.
std::string resolved(const std::string& file) {
    const std::unique_ptr<char, decltype(&std::free)> real(realpath(file.c_str(), nullptr), &std::free);
    return real ? real.get() : file;
}

}  // namespace

Output::Output(const std::string& file) : name_(file.empty() ? "standard output" : fmt::format("\"{}\"", file)) {
    buffer_.reserve(kBufferBytes);
    if (file.empty())
        use_standard_output();
    else
        open_file(resolved(file));
}

Output::~Output() {
    if (!temporary_.empty()) unlink(temporary_.c_str());
    if (owned_) close(descriptor_);
}

/// One that was closed is open for reading only (commands/process.h).
void Output::use_standard_output() {
    descriptor_ = STDOUT_FILENO;
    const int mode = fcntl(descriptor_, F_GETFL);
    if (mode < 0 || (mode & O_ACCMODE) == O_RDONLY) fail(EBADF);
}

void Output::open_file(const std::string& file) {
    struct stat status {};
    const bool exists = stat(file.c_str(), &status) == 0;
    owned_ = true;
    if (exists && access(file.c_str(), W_OK) != 0) fail(errno);
    if (exists && S_ISDIR(status.st_mode)) fail(EISDIR);
    if (exists && !S_ISREG(status.st_mode)) {
        descriptor_ = open(file.c_str(), O_WRONLY | O_CLOEXEC);
        if (descriptor_ < 0) fail(errno);
        return;
    }
    final_ = file;
    remove_abandoned(file);
    const std::string temporary = temporary_name(file, getpid());
    unlink(temporary.c_str());  // of a process that was killed and had this one's number
    descriptor_ = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                       exists ? status.st_mode & kFileMode : kFileMode);
    if (descriptor_ < 0) fail(errno);
    flock(descriptor_, LOCK_EX | LOCK_NB);  // see is_abandoned(); not every file system has locks
    temporary_ = temporary;
}

void Output::write_line(std::string_view text) {
    write(printable(text));
    write("\n");
}

void Output::write_data(std::string_view text) {
    if (isatty(descriptor_) == 0) return write(text);
    const bool ends = !text.empty() && text.back() == '\n';
    write(printable(ends ? text.substr(0, text.size() - 1) : text));
    if (ends) write("\n");
}

void Output::write_json(std::string_view json) { write(printable_json(json)); }

void Output::write(std::string_view text) {
    buffer_ += text;
    if (buffer_.size() >= kBufferBytes) flush();
}

void Output::finish() {
    flush();
    if (!owned_) return;
    owned_ = false;
    if (close(descriptor_) != 0) fail(errno);
    if (temporary_.empty()) return;
    if (std::rename(temporary_.c_str(), final_.c_str()) != 0) fail(errno);
    temporary_.clear();
}

void Output::flush() {
    if (!waits_.load()) waits_ = waits_after_run();
    std::string_view rest = buffer_;
    for (;;) {
        const int error = write_whole(descriptor_, rest, false, kWriteAgain);
        if (error == 0) break;
        if (error != ETIMEDOUT) fail(error);
        if (gives_up()) fail(EINTR);
    }
    buffer_.clear();
}

Output::Waits Output::waits_after_run() { return interrupted() ? Waits::kForever : Waits::kUntilSignal; }

bool Output::gives_up() const {
    const Waits waits = *waits_.load();
    return waits == Waits::kNever || (waits == Waits::kUntilSignal && interrupted());
}

void Output::fail(int error_number) const {
    const char* const reason = error_number == EINTR ? "interrupted by a signal" : std::strerror(error_number);
    throw Error(ErrorKind::kOutput, fmt::format("could not write {}: {}", name_, reason));
}

}  // namespace parity::driver
