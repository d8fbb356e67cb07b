#include <algorithm>
#include <exception>

#include "driver/commands/command.h"
#include "driver/commands/process.h"

int main(int argc, char** argv) {
    using namespace parity::driver;
    try {
        prepare_process();
        return run_command_line({argv + std::min(argc, 1), argv + argc});
    } catch (const std::exception& error) {
        return print_failure(error);
    }
}
