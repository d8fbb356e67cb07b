#include <algorithm>
#include <exception>
#include <string>
#include <vector>

#include "driver/commands/compare.h"
#include "driver/commands/process.h"
#include "driver/model/exit_codes.h"
#include "driver/options/command_line.h"
#include "driver/report/output.h"

namespace {

using namespace parity::driver;

int run(const std::vector<std::string>& arguments) {
    const CommandLine command_line = parse_command_line(arguments);
    if (!command_line.print) return run_compare(*command_line.request);
    Output output({});
    output.write(*command_line.print);
    output.finish();
    return kExitIdentical;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        prepare_process();
        return run({argv + std::min(argc, 1), argv + argc});
    } catch (const std::exception& error) {
        print_failure(error);
    }
    return kExitError;
}
