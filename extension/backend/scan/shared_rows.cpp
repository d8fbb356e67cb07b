#include "backend/scan/shared_rows.h"

#include "backend/memory.h"

namespace parity::backend {

struct alignas(MAXIMUM_ALIGNOF) SharedRows {
    SharedFileSet files;
    SharedTuplestore* store() { return reinterpret_cast<SharedTuplestore*>(this + 1); }
};

namespace {

/// What stands before a row's cells and, behind them, its key. Of a tuple only its length matters to the store.
struct WrittenRow {
    char tuple[MAXALIGN(SizeofMinimalTupleHeader)];
    core::u128 hash;
    std::uint32_t bucket;
    std::uint32_t key_bytes;
};

}  // namespace

std::size_t estimate_shared_rows(int workers) { return sizeof(SharedRows) + sts_estimate(workers + 1); }

/// The leader is the last participant, and writes nothing.
SharedRowsReader::SharedRowsReader(SharedRows* shared, int workers, dsm_segment* segment) {
    SharedFileSetInit(&shared->files, segment);
    accessor_ = sts_initialize(shared->store(), workers + 1, workers, 0, SHARED_TUPLESTORE_SINGLE_PASS, &shared->files,
                               "parity rows");
}

void SharedRowsReader::drain(std::size_t columns, const HashedRowConsumer& consumer) {
    MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "parity row", ALLOCSET_DEFAULT_SIZES);
    auto* cells = allocate_array<core::u128>(CurrentMemoryContext, columns + 1);
    sts_begin_parallel_scan(accessor_);
    while (MinimalTuple tuple = sts_parallel_scan_next(accessor_, nullptr)) {
        CHECK_FOR_INTERRUPTS();
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(tuple);
        WrittenRow row;
        memcpy(&row, bytes, sizeof row);
        bytes += sizeof row;
        memcpy(cells, bytes, columns * sizeof(core::u128));
        bytes += columns * sizeof(core::u128);
        MemoryContext caller = MemoryContextSwitchTo(row_context);
        consumer.take(consumer.state, {row.bucket, {bytes, row.key_bytes}, row.hash, cells});
        MemoryContextSwitchTo(caller);
        MemoryContextReset(row_context);
    }
    sts_end_parallel_scan(accessor_);
    MemoryContextDelete(row_context);
}

SharedRowsWriter::SharedRowsWriter(SharedRows* shared, dsm_segment* segment, std::size_t columns)
    : columns_(columns), context_(CurrentMemoryContext), bytes_(make_sink(CurrentMemoryContext)) {
    SharedFileSetAttach(&shared->files, segment);
    accessor_ = sts_attach(shared->store(), ParallelWorkerNumber, &shared->files);
}

void SharedRowsWriter::write_row(void* writer, const HashedRow& row) {
    auto& self = *static_cast<SharedRowsWriter*>(writer);
    WrittenRow written{};
    written.hash = row.hash;
    written.bucket = row.bucket;
    written.key_bytes = static_cast<std::uint32_t>(row.key.size());
    self.bytes_.clear();
    self.bytes_.append(&written, sizeof written);
    self.bytes_.append(row.cells, self.columns_ * sizeof(core::u128));
    self.bytes_.append(row.key);
    auto* tuple = reinterpret_cast<MinimalTuple>(self.bytes_.data);
    tuple->t_len = static_cast<uint32>(self.bytes_.size);
    // Until PostgreSQL 17 the store's file is allocated in whatever context is current when the first tuple comes.
    MemoryContext caller = MemoryContextSwitchTo(self.context_);
    sts_puttuple(self.accessor_, nullptr, tuple);
    MemoryContextSwitchTo(caller);
}

}  // namespace parity::backend
