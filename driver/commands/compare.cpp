#include "driver/commands/compare.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <random>

#include <fmt/format.h>

#include "driver/commands/servers.h"
#include "driver/compare/context.h"
#include "driver/compare/extension_tables.h"
#include "driver/compare/sequences.h"
#include "driver/engine/memory.h"
#include "driver/engine/server.h"
#include "driver/engine/server_identity.h"
#include "driver/model/error.h"
#include "driver/model/exit_codes.h"
#include "driver/model/inventory.h"
#include "driver/model/options.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"
#include "driver/monitor/log.h"
#include "driver/monitor/observer.h"
#include "driver/monitor/progress.h"
#include "driver/monitor/terminal.h"
#include "driver/options/command_line.h"
#include "driver/options/option_table.h"
#include "driver/options/request.h"
#include "driver/planning/inventories.h"
#include "driver/planning/plan.h"
#include "driver/record/recorder.h"
#include "driver/report/document.h"
#include "driver/report/formats.h"
#include "driver/report/outcome.h"
#include "driver/report/output.h"
#include "driver/report/plan.h"
#include "driver/report/report.h"
#include "driver/report/wording.h"
#include "driver/state/findings.h"
#include "driver/text/display_name.h"
#include "driver/waiting/interrupt.h"
#include "driver/work/pool.h"

