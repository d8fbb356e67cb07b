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

/// A configuration file: the values of options, and what it says of single tables. What of that has an option of its
/// own, such as a key, is among the options, in the text that --key would have.
struct Config {
    std::map<std::string, ConfigValue> options;
    std::vector<TableSetting> tables;
};

/// Reads a TOML file whose keys are the names of these options. With a --table among them there may be
/// [table."schema.name"] with where, key, columns, exclude-columns, form and ranges.
/// Throws: Error{kUsage} with file and line for a file that cannot be read, a syntax error, an unknown key or a value
/// of a wrong type.
Config read_config_file(const std::string& path, const std::vector<OptionSpec>& options);

}  // namespace parity::driver
