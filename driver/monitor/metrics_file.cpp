#include "driver/monitor/metrics_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <new>

#include <fmt/format.h>

#include "driver/model/error.h"
#include "driver/model/exit_codes.h"
#include "driver/waiting/start_thread.h"
#include "driver/waiting/wall_clock.h"
#include "driver/waiting/write_whole.h"

namespace parity::driver {
namespace {

constexpr mode_t kMetricsMode = 0644;           // less the umask: another user's collector reads it
constexpr std::size_t kMostKept = 1024 * 1024;  // far more than we ever write

double wall_seconds() { return static_cast<double>(wall_clock_us()) / 1e6; }

class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) close(number_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    operator int() const { return number_; }

  private:
    const int number_;
};

/// The beginning of a file; nothing where there is none, or something else has the name.
std::string beginning_of(const std::string& path) {
    const Descriptor file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    struct stat status {};
    if (file < 0 || fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) return {};
    std::string text;
    std::array<char, 4096> part;
    for (ssize_t taken; text.size() < kMostKept && (taken = read(file, part.data(), part.size())) > 0;)
        text.append(part.data(), static_cast<std::size_t>(taken));
    return text;
}

[[noreturn]] void fail_with(const std::string& path, int error) {
    throw Error(ErrorKind::kOutput, fmt::format("could not write metrics file \"{}\": {}", path, std::strerror(error)));
}

/// A device or a folder of this name is not ours to replace.
void require_replaceable(const std::string& path) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode)) return;
    throw Error(ErrorKind::kOutput, fmt::format("could not write metrics file \"{}\": it is no ordinary file", path));
}

/// Node_exporter reads files whose names end in ".prom", and so not this one.
std::string temporary_of(const std::string& path) { return fmt::format("{}.{}.tmp", path, getpid()); }

}  // namespace

MetricsFile::MetricsFile(const Options& options, const RunMeter& meter, std::shared_ptr<spdlog::logger> log)
    : path_(options.metrics_file), meter_(meter), log_(std::move(log)) {
    if (path_.empty()) return;
    page_.past = read_past_runs(beginning_of(path_));
    page_.labels = options.metrics_labels;
    page_.started = wall_seconds();
    page_.in_progress = true;
    write();
    start_clock();
}

MetricsFile::~MetricsFile() {
    if (!finished_) finish(kExitError);
}

void MetricsFile::finish(int exit_status) noexcept {
    finished_ = true;
    if (path_.empty()) return;
    stop_clock();
    page_.in_progress = false;
    page_.past.last_end = wall_seconds();
    page_.past.last_exit_status = exit_status;
    if (exit_status == kExitIdentical) page_.past.last_success = page_.past.last_end;
    write();
}

/// Where there is no room for a thread, the beginning and the end of the run are written all the same.
void MetricsFile::start_clock() {
    try {
        clock_ = start_thread([this] {
            std::unique_lock lock(mutex_);
            while (!end_.wait_for(lock, kMetricsInterval, [this] { return ended_; })) write();
        });
    } catch (const Error& error) {
        log_->warn("the metrics file is not written before the end of the run: {}", error.what());
    }
}

void MetricsFile::stop_clock() {
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
    }
    end_.notify_all();
    if (clock_.joinable()) clock_.join();
}

/// A lack of memory may pass before the next time.
void MetricsFile::write() noexcept {
    try {
        page_.figures = meter_.figures();
        page_.written = wall_seconds();
        replace_file(metrics_text(page_));
    } catch (const Error& error) {
        if (!warned_) log_->warn("{}; the comparison goes on without it", error.what());
        warned_ = true;
    } catch (const std::exception&) {
    }
}

void MetricsFile::replace_file(const std::string& text) const {
    require_replaceable(path_);
    const std::string temporary = temporary_of(path_);
    unlink(temporary.c_str());  // of a process that had our number, and was killed
    int error = 0;
    {
        const Descriptor file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMetricsMode));
        if (file < 0) fail_with(path_, errno);
        std::string_view left = text;
        error = write_whole(file, left, false);
    }
    if (error == 0 && rename(temporary.c_str(), path_.c_str()) != 0) error = errno;
    if (error == 0) return;
    unlink(temporary.c_str());
    fail_with(path_, error);
}

}  // namespace parity::driver
