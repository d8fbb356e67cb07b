#pragma once

#include <map>
#include <string>
#include <vector>

#include "driver/model/options.h"
#include "driver/options/option_table.h"

/// The options that a run is kept with, so that whoever goes on with it need not give them again.
namespace parity::driver {

using GivenOptions = std::map<std::string, std::vector<std::string>>;

/// Of what was given, what the run's answer depends on.
GivenOptions semantic_options(const std::vector<OptionSpec>& specs, const Options& options);

/// The options of a run that is continued: those that it began with, and what is given now of those that the answer
/// does not depend on.
/// Throws: Error{kUsage} that names the first of those it depends on that is given now and was another one.
Options continued_options(const std::vector<OptionSpec>& specs, Options now, const GivenOptions& began,
                          const std::vector<TableSetting>& table_settings);

}  // namespace parity::driver
