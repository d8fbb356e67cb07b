#include "backend/scan/participants.h"

#include <algorithm>
#include <utility>

#include "backend/memory.h"
#include "backend/pg_compat.h"
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
constexpr core::u64 kKeyMethod = 7;
constexpr int kKeys = 6;  ///< how many of them a scan has

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

}  // namespace

std::span<const RowInput> find_inputs(const Participant& self, Relation leaf) {
    RowInput* inputs = allocate_array<RowInput>(CurrentMemoryContext, self.shared->columns + 1);
    for (std::uint32_t i = 0; i < self.shared->columns; ++i)
        inputs[i] = find_input(leaf, self.columns[i], self.spec->inputs[i].form);
    return {inputs, self.shared->columns};
}

void PageCounter::flush() {
    SharedScan* shared = participant_.shared;
    core::u64 done = pg_atomic_add_fetch_u64(&shared->pages_read, static_cast<int64>(pages_));
    pages_ = 0;
    if (participant_.progress) participant_.progress->report(done, shared->total_pages);
}

void tell_keys(SharedScan* shared, const KeysRead& read) {
    SpinLockAcquire(&shared->keys_lock);
    shared->keys_read.add(read);
    SpinLockRelease(&shared->keys_lock);
}

namespace {

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
    pg_atomic_init_u64(&setup.scan.next, 0);
    pg_atomic_init_u64(&setup.scan.pages_read, 0);
    SpinLockInit(&setup.scan.keys_lock);
    return setup;
}

void lead(const DigestTask& task, SharedScan* shared, const ScanSetup& setup, const ScanOutput& output,
          const ScanMethod& method) {
    ProgressReporter progress;
    auto* numbers = allocate_array<std::int64_t>(CurrentMemoryContext, task.spec.bounds.size() + 1);
    method.participate({shared, setup.leaves, setup.columns, &task.spec,
                        core::RangeFinder(task.spec.bounds, task.spec.key_forms, numbers), output, CurrentMemoryContext,
                        &progress, method.shared});
}

void scan_alone(const DigestTask& task, ScanSetup& setup, const ScanOutput& output, const ScanMethod& method) {
    lead(task, &setup.scan, setup, output, method);
    method.check(setup.scan, method.shared);
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
ParallelContext* scan_together(const DigestTask& task, ScanSetup& setup, int workers, const ScanOutput& output,
                               ScanMethod& method) {
    const std::size_t spec_bytes = packed_bytes(task.spec);
    setup.scan.worker_bytes = worker_bytes(task.spec, output);
    std::size_t leaf_bytes = sizeof(SharedLeaf) * setup.scan.leaves;
    std::size_t column_bytes = sizeof(NameData) * setup.scan.columns;
    WorkersOutput theirs(task, output, workers);

    EnterParallelMode();
    ParallelContext* parallel = CreateParallelContext("$libdir/pg_parity", method.worker, workers);
    for (std::size_t bytes : {sizeof(SharedScan), leaf_bytes, column_bytes, spec_bytes, method.bytes})
        shm_toc_estimate_chunk(&parallel->estimator, bytes);
    theirs.estimate(parallel);
    shm_toc_estimate_keys(&parallel->estimator, kKeys);
    InitializeParallelDSM(parallel);
    if (!parallel->seg) {  // the server has no more segments: there will be no workers, and files cannot be shared
        await_exit(parallel);
        scan_alone(task, setup, output, method);
        return nullptr;
    }
    SharedScan* shared = share(parallel, kKeyShared, &setup.scan, sizeof(SharedScan));
    share(parallel, kKeyLeaves, setup.leaves, leaf_bytes);
    share(parallel, kKeyColumns, setup.columns, column_bytes);
    method.shared = share(parallel, kKeyMethod, static_cast<char*>(method.shared), method.bytes);
    void* spec = shm_toc_allocate(parallel->toc, spec_bytes);
    pack_spec(task.spec, spec, spec_bytes);
    shm_toc_insert(parallel->toc, kKeySpec, spec);
    theirs.set_up(parallel);

    LaunchParallelWorkers(parallel);
    lead(task, shared, setup, output, method);
    theirs.take(parallel);
    method.check(*shared, method.shared);
    setup.scan.keys_read = shared->keys_read;
    pg_atomic_write_u64(&setup.scan.pages_read, pg_atomic_read_u64(&shared->pages_read));
    return parallel;
}

/// Workers cannot see the leader's local buffers.
bool has_temporary_leaf(const DigestTask& task) {
    return std::any_of(task.leaves.begin(), task.leaves.end(),
                       [](Oid leaf) { return get_rel_persistence(leaf) == RELPERSISTENCE_TEMP; });
}

}  // namespace

ScanEffort scan_by(const DigestTask& task, int workers, const ScanOutput& output, ScanMethod& method) {
    if (has_temporary_leaf(task) || IsParallelWorker()) workers = 0;  // a worker cannot lead others
    ScanSetup setup = set_up(task, workers);
    ScanEffort effort{workers, 0, 0};
    if (workers > 0)
        effort.ending_workers = scan_together(task, setup, workers, output, method);
    else
        scan_alone(task, setup, output, method);
    if (effort.ending_workers) effort.workers_launched = effort.ending_workers->nworkers_launched;
    effort.keys_read = setup.scan.keys_read;
    effort.pages = static_cast<std::int64_t>(pg_atomic_read_u64(&setup.scan.pages_read));
    if (output.rows) await_exit(std::exchange(effort.ending_workers, nullptr));
    return effort;
}

namespace {

/// The server's rule for one relation's pages.
int workers_for_pages(core::u64 pages) {
    int workers = 0;
    core::u64 threshold = static_cast<core::u64>(std::max(min_parallel_table_scan_size, 1));
    for (; pages >= threshold && workers < max_parallel_workers_per_gather; threshold *= 3) ++workers;
    return workers;
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

void await_exit(ParallelContext* ending_workers) {
    if (!ending_workers) return;
    DestroyParallelContext(ending_workers);
    ExitParallelMode();
}

void work_for_leader(dsm_segment* segment, shm_toc* toc, void (*participate)(const Participant& self)) {
    auto* shared = static_cast<SharedScan*>(shm_toc_lookup(toc, kKeyShared, false));
    LargeBuffer buffer(CurrentMemoryContext, shared->worker_bytes);
    const DigestSpec spec = view_spec(shm_toc_lookup(toc, kKeySpec, false), CurrentMemoryContext, buffer);
    const core::RangeFinder finder(spec.bounds, spec.key_forms, buffer.take<std::int64_t>(spec.bounds.size()));
    const auto take_part = [&](const ScanOutput& output) {
        participate({shared, static_cast<SharedLeaf*>(shm_toc_lookup(toc, kKeyLeaves, false)),
                     static_cast<NameData*>(shm_toc_lookup(toc, kKeyColumns, false)), &spec, finder, output,
                     CurrentMemoryContext, nullptr, shm_toc_lookup(toc, kKeyMethod, false)});
    };
    if (auto* rows = static_cast<SharedRows*>(shm_toc_lookup(toc, kKeyRows, true))) {
        SharedRowsWriter writer(rows, segment, spec.column_forms.size());
        const HashedRowConsumer consumer = writer.consumer();
        take_part({{}, &consumer});
        return writer.finish();
    }
    DigestMatrix matrix = shape_matrix(spec);
    matrix.words = buffer.take<core::u64>(matrix.total_words());
    take_part({matrix, nullptr});
    send_sums(shm_toc_lookup(toc, kKeySums, false), segment, matrix);
}

}  // namespace parity::backend
