#include "driver/output.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <fmt/format.h>

#include "driver/error.h"

namespace parity::driver {
namespace {

constexpr std::size_t kBufferBytes = 64 * 1024;
constexpr mode_t kFileMode = 0666;  // less the umask

/// The file that a path leads to through symbolic links, so that they stay when it is replaced; the path itself if
/// there is none yet.
std::string resolved(const std::string& file) {
    const std::unique_ptr<char, decltype(&std::free)> real(realpath(file.c_str(), nullptr), &std::free);
    return real ? real.get() : file;
}

}  // namespace

Output::Output(const std::string& file) : name_(file.empty() ? "standard output" : fmt::format("\"{}\"", file)) {
    std::signal(SIGPIPE, SIG_IGN);  // a reader that went away is an error of write()
    buffer_.reserve(kBufferBytes);
    if (file.empty())
        descriptor_ = STDOUT_FILENO;
    else
        open_file(resolved(file));
}

Output::~Output() {
    if (!temporary_.empty()) unlink(temporary_.c_str());
    if (owned_) close(descriptor_);
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
    const std::string temporary = fmt::format("{}.{}.part", file, getpid());
    unlink(temporary.c_str());  // of a process that was killed and had this one's number
    descriptor_ = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                       exists ? status.st_mode & kFileMode : kFileMode);
    if (descriptor_ < 0) fail(errno);
    temporary_ = temporary;
}

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
    std::string_view rest = buffer_;
    while (!rest.empty()) {
        const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
        if (written < 0 && errno != EINTR) fail(errno);
        if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
    }
    buffer_.clear();
}

void Output::fail(int error_number) const {
    throw Error(ErrorKind::kOutput, fmt::format("could not write {}: {}", name_, std::strerror(error_number)));
}

}  // namespace parity::driver
