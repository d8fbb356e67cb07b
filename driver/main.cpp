#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "driver/error.h"
#include "driver/exit_status.h"
#include "driver/interrupt.h"
#include "driver/options.h"
#include "driver/run.h"

namespace {

using namespace parity::driver;

int run(const std::vector<std::string>& arguments) {
    const CommandLine command_line = parse_command_line(arguments);
    if (command_line.print) {
        fmt::print("{}", *command_line.print);
        return kExitIdentical;
    }
    install_interrupt_handlers();
    return run_compare(command_line.options);
}

void print_error(const Error& error) {
    fmt::print(stderr, "pgparity: error: {}\n", error.what());
    if (!error.hint().empty()) fmt::print(stderr, "hint: {}\n", error.hint());
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run({argv + 1, argv + argc});
    } catch (const Error& error) {
        print_error(error);
    } catch (const std::exception& error) {
        print_error({ErrorKind::kInternal, error.what()});
    }
    return kExitError;
}
