#include "driver/commands/completion.h"

#include <fmt/format.h>

#include "driver/model/error.h"
#include "driver/options/command_line.h"
#include "driver/options/completion.h"

namespace parity::driver {
namespace {

int run_completion(const CommandLine& line) {
    const std::vector<CommandSpec> specs = command_specs();
    if (line.argument == "bash") return print_text(bash_completion(specs));
    if (line.argument == "zsh") return print_text(zsh_completion(specs));
    if (line.argument == "man") return print_text(man_page(specs));
    throw Error(ErrorKind::kUsage,
                line.argument.empty() ? "the name of a shell is missing"
                                      : fmt::format("there is no completion for \"{}\"", line.argument),
                "expected bash, zsh or man");
}

constexpr const char* kCompletionFooter =
    "Examples:\n"
    "  source <(pgparity completion bash)\n"
    "  pgparity completion zsh > ~/.zfunc/_pgparity\n"
    "  pgparity completion man | man -l -";

}  // namespace

Command completion_command() {
    return {{"completion", "print completion for bash or zsh, or the man page", kCompletionFooter, {}, "SHELL"},
            run_completion};
}

}  // namespace parity::driver
