#include "backend/scan/scan.h"

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

#include "backend/memory.h"
#include "backend/pg_compat.h"
#include "backend/rows/batch_hasher.h"
#include "backend/scan/page_reader.h"
#include "backend/scan/progress.h"
#include "backend/scan/shared_rows.h"
#include "backend/scan/shared_sums.h"

namespace parity::backend {
namespace {

/// Chunks are small enough that participants end together, and large enough for the kernel to read ahead.
constexpr core::u64 kMaxChunkPages = 256;
constexpr core::u64 kChunksPerParticipant = 32;

constexpr core::u64 kKeyShared = 1;
constexpr core::u64 kKeyLeaves = 2;
constexpr core::u64 kKeyColumns = 3;
constexpr core::u64 kKeySpec = 4;
constexpr core::u64 kKeySums = 5;
constexpr core::u64 kKeyRows = 6;  ///< instead of sums

/// A leaf and the number of its first page when the pages of all leaves are counted through.
struct SharedLeaf {
    Oid relation;
    core::u64 first_page;
};

/// What the participants of a scan share.
struct SharedScan {
    pg_atomic_uint64 next_page;
    pg_atomic_uint64 pages_read;
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

/// One participant's view of the scan.
struct Participant {
    SharedScan* shared;
    const SharedLeaf* leaves;
    const NameData* columns;  ///< the key's, then the others; leaves may hold them at other places than their parent
    const DigestSpec* spec;
    core::RangeFinder finder;  ///< of the spec's ranges
    ScanOutput output;
    MemoryContext context;
    ProgressReporter* progress;  ///< null in workers
};

/// The pages that one participant takes. They ascend, so that it opens each leaf at most once.
class PageAllocation {
  public:
    explicit PageAllocation(SharedScan* shared) : shared_(shared) {}

    /// Goes to the leaf of the next page, opened from `leaf` on; false where no page is left.
    bool find_leaf(const SharedLeaf* leaves) {
        if (!take_chunk()) return false;
        while (next_ >= leaf_end_) {
            leaf_first_ = leaves[leaf_].first_page;
            leaf_end_ = ++leaf_ == shared_->leaves ? shared_->total_pages : leaves[leaf_].first_page;
        }
        return true;
    }
    std::uint32_t leaf() const { return leaf_ - 1; }

    /// The next page of the leaf. Chunks follow one another, so that reading ahead does not stop at their ends.
    static BlockNumber next_page(void* allocation) {
        auto* self = static_cast<PageAllocation*>(allocation);
        if (!self->take_chunk() || self->next_ >= self->leaf_end_) return InvalidBlockNumber;
        return static_cast<BlockNumber>(self->next_++ - self->leaf_first_);
    }

  private:
    bool take_chunk() {
        if (next_ < end_) return true;
        if (end_ == shared_->total_pages) return false;
        next_ = pg_atomic_fetch_add_u64(&shared_->next_page, static_cast<int64>(shared_->chunk_pages));
        next_ = std::min(next_, shared_->total_pages);
        end_ = std::min(next_ + shared_->chunk_pages, shared_->total_pages);
        return next_ < end_;
    }

