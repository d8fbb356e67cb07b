#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "driver/model/options.h"
#include "driver/options/option_table.h"

/// Where a run is kept, and the options that it is kept with, so that whoever goes on with it need not give them again.
namespace parity::driver {

/// Whether what --state, --from or --against names is a database and not a file: what begins with postgresql:// or
/// postgres://, or has a "=" and does not begin with "/" or "." as a path does.
bool names_database(std::string_view place);

using GivenOptions = std::map<std::string, std::vector<std::string>>;

/// Of what was given, what the run's answer depends on.
GivenOptions semantic_options(const std::vector<OptionSpec>& specs, const Options& options);

/// The options of a run that is continued: those that it began with, and what is given now of those that the answer
/// does not depend on.
/// Throws: Error{kUsage} that names the first of those it depends on that is given now and was another one.
Options continued_options(const std::vector<OptionSpec>& specs, Options now, const GivenOptions& began,
                          const std::vector<TableSetting>& table_settings);

}  // namespace parity::driver
