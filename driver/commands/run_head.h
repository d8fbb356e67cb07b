#pragma once

#include "driver/report/report.h"
#include "driver/state/run_codec.h"

namespace parity::driver {

/// What a state keeps of a report beside its tables.
RunHead run_head(const RunReport& report, bool finished = false);

/// The reverse.
void set_run_head(RunReport& report, RunHead head);

}  // namespace parity::driver