    SharedScan* shared_;
    core::u64 next_ = 0;
    core::u64 end_ = 0;
    std::uint32_t leaf_ = 0;  ///< the one after the leaf that pages are taken from
    core::u64 leaf_first_ = 0;
    core::u64 leaf_end_ = 0;
};
static_assert(std::is_trivially_destructible_v<PageAllocation>);

RowInput find_input(Relation leaf, const NameData& column, std::string_view form) {
    AttrNumber number = get_attnum(RelationGetRelid(leaf), NameStr(column));
    if (number <= 0) elog(ERROR, "column \"%s\" is missing in \"%s\"", NameStr(column), RelationGetRelationName(leaf));
    Oid type = TupleDescAttr(RelationGetDescr(leaf), number - 1)->atttypid;
    std::optional<ColumnReader> reader = find_reader(type, form);
    if (!reader)
        elog(ERROR, "column \"%s\" of \"%s\" has another type", NameStr(column), RelationGetRelationName(leaf));
    guard_reader(*reader, type, column_label(NameStr(column)));
    return {number - 1, type, *reader};
}

std::span<const RowInput> find_inputs(const Participant& self, Relation leaf) {
    RowInput* inputs = allocate_array<RowInput>(CurrentMemoryContext, self.shared->columns + 1);
    for (std::uint32_t i = 0; i < self.shared->columns; ++i)
        inputs[i] = find_input(leaf, self.columns[i], self.spec->inputs[i].form);
    return {inputs, self.shared->columns};
}

/// Counts pages that were read, and tells of them now and then.
class PageCounter {
  public:
    explicit PageCounter(const Participant& participant) : participant_(participant) {}
    void count_page() {
        if (++pages_ == kPagesTogether) flush();
    }
    void flush() {
        SharedScan* shared = participant_.shared;
        core::u64 done = pg_atomic_add_fetch_u64(&shared->pages_read, static_cast<int64>(pages_));
        pages_ = 0;
        if (participant_.progress) participant_.progress->report(done, shared->total_pages);
    }

