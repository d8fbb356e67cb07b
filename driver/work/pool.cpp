#include "driver/work/pool.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "driver/compare/dead_letters.h"
#include "driver/compare/table.h"
#include "driver/model/sqlstates.h"
#include "driver/text/display_name.h"
#include "driver/waiting/interrupt.h"
#include "driver/waiting/retry.h"
#include "driver/waiting/start_thread.h"
#include "driver/waiting/stopwatch.h"
#include "driver/work/unit_validity.h"

namespace parity::driver {

using std::chrono::milliseconds;

namespace {

/// The next attempt is another one, which need not wait until the server has what this one lacked.
constexpr milliseconds kPauseOfFallBack{1000};

milliseconds in_milliseconds(double seconds) {
    return std::chrono::duration_cast<milliseconds>(std::chrono::duration<double>(seconds));
}

spdlog::level::level_enum log_level(NoticeLevel level) {
    switch (level) {
        case NoticeLevel::kWarning:
            return spdlog::level::warn;
        case NoticeLevel::kInfo:
            return spdlog::level::info;
        case NoticeLevel::kDetail:
            break;
    }
    return spdlog::level::debug;
}

std::vector<std::size_t> not_done(const std::vector<std::optional<KnownTable>>& known) {
    std::vector<std::size_t> tables;
    for (std::size_t i = 0; i < known.size(); ++i)
        if (!known[i] || !known[i]->done) tables.push_back(i);
    return tables;
}

}  // namespace

TablePool::TablePool(const RunContext& context, const Both<Server*>& servers, NamedServers& named,
                     const Both<ServerInfo>& read_from, const std::vector<TablePlan>& tables,
                     const std::vector<std::optional<KnownTable>>& known, std::shared_ptr<spdlog::logger> log)
    : context_(context),
      servers_(servers),
      tables_(tables),
      log_(std::move(log)),
      courses_(tables.size(), Course{Patience(context.options->retry_for)}),
      queue_(not_done(known)),
      jobs_(std::clamp(context.options->jobs, 1, std::max(static_cast<int>(not_done(known).size()), 1))),
      failovers_(named),
      incarnation_(read_from) {
    for (std::size_t i = 0; i < known.size(); ++i) {
        if (!known[i]) continue;
        courses_[i].result = known[i]->result;
        courses_[i].left_out = known[i]->left_out;
        courses_[i].spans = SpanCourse(known[i]->spans);
    }
    for (std::size_t i = 0; i < known.size(); ++i) {
        if (!known[i] || !known[i]->done) continue;
        courses_[i].finished = true;
        context_.observer->finish_table(i, *courses_[i].result);
    }
}

std::vector<TableResult> TablePool::run() {
    do compare_all();
    while (begin_lost_again());
    std::vector<TableResult> results;
    for (std::size_t i = 0; i < tables_.size(); ++i) results.push_back(result_of(i));
    return results;
}

void TablePool::compare_all() {
    std::vector<std::thread> threads;
    connected_ = 0;
    if (queue_.has_any()) threads = start();
    for (std::thread& thread : threads) thread.join();
    if (ends_run_) throw *ends_run_;
}

/// What may not be part of what a side has any more is compared again, or fails if the run does not go on. A difference
/// stays in the result until then.
bool TablePool::begin_lost_again() {
    if (!incarnation_changed_) return false;
    incarnation_changed_ = false;
    const bool goes_on = !interrupted() && !has_given_up();
    for (std::size_t i = 0; i < courses_.size(); ++i) {
        Course& course = courses_[i];
        if (!course.finished || !course.result->error.empty()) continue;
        const std::optional<std::string> reason = take_back_lost(i);
        if (!reason) continue;
        course.result->error = *reason;
        course.result->incomplete = true;
        if (!has_evidence(*course.result)) course.result->verdict = Verdict::kError;
        course.finished = false;
        ++course.lost;
        course.spans.remove_lost_claims(*course.result);
        context_.observer->reopen_table(i, *course.result);
        compared_again_.emplace_back(tables_[i].name, *reason);
        if (goes_on) queue_.postpone(i, milliseconds(0));
    }
    return goes_on && queue_.has_any();
}

/// Of a table in spans, those that may be lost are done no more.
/// Returns: why the table, or some span of it, may be lost; nothing where it is not.
std::optional<std::string> TablePool::take_back_lost(std::size_t table_no) {
    Course& course = courses_[table_no];
    const Both<ServerInfo> now = incarnation();
    if (course.spans.in_spans()) return course.spans.begin_lost_again(now, *context_.observer, table_no);
    return why_lost(course.result->plan, course.result->position, now);
}

Both<ServerInfo> TablePool::incarnation() const {
    const std::lock_guard lock(mutex_);
    return incarnation_;
}

/// After a connection broke: is the server the same process, and has it not crashed? Is it the same one at all?
void TablePool::look_for_other_incarnations() {
    for (Side side : kSides) {
        const std::unique_ptr<CatalogReader> reader = servers_[side]->open_catalogs(false, nullptr);
        reader->read_server();
        const ServerInfo& met = reader->inventory().server;
        const std::lock_guard lock(mutex_);
        if (context_.options->allow_failover && failovers_.follow(side, incarnation_[side], met))
            log_->warn("the run goes on with another server of the {}: {}; before: {}", side_name(side),
                       failovers_.list().back().after, failovers_.list().back().before);
        if (is_same_incarnation(incarnation_[side], met)) continue;
        incarnation_[side] = met;
        incarnation_changed_ = true;
    }
}

/// Of a table that was postponed and never begun again, what it failed with.
TableResult TablePool::result_of(std::size_t table_no) {
    Course& course = courses_[table_no];
    if (!course.result) {
        if (!interrupted()) count_failure();
        TableResult result = failed_table(tables_[table_no], why_not_tried());
        result.begun = false;
        return result;
    }
    if (!course.finished) finish(table_no);
    return std::move(*course.result);
}

/// As many threads as there are to be had.
std::vector<std::thread> TablePool::start() {
    std::vector<std::thread> threads;
    threads.reserve(static_cast<std::size_t>(jobs_));
    all_tried_.emplace(jobs_);
    try {
        for (int worker = 1; worker <= jobs_; ++worker)
            threads.push_back(start_thread([this, worker] { work(worker); }));
    } catch (const std::exception& error) {
        all_tried_->count_down(jobs_ - static_cast<int>(threads.size()));
        if (threads.empty())
            give_up(error);
        else
            log_->warn("{}", error.what());
    }
    return threads;
}

// ---- connections -------------------------------------------------------------------------------------------------

/// Whatever happens, the others do not wait for this thread.
std::unique_ptr<SessionPair> TablePool::connect_first(int worker) {
    std::unique_ptr<SessionPair> pair;
    try {
        pair = connect_in_turn(worker, false);
    } catch (const std::exception& error) {
        give_up(error);
    }
    all_tried_->arrive_and_wait();
    if (pair && connected_ < jobs_ && !told_.exchange(true))
        log_->warn("{} instead of {} tables are compared at a time, for want of connections or threads",
                   connected_.load(), jobs_);
    return pair;
}

/// Where a thread does not get what it needs, those behind it do not try: each would take connections that the others
/// need. `anew`: the thread had connections, and counts as connected.
std::unique_ptr<SessionPair> TablePool::connect_in_turn(int worker, bool anew) {
    const std::lock_guard lock(connecting_);
    Patience patience(context_.options->retry_for);
    for (;;) {
        if (interrupted() || has_given_up()) return nullptr;
        const Stopwatch watch;
        try {
            if (anew) look_for_other_incarnations();
            std::unique_ptr<SessionPair> pair = connect(worker);
            if (!anew) ++connected_;
            return pair;
        } catch (const std::exception& thrown) {
            const Error error = as_error(thrown);
            if (error.kind() == ErrorKind::kOtherServer) {
                end_run(error);
                return nullptr;
            }
            if (goes_on_without(error, anew)) {
                log_->warn("{}", error.what());
                return nullptr;
            }
            const std::optional<milliseconds> pause = remedy_of(error) == Remedy::kReconnect || may_pass(error)
                                                          ? patience.pause_after(watch.elapsed())
                                                          : std::nullopt;
            if (!pause) {
                give_up(error);
                return nullptr;
            }
            log_->warn("{}; trying again in {:.1f} s", error.what(), std::chrono::duration<double>(*pause).count());
            pause_unless_interrupted(*pause);
        }
    }
}

/// Whether a thread that cannot connect ends, and the others go on.
bool TablePool::goes_on_without(const Error& error, bool anew) {
    if (!anew) return connected_ > 0;
    return error.sqlstate() == kTooManyConnections && leave_to_others();
}

/// Whether another thread goes on without this one, which does not count any more then.
bool TablePool::leave_to_others() {
    int connected = connected_;
    while (connected > 1)
        if (connected_.compare_exchange_weak(connected, connected - 1)) return true;
    return false;
}

/// Whether the thread still has work to do; if not, it does not count any more. A thread that leaves its table to
/// others puts it back before it does.
bool TablePool::has_work() {
    if (!interrupted() && queue_.has_any()) return true;
    --connected_;
    if (interrupted() || !queue_.has_any()) return false;
    ++connected_;
    return true;
}

std::unique_ptr<SessionPair> TablePool::connect(int worker) {
    auto pair = std::make_unique<SessionPair>(servers_, worker,
                                              [log = log_](Side side, NoticeLevel level, std::string_view message) {
                                                  log->log(log_level(level), "{}: {}", side_name(side), message);
                                              });
    log_->debug("worker {} connected to both sides", worker);
    return pair;
}

/// Nobody connects any more. Tables that nobody takes fail with this.
void TablePool::give_up(const std::exception& error) noexcept {
    try {
        const Error failure = as_error(error);
        {
            const std::lock_guard lock(mutex_);
            if (connect_error_.empty()) connect_error_ = failure.what();
        }
        if (!interrupted()) log_->warn("{}", failure.what());
    } catch (const std::exception&) {
        out_of_memory_ = true;
    }
}

/// What is under way goes on. Tables that nobody takes fail with this.
void TablePool::begin_no_other(const Error& error) {
    queue_.close();
    const std::lock_guard lock(mutex_);
    if (!connect_error_.empty()) return;
    connect_error_ = fmt::format("not compared: {}", error.what());
    log_->error("{}: no other table is begun", error.what());
}

/// The others' waits end, too: no answer of theirs will be told.
void TablePool::end_run(const Error& error) {
    {
        const std::lock_guard lock(mutex_);
        if (!ends_run_) ends_run_ = error;
    }
    interrupt_run(RunEnd::kHopeless);
}

bool TablePool::has_given_up() const noexcept {
    const std::lock_guard lock(mutex_);
    return out_of_memory_ || !connect_error_.empty();
}

std::string TablePool::why_not_tried() const {
    if (interrupted()) return fmt::format("not compared: {}", run_end_words());
    const std::lock_guard lock(mutex_);
    if (connect_error_.empty() && out_of_memory_) return "out of memory";
    return connect_error_;
}

// ---- tables --------------------------------------------------------------------------------------------------

void TablePool::work(int worker) noexcept {
    try {
        std::unique_ptr<SessionPair> pair = connect_first(worker);
        while (pair && has_work()) {
            if (!pair->alive()) {
                pair.reset();
                pair = connect_in_turn(worker, true);
                continue;
            }
            const std::optional<std::size_t> table_no = queue_.take();
            if (!table_no) continue;
            if (!pair->alive())
                queue_.postpone(*table_no, milliseconds(0));  // the session ended during a pause
            else if (!compare(*table_no, *pair))
                return;
        }
        mark_relations(pair.get());
    } catch (const std::exception& error) {
        give_up(error);
    }
}

/// At the end of a thread. Who wants the mark looks at the catalogs where there is none.
void TablePool::mark_relations(SessionPair* pair) {
    if (context_.options->state.empty()) return;
    std::optional<Both<std::string>> mark;
    try {
        if (pair && pair->alive() && !interrupted()) {
            mark.emplace();
            for (Side side : kSides) (*mark)[side] = pair->sessions()[side]->relations_mark();
        }
    } catch (const std::exception& thrown) {
        mark.reset();
        const Error error = as_error(thrown);
        if (error.kind() == ErrorKind::kOtherServer) end_run(error);
        log_->debug("{}", error.what());
    }
    const std::lock_guard lock(mutex_);
    relations_mark_ = std::move(mark);
}

/// A table whose failure there is no memory for fails with that; another one may need less.
/// Returns: whether this thread goes on.
bool TablePool::compare(std::size_t table_no, SessionPair& pair) noexcept {
    try {
        if (courses_[table_no].patience.failures() == 0) context_.observer->begin_table(table_no);
        Course& course = courses_[table_no];
        const TablePlan plan = course.fall_back.adapted(tables_[table_no], context_.options->run_owners_code);
        TableAttemptResult made =
            course.spans.compare({context_, plan, table_no, pair.sessions(), incarnation(), rate_},
                                 course.result ? &*course.result : nullptr);
        if (course.spans.got_on()) course.patience.renew();
        name_lockers(table_no, made, pair);
        made.result.plan = tables_[table_no];
        course.fall_back.add_paths(plan, made.result.path);
        return settle(table_no, std::move(made.result), made.failure, pair);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::kOtherServer)
            end_run(error);
        else
            give_up(error);
    } catch (const std::exception& error) {
        give_up(error);
    }
    return true;
}

