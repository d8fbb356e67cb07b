#pragma once

#include "backend/pg.h"

#include "backend/rows/batch_hasher.h"
#include "core/bytes.h"

/// Hashed rows on their way from parallel workers to their leader: through temporary files, because a leader that reads
/// pages itself must not be waited for.
namespace parity::backend {

/// What leader and workers share; lies in their dynamic shared memory.
struct SharedRows;

/// Bytes that it takes.
std::size_t estimate_shared_rows(int workers);

/// The leader's end.
class SharedRowsReader {
  public:
    /// Sets up `shared`, which lies in `segment`. The reader's memory is in the current context.
    SharedRowsReader(SharedRows* shared, int workers, dsm_segment* segment);

    /// Hands the rows of all workers to a consumer. Each has so many cells.
    /// Requires: the workers have ended.
    void drain(std::size_t columns, const HashedRowConsumer& consumer);

  private:
    SharedTuplestoreAccessor* accessor_;
};

/// A worker's end.
class SharedRowsWriter {
  public:
    /// Takes part in what lies in `segment`. The writer's memory is in the current context.
    SharedRowsWriter(SharedRows* shared, dsm_segment* segment, std::size_t columns);

    /// Writes what it is handed.
    /// Requires: the writer stays where it is.
    HashedRowConsumer consumer() { return {write_row, this}; }

    /// Ends the writing.
    /// Requires: the last row has been handed over.
    void finish() { sts_end_write(accessor_); }

  private:
    static void write_row(void* writer, const HashedRow& row);

    SharedTuplestoreAccessor* accessor_;
    std::size_t columns_;
    MemoryContext context_;
    core::ByteSink bytes_;
};

}  // namespace parity::backend
