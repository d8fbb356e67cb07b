#include "driver/commands/dead_letters.h"

#include <cstddef>
#include <string>

#include <fmt/format.h>

#include "driver/commands/state_place.h"
#include "driver/model/error.h"
#include "driver/model/exit_codes.h"
#include "driver/model/results.h"
#include "driver/report/output.h"
#include "driver/report/wording.h"
#include "driver/state/run_codec.h"
#include "driver/text/dead_letter_words.h"
#include "driver/text/display_name.h"
#include "driver/text/printable.h"

namespace parity::driver {
namespace {

std::string line_of(const TablePlan& table, const DeadLetter& letter) {
    const std::string attempts = letter.attempts == 1 ? "" : fmt::format("; {} attempts", letter.attempts);
    return printable(fmt::format("{}: {}{}", display_name(table), dead_letter_words(table, letter), attempts));
}

int list_dead_letters(const CommandLine& line) {
    const Options& options = line.options;
    const std::unique_ptr<RunStore> store = read_state(options.state, options.state_run, options);
    if (!store->read_run()) throw Error(ErrorKind::kUsage, "the state holds no run");
    Output output({});
    std::size_t places = 0, tables = 0;
    store->for_each_unit([&](const UnitRow& unit) {
        if (unit.state == UnitState::kPending) return;
        const TableResult result = decode_result(unit.result, decode_plan(unit.plan));
        for (const DeadLetter& letter : result.dead_letters) output.write_line(line_of(result.plan, letter));
        places += result.dead_letters.size();
        tables += !result.dead_letters.empty();
    });
    output.write_line(places == 0 ? "everything could be read"
                                  : fmt::format("{} of {} could not be read", counted(places, "place", "places"),
                                                counted(tables, "table", "tables")));
    output.finish();
    return places == 0 ? kExitIdentical : kExitIncomplete;
}

constexpr const char* kDeadLettersFooter =
    "Examples:\n"
    "  pgparity dead-letters run.state\n"
    "  pgparity dead-letters service=monitor --state-run nightly\n"
    "  pgparity resume --retry-dead --state run.state service=old service=new\n"
    "\n"
    "Exit status:\n"
    "  0 where everything was read that was compared, 3 where something could not be,\n"
    "  2 where the state cannot be read";

}  // namespace

Command dead_letters_command() {
    return {{"dead-letters",
             "list what could not be read, as a state tells",
             kDeadLettersFooter,
             dead_letters_options(),
             {},
             {"state"}},
            list_dead_letters};
}

}  // namespace parity::driver
