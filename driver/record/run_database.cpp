#include "driver/record/run_database.h"

#include <cstddef>
#include <random>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "driver/state/finding_bytes.h"
#include "driver/state/holder.h"
#include "driver/state/run_columns.h"
#include "driver/waiting/interrupt.h"
#include "driver/waiting/retry.h"
#include "driver/waiting/stopwatch.h"

namespace parity::driver {
namespace {

using std::chrono::milliseconds;

/// About as many bytes are written by one statement.
constexpr std::size_t kStateBatchBytes = 256 * 1024;
/// What a row takes beside its blobs.
constexpr std::size_t kStateRowBytes = 100;
/// As many rows are read by one statement. Of these, one at a time is held.
constexpr int kStateRowsRead = 1000;

/// What nobody else marks a run with.
std::string new_token() {
    std::random_device device;
    std::string token;
    for (int word = 0; word < 4; ++word) token += fmt::format("{:08x}", device());
    return token;
}

StateUnit state_unit(const UnitRow& row) {
    return {row.job,        row.unit,       row.attempt,   static_cast<std::int64_t>(row.state),
            row.lsn.source, row.lsn.target, row.plan,      row.position,
            row.result,     row.span.lower, row.span.upper};
}

std::size_t size_of(const StateUnit& unit) {
    return kStateRowBytes + unit.plan.size() + unit.position.size() + unit.result.size() + unit.lower.size() +
           unit.upper.size();
}

StoredFinding finding_of(const Row& row) {
    StoredFinding stored;
    stored.place.key = row.bytes(0);
    stored.finding.kind = static_cast<FindingKind>(row.int64(2));
    stored.finding.key_bytes = row.bytes(3);
    stored.finding.hash_bytes = row.bytes(4);
    stored.finding.columns = unpack_columns(row.bytes(5));
    stored.finding.occurrences = static_cast<std::uint64_t>(row.int64(6));
    stored.finding.values = {unpack_values(row.bytes(7)), unpack_values(row.bytes(8))};
    return stored;
}

/// The lock is a session's, and who answers is another one.
[[noreturn]] void throw_pooled() {
    throw Error(
        ErrorKind::kUsage,
        fmt::format("the {} is answered from another backend than the one that has the lock on the run", kStateServer),
        "a pooler gives a session several: connect past it, or have it pool sessions");
}

/// Findings of one unit on their way into the table.
class StateFindingBatch {
  public:
    void add(const StoredFinding& stored, std::int32_t copy) {
        const Finding& finding = stored.finding;
        rows_.places.push_back(stored.place.key);
        rows_.copies.push_back(copy);
        rows_.kinds.push_back(static_cast<std::int32_t>(finding.kind));
        rows_.keys.push_back(finding.key_bytes);
        rows_.hashes.push_back(finding.hash_bytes);
        rows_.columns.push_back(pack_columns(finding.columns));
        rows_.occurrences.push_back(std::to_string(finding.occurrences));
        rows_.source_values.push_back(pack_values(finding.values.source));
        rows_.target_values.push_back(pack_values(finding.values.target));
        bytes_ += kStateRowBytes;
        for (const auto* bytes :
             {&rows_.places, &rows_.keys, &rows_.columns, &rows_.source_values, &rows_.target_values})
            bytes_ += bytes->back().size();
    }
    bool is_empty() const { return rows_.places.empty(); }
    bool is_full() const { return bytes_ >= kStateBatchBytes; }
    StateFindings take() {
        bytes_ = 0;
        return std::exchange(rows_, {});
    }