  private:
    static constexpr core::u64 kPagesTogether = 64;
    const Participant& participant_;
    core::u64 pages_ = 0;
};

void tell_keys(SharedScan* shared, const KeysRead& read) {
    SpinLockAcquire(&shared->keys_lock);
    shared->keys_read.add(read);
    SpinLockRelease(&shared->keys_lock);
}

void read_leaf(const Participant& self, Relation leaf, PageAllocation& allocation) {
    MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "parity row", ALLOCSET_DEFAULT_SIZES);
    auto* hasher = new (allocate_array<BatchHasher>(CurrentMemoryContext, 1)) BatchHasher(
        *self.spec, self.finder, RelationGetDescr(leaf), find_inputs(self, leaf), CurrentMemoryContext, row_context);
    const BlockSupply blocks{PageAllocation::next_page, &allocation};
    auto* pages =
        new (allocate_array<PageReader>(CurrentMemoryContext, 1)) PageReader(leaf, GetActiveSnapshot(), blocks);
    PageCounter counter(self);
    core::u64 rows = 0;
    while (pages->next()) {
        rows += pages->tuples().size();
        if (self.output.rows)
            hasher->hand_over(pages->tuples(), pages->upcoming(), *self.output.rows);
        else
            hasher->accumulate(pages->tuples(), pages->upcoming(), self.output.matrix);
        counter.count_page();
    }
    counter.flush();
    tell_keys(self.shared, hasher->keys_read());
    count_scan(leaf, rows);
    pages->close();
}

/// Takes chunks of pages until there are none.
void participate(const Participant& self) {
    PageAllocation allocation(self.shared);
    while (allocation.find_leaf(self.leaves)) {
        MemoryContext context = AllocSetContextCreate(self.context, "parity leaf", ALLOCSET_DEFAULT_SIZES);
        MemoryContext caller = MemoryContextSwitchTo(context);
        Relation leaf = table_open(self.leaves[allocation.leaf()].relation, AccessShareLock);
        read_leaf(self, leaf, allocation);
        table_close(leaf, NoLock);
        MemoryContextSwitchTo(caller);
        MemoryContextDelete(context);
    }
}

/// Counts the pages that the snapshot can see rows in: those that are there now.
core::u64 count_pages(const DigestTask& task, SharedLeaf* leaves) {
    core::u64 total = 0;
    for (std::size_t i = 0; i < task.leaves.size(); ++i) {
        Relation relation = table_open(task.leaves[i], NoLock);
        leaves[i] = {task.leaves[i], total};
        total += RelationGetNumberOfBlocks(relation);
        table_close(relation, NoLock);
    }
    return total;
}

void fill_columns(const DigestTask& task, NameData* columns) {
    for (const TaskColumn& column : task.key) *columns++ = column.name;
    for (const TaskColumn& column : task.columns) *columns++ = column.name;
}

/// The parts of a scan before it is known whether they lie in shared memory.
struct ScanSetup {
    SharedScan scan;
    SharedLeaf* leaves;
    NameData* columns;
};

ScanSetup set_up(const DigestTask& task, int workers) {
    ScanSetup setup{};
    setup.leaves = allocate_array<SharedLeaf>(CurrentMemoryContext, task.leaves.size() + 1);
    setup.scan.leaves = static_cast<std::uint32_t>(task.leaves.size());
    setup.scan.key_columns = static_cast<std::uint32_t>(task.key.size());
    setup.scan.columns = static_cast<std::uint32_t>(task.key.size() + task.columns.size());
    setup.columns = allocate_array<NameData>(CurrentMemoryContext, setup.scan.columns);
    fill_columns(task, setup.columns);
    setup.scan.total_pages = count_pages(task, setup.leaves);
    core::u64 chunks = kChunksPerParticipant * static_cast<core::u64>(workers + 1);
    setup.scan.chunk_pages = std::clamp<core::u64>(setup.scan.total_pages / chunks, 1, kMaxChunkPages);
    pg_atomic_init_u64(&setup.scan.next_page, 0);
    pg_atomic_init_u64(&setup.scan.pages_read, 0);
    SpinLockInit(&setup.scan.keys_lock);
    return setup;
}

/// The guard against reading less than there is: every page was read by exactly one participant.
void check_all_read(SharedScan* shared) {
    core::u64 pages = pg_atomic_read_u64(&shared->pages_read);
    if (pages != shared->total_pages)
        elog(ERROR, "%llu of %llu pages were read", static_cast<unsigned long long>(pages),
             static_cast<unsigned long long>(shared->total_pages));
}

void lead(const DigestTask& task, SharedScan* shared, const ScanSetup& setup, const ScanOutput& output) {
    ProgressReporter progress;
    auto* numbers = allocate_array<std::int64_t>(CurrentMemoryContext, task.spec.bounds.size() + 1);
    participate({shared, setup.leaves, setup.columns, &task.spec,
                 core::RangeFinder(task.spec.bounds, task.spec.key_forms, numbers), output, CurrentMemoryContext,
                 &progress});
}

void scan_alone(const DigestTask& task, ScanSetup& setup, const ScanOutput& output) {
    lead(task, &setup.scan, setup, output);
    check_all_read(&setup.scan);
}

template <typename T>
T* share(ParallelContext* parallel, core::u64 key, const T* from, std::size_t bytes) {
    void* buffer = shm_toc_allocate(parallel->toc, bytes);
    memcpy(buffer, from, bytes);
    shm_toc_insert(parallel->toc, key, buffer);
    return static_cast<T*>(buffer);
}

/// What workers put into shared memory for the leader.
class WorkersOutput {
  public:
    WorkersOutput(const DigestTask& task, const ScanOutput& leader, int workers)
        : task_(task), leader_(leader), workers_(workers) {}

    void estimate(ParallelContext* parallel) const { shm_toc_estimate_chunk(&parallel->estimator, bytes()); }
    void set_up(ParallelContext* parallel) {
        room_ = shm_toc_allocate(parallel->toc, bytes());
        if (leader_.rows)
            rows_.emplace(static_cast<SharedRows*>(room_), workers_, parallel->seg);
        else
            set_up_shared_sums(room_, leader_.matrix, workers_);
        shm_toc_insert(parallel->toc, leader_.rows ? kKeyRows : kKeySums, room_);
    }
    /// Waits until the workers have told all, and takes what they made.
    void take(ParallelContext* parallel) {
        if (!rows_) receive_sums(room_, parallel, leader_.matrix);
        WaitForParallelWorkersToFinish(parallel);
        if (rows_) rows_->drain(task_.columns.size(), *leader_.rows);
    }

