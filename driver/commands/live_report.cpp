#include "driver/commands/live_report.h"

#include <unistd.h>

#include "driver/model/error.h"
#include "driver/waiting/interrupt.h"
#include "driver/waiting/start_thread.h"

namespace parity::driver {
namespace {

std::unique_ptr<ReportParts> parts_for(const Options& options, const ReportChoices& choices, Output& output) {
    return options.output.empty() ? make_report_parts(options.format, choices, output) : nullptr;
}

/// A report that a full disk does not take goes to standard output: what was found must not be lost.
void write_whole_report(const ReportDocument& document, const Options& options, const ReportChoices& choices,
                        Output& output) {
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

}  // namespace

LiveReport::LiveReport(const Options& options, Output& output, Terminal& terminal, FindingStore& findings)
    : options_(options),
      output_(output),
      terminal_(terminal),
      findings_(findings),
      choices_{options.only_differences, options.quiet},
      parts_(parts_for(options, choices_, output)) {}

LiveReport::~LiveReport() { stop_thread(Output::Waits::kNever); }

void LiveReport::begin(const RunReport& report) {
    if (!parts_) return;
    begun_ = true;
    const Json head = beginning_of(report);
    differences_written_ = head.at("schema_differences").size();
    output_.set_waits(Output::Waits::kForever);
    thread_ = start_thread([this, head] {
        try {
            write_aside([&] { parts_->begin(head); });
        } catch (const std::exception&) {
            failure_ = std::current_exception();
        }
        write_finished_tables();
    });
}

/// What counts no more and is not written yet never is.
void LiveReport::reopen_table(std::size_t table_no, const TableResult& /*before*/) {
    const std::lock_guard lock(mutex_);
    std::erase_if(finished_, [&](const auto& table) { return table.first == table_no; });
}

/// Large objects have their place behind the tables.
void LiveReport::finish_table(std::size_t table_no, const TableResult& result) {
    if (!begun_ || result.plan.large_objects) return;
    try {
        const std::lock_guard lock(mutex_);
        finished_.emplace_back(table_no, result);
        changed_.notify_one();
    } catch (const std::exception&) {
        // Without memory for this, the table is written at the end.
    }
}

void LiveReport::write_finished_tables() noexcept {
    std::unique_lock lock(mutex_);
    for (;;) {
        if (failure_ && options_.state.empty() && options_.record.empty()) interrupt_run(RunEnd::kHopeless);
        changed_.wait(lock, [&] { return ends_ || !finished_.empty(); });
        if (finished_.empty()) return;
        const auto [table_no, result] = std::move(finished_.front());
        finished_.pop_front();
        if (failure_) continue;
        lock.unlock();
        try {
            write_aside([&] { write_table(table_no, result); });
            tables_written_.insert(table_no);
        } catch (const std::exception&) {
            failure_ = std::current_exception();
        }
        lock.lock();
    }
}

void LiveReport::write_table(std::size_t table_no, const TableResult& result) {
    const FindingWriter writer(result.plan);
    parts_->table(json_table(result), [&](const std::function<void(const Json&)>& take) {
        if (result.listed == 0) return;
        findings_.for_each(static_cast<int>(table_no), [&](const Finding& finding) { take(writer.json(finding)); });
    });
}

/// What is written is seen at once, and not mixed up with the bar.
void LiveReport::write_aside(const std::function<void()>& write) {
    const auto write_out = [&] {
        write();
        output_.flush();
    };
    if (terminal_.is_tty() && isatty(STDOUT_FILENO) != 0)
        terminal_.without_bar(write_out);
    else
        write_out();
}

void LiveReport::stop_thread(Output::Waits waits) noexcept {
    if (!thread_.joinable()) return;
    output_.set_waits(waits);
    {
        const std::lock_guard lock(mutex_);
        ends_ = true;
        changed_.notify_one();
    }
    thread_.join();
}

WrittenParts LiveReport::written(const RunDocument& document) const {
    WrittenParts parts{differences_written_};
    for (std::size_t i = 0; i < document.head().at("tables").size(); ++i) {
        const std::optional<std::size_t> position = document.position(i);
        parts.tables.push_back(position && tables_written_.contains(*position));
    }
    return parts;
}

void LiveReport::end(const RunDocument& document) {
    if (!begun_) return write_whole_report(document, options_, choices_, output_);
    stop_thread(Output::waits_after_run());
    if (failure_) std::rethrow_exception(failure_);
    parts_->end(document, written(document));
    output_.finish();
}

}  // namespace parity::driver
