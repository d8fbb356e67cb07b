#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <spdlog/logger.h>

#include "driver/model/options.h"
#include "driver/monitor/metrics_text.h"
#include "driver/monitor/run_meter.h"

namespace parity::driver {

/// How often the metrics file is written anew while a run goes on.
inline constexpr std::chrono::seconds kMetricsInterval{15};

/// Writes what a meter has counted into a file for the textfile collector of Prometheus' node_exporter: at once, every
/// 15 seconds, and at the end of the run, however it ends. Each time another file takes the place of the old one, so
/// that a reader sees a whole one. What the file says of past runs is taken over.
///
/// The file takes nothing from the comparison. What goes wrong with it is a warning, the first time.
class MetricsFile {
  public:
    /// Writes nothing unless options.metrics_file names a file.
    /// Requires: everything outlives it.
    MetricsFile(const Options& options, const RunMeter& meter, std::shared_ptr<spdlog::logger> log);

    /// A run whose end nobody told has ended with an error.
    ~MetricsFile();
    MetricsFile(const MetricsFile&) = delete;
    MetricsFile& operator=(const MetricsFile&) = delete;

    /// The run has ended with this exit status.
    void finish(int exit_status) noexcept;

  private:
    void start_clock();
    void stop_clock();
    void write() noexcept;
    void replace_file(const std::string& text) const;

    const std::string path_;
    const RunMeter& meter_;
    const std::shared_ptr<spdlog::logger> log_;
    MetricsPage page_;  ///< but for the figures
    bool warned_ = false;
    bool finished_ = false;
    std::mutex mutex_;  ///< guards `ended_`; what is above belongs to the clock's thread while that runs
    std::condition_variable end_;
    bool ended_ = false;
    std::thread clock_;
};

}  // namespace parity::driver