  private:
    StateFindings rows_;
    std::size_t bytes_ = 0;
};

}  // namespace

// ---- whose the run is ----------------------------------------------------------------------------------------

std::unique_ptr<RunDatabase> RunDatabase::create(StatePlace place) {
    std::unique_ptr<RunDatabase> made(new RunDatabase(std::move(place)));
    made->claim_name();
    return made;
}

std::unique_ptr<RunDatabase> RunDatabase::open(StatePlace place) {
    std::unique_ptr<RunDatabase> opened(new RunDatabase(std::move(place)));
    opened->take_run();
    return opened;
}

std::unique_ptr<RunDatabase> RunDatabase::read(StatePlace place) {
    std::unique_ptr<RunDatabase> opened(new RunDatabase(std::move(place)));
    opened->session_.emplace(StateSession::open(opened->place_, false)).read_on();
    opened->require_there();
    return opened;
}

/// The name is ours as long as the session lives, and nobody has a run of it.
void RunDatabase::claim_name() {
    session_.emplace(StateSession::open(place_, true));
    lock();
    session_->in_transaction([&] {
        if (session_->ask(state_holder_query(place_.run)).rows() == 0) return;
        refuse_state_run(place_.run, "exists already",
                         fmt::format("pgparity resume continues it; --state-run begins one of another name; DELETE "
                                     "FROM {}.run WHERE name = '…' removes it",
                                     kStateSchema));
    });
}

void RunDatabase::take_run() {
    session_.emplace(StateSession::open(place_, false));
    session_->in_transaction([&] { require_there(); });
    lock();
    session_->in_transaction([&] { require_row(session_->ask(take_state_run_query(owner_, this_process()))); });
}

void RunDatabase::require_there() {
    if (session_->ask(state_holder_query(place_.run)).rows() != 0) return;
    const std::string others(session_->ask(state_runs_query()).text(0, 0));
    refuse_state_run(place_.run, "does not exist", others.empty() ? "" : "there are " + others);
}

/// Whoever has the lock may not have begun the run yet.
void RunDatabase::lock() {
    if (!session_->lock(place_.run)) {
        std::string who = "another process, which is about to begin it";
        session_->in_transaction([&] {
            const Result holder = session_->ask(state_holder_query(place_.run));
            if (holder.rows() != 0) who = fmt::format("{}, which goes on with the run", holder.text(0, 0));
        });
        refuse_state_run(place_.run, "is held by " + who, "pgparity report --from tells how far it is");
    }
    owner_ = {place_.run, new_token(), session_->backend()};
}

/// Whether the run is still marked as ours.
void RunDatabase::require_mark(StateSession& session) {
    const Result holder = session.ask(state_holder_query(place_.run));
    if (holder.rows() != 0 && holder.text(0, 1) == owner_.token) return;
    const std::string why =
        holder.rows() == 0 ? "was removed meanwhile" : fmt::format("was taken over by {}", holder.text(0, 0));
    lost_ = Error(ErrorKind::kUsage, fmt::format("{} {}", name(), why));
    throw *lost_;
}

/// A statement has written something only if it gave a row.
void RunDatabase::require_row(const Result& result) {
    if (result.rows() != 0) return;
    require_mark(*session_);
    throw_pooled();
}

void RunDatabase::revive() {
    if (session_->alive()) return;
    StateSession fresh = StateSession::open(place_, false);
    fresh.in_transaction([&] { require_mark(fresh); });
    if (!fresh.lock(place_.run, owner_.backend))
        refuse_state_run(place_.run, "is held by another process", "the connection to it had been lost");
    fresh.outlive_signals();
    owner_.backend = fresh.backend();
    session_.emplace(std::move(fresh));
}

// ---- what is kept --------------------------------------------------------------------------------------------

/// Waits before what failed is tried again.
/// Throws: the error, where it is not tried again.
void RunDatabase::wait_after(const Error& error, milliseconds elapsed, Patience& patience) {
    if (error.kind() == ErrorKind::kCancelled && failure_) throw *failure_;
    failure_ = error;
    std::optional<milliseconds> pause;
    if (may_pass(error) && !interrupted()) pause = patience.pause_after(elapsed);
    if (!pause) {
        if (!session_->alive()) {
            is_patient_ = false;
            not_before_ = Clock::now() + kLongestPause;
        }
        throw error;
    }
    if (warn_)
        warn_(fmt::format("{}; trying again in {:.1f} s", error.what(), std::chrono::duration<double>(*pause).count()));
    try {
        pause_unless_interrupted(*pause);
    } catch (const Error&) {
        throw error;
    }
}

/// A signal ends no statement, but the wait for the next attempt.
template <typename Work>
void RunDatabase::keep(Work work) {
    const std::lock_guard guard(mutex_);
    if (lost_) throw *lost_;
    if (!session_->alive() && !is_patient_ && Clock::now() < not_before_) throw *failure_;
    session_->outlive_signals();
    Patience patience(is_patient_ ? place_.retry_for : milliseconds(0));
    for (;;) {
        const Stopwatch watch;
        try {
            if (!interrupted()) revive();
            session_->in_transaction(work);
            is_patient_ = true;
            failure_.reset();
            return;
        } catch (const std::exception& thrown) {
            wait_after(as_error(thrown), watch.elapsed(), patience);
        }
    }
}

/// Nothing is tried again here: the units are told once.
void RunDatabase::begin_run(const RunRow& run, const std::function<bool(UnitRow& unit)>& next_unit) {
    const std::lock_guard guard(mutex_);
    if (!session_->alive()) claim_name();
    session_->in_transaction([&] {
        const Result inserted = session_->ask(insert_state_run_query(owner_, this_process(), run.program, run.began_us,
                                                                     run.saved_us, run.request, run.head));
        if (inserted.rows() == 0) throw_pooled();
        write_units(next_unit);
    });
}

void RunDatabase::write_units(const std::function<bool(UnitRow& unit)>& next_unit) {
    std::vector<StateUnit> units;
    std::size_t bytes = 0;
    const auto write = [&] {
        if (!units.empty()) session_->ask(put_state_units_query(owner_.run, std::exchange(units, {})));
        bytes = 0;
    };
    for (UnitRow unit; next_unit(unit);) {
        units.push_back(state_unit(unit));
        bytes += size_of(units.back());
        if (bytes >= kStateBatchBytes) write();
    }
    write();
}

void RunDatabase::write_units(const std::vector<UnitRow>& units) {
    std::size_t next = 0;
    write_units([&](UnitRow& unit) {
        if (next == units.size()) return false;
        unit = units[next++];
        return true;
    });
}

void RunDatabase::continue_run(const std::string& head, const std::vector<UnitRow>& units,
                               const std::vector<std::int64_t>& gone_jobs) {
    keep([&] {
        require_row(session_->ask(save_state_head_query(owner_, head)));
        write_units(units);
        if (!gone_jobs.empty()) session_->ask(drop_state_jobs_query(owner_.run, gone_jobs));
    });
}

void RunDatabase::save_head(const std::string& head) {
    keep([&] { require_row(session_->ask(save_state_head_query(owner_, head))); });
}

void RunDatabase::save_unit(const UnitRow& unit, const GiveFindings& findings,
                            const std::optional<std::vector<UnitRow>>& spans) {
    keep([&] {
        require_row(session_->ask(save_state_unit_query(owner_, state_unit(unit))));
        if (spans) {
            session_->ask(drop_state_spans_query(owner_.run, unit.job));
            write_units(*spans);
        }
        write_findings(unit, findings);
    });
}

void RunDatabase::save_units(const std::vector<UnitRow>& units) {
    keep([&] {
        require_row(session_->ask(save_state_unit_query(owner_, state_unit(units.front()))));
        write_units(units);
    });
}

void RunDatabase::write_findings(const UnitRow& unit, const GiveFindings& findings) {
    StateFindingBatch batch;
    const auto write = [&] {
        if (!batch.is_empty())
            session_->ask(insert_state_findings_query(owner_.run, unit.job, unit.unit, batch.take()));
    };
    std::string place;
    std::int32_t copy = 0;
    findings([&](const StoredFinding& stored) {
        copy = stored.place.key == place ? copy + 1 : 0;
        place = stored.place.key;
        batch.add(stored, copy);
        if (batch.is_full()) write();
    });
    write();
}

// ---- what is read --------------------------------------------------------------------------------------------

std::string RunDatabase::name() const { return fmt::format("run \"{}\" of the {}", place_.run, kStateServer); }

void RunDatabase::warn_by(std::function<void(const std::string&)> warn) {
    const std::lock_guard guard(mutex_);
    warn_ = std::move(warn);
    bool is_safe = false;
    session_->in_transaction([&] { is_safe = session_->ask(fsync_query()).is_true(0, 0); });
    if (!is_safe)
        warn_(fmt::format("the server of the {} has fsync off: with a crash of its machine the state may be damaged",
                          kStateServer));
}

/// In the transaction of who only reads, or in one of its own.
template <typename Work>
void RunDatabase::read_from(Work work) {
    const std::lock_guard guard(mutex_);
    if (owner_.run.empty()) return work();
    session_->in_transaction(work);
}

/// Calls `take` for each row of a query.
/// Returns: how many there were.
template <typename Take>
int RunDatabase::take_rows(const Query& query, Take take) {
    RowStream rows = session_->stream(query);
    int taken = 0;
    for (; const std::optional<Row> row = rows.next(); ++taken) take(*row);
    return taken;
}

std::optional<RunRow> RunDatabase::read_run() {
    std::optional<RunRow> run;
    read_from([&] {
        take_rows(state_run_query(place_.run), [&](const Row& row) {
            run = run_from_columns([&](int i) { return row.int64(i); }, [&](int i) { return row.bytes(i); });
        });
    });
    return run;
}

void RunDatabase::for_each_unit(const std::function<void(const UnitRow& unit)>& take) {
    std::int64_t job = -1, unit = -1;
    const auto take_row = [&](const Row& row) {
        const UnitRow taken =
            unit_from_columns([&](int i) { return row.int64(i); }, [&](int i) { return row.bytes(i); });
        job = taken.job;
        unit = taken.unit;
        take(taken);
    };
    read_from([&] {
        while (take_rows(state_units_query(place_.run, job, unit, kStateRowsRead), take_row) == kStateRowsRead)
            continue;
    });
}

void RunDatabase::for_each_finding(std::int64_t job, std::int64_t unit,
                                   const std::function<void(const StoredFinding&)>& take) {
    std::string place;
    std::int64_t copy = -1;
    const auto take_row = [&](const Row& row) {
        place = row.bytes(0);
        copy = row.int64(1);
        take(finding_of(row));
    };
    read_from([&] {
        const auto next = [&] { return state_findings_query(place_.run, job, unit, place, copy, kStateRowsRead); };
        while (take_rows(next(), take_row) == kStateRowsRead) continue;
    });
}

}  // namespace parity::driver