namespace parity::driver {
namespace {

using Clock = std::chrono::steady_clock;

std::uint64_t random_seed() {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
}

/// fmt/chrono.h would take most of the time that compiling this file takes.
std::string now_utc() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

void log_skipped(spdlog::logger& log, const std::pair<Both<QualifiedName>, std::string>& skipped) {
    log.warn("{}: not compared: {}", display_name(skipped.first), skipped.second);
}

void log_differences(spdlog::logger& log, const Plan& plan) {
    for (const SchemaDifference& difference : plan.differences)
        log.info("{}: {}", displayed(difference.object), difference.message);
    for (const auto& skipped : plan.skipped_tables) log_skipped(log, skipped);
}

void list_errors(RunReport& report) {
    if (report.interrupted) report.errors.push_back({{}, "the run was interrupted"});
    for (const TableResult& result : report.tables)
        if (!result.error.empty()) report.errors.push_back({exact_name(result.plan), result.error, result.sqlstate});
}

/// What a limit leaves for each of the streams that run at the same time.
MemoryPlan memory_plan(const Options& options, const RunReport& report) {
    std::size_t sides = 0;
    for (Side side : kSides) sides += report.server[side].is_streamed;
    const std::size_t jobs = std::min(static_cast<std::size_t>(options.jobs), report.plan.tables.size());
    const std::uint64_t limit = options.memory_limit.value_or(available_memory() / 4);
    return {limit, std::max<std::size_t>(1, sides * jobs)};
}

/// Counts the rows of tables of extensions, and warns of those that could not be compared.
bool count_rows(const Options& options, const Both<Server*>& servers, spdlog::logger& log, Plan& plan) {
    const std::size_t skipped = plan.skipped_tables.size();
    const bool counted = count_extension_tables(options, servers, plan);
    for (std::size_t i = skipped; i < plan.skipped_tables.size(); ++i) log_skipped(log, plan.skipped_tables[i]);
    return counted;
}

/// Tables and sequences are compared; everything found is in the report and the store.
void compare_all(const Options& options, const Both<Server*>& servers, Terminal& terminal,
                 const std::shared_ptr<spdlog::logger>& log, FindingStore& findings, Recorder& recorder,
                 RunReport& report) {
    NamedServers named(report.server, options.allow_same_server);
    for (Side side : kSides) servers[side]->expect(named, report.server[side]);
    Progress progress(terminal, options.progress);
    LogObserver logged(log);
    Observers observers({&logged, &recorder, &progress});
    const RunContext context{
        &options, {{report.seed, options.width, options.workers}, memory_plan(options, report)}, &findings, &observers};
    observers.begin_run(report.plan);
    report.tables = TablePool(context, servers, report.plan.tables, log).run();
    observers.finish_run();
    for (const Both<SequenceDesc>& sequence : report.plan.sequences)
        report.sequences.push_back(compare_sequence(sequence, report.plan.sequence_rules));
    report.interrupted = !count_rows(options, servers, *log, report.plan);
    for (const TableResult& result : report.tables) report.interrupted |= interrupted() && !result.error.empty();
}

/// A report that a full disk does not take goes to standard output: what was found must not be lost.
void write_finished(const ReportDocument& document, const Options& options, Output& output) {
    const ReportChoices choices{options.only_differences, options.quiet};
    try {
        write_report(document, options.format, choices, output);
        output.finish();
    } catch (const Error& error) {
        if (options.output.empty() || error.kind() != ErrorKind::kOutput) throw;
        Output instead({});
        write_report(document, options.format, choices, instead);
        instead.finish();
        throw Error(ErrorKind::kOutput, error.what(), "the report was written to standard output instead");
    }
}

/// The plan is made: compares, reports and gives the exit status.
int compare_and_report(const Options& options, const Both<Server*>& servers, Terminal& terminal,
                       const std::shared_ptr<spdlog::logger>& log, Recorder& recorder, RunReport& report,
                       Clock::time_point started, Output& output) {
    FindingStore findings;
    recorder.set_findings(findings);
    compare_all(options, servers, terminal, log, findings, recorder, report);
    report.outcome = run_outcome(options, report.plan, report.tables, report.sequences);
    if (report.interrupted) report.outcome = interrupted_outcome(report.outcome);
    list_errors(report);
    recorder.finish(report);
    report.recorded_run = recorder.run();
    report.record_failure = recorder.failure();
    if (!report.record_failure.empty()) report.outcome = unrecorded_outcome(report.outcome);
    if (report.interrupted) log->error("the run was interrupted");
    report.elapsed_seconds = std::chrono::duration<double>(Clock::now() - started).count();
    const RunDocument document(report, findings);
    write_finished(document, options, output);
    if (!options.output.empty() && terminal.is_tty()) terminal.print_line("result: " + result_words(document.head()));
    return report.outcome.exit_status;
}

/// Whether the report tells people on the same terminal what the log would have told them.
bool is_told_twice(const Options& options, const Terminal& terminal) {
    return options.format == ReportFormat::kText && options.output.empty() && terminal.is_tty() &&
           isatty(STDOUT_FILENO) != 0;
}

/// What both sides have, and what of it is compared with what.
Both<Inventory> plan_run(const Request& request, const Both<Server*>& servers, const Terminal& terminal,
                         spdlog::logger& log, RunReport& report) {
    Inventories read = read_inventories(request, servers);
    report.server = {read.sides.source.server, read.sides.target.server};
    report.plan = make_plan(request, read.sides, read.pairing);
    if (!is_told_twice(request.options, terminal)) log_differences(log, report.plan);
    for (Side side : kSides)
        if (!report.server[side].engine_reason.empty())
            log.warn("{}: rows are streamed, the extension is not used: {}", side_name(side),
                     report.server[side].engine_reason);
    return std::move(read.sides);
}

int run_compare(const CommandLine& line) {
    const Request request(line.options);
    const Options& options = request.options;
    const auto started = Clock::now();
    Output output(options.output);
    Terminal terminal;
    const auto log = make_log(terminal, options.verbose);

    RunReport report;
    report.options = &options;
    report.started_at = now_utc();
    report.seed = options.seed.value_or(random_seed());
    log->debug("seed {}", report.seed);
    const Both<std::unique_ptr<Server>> made = make_servers(request);
    const Both<Server*> servers{made.source.get(), made.target.get()};
    if (options.dry_run) {
        const Both<Inventory> inventories = plan_run(request, servers, terminal, *log, report);
        write_dry_run(options, inventories, report.plan, output);
        output.finish();
        return kExitIdentical;
    }
    Recorder recorder(options, report.seed, log);
    try {
        plan_run(request, servers, terminal, *log, report);
        return compare_and_report(options, servers, terminal, log, recorder, report, started, output);
    } catch (const std::exception& error) {
        recorder.fail(as_error(error));
        throw;
    }
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
    "  2  nothing can be concluded: bad options, no connection, interrupted\n"
    "  3  no divergence, but something was skipped, unreadable or failed,\n"
    "     or the run could not be recorded";

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
