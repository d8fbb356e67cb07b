#pragma once

#include <string>
#include <vector>

#include "driver/options/command_line.h"
#include "driver/options/option_table.h"

namespace parity::driver {

/// Something that pgparity can be asked to do. Each has a file of its own here, and a line in commands().
struct Command {
    CommandSpec spec;
    /// Does it.
    /// Returns: the process's exit status (model/exit_codes.h).
    /// Throws: Error where nothing can be concluded.
    int (*run)(const CommandLine& line);
};

/// All of them, in the order of the help.
const std::vector<Command>& commands();

/// What they declare.
std::vector<CommandSpec> command_specs();

/// Prints a text on standard output.
/// Returns: the exit status of a process that did only this.
int print_text(const std::string& text);

/// Reads the command line (without the program's name) and does what it asks for.
/// Returns: the exit status.
int run_command_line(const std::vector<std::string>& arguments);

}  // namespace parity::driver