/// They may be gone once the table is given up.
void TablePool::name_lockers(std::size_t table_no, TableAttemptResult& made, SessionPair& pair) const {
    for (Side side : kSides) {
        if (!made.failure || made.failure->server() != side_name(side) || interrupted()) continue;
        ServerSession& session = *pair.sessions()[side];
        try {
            if (!session.alive()) continue;
            const Error named = session.name_lockers(tables_[table_no], *made.failure);
            if (named.cause() == made.failure->cause()) continue;
            made.failure = named;
            set_error(made.result, named);
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::kOtherServer) throw;  // else the failure is told as it is
        }
    }
}

/// A server may become another one where that is allowed.
Remedy TablePool::remedy_of(const Error& failure) const {
    if (failure.kind() == ErrorKind::kChangedServer && context_.options->allow_failover) return Remedy::kReconnect;
    return remedy_for(failure);
}

/// An attempt is over: the table is finished, or begun again later. What an earlier one showed of what differs is not
/// lost with a later one that failed before it came to that.
/// Returns: whether this thread goes on. Where a server had no connection left for it, it does not if others do: the
/// connections of each keep the others from theirs.
bool TablePool::settle(std::size_t table_no, TableResult result, const std::optional<Error>& failure,
                       SessionPair& pair) {
    Course& course = courses_[table_no];
    result.attempts = course.patience.failures() + course.lost + 1;
    std::optional<milliseconds> pause;
    if (failure) {
        pause = pause_before_next(table_no, *failure, result.elapsed_seconds);
        if (!pause) {
            const Error last = last_word(tables_[table_no], *failure, result.attempts, pair);
            set_error(result, last);
            if (remedy_for(*failure) == Remedy::kStopSide) begin_no_other(last);
        }
        if (course.result && is_milder(result, *course.result)) {
            context_.findings->restore_attempt(static_cast<int>(table_no));
            std::swap(result, *course.result);
            result.error = course.result->error;
            result.sqlstate = course.result->sqlstate;
            result.attempts = course.result->attempts;
        }
    } else if (course.result && was_not_cleared(*course.result, result, course.left_out)) {
        context_.findings->restore_attempt(static_cast<int>(table_no));
        carry_dead_letters(*course.result, result);
        keep_uncleared(*course.result, result, course.left_out);
        result = *std::exchange(course.result, std::nullopt);
    } else if (result.attempts > 1) {
        result.notes.push_back(fmt::format("begun {} times: {}", result.attempts, course.result->error));
    }
    if (course.result) carry_dead_letters(*course.result, result);
    course.result = std::move(result);
    if (!pause) {
        finish(table_no);
        return true;
    }
    // What a session with a server was opened to that is not the side's any more.
    if (failure->kind() == ErrorKind::kChangedServer)
        for (Side side : kSides) pair.sessions()[side]->close();
    context_.observer->postpone_table(table_no, *failure, *pause);
    queue_.postpone(table_no, *pause);
    if (failure->sqlstate() != kTooManyConnections || !leave_to_others()) return true;
    log_->warn("{}: fewer tables are compared at a time from now on", failure->what());
    return false;
}

