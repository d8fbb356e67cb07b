#pragma once

#include "backend/pg.h"

#include <span>

#include "backend/rows/batch_hasher.h"
#include "backend/scan/progress.h"
#include "backend/scan/scan.h"
#include "backend/sums/matrix.h"
#include "backend/task/task.h"

/// Processes that read a relation's leaves together: the leader of a call and its parallel workers. Which pages they
/// read is up to a method.
namespace parity::backend {

/// A leaf and the number of its first page when the pages of all leaves are counted through.
struct SharedLeaf {
    Oid relation;
    core::u64 first_page;
};

/// What the participants share.
struct SharedScan {
    pg_atomic_uint64 next;        ///< of what the method divides among them
    pg_atomic_uint64 pages_read;  ///< so far
    slock_t keys_lock;
    KeysRead keys_read;  ///< under the lock
    core::u64 total_pages;
    core::u64 chunk_pages;
    std::uint32_t leaves;
    std::uint32_t key_columns;
    std::uint32_t columns;     ///< the key's included
    std::size_t worker_bytes;  ///< of the large memory that a worker needs
};

/// Where hashed rows go.
struct ScanOutput {
    DigestMatrix matrix;            ///< to the sums of their ranges
    const HashedRowConsumer* rows;  ///< or those of kept ranges to this
};

/// One participant's view.
struct Participant {
    SharedScan* shared;
    const SharedLeaf* leaves;
    const NameData* columns;  ///< the key's, then the others; leaves may hold them at other places than their parent
    const DigestSpec* spec;
    core::RangeFinder finder;  ///< of the spec's ranges
    ScanOutput output;
    MemoryContext context;
    ProgressReporter* progress;  ///< null in workers
    void* method;                ///< what the method shares
};

/// How pages are divided among participants.
struct ScanMethod {
    const char* worker;  ///< the library's function that a worker runs: it calls work_for_leader()
    void (*participate)(const Participant& self);
    /// Checks that all was read, once everybody has done their part.
    /// Errors: XX000 if not.
    void (*check)(const SharedScan& shared, const void* method);
    /// What they share besides: so many bytes, which are copied to shared memory if there are workers.
    void* shared;
    std::size_t bytes;
};

/// The inputs of a leaf's hasher.
std::span<const RowInput> find_inputs(const Participant& self, Relation leaf);

/// Counts pages that were read, and tells of them now and then.
class PageCounter {
  public:
    explicit PageCounter(const Participant& participant) : participant_(participant) {}
    void count_page() {
        if (++pages_ == kPagesTogether) flush();
    }
    void flush();

  private:
    static constexpr core::u64 kPagesTogether = 64;
    const Participant& participant_;
    core::u64 pages_ = 0;
};

/// Adds the keys that a hasher has read.
void tell_keys(SharedScan* shared, const KeysRead& read);

/// Reads a task by a method with up to `workers` parallel workers, under the active snapshot. The output is complete
/// when this returns. Workers that have handed over rows have ended; others may take some milliseconds to, and
/// `method.shared` is then what they have made of it: of the leader where there were no workers, else in shared memory
/// that lives until await_exit().
/// Requires: the task has no obstacle.
/// Returns: what that took; the pages are those that were read.
ScanEffort scan_by(const DigestTask& task, int workers, const ScanOutput& output, ScanMethod& method);

/// A parallel worker's part.
void work_for_leader(dsm_segment* segment, shm_toc* toc, void (*participate)(const Participant& self));

}  // namespace parity::backend
