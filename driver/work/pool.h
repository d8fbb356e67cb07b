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
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"
#include "driver/work/session_pair.h"

namespace parity::driver {

/// Compares tables over several threads, each with a pair of connections of its own. Tables are taken in the order of
/// the plan.
///
/// Before the first table is begun, one thread after the other opens the connections that it cannot do without. So what
/// a server has left for more connections is shared out only when every thread that can work has its own.
///
/// A connection that breaks is the failure of the table it served; the next table gets new ones. A thread that cannot
/// connect ends, and the others go on; tables that nobody is left to take fail with what the last thread was told, so
/// that a server that is gone is not asked again for each of them. A signal makes the tables under way fail and the
/// rest not begin.
class TablePool {
  public:
    TablePool(const RunContext& context, const Both<Server*>& servers, const std::vector<TablePlan>& tables,
              std::shared_ptr<spdlog::logger> log);

    /// Compares all tables.
    /// Returns: the results, parallel to the tables.
    /// Throws: Error{kOtherServer} alone: where one thread meets another server, all end.
    std::vector<TableResult> run();

  private:
    std::vector<std::thread> start();
    void work(int worker) noexcept;
    void compare(std::size_t table_no, SessionPair& pair) noexcept;
    std::unique_ptr<SessionPair> connect_first(int worker);
    std::unique_ptr<SessionPair> connect_in_turn(int worker) noexcept;
    std::unique_ptr<SessionPair> connect(int worker) noexcept;
    void report_failure(const std::exception& error, bool ends_work) noexcept;
    std::optional<std::size_t> take();
    void end_run(const Error& error);
    void keep(std::size_t table_no, TableResult result);
    bool has_failed() const noexcept;
    std::string why_not_tried() const;

    const RunContext& context_;
    const Both<Server*> servers_;
    const std::vector<TablePlan>& tables_;
    const std::shared_ptr<spdlog::logger> log_;
    std::vector<std::optional<TableResult>> results_;
    const int jobs_;
    std::mutex connecting_;  ///< one thread after the other connects
    std::latch all_tried_;
    std::atomic<int> connected_{0};
    std::atomic<bool> told_{false};  ///< that fewer tables are compared at a time
    std::atomic<std::size_t> next_{0};
    std::atomic<bool> out_of_memory_{false};
    mutable std::mutex mutex_;  ///< guards what follows
    std::string connect_error_;
    std::optional<Error> ends_run_;
};

}  // namespace parity::driver
