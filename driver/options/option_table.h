#pragma once

#include <functional>
#include <string>
#include <vector>

#include "driver/model/options.h"

namespace parity::driver {

enum class OptionKind {
    kText,    ///< one value
    kList,    ///< may be given several times
    kNumber,  ///< one whole number
    kFlag,    ///< no value
};

/// OptionSpec::value_name of a connection string, which may hold a password.
inline constexpr const char* kConninfoValue = "CONNINFO";

/// One option of `pgparity compare`: the same on the command line and, without the dashes, in the configuration file.
struct OptionSpec {
    std::string name;
    OptionKind kind;
    std::string value_name;  ///< for the help; empty for a flag
    std::string group;
    std::string help;
    /// Checks the values and puts them into the options. Error kUsage for what they must not be.
    std::function<void(Options&, const std::vector<std::string>&)> apply;
};

/// All of them, in the order of the help.
const std::vector<OptionSpec>& option_table();

}  // namespace parity::driver
