#include "driver/commands/command.h"

#include "driver/commands/compare.h"
#include "driver/commands/completion.h"
#include "driver/commands/dead_letters.h"
#include "driver/commands/help.h"
#include "driver/commands/report.h"
#include "driver/commands/resume.h"
#include "driver/model/error.h"
#include "driver/model/exit_codes.h"
#include "driver/report/output.h"

namespace parity::driver {

const std::vector<Command>& commands() {
    static const std::vector<Command> all{compare_command(),      resume_command(),     report_command(),
                                          dead_letters_command(), completion_command(), help_command()};
    return all;
}

std::vector<CommandSpec> command_specs() {
    std::vector<CommandSpec> specs;
    for (const Command& command : commands()) specs.push_back(command.spec);
    return specs;
}

int print_text(const std::string& text) {
    Output output({});
    output.write(text);
    output.finish();
    return kExitIdentical;
}

int run_command_line(const std::vector<std::string>& arguments) {
    const std::vector<CommandSpec> specs = command_specs();
    const CommandLine line = parse_command_line(specs, arguments);
    if (line.print) return print_text(*line.print);
    for (const Command& command : commands())
        if (command.spec.name == line.command) return command.run(line);
    throw Error(ErrorKind::kInternal, "a command was parsed that there is not");
}

}  // namespace parity::driver
