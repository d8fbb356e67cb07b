#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "driver/postgres/connection/connection.h"
#include "driver/postgres/queries/query.h"
#include "driver/postgres/queries/record.h"

namespace parity::driver {

/// Where a run is kept in a database.
struct StatePlace {
    std::string conninfo;
    std::string run;  ///< its name there
    int connect_timeout_s = 0;
    std::chrono::milliseconds retry_for{};  ///< how long a connection that is lost may be tried for anew
};

/// What messages call the database.
inline constexpr const char* kStateServer = "state database";

/// Throws: Error{kUsage} about a run: 'run "nightly" of the state database …'.
[[noreturn]] void refuse_state_run(const std::string& run, const std::string& why, const std::string& hint = {});

/// A connection to the tables of states, with its settings pinned. Code of other roles does not run in it: the tables
/// belong to its own role or to a superuser, or it is refused. Not thread-safe.
class StateSession {
  public:
    /// Connects. `makes`: makes the tables where they are not there.
    /// Throws: Error{kUsage} where they are not there, are not ours, or are of another version, and as Connection does.
    static StateSession open(const StatePlace& place, bool makes);

    /// Runs `work` in a transaction, which is rolled back if it throws. All else that is asked or run needs one.
    template <typename Work>
    void in_transaction(Work work) {
        try {
            run(begin_state_statements());
            work();
            run(commit_statement());
        } catch (...) {
            roll_back();
            throw;
        }
    }
    /// Begins a transaction that sees what is there at this moment, and lasts as long as the session.
    void read_on() { run(begin_reading_state_statements()); }

    Result ask(const Query& query) { return connection_.query(query.sql, query.parameters); }
    void run(const std::string& sql) { connection_.query(sql); }
    /// The rows of a query in binary.
    RowStream stream(const Query& query) { return connection_.stream(query.sql, query.parameters); }

    /// Takes the lock of a run, which ends with this session, in transactions of its own. Somebody who is just leaving
    /// is waited for, a few seconds. `before`: a backend that had the lock for this process, and may not know yet that
    /// its connection is lost: it is ended; 0: there is none.
    /// Returns: false where another session has it.
    bool lock(const std::string& run, std::int32_t before = 0);
    /// The backend that has the lock. A session that a pooler gives several has not always this one.
    std::int32_t backend() const { return backend_; }

    bool alive() const { return connection_.alive(); }
    /// From now on no signal ends what this connection waits for, but each statement has a limit.
    void outlive_signals();

  private:
    explicit StateSession(Connection connection) : connection_(std::move(connection)) {}
    void roll_back() noexcept;
    void pin();
    bool has_tables();
    void make_tables();
    void require_version();

    Connection connection_;
    std::int32_t backend_ = 0;
};

}  // namespace parity::driver
