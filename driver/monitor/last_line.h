#pragma once

#include <string>

#include "driver/monitor/run_meter.h"

namespace parity::driver {

/// What a run has done, on one line, for whoever reads a log: "412 of 415 tables compared, 3 failed (0.7 %), 12 min 3
/// s, source 1,204,000 rows/s, target 980,000 rows/s". A side's rows are divided by the time in which it read them; of
/// one that has read no table to its end nothing is said. Pure.
std::string last_line(const RunFigures& figures, double seconds);

}  // namespace parity::driver
