#include "driver/commands/resume.h"

#include <chrono>

#include <fmt/format.h>

#include "core/digest.h"
#include "driver/commands/comparison.h"
#include "driver/commands/state_place.h"
#include "driver/model/error.h"
#include "driver/options/command_line.h"
#include "driver/options/kept_options.h"
#include "driver/options/option_table.h"
#include "driver/waiting/wall_clock.h"

namespace parity::driver {
namespace {

using std::chrono::microseconds;

/// What was compared long ago says little about now.
void require_young(const Options& options, const std::string& state, std::int64_t began_us) {
    const microseconds old(wall_clock_us() - began_us);
    if (options.max_age.count() == 0 || old <= options.max_age) return;
    const auto age = std::chrono::floor<std::chrono::minutes>(old);
    throw Error(ErrorKind::kUsage,
                fmt::format("the run in {} began {} h {} min ago, longer than --max-age allows", state,
                            age.count() / 60, age.count() % 60),
                "begin the run anew, or give a longer --max-age");
}

void require_format(const RunRequest& request, const std::string& program) {
    if (request.format_version == core::kFormatVersion) return;
    throw Error(ErrorKind::kUsage,
                fmt::format("the run began with digest format {}, this pgparity has {}", request.format_version,
                            core::kFormatVersion),
                fmt::format("go on with pgparity {}, which began the run", program));
}

int run_resume(const CommandLine& line) {
    KeptRun kept;
    kept.store = open_state(line.options);
    const std::optional<RunRow> run = kept.store->read_run();
    if (!run) throw Error(ErrorKind::kUsage, kept.store->name() + " was removed just now");
    RunRequest request = decode_request(run->request);
    require_young(line.options, kept.store->name(), run->began_us);
    require_format(request, run->program);
    Options options = continued_options(resume_options(), line.options, request.given, request.table_settings);
    options.seed = request.seed;
    RunHead head = decode_head(run->head);
    kept.continued = {std::move(request), run->began_us, head.continued, std::move(head.failovers), head.server};
    return run_comparison(options, kept);
}

constexpr const char* kResumeFooter =
    "Examples:\n"
    "  pgparity compare --state run.state service=old service=new\n"
    "  pgparity resume --state run.state service=old service=new\n"
    "  pgparity resume --state service=monitor --state-run nightly service=old service=new\n"
    "\n"
    "The run goes on with what it began with: tables, columns, keys, conditions, seed.\n"
    "Connection strings are not kept, and have to be given again.\n"
    "\n"
    "Exit status:\n"
    "  as of compare";

}  // namespace

Command resume_command() {
    return {{"resume",
             "go on with a run that compare --state has kept",
             kResumeFooter,
             resume_options(),
             {},
             {"source", "target"}},
            run_resume};
}

}  // namespace parity::driver
