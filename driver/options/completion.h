#pragma once

#include <string>
#include <vector>

#include "driver/options/option_table.h"

/// What shells and man know of the command line, made from the same declarations as --help.
namespace parity::driver {

/// A script that completes commands, options, their choices and file names in bash, or in zsh.
std::string bash_completion(const std::vector<CommandSpec>& commands);
std::string zsh_completion(const std::vector<CommandSpec>& commands);

/// The page for man, in the format of man(7).
std::string man_page(const std::vector<CommandSpec>& commands);

}  // namespace parity::driver
