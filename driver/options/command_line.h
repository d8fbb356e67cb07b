#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver/model/options.h"
#include "driver/options/option_table.h"

namespace parity::driver {

/// What the command line asks for: either text to print and to end with (--help, --version), or a command.
struct CommandLine {
    std::optional<std::string> print;
    std::string command;  ///< its name
    Options options;
    std::string argument;  ///< of CommandSpec::argument; empty: none was given
};

/// Reads the command line (without the program's name) and the configuration file that it names.
/// Throws: Error{kUsage} with what is wrong and where (file:line for a configuration file).
CommandLine parse_command_line(const std::vector<CommandSpec>& commands, const std::vector<std::string>& arguments);

/// The help of a command, or of the program where `command` is empty.
/// Throws: Error{kUsage} for a name that is none.
std::string help_text(const std::vector<CommandSpec>& commands, const std::string& command);

}  // namespace parity::driver