/// Where the table is to be read in another way, that begins with the next attempt.
std::optional<milliseconds> TablePool::pause_before_next(std::size_t table_no, const Error& failure, double seconds) {
    Course& course = courses_[table_no];
    const Remedy remedy = remedy_of(failure);
    if (remedy == Remedy::kNone || remedy == Remedy::kDeadLetter || remedy == Remedy::kStopSide || interrupted())
        return std::nullopt;
    const std::optional<milliseconds> pause = course.patience.pause_after(in_milliseconds(seconds));
    const FailureRule* rule = rule_for(failure);
    if (!pause || !rule) return pause;
    const TablePlan& table = tables_[table_no];
    const auto halve = [&] { return course.spans.halve(context_, table, table_no); };
    const bool falls_back = remedy == Remedy::kFallBack;
    std::optional<std::string> words;
    if (falls_back)
        words = course.fall_back.take_step(*context_.options, table, failure, halve);
    else if (rule->steps.contains(FallBackStep::kSpans))
        words = halve();
    if (falls_back && !words) return std::nullopt;
    if (words) log_->warn("{}: {}", display_name(table.name), *words);
    if (!falls_back) return pause;
    return std::min<milliseconds>(*pause, kPauseOfFallBack);
}

/// What a table is given up with: the failure, and how often it was tried; where the server can say more about what
/// made it fail, that.
Error TablePool::last_word(const TablePlan& table, const Error& failure, int attempts, SessionPair& pair) {
    const Remedy remedy = remedy_of(failure);
    if (remedy == Remedy::kNone || remedy == Remedy::kDeadLetter) return failure;
    const std::string what = fmt::format("table \"{}\"", display_name(table.name.source));
    try {
        const Side side = failure.server() == side_name(Side::kSource) ? Side::kSource : Side::kTarget;
        if (remedy == Remedy::kStopSide) return pair.sessions()[side]->explain_full_disk(failure);
        if (std::optional<Error> explained = pair.sessions()[side]->explain_passing(failure, what, attempts))
            return *explained;
    } catch (const std::exception&) {
        // Nobody is there to explain it.
    }
    if (attempts == 1) return failure;
    return {failure.kind(), fmt::format("gave {} up after {} attempts: {}", what, attempts, failure.what()),
            failure.hint(), failure.server(), failure.sqlstate()};
}

void TablePool::finish(std::size_t table_no) {
    Course& course = courses_[table_no];
    course.finished = true;
    course.fall_back.tell(*course.result);
    const bool failed = !course.result->error.empty() && !interrupted();
    context_.observer->finish_table(table_no, *course.result);
    if (failed) count_failure();
}

/// Of all tables of the plan, those of an earlier part of the run included: a few failures at the beginning of a long
/// run are no large share yet.
void TablePool::count_failure() {
    const std::size_t failed = ++failed_;
    const std::optional<double>& limit = context_.options->fail_above;
    if (!limit || 100.0 * static_cast<double>(failed) <= *limit * static_cast<double>(tables_.size())) return;
    log_->error("{} of {} tables have failed, more than {} %: the run ends (--fail-above)", failed, tables_.size(),
                *limit);
    interrupt_run(RunEnd::kFailures);
}

}  // namespace parity::driver