  private:
    std::size_t bytes() const {
        return leader_.rows ? estimate_shared_rows(workers_) : estimate_shared_sums(leader_.matrix, workers_);
    }

    const DigestTask& task_;
    const ScanOutput& leader_;
    int workers_;
    void* room_ = nullptr;
    std::optional<SharedRowsReader> rows_;
};
static_assert(std::is_trivially_destructible_v<WorkersOutput>);

std::size_t worker_bytes(const DigestSpec& spec, const ScanOutput& output) {
    return LargeBuffer::bytes_of<core::u64>(output.rows ? 0 : shape_matrix(spec).total_words()) +
           LargeBuffer::bytes_of<core::ByteView>(spec.bounds.size()) +
           LargeBuffer::bytes_of<std::int64_t>(spec.bounds.size());
}

/// Gives the context of the workers, even if none could be launched; null where there was no memory for any.
ParallelContext* scan_together(const DigestTask& task, ScanSetup& setup, int workers, const ScanOutput& output) {
    const std::size_t spec_bytes = packed_bytes(task.spec);
    setup.scan.worker_bytes = worker_bytes(task.spec, output);
    std::size_t leaf_bytes = sizeof(SharedLeaf) * setup.scan.leaves;
    std::size_t column_bytes = sizeof(NameData) * setup.scan.columns;
    WorkersOutput theirs(task, output, workers);

    EnterParallelMode();
    ParallelContext* parallel = CreateParallelContext("$libdir/pg_parity", "parity_scan_worker", workers);
    for (std::size_t bytes : {sizeof(SharedScan), leaf_bytes, column_bytes, spec_bytes})
        shm_toc_estimate_chunk(&parallel->estimator, bytes);
    theirs.estimate(parallel);
    shm_toc_estimate_keys(&parallel->estimator, 5);
    InitializeParallelDSM(parallel);
    if (!parallel->seg) {  // the server has no more segments: there will be no workers, and files cannot be shared
        await_exit(parallel);
        scan_alone(task, setup, output);
        return nullptr;
    }
    SharedScan* shared = share(parallel, kKeyShared, &setup.scan, sizeof(SharedScan));
    share(parallel, kKeyLeaves, setup.leaves, leaf_bytes);
    share(parallel, kKeyColumns, setup.columns, column_bytes);
    void* spec = shm_toc_allocate(parallel->toc, spec_bytes);
    pack_spec(task.spec, spec, spec_bytes);
    shm_toc_insert(parallel->toc, kKeySpec, spec);
    theirs.set_up(parallel);

    LaunchParallelWorkers(parallel);
    lead(task, shared, setup, output);
    theirs.take(parallel);
    check_all_read(shared);
    setup.scan.keys_read = shared->keys_read;
    return parallel;
}

/// The server's rule for one relation's pages.
int workers_for_pages(core::u64 pages) {
    int workers = 0;
    core::u64 threshold = static_cast<core::u64>(std::max(min_parallel_table_scan_size, 1));
    for (; pages >= threshold && workers < max_parallel_workers_per_gather; threshold *= 3) ++workers;
    return workers;
}

/// Workers cannot see the leader's local buffers.
bool has_temporary_leaf(const DigestTask& task) {
    return std::any_of(task.leaves.begin(), task.leaves.end(),
                       [](Oid leaf) { return get_rel_persistence(leaf) == RELPERSISTENCE_TEMP; });
}

}  // namespace

int default_workers(const DigestTask& task) {
    if (has_temporary_leaf(task)) return 0;
    core::u64 pages = 0;
    int set_by_table = 0;
    for (Oid leaf : task.leaves) {
        Relation relation = table_open(leaf, NoLock);
        const int set = RelationGetParallelWorkers(relation, -1);
        if (set < 0) pages += RelationGetNumberOfBlocks(relation);
        set_by_table = std::max(set_by_table, set);
        table_close(relation, NoLock);
    }
    return std::max(std::min(set_by_table, max_parallel_workers_per_gather), workers_for_pages(pages));
}

namespace {

ScanEffort scan(const DigestTask& task, int workers, const ScanOutput& output) {
    if (has_temporary_leaf(task) || IsParallelWorker()) workers = 0;  // a worker cannot lead others
    ScanSetup setup = set_up(task, workers);
    ScanEffort effort{workers, 0, static_cast<std::int64_t>(setup.scan.total_pages)};
    if (workers > 0)
        effort.ending_workers = scan_together(task, setup, workers, output);
    else
        scan_alone(task, setup, output);
    if (effort.ending_workers) effort.workers_launched = effort.ending_workers->nworkers_launched;
    effort.keys_read = setup.scan.keys_read;
    return effort;
}

/// Workers write the rows that they hand over to disk. More than one in so many are handed over sooner by one process.
constexpr std::size_t kFewHandedOver = 4;

bool keeps_few(const DigestSpec& spec) {
    std::size_t kept = 0;
    for (core::u64 flags : spec.kept_buckets) kept += static_cast<std::size_t>(std::popcount(flags));
    if (spec.kept_buckets.empty())
        kept = static_cast<std::size_t>(std::count(spec.kept.begin(), spec.kept.end(), 1)) * spec.buckets;
    return !spec.kept.empty() && kept * kFewHandedOver <= spec.kept.size() * spec.buckets;
}

}  // namespace

ScanEffort digest_by_scan(const DigestTask& task, int workers, const DigestMatrix& matrix) {
    return scan(task, workers, {matrix, nullptr});
}

ScanEffort read_hashes_by_scan(const DigestTask& task, int workers, const HashedRowConsumer& consumer) {
    ScanEffort effort = scan(task, keeps_few(task.spec) ? workers : 0, {{}, &consumer});
    await_exit(std::exchange(effort.ending_workers, nullptr));
    return effort;
}

void await_exit(ParallelContext* ending_workers) {
    if (!ending_workers) return;
    DestroyParallelContext(ending_workers);
    ExitParallelMode();
}

}  // namespace parity::backend

