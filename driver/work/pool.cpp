#include "driver/work/pool.h"

#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "driver/compare/table.h"
#include "driver/waiting/interrupt.h"
#include "driver/waiting/start_thread.h"

namespace parity::driver {
TablePool::TablePool(const RunContext& context, const Both<Server*>& servers, const std::vector<TablePlan>& tables,
                     std::shared_ptr<spdlog::logger> log)
    : context_(context),
      servers_(servers),
      tables_(tables),
      log_(std::move(log)),
      results_(tables.size()),
      jobs_(std::clamp(context.options->jobs, 1, static_cast<int>(std::max<std::size_t>(tables.size(), 1)))),
      all_tried_(jobs_) {}

std::vector<TableResult> TablePool::run() {
    std::vector<std::thread> threads = start();
    for (std::thread& thread : threads) thread.join();
    if (ends_run_) throw *ends_run_;
    std::vector<TableResult> results;
    for (std::size_t i = 0; i < tables_.size(); ++i) {
        results.push_back(results_[i] ? std::move(*results_[i]) : failed_table(tables_[i], why_not_tried()));
        results.back().begun = results_[i].has_value();
    }
    return results;
}

/// As many threads as there are to be had.
std::vector<std::thread> TablePool::start() {
    std::vector<std::thread> threads;
    threads.reserve(static_cast<std::size_t>(jobs_));
    try {
        for (int worker = 1; worker <= jobs_; ++worker)
            threads.push_back(start_thread([this, worker] { work(worker); }));
    } catch (const std::exception& error) {
        all_tried_.count_down(jobs_ - static_cast<int>(threads.size()));
        report_failure(error, threads.empty());
    }
    return threads;
}

/// Once a thread could not connect, those behind it do not try: each would take connections that the others need.
std::unique_ptr<SessionPair> TablePool::connect_in_turn(int worker) noexcept {
    const std::lock_guard lock(connecting_);
    if (has_failed()) return nullptr;
    std::unique_ptr<SessionPair> pair = connect(worker);
    if (pair) ++connected_;
    return pair;
}

std::unique_ptr<SessionPair> TablePool::connect_first(int worker) {
    std::unique_ptr<SessionPair> pair = connect_in_turn(worker);
    all_tried_.arrive_and_wait();
    if (pair && connected_ < jobs_ && !told_.exchange(true))
        log_->warn("{} instead of {} tables are compared at a time, for want of connections or threads",
                   connected_.load(), jobs_);
    return pair;
}

std::unique_ptr<SessionPair> TablePool::connect(int worker) noexcept {
    try {
        auto pair = std::make_unique<SessionPair>(
            servers_, worker, [log = log_](Side side, bool is_warning, std::string_view message) {
                log->log(is_warning ? spdlog::level::warn : spdlog::level::debug, "{}: {}", side_name(side), message);
            });
        log_->debug("worker {} connected to both sides", worker);
        return pair;
    } catch (const std::exception& error) {
        report_failure(error, true);
        return nullptr;
    }
}

/// `ends_work`: tables that nobody takes any more fail with this.
void TablePool::report_failure(const std::exception& error, bool ends_work) noexcept {
    try {
        const Error failure = as_error(error);
        if (failure.kind() == ErrorKind::kOtherServer) return end_run(failure);
        const std::string what = failure.what();
        if (ends_work) {
            const std::lock_guard lock(mutex_);
            connect_error_ = what;
        }
        if (!interrupted()) log_->warn("{}", what);
    } catch (const std::exception&) {
        out_of_memory_ = true;
    }
}

void TablePool::work(int worker) noexcept {
    try {
        std::unique_ptr<SessionPair> pair = connect_first(worker);
        while (pair && !interrupted() && next_ < tables_.size()) {
            if (!pair->alive()) {
                pair.reset();
                pair = connect(worker);
                if (!pair) return;
            }
            const std::optional<std::size_t> table_no = take();
            if (!table_no) return;
            compare(*table_no, *pair);
        }
    } catch (const std::exception& error) {
        report_failure(error, true);
    }
}

/// A table whose failure there is no memory for fails with that; another one may need less.
void TablePool::compare(std::size_t table_no, SessionPair& pair) noexcept {
    try {
        context_.observer->begin_table(table_no);
        keep(table_no, compare_table(context_, tables_[table_no], table_no, pair.sessions()));
    } catch (const std::exception& error) {
        report_failure(error, true);
    }
}

/// The others' waits end, too: no answer of theirs will be told.
void TablePool::end_run(const Error& error) {
    {
        const std::lock_guard lock(mutex_);
        if (!ends_run_) ends_run_ = error;
    }
    interrupt_run();
}

std::optional<std::size_t> TablePool::take() {
    const std::size_t table_no = next_++;
    return table_no < tables_.size() ? std::optional(table_no) : std::nullopt;
}

/// Each element is written by the one thread that took its number.
void TablePool::keep(std::size_t table_no, TableResult compared) {
    const TableResult& result = results_[table_no].emplace(std::move(compared));
    context_.observer->finish_table(table_no, result);
}

bool TablePool::has_failed() const noexcept {
    const std::lock_guard lock(mutex_);
    return interrupted() || out_of_memory_ || !connect_error_.empty();
}

std::string TablePool::why_not_tried() const {
    if (interrupted()) return "not compared: the run was interrupted";
    const std::lock_guard lock(mutex_);
    if (connect_error_.empty() && out_of_memory_) return "out of memory";
    return connect_error_;
}

}  // namespace parity::driver
