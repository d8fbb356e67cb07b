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
/// Of a file, or a connection string: see names_database() (kept_options.h).
inline constexpr const char* kStateValue = "FILE|CONNINFO";

/// One option of a command: the same on the command line and, without the dashes, in the configuration file.
struct OptionSpec {
    std::string name;
    OptionKind kind;
    std::string value_name;  ///< for the help; empty for a flag
    std::string group;
    std::string help;
    /// Checks the values and puts them into the options.
    /// Throws: Error{kUsage} for what they must not be.
    std::function<void(Options&, const std::vector<std::string>&)> apply;
    bool required = false;
    char letter = 0;                     ///< "-t" beside "--table"; 0: none
    std::vector<std::string> choices{};  ///< all values that there are; empty: others
    bool semantic = false;               ///< the answer of a run depends on it, so that it is kept with the run
};

/// A command as it is declared: the command line, the help and the configuration file are made from this alone.
struct CommandSpec {
    std::string name;
    std::string summary;                    ///< one line for the list of commands
    std::string footer;                     ///< of its help: examples, exit statuses
    std::vector<OptionSpec> options;        ///< in the order of the help
    std::string argument;                   ///< what one argument beside the options is; empty: there is none
    std::vector<std::string> positional{};  ///< options whose values may stand without their names, in this order
};

/// The options of a comparison, of going on with one, and of turning a report into another format.
std::vector<OptionSpec> compare_options();
/// Those of a run that is continued. What the run began with need not be given again.
std::vector<OptionSpec> resume_options();
std::vector<OptionSpec> report_file_options();
/// Those of the list of what could not be read.
std::vector<OptionSpec> dead_letters_options();

}  // namespace parity::driver
