#pragma once

#include <map>
#include <string>
#include <vector>

#include "driver/options/option_table.h"

namespace parity::driver {

/// What a configuration file says: option name → where it stands ("file:line") and its values, in the text that the
/// command line would hold. A flag that is true has no values; one that is false is left out.
struct ConfigValue {
    std::string location;
    std::vector<std::string> values;
};

/// Reads a TOML file whose keys are the names of these options.
/// Throws: Error{kUsage} with file and line for a file that cannot be read, a syntax error, an unknown key or a value
/// of a wrong type.
std::map<std::string, ConfigValue> read_config_file(const std::string& path, const std::vector<OptionSpec>& options);

}  // namespace parity::driver