using namespace parity::backend;

extern "C" {
PGDLLEXPORT void parity_scan_worker(dsm_segment* segment, shm_toc* toc);
}

/// A parallel worker's part of a scan.
void parity_scan_worker(dsm_segment* segment, shm_toc* toc) {
    auto* shared = static_cast<SharedScan*>(shm_toc_lookup(toc, kKeyShared, false));
    LargeBuffer buffer(CurrentMemoryContext, shared->worker_bytes);
    const DigestSpec spec = view_spec(shm_toc_lookup(toc, kKeySpec, false), CurrentMemoryContext, buffer);
    const parity::core::RangeFinder finder(spec.bounds, spec.key_forms, buffer.take<std::int64_t>(spec.bounds.size()));
    const auto take_part = [&](const ScanOutput& output) {
        participate({shared, static_cast<SharedLeaf*>(shm_toc_lookup(toc, kKeyLeaves, false)),
                     static_cast<NameData*>(shm_toc_lookup(toc, kKeyColumns, false)), &spec, finder, output,
                     CurrentMemoryContext, nullptr});
    };
    if (auto* rows = static_cast<SharedRows*>(shm_toc_lookup(toc, kKeyRows, true))) {
        SharedRowsWriter writer(rows, segment, spec.column_forms.size());
        const HashedRowConsumer consumer = writer.consumer();
        take_part({{}, &consumer});
        return writer.finish();
    }
    DigestMatrix matrix = shape_matrix(spec);
    matrix.words = buffer.take<parity::core::u64>(matrix.total_words());
    take_part({matrix, nullptr});
    send_sums(shm_toc_lookup(toc, kKeySums, false), segment, matrix);
}
