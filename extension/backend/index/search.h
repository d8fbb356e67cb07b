#pragma once

#include "backend/pg.h"

#include <type_traits>

#include "backend/query/key_condition.h"
#include "backend/rows/consumer.h"
#include "backend/scan/leaf_rows.h"
#include "backend/task/task.h"

namespace parity::backend {

/// The type of the values that intervals of the task's key are bounded by.
/// Returns: InvalidOid where an index has not the order of the key's form.
Oid interval_type(const DigestTask& task);

/// The B-tree through which a leaf's rows of an interval may be read under this snapshot.
/// Returns: InvalidOid where there is none.
Oid interval_index(const DigestTask& task, Relation leaf, Oid type);

/// Conditions of an interval on an interval_index(), both ends included.
/// Requires: there is room for two.
/// Returns: how many they are.
int interval_conditions(Relation index, const KeyInterval& interval, ScanKeyData* conditions);

/// How many of an interval_index()'s columns, from the first one on, are the key's and have their types' own operators.
int searchable_columns(const DigestTask& task, Relation index);

/// What an index is searched for: intervals in the order of the key's first column, or keys as a whole.
enum class IndexUse { kIntervals, kKeys };

/// Searches the key's B-trees without the executor, which takes longer to start than to read a few rows, and whose
/// plans would run what a table's owner wrote.
class IndexSearches {
  public:
    /// Its memory is in the current context.
    IndexSearches(const DigestTask& task, IndexUse use);

    /// Whether every leaf has an index that this snapshot may be read through, and that serves the use.
    /// Requires: where it returns false, the caller calls nothing but close() any more.
    bool usable() const { return usable_; }

    /// Reads the rows of an interval, both ends included, under the active snapshot.
    void read(const KeyInterval& interval, const RowConsumer& consumer);

    /// Reads the rows whose key columns have these values, of key_value_types(), and perhaps others which the index's
    /// collation does not tell from them.
    void read_key(std::span<const Oid> types, const Datum* values, const RowConsumer& consumer);

    void close();

  private:
    struct LeafIndex {
        Relation heap;
        Relation index;
        TupleTableSlot* slot;
        LeafRows* rows;
        IndexScanDesc scan;  ///< null until the first interval
        int scan_keys;       ///< how many conditions it was made for
    };

    void read_leaf(LeafIndex& leaf, ScanKeyData* keys, int count, const RowConsumer& consumer);

    LeafIndex* leaves_;
    std::size_t opened_ = 0;
    bool usable_ = true;
    MemoryContext row_context_;
};
static_assert(std::is_trivially_destructible_v<IndexSearches>);

}  // namespace parity::backend
