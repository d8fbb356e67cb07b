#pragma once

#include "backend/pg.h"

#include <type_traits>

#include "backend/rows/consumer.h"
#include "backend/task/task.h"

namespace parity::backend {

/// The number of a task's column in a leaf, which may hold its columns at other places than its parent.
AttrNumber number_in(Relation leaf, const TaskColumn& column);

/// Hands the stored tuples of one leaf to a consumer.
class LeafRows {
  public:
    /// Its memory is in the current context.
    LeafRows(const DigestTask& task, Relation leaf);

    /// Of a row that the consumer does not want only the key is looked at.
    void hand_over(HeapTuple tuple, const RowConsumer& consumer);

  private:
    std::size_t key_columns_;
    std::size_t columns_;  ///< the key's included
    TupleDesc descriptor_;
    AttrNumber* numbers_;
    Datum* stored_;
    bool* stored_nulls_;
    Datum* values_;
    bool* nulls_;
};
static_assert(std::is_trivially_destructible_v<LeafRows>);

}  // namespace parity::backend
