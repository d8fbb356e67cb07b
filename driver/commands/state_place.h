#pragma once

#include <memory>
#include <string>

#include "driver/model/options.h"
#include "driver/state/run_store.h"

/// Where runs are kept: in files (state/run_file.h) and databases (record/run_database.h), as what is given says.
namespace parity::driver {

/// The place of a run that begins, that goes on, or that is only read, as --state and --state-run name it.
/// Throws: as RunFile and RunDatabase do, and Error{kUsage} where the report would overwrite the file.
std::unique_ptr<RunStore> create_state(const Options& options);
std::unique_ptr<RunStore> open_state(const Options& options);

/// A run that is only read. `run`: its name in a database; empty: kDefaultRun.
std::unique_ptr<RunStore> read_state(const std::string& place, const std::string& run, const Options& options);

/// Whether what is there is the state of a run, and not a report.
bool is_state(const std::string& place);

}  // namespace parity::driver
