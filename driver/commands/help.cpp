#include "driver/commands/help.h"

#include "driver/options/command_line.h"
#include "driver/options/option_table.h"

namespace parity::driver {
namespace {

int run_help(const CommandLine& line) { return print_text(help_text(command_specs(), line.argument)); }

}  // namespace

Command help_command() {
    CommandSpec spec;
    spec.name = "help";
    spec.summary = "print the help of a command";
    spec.argument = "COMMAND";
    return {std::move(spec), run_help};
}

}  // namespace parity::driver
