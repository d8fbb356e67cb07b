#include "driver/commands/compare.h"

#include "driver/commands/comparison.h"
#include "driver/commands/state_place.h"
#include "driver/options/command_line.h"
#include "driver/options/option_table.h"
#include "driver/options/request.h"

namespace parity::driver {
namespace {

int run_compare(const CommandLine& line) {
    KeptRun kept;
    const Request checked(line.options);
    if (!line.options.state.empty()) kept.store = create_state(line.options);
    return run_comparison(line.options, kept);
}

constexpr const char* kFooter =
    "Examples:\n"
    "  pgparity compare 'host=old dbname=shop' 'host=new dbname=shop'\n"
    "  pgparity compare --source service=old --target service=new \\\n"
    "      --table 'public.ord*' --format json\n"
    "  pgparity compare --source service=old --target service=new \\\n"
    "      --table orders --map orders=orders_v2 --key orders=id\n"
    "\n"
    "Exit status:\n"
    "  0  everything asked for was compared and is equal\n"
    "  1  at least one divergence\n"
    "  2  nothing can be concluded: bad options, no connection, nothing compared,\n"
    "     more failed than --fail-above allows\n"
    "  3  no divergence, but something was skipped, unreadable or failed, the run\n"
    "     ended before everything was compared, or could not be recorded or kept";

}  // namespace

Command compare_command() {
    return {{"compare",
             "compare two databases and report every divergence",
             kFooter,
             compare_options(),
             {},
             {"source", "target"}},
            run_compare};
}

}  // namespace parity::driver
