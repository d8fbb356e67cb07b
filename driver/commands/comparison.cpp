#include "driver/commands/comparison.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <random>
#include <vector>

#include <fmt/format.h>

#include "core/digest.h"
#include "driver/commands/live_report.h"
#include "driver/commands/run_head.h"
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
#include "driver/monitor/last_line.h"
#include "driver/monitor/log.h"
#include "driver/monitor/metrics_file.h"
#include "driver/monitor/observer.h"
#include "driver/monitor/progress.h"
#include "driver/monitor/run_meter.h"
#include "driver/monitor/terminal.h"
#include "driver/options/kept_options.h"
#include "driver/options/option_table.h"
#include "driver/options/request.h"
#include "driver/planning/inventories.h"
#include "driver/planning/later_tables.h"
#include "driver/planning/plan.h"
#include "driver/record/recorder.h"
#include "driver/report/document.h"
#include "driver/report/outcome.h"
#include "driver/report/output.h"
#include "driver/report/plan.h"
#include "driver/report/report.h"
#include "driver/report/wording.h"
#include "driver/salvage/dead_letter_count.h"
#include "driver/state/findings.h"
#include "driver/state/run_codec.h"
#include "driver/text/display_name.h"
#include "driver/text/utc.h"
#include "driver/waiting/interrupt.h"
#include "driver/waiting/run_clock.h"
#include "driver/waiting/wall_clock.h"
#include "driver/work/pool.h"
#include "driver/work/resumption.h"
#include "driver/work/run_keeper.h"

