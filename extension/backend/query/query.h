#pragma once

#include "backend/pg.h"

#include <type_traits>

#include "backend/query/held_name.h"
#include "backend/query/key_condition.h"
#include "backend/rows/consumer.h"
#include "backend/sums/matrix.h"
#include "backend/task/task.h"

/// The way through the executor: for views, foreign tables, filters, row security and whatever else cannot be scanned
/// directly.
namespace parity::backend {

/// The parallel-safe aggregate over the task's relation, under the active snapshot, as the caller. `workers` limits the
/// planner's parallel workers; below 0: the server's setting. Sets `matrix`.
/// Requires: `matrix` is of the task's shape and zeroed.
void digest_by_query(const DigestTask& task, int workers, const DigestMatrix& matrix);

/// Reads the task's key and columns row by row, under the active snapshot, as the caller. Holds an SPI connection.
/// Requires: nothing else uses SPI from its making to close().
class RowQuery {
  public:
    /// `repeated`: many conditions are to come that hold for few rows each. One plan is made for all of them then,
    /// which knows nothing of their values.
    RowQuery(const DigestTask& task, bool repeated);

    /// Reads the rows that meet a condition.
    /// Requires: the condition's memory lasts until close().
    void read(KeyCondition condition, const RowConsumer& consumer);

    void close();

  private:
    const DigestTask& task_;
    bool repeated_;
    MemoryContext row_context_;
    Datum* values_;
    bool* nulls_;
    HeldName* held_;
    int settings_;  ///< the level of the planner's settings
    SPIPlanPtr plan_ = nullptr;
    const char* prepared_ = nullptr;  ///< the condition that the plan was made for
};
static_assert(std::is_trivially_destructible_v<RowQuery>);

}  // namespace parity::backend
