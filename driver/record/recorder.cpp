#include "driver/record/recorder.h"

#include <fmt/format.h>

#include "driver/model/sides.h"
#include "driver/model/sqlstates.h"
#include "driver/model/version.h"
#include "driver/postgres/connection/conninfo.h"
#include "driver/postgres/queries/catalog.h"
#include "driver/postgres/queries/record.h"
#include "driver/postgres/queries/session.h"
#include "driver/text/display_name.h"
#include "driver/waiting/interrupt.h"

namespace parity::driver {
namespace {

constexpr std::string_view kServer = "recording database";

}  // namespace

Recorder::Recorder(const Options& options, std::uint64_t seed, std::shared_ptr<spdlog::logger> log)
    : options_(options), log_(std::move(log)) {
    if (options.record.empty()) return;
    check_conninfo(kServer, options.record);
    try {
        open(seed);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::kCancelled) throw;
        give_up(error);
    }
}

void Recorder::open(std::uint64_t seed) {
    connection_ = Connection::open(kServer, options_.record, "pgparity: record", options_.connect_timeout_s);
    connection_->set_answer_time(kRecordAnswerTime);
    connection_->query(pin_session_statements());
    const Result settings = call(optional_settings_query());
    std::vector<std::string> available;
    for (int row = 0; row < settings.rows(); ++row) available.emplace_back(settings.text(row, 0));
    connection_->query(record_session_statements(available, kRecordSeconds));
    require_extension();
    const RecordedRun run{describe_conninfo(options_.conninfo.source), describe_conninfo(options_.conninfo.target),
                          fmt::format("pgparity {}", kVersion), dumped(options_record(options_, seed))};
    run_ = std::string(call(record_run_start_call(run)).text(0, 0));
    log_->debug("the run is recorded as number {}", *run_);
}

void Recorder::require_extension() {
    if (call(extension_query()).rows() == 0)
        throw Error(ErrorKind::kServer,
                    fmt::format("{}: the extension pg_parity is not installed in this database", kServer),
                    "CREATE EXTENSION pg_parity makes the tables for records", std::string(kServer),
                    std::string(kUndefinedObject));
    if (call(record_functions_query()).is_null(0, 0))
        throw Error(ErrorKind::kServer,
                    fmt::format("{}: the extension pg_parity of this database is of another version than pgparity {}",
                                kServer, kVersion),
                    "ALTER EXTENSION pg_parity UPDATE, after the package of pgparity's version is installed there",
                    std::string(kServer), std::string(kObjectNotInPrerequisiteState));
}

template <typename Work>
void Recorder::guarded(Work work) {
    const std::lock_guard lock(mutex_);
    if (!connection_) return;
    try {
        work();
    } catch (const std::exception& error) {
        give_up(as_error(error));
    }
}

/// A record that can still be ended is ended: as one that failed, whatever the comparison will say.
void Recorder::give_up(const Error& error) noexcept {
    try {
        std::string hint = error.hint();
        if (error.sqlstate() == kInsufficientPrivilege && hint.empty())
            hint = "GRANT parity_operator TO the role that records";
        failure_ = fmt::format("the run could not be recorded: {}", error.what());
        if (!hint.empty()) failure_ += fmt::format("; hint: {}", hint);
        log_->error("{}", failure_);
        if (run_ && connection_ && connection_->alive())
            call(record_run_finish_call(*run_, "failed", error.sqlstate(),
                                        fmt::format("recording failed: {}", error.what())));
    } catch (const std::exception&) {
        // The next run marks this one as died.
    }
    connection_.reset();
}

void Recorder::begin_run(const Plan& plan) {
    const std::lock_guard lock(mutex_);
    plan_ = &plan;
    tables_.resize(plan.tables.size());
}

std::string Recorder::start(const std::string& relation, const std::string& target, const Json& scope) {
    return std::string(call(record_table_start_call(*run_, relation, target, dumped(scope))).text(0, 0));
}

void Recorder::begin_table(std::size_t table_no) {
    guarded([&] {
        const TablePlan& table = plan_->tables[table_no];
        tables_[table_no].id =
            start(exact_name(table, Side::kSource), exact_name(table, Side::kTarget), scope_of(table));
    });
}

void Recorder::begin_phase(std::size_t table_no, Phase phase) {
    guarded([&] {
        Table& table = tables_[table_no];
        if (table.id.empty() || table.phase == phase) return;
        table.phase = phase;
        call(record_phase_call(table.id, phase_name(phase)));
    });
}

void Recorder::reopen_table(std::size_t table_no, const TableResult&) {
    guarded([&] {
        Table& table = tables_[table_no];
        if (!table.finished) return;
        call(record_table_again_call(table.id));
        table.finished = false;
    });
}

void Recorder::finish_table(std::size_t table_no, const TableResult& result) {
    guarded([&] { write(table_no, result); });
}

void Recorder::write(std::size_t table_no, const TableResult& result) {
    Table& table = tables_[table_no];
    const TableRecord record = record_of(result, plan_->differences, options_, interrupted());
    if (table.id.empty()) table.id = start(record.relation, record.target_relation, record.scope);
    write_findings(table.id, table_no, result);
    call(record_table_finish_call(table.id, record.status, dumped(record.facts)));
    table.finished = true;
}

void Recorder::write_findings(const std::string& id, std::size_t table_no, const TableResult& result) {
    if (result.listed == 0) return;
    const FindingWriter writer(result.plan);
    FindingPlace after;
    while (true) {
        const auto entries = findings_->read(static_cast<int>(table_no), after, kRecordBatchBytes);
        if (entries.empty()) return;
        Json findings = Json::array();
        for (const StoredFinding& entry : entries)
            findings.push_back(divergence_record(writer, entry.finding, options_.record_values));
        call(record_divergences_call(id, dumped(findings)));
        after = entries.back().place;
    }
}

void Recorder::write(const TableRecord& record) {
    const std::string id = start(record.relation, record.target_relation, record.scope);
    call(record_table_finish_call(id, record.status, dumped(record.facts)));
}

void Recorder::finish(const RunReport& report) {
    guarded([&] {
        for (std::size_t i = 0; i < report.tables.size(); ++i)
            if (!tables_[i].finished) write(i, report.tables[i]);
        for (const auto& [names, reason] : report.plan.skipped_tables) write(record_of_skipped(names, reason));
        for (const SequenceResult& sequence : report.sequences) write(record_of(sequence));
        for (const TableRecord& record : records_of_lone_objects(report.plan.differences, report.plan.tables, options_))
            write(record);
        call(record_run_finish_call(*run_, run_status(report.outcome.result, report.interrupted), {},
                                    std::string(report.interrupted ? run_end_words(report.ended_by) : "")));
        connection_.reset();
    });
}

void Recorder::fail(const Error& error) {
    guarded([&] {
        const bool cancelled = error.kind() == ErrorKind::kCancelled;
        call(record_run_finish_call(*run_, cancelled ? "cancelled" : "failed", error.sqlstate(), clean(error.what())));
        connection_.reset();
    });
}

std::string Recorder::failure() const {
    const std::lock_guard lock(mutex_);
    return failure_;
}

}  // namespace parity::driver