namespace parity::driver {
namespace {

using Clock = std::chrono::steady_clock;

std::uint64_t random_seed() {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
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
    if (report.interrupted) report.errors.push_back({{}, std::string(run_end_words())});
    for (const TableResult& result : report.tables)
        if (!result.error.empty()) report.errors.push_back({exact_name(result.plan), result.error, result.sqlstate});
}

/// What a limit leaves for each of the streams that run at the same time.
MemoryPlan memory_plan(const Options& options, const RunReport& report) {
    std::size_t sides = 0;
    for (Side side : kSides) sides += report.server[side].is_streamed || options.fall_back_to_stream;
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

/// Whether the report tells people on the same terminal what the log would have told them.
bool is_told_twice(const Options& options, const Terminal& terminal) {
    return options.format == ReportFormat::kText && options.output.empty() && terminal.is_tty() &&
           isatty(STDOUT_FILENO) != 0;
}

/// A run: what it is about, where what is found goes, and who hears of it.
class Comparison {
  public:
    Comparison(const Options& options, KeptRun& kept)
        : request_(options),
          options_(request_.options),
          kept_(kept),
          log_(make_log(terminal_, options_.verbose)),
          metrics_(options_, meter_, log_),
          output_(options_.output) {
        if (kept_.store) kept_.store->warn_by([log = log_](const std::string& message) { log->warn("{}", message); });
        report_.options = &options_;
        report_.started_at = show_utc(wall_clock_us());
        report_.seed = options_.seed.value_or(random_seed());
        log_->debug("seed {}", report_.seed);
    }

    int run() {
        servers_ = make_servers(request_);
        if (options_.dry_run) return show_plan();
        recorder_.emplace(options_, report_.seed, log_);
        try {
            plan();
            begin();
            compare();
            const int status = finish();
            metrics_.finish(status);
            return status;
        } catch (const std::exception& error) {
            recorder_->fail(as_error(error));
            throw;
        }
    }

  private:
    Both<Server*> servers() const { return {servers_.source.get(), servers_.target.get()}; }

    int show_plan() {
        plan();
        write_dry_run(options_, inventories_, report_.plan, output_);
        output_.finish();
        return kExitIdentical;
    }

    /// What both sides have, and what of it is compared with what.
    void plan() {
        Inventories read = read_inventories(request_, servers());
        report_.server = {read.sides.source.server, read.sides.target.server};
        report_.plan = make_plan(request_, read.sides, read.pairing);
        chosen_ = chosen_tables(read);
        relations_mark_ = std::move(read.relations_mark);
        if (options_.dry_run) inventories_ = std::move(read.sides);
        if (!is_told_twice(options_, terminal_)) log_differences(*log_, report_.plan);
        for (Side side : kSides)
            if (!report_.server[side].engine_reason.empty())
                log_->warn("{}: rows are streamed, the extension is not used: {}", side_name(side),
                           report_.server[side].engine_reason);
    }

    /// The run begins, or goes on with what an earlier part of it knows.
    void begin() {
        if (kept_.continued) {
            continue_run();
        } else {
            resumed_ = begin_run(report_.plan);
            if (kept_.store) keep_beginning(*kept_.store, report_.plan, request_to_keep(), run_head(report_));
        }
    }

    RunRequest request_to_keep() const {
        return {semantic_options(compare_options(), options_),
                options_.table_settings,
                report_.seed,
                core::kFormatVersion,
                {report_.server.source.identity, report_.server.target.identity},
                {chosen_.begin(), chosen_.end()}};
    }

    void continue_run() {
        for (Side side : kSides)
            require_same_data(side, kept_.continued->request.identity[side], report_.server[side].identity);
        report_.started_at = show_utc(kept_.continued->began_us);
        const auto& tables = kept_.continued->request.tables;
        const ChosenTables now = std::exchange(chosen_, ChosenTables(tables.begin(), tables.end()));
        resumed_ = resume_run(*kept_.store, report_.server, chosen_, report_.plan, options_.max_divergences, findings_,
                              options_.retry_dead);
        note_changes(now);
        report_.continued = ContinuedRun{kept_.continued->times + 1, resumed_.kept, {}};
        for (const Resumption::Voided& voided : resumed_.voided) {
            report_.continued->voided.emplace_back(voided.name, voided.reason);
            log_->info("{}: compared again: {}", display_name(voided.name), voided.reason);
        }
        note_other_servers();
        keep_continuation(*kept_.store, resumed_, run_head(report_));
        log_->info("the run is continued; tables that are done: {}, that are to be compared: {}", resumed_.kept,
                   std::count_if(resumed_.known.begin(), resumed_.known.end(),
                                 [](const auto& known) { return !known || !known->done; }));
    }

    /// Who goes on with a run names its servers anew, which may be others of the same clusters.
    void note_other_servers() {
        report_.failovers = kept_.continued->failovers;
        for (Side side : kSides) {
            const ServerIdentity &before = kept_.continued->server[side].identity, &now = report_.server[side].identity;
            const ServerChange change = server_change(before, now);
            if (change != ServerChange::kPromoted && change != ServerChange::kOtherOfCluster) continue;
            const auto is_known = [&](const ServerFailover& each) {
                return each.side == side && each.started_us == now.started_us;
            };
            if (std::any_of(report_.failovers.begin(), report_.failovers.end(), is_known)) continue;
            report_.failovers.push_back(
                {side, wall_clock_us(), describe_incarnation(before), describe_incarnation(now), now.started_us});
        }
    }

    /// Tables and sequences are compared; everything found is in the report and the store.
    void compare() {
        NamedServers named(report_.server, options_.allow_same_server);
        for (Side side : kSides) servers_[side]->expect(named, report_.server[side]);
        recorder_->set_findings(findings_);
        Progress progress(terminal_, options_.progress);
        LogObserver logged(log_);
        std::vector<Observer*> observing{&logged, &*recorder_, &meter_, &progress};
        if (kept_.store) {
            keeper_.emplace(*kept_.store, resumed_, findings_, options_.state_values, log_);
            observing.insert(observing.begin(), &*keeper_);
        }
        live_.begin(report_);
        observing.push_back(&live_);
        Observers observers(observing);
        const RunContext context{&options_,
                                 {{report_.seed, options_.width, options_.workers}, memory_plan(options_, report_)},
                                 &findings_,
                                 &observers,
                                 &dead_letters_};
        observers.begin_run(report_.plan);
        TablePool pool(context, servers(), named, report_.server, report_.plan.tables, resumed_.known, log_);
        report_.tables = pool.run();
        observers.finish_run();
        report_.compared_again = pool.compared_again();
        report_.failovers.insert(report_.failovers.end(), pool.failovers().begin(), pool.failovers().end());
        if (!pool.failovers().empty()) read_catalogs_again(pool.incarnation());
        for (const Both<SequenceDesc>& sequence : report_.plan.sequences)
            report_.sequences.push_back(compare_sequence(sequence, report_.plan.sequence_rules));
        report_.interrupted = !count_rows(options_, servers(), *log_, report_.plan);
        for (const TableResult& result : report_.tables) report_.interrupted |= interrupted() && !result.error.empty();
        if (report_.interrupted) report_.ended_by = run_end();
        if (kept_.store && !report_.interrupted) look_for_later_tables(pool.relations_mark());
        clock_.reset();
    }

    /// Tables that came, went or were created anew since the run began. One that is reported with what was seen of it
    /// is not listed a second time.
    void note_changes(const ChosenTables& now) {
        note_later_changes(chosen_, now, report_.plan);
        for (std::size_t i = 0; i < resumed_.known.size(); ++i) {
            if (!resumed_.known[i] || !resumed_.known[i]->done || resumed_.known[i]->result.error.empty()) continue;
            std::erase_if(report_.plan.skipped_tables, [&](const auto& skipped) {
                const Both<QualifiedName>& name = report_.plan.tables[i].name;
                return skipped.first.source == name.source && skipped.first.target == name.target;
            });
        }
    }

    /// What is read once, when the run begins, is read again from the servers that it has ended with: a server may have
    /// lacked what another one of its cluster had.
    void read_catalogs_again(const Both<ServerInfo>& ended_with) {
        if (interrupted()) return;
        try {
            Inventories read = read_inventories(request_, servers());
            for (Side side : kSides)
                require_same_server(side, ended_with[side].identity, read.sides[side].server.identity);
            Plan now = make_plan(request_, read.sides, read.pairing);
            for (SchemaDifference& difference : now.differences)
                if (!is_known(difference)) report_.plan.differences.push_back(std::move(difference));
            report_.plan.sequences = std::move(now.sequences);
            report_.plan.sequence_rules = now.sequence_rules;
            note_changes(chosen_tables(read));
        } catch (const std::exception& error) {
            report_.plan.sequences.clear();
            report_.plan.differences.push_back(
                {SchemaDifference::Severity::kSkipped, "sequences and schemas",
                 fmt::format("could not be read again after the failover: {}", as_error(error).what())});
        }
    }

    bool is_known(const SchemaDifference& difference) const {
        return std::any_of(report_.plan.differences.begin(), report_.plan.differences.end(), [&](const auto& known) {
            return known.object == difference.object && known.message == difference.message;
        });
    }

    /// A run that is kept may go on for days. `mark` is of its end, if it could be read.
    void look_for_later_tables(const std::optional<Both<std::string>>& mark) {
        if (mark && *mark == relations_mark_) return;
        try {
            note_changes(chosen_tables(list_inventories(request_, servers())));
        } catch (const std::exception& error) {
            const Error failure = as_error(error);
            report_.plan.differences.push_back({SchemaDifference::Severity::kSkipped,
                                                "tables created since the run began",
                                                fmt::format("could not be looked for: {}", failure.what())});
        }
    }

    /// Reports and gives the exit status.
    int finish() {
        report_.outcome = run_outcome(options_, report_.plan, report_.tables, report_.sequences);
        if (report_.interrupted)
            report_.outcome = report_.ended_by == RunEnd::kFailures ? failed_outcome(report_.outcome)
                                                                    : interrupted_outcome(report_.outcome);
        list_errors(report_);
        recorder_->finish(report_);
        report_.recorded_run = recorder_->run();
        report_.record_failure = recorder_->failure();
        report_.elapsed_seconds = std::chrono::duration<double>(Clock::now() - started_).count();
        if (keeper_) {
            keeper_->save_head(run_head(report_, true));
            report_.state_failure = keeper_->failure();
        }
        if (!report_.record_failure.empty() || !report_.state_failure.empty())
            report_.outcome = unrecorded_outcome(report_.outcome);
        if (report_.interrupted) log_->error("{}", run_end_words());
        const RunDocument document(report_, findings_);
        live_.end(document);
        if (!options_.output.empty() && terminal_.is_tty())
            terminal_.print_line("result: " + result_words(document.head()));
        if (options_.progress)
            terminal_.print_line("pgparity: " + last_line(meter_.figures(), report_.elapsed_seconds));
        return report_.outcome.exit_status;
    }

    const Request request_;
    const Options& options_;
    KeptRun& kept_;
    const Clock::time_point started_ = Clock::now();
    std::optional<RunClock> clock_{options_.run_time};
    Terminal terminal_;
    const std::shared_ptr<spdlog::logger> log_;
    RunMeter meter_;
    MetricsFile metrics_;
    Output output_;
    RunReport report_;
    Both<std::unique_ptr<Server>> servers_;
    Both<Inventory> inventories_;  ///< of a dry run
    ChosenTables chosen_;
    Both<std::string> relations_mark_;
    FindingStore findings_;
    DeadLetterCount dead_letters_;
    LiveReport live_{options_, output_, terminal_, findings_};
    std::optional<Recorder> recorder_;
    Resumption resumed_;
    std::optional<RunKeeper> keeper_;
};

}  // namespace

int run_comparison(const Options& options, KeptRun& kept) { return Comparison(options, kept).run(); }

}  // namespace parity::driver
