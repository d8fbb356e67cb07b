#pragma once

#include <atomic>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <spdlog/logger.h>

#include "driver/compare/context.h"
#include "driver/engine/server.h"
#include "driver/model/error.h"
#include "driver/model/inventory.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"
#include "driver/waiting/patience.h"
#include "driver/work/failover.h"
#include "driver/work/fall_back.h"
#include "driver/work/queue.h"
#include "driver/work/resumption.h"
#include "driver/work/session_pair.h"
#include "driver/work/span_course.h"

namespace parity::driver {

/// Compares tables over several threads, each with a pair of connections of its own. Tables are taken in the order of
/// the plan.
///
/// Before the first table is begun, one thread after the other opens the connections that it cannot do without. So what
/// a server has left for more connections is shared out only when every thread that can work has its own.
///
/// A table that fails with what may pass (waiting/retry.h) is begun again later, as long as --retry-for allows;
/// meanwhile others are compared. Where a connection broke, one thread tries to connect anew, and the others wait for
/// it, so that a server that is gone is asked by one connection. Where that is given up, tables that are left fail with
/// what was told last. A thread for which a server has no connection left, be it for itself or for reading a table,
/// closes those that it has and ends while others go on. A signal, and
/// whatever else ends the run (waiting/interrupt.h), makes the tables under way fail and the rest not begin. Where more
/// tables have failed than --fail-above allows, the run is ended.
///
/// A table that fails for want of memory, time or a feature is begun again in a less demanding way (work/fall_back.h).
/// Where a disk of a server is full, no other table is begun, and those that are left fail with that.
///
/// After a server was restarted or crashed, what was compared before is held against what it has now
/// (work/unit_validity.h), and compared again if it may be lost. With --allow-failover the same is done where another
/// server of a side's cluster answers (work/failover.h); else the tables fail then.
///
/// Of a run that is continued, tables that are done already are not compared again; observers hear of them as finished
/// before the others begin.
class TablePool {
  public:
    /// `known` is parallel to the tables; `read_from` are the servers as their catalogs were read.
    /// The sessions of `servers` are held against `named`.
    TablePool(const RunContext& context, const Both<Server*>& servers, NamedServers& named,
              const Both<ServerInfo>& read_from, const std::vector<TablePlan>& tables,
              const std::vector<std::optional<KnownTable>>& known, std::shared_ptr<spdlog::logger> log);

    /// Compares all tables.
    /// Returns: the results, parallel to the tables.
    /// Throws: Error{kOtherServer} alone: where one thread meets another server, all end.
    std::vector<TableResult> run();

    /// A table that was compared again as it may not have been part of what a side has any more, with the reason.
    using ComparedAgain = std::pair<Both<QualifiedName>, std::string>;

    /// What happened, after run().
    const std::vector<ServerFailover>& failovers() const { return failovers_.list(); }
    const std::vector<ComparedAgain>& compared_again() const { return compared_again_; }

    /// CatalogReader::relations_mark() of both sides, read after the last table of a run that is kept; nothing where
    /// that could not be read.
    const std::optional<Both<std::string>>& relations_mark() const { return relations_mark_; }

    /// The servers that it has ended with.
    Both<ServerInfo> incarnation() const;

  private:
    /// A table's course. The thread that has taken the table uses it alone.
    struct Course {
        Patience patience;
        SpanCourse spans{};
        std::optional<TableResult> result{};  ///< of the attempt that showed most so far
        bool finished = false;
        std::string left_out{};  ///< KnownTable::left_out
        int lost = 0;            ///< how often it was compared in vain: it may not be what a side has any more
        FallBack fall_back{};
    };

    void compare_all();
    std::vector<std::thread> start();
    bool begin_lost_again();
    std::optional<std::string> take_back_lost(std::size_t table_no);
    void look_for_other_incarnations();
    void work(int worker) noexcept;
    void mark_relations(SessionPair* pair);
    bool compare(std::size_t table_no, SessionPair& pair) noexcept;
    void name_lockers(std::size_t table_no, TableAttemptResult& made, SessionPair& pair) const;
    Remedy remedy_of(const Error& failure) const;
    bool settle(std::size_t table_no, TableResult result, const std::optional<Error>& failure, SessionPair& pair);
    std::optional<std::chrono::milliseconds> pause_before_next(std::size_t table_no, const Error& failure,
                                                               double seconds);
    Error last_word(const TablePlan& table, const Error& failure, int attempts, SessionPair& pair);
    void finish(std::size_t table_no);
    void count_failure();
    std::unique_ptr<SessionPair> connect_first(int worker);
    std::unique_ptr<SessionPair> connect_in_turn(int worker, bool anew);
    std::unique_ptr<SessionPair> connect(int worker);
    bool goes_on_without(const Error& error, bool anew);
    bool leave_to_others();
    bool has_work();
    void give_up(const std::exception& error) noexcept;
    void begin_no_other(const Error& error);
    void end_run(const Error& error);
    TableResult result_of(std::size_t table_no);
    bool has_given_up() const noexcept;
    std::string why_not_tried() const;

    const RunContext& context_;
    const Both<Server*> servers_;
    const std::vector<TablePlan>& tables_;
    const std::shared_ptr<spdlog::logger> log_;
    std::vector<Course> courses_;
    TableQueue queue_;
    const int jobs_;
    std::mutex connecting_;  ///< one thread after the other connects
    std::optional<std::latch> all_tried_;
    ReadingRate rate_;
    std::atomic<int> connected_{0};  ///< threads that have connections, or wait for new ones, and take tables
    std::atomic<std::size_t> failed_{0};
    std::atomic<bool> told_{false};  ///< that fewer tables are compared at a time
    std::atomic<bool> out_of_memory_{false};
    mutable std::mutex mutex_;   ///< guards what follows
    std::string connect_error_;  ///< why nobody connects any more; empty: that is not so
    std::optional<Error> ends_run_;
    Failovers failovers_;
    std::vector<ComparedAgain> compared_again_;
    std::optional<Both<std::string>> relations_mark_;  ///< by the thread that ended last
    Both<ServerInfo> incarnation_;                     ///< the servers as they were when somebody connected last
    bool incarnation_changed_ = false;  ///< some table that is done may not be part of what a side has now
};

}  // namespace parity::driver
