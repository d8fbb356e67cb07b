#pragma once

#include "backend/pg.h"

#include "backend/rows/consumer.h"
#include "backend/sums/matrix.h"
#include "backend/task/task.h"

/// The kept ranges of a task, or chosen keys, where they are few, through the index of its key.
namespace parity::backend {

/// Ranges whose rows are to be taken.
struct RangeWindow {
    std::uint32_t first;
    std::uint32_t last;

    bool holds(std::uint32_t range) const { return first <= range && range <= last; }
};

/// Whether two bounds begin with the same value of the key's first column.
bool begin_alike(const DigestSpec& spec, std::size_t a, std::size_t b);

/// How many groups of neighbouring ranges are kept, where reading them through the index is worth it: where few ranges
/// are met that way, and searches are fewer than pages. `scanners` are the processes that would scan instead.
/// Returns: 0 where it is not worth it, where no index has the order of the key's form, where only a plan could use it
/// and the task avoids plans, and where the session wants no index.
std::size_t groups_worth_an_index(const DigestTask& task, int scanners);

/// The same for rows. One group, unless it is all ranges, is worth it however long it is where it may be left to the
/// planner, which may scan.
std::size_t groups_worth_an_index_for_rows(const DigestTask& task, int scanners);

/// Reads the rows of the kept ranges, one group of neighbouring ranges after the other. The condition of a group
/// lets rows of other groups in.
/// Requires: the consumer takes only rows of `*window`, which tells the group.
/// Returns: false, with nothing read, where that needs a plan and the task avoids plans; after groups_worth_an_index()
/// only if the relation's indexes have changed since.
bool read_by_index(const DigestTask& task, std::size_t groups, RangeWindow* window, const RowConsumer& consumer);

/// The same without plans.
/// Requires: groups_worth_an_index() is not 0.
/// Returns: false where that is not possible, with nothing read.
bool read_by_index_alone(const DigestTask& task, RangeWindow* window, const RowConsumer& consumer);

/// Reads the rows with some framed keys without plans. A search may find rows of other keys.
/// Requires: the keys are sorted, and the consumer takes only rows of `*keys`, which tells what is searched for.
/// Returns: false where that is not possible, with nothing read.
bool read_keys_by_index(const DigestTask& task, std::span<const core::ByteView>* keys, const RowConsumer& consumer);

/// Digests the kept ranges so, in this process: adds to `matrix`.
/// Requires: `matrix` is of the task's shape and zeroed.
/// Returns: as read_by_index().
bool digest_by_index(const DigestTask& task, std::size_t groups, const DigestMatrix& matrix);

}  // namespace parity::backend
