#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "driver/model/options.h"
#include "driver/state/run_codec.h"
#include "driver/state/run_store.h"

namespace parity::driver {

/// Where a run is kept, and of one that is continued what is kept of it.
struct KeptRun {
    struct Continued {
        RunRequest request;
        std::int64_t began_us = 0;
        int times = 0;  ///< how often it was continued before
        std::vector<ServerFailover> failovers{};
        Both<ServerInfo> server{};  ///< with which the last part of it began
    };
    std::unique_ptr<RunStore> store;  ///< none: the run is not kept
    std::optional<Continued> continued;
};

/// Compares what the options ask for, and reports.
/// Returns: the exit status.
/// Throws: Error where nothing can be concluded.
int run_comparison(const Options& options, KeptRun& kept);

}  // namespace parity::driver
