#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "driver/monitor/run_meter.h"

namespace parity::driver {

/// What a metrics file says of runs that ended. It outlives the next run: that one takes it over.
struct PastRuns {
    std::optional<double> last_success;  ///< seconds since 1970; of the last end with status 0
    std::optional<double> last_end;      ///< of the last run that came to its end
    std::optional<int> last_exit_status;
    bool operator==(const PastRuns&) const = default;
};

/// What a metrics file says.
struct MetricsPage {
    RunFigures figures;
    PastRuns past;
    double started = 0;  ///< seconds since 1970; of the run that goes on, or of the last one
    double written = 0;  ///< when this is
    bool in_progress = false;
    std::vector<std::pair<std::string, std::string>> labels{};  ///< of every metric
};

/// The page in the text format of Prometheus. Pure.
std::string metrics_text(const MetricsPage& page);

/// What such a text says of past runs. Of a text that is none of ours, or not whole, what can be read. Pure.
PastRuns read_past_runs(std::string_view text);

}  // namespace parity::driver
