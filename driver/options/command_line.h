#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver/options/request.h"

namespace parity::driver {

/// What the command line asks for: either text to print and a status to end with (--help, --version), or a comparison.
struct CommandLine {
    std::optional<std::string> print;
    std::optional<Request> request;  ///< where there is nothing to print
};

/// Reads the command line (without the program's name) and the configuration file that it names.
/// Errors: kUsage, with what is wrong and where (file:line for a configuration file).
CommandLine parse_command_line(const std::vector<std::string>& arguments);

}  // namespace parity::driver
