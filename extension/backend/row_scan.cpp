#include "backend/row_scan.h"

#include <new>

#include "backend/leaf_rows.h"
#include "backend/memory.h"
#include "backend/page_reader.h"

namespace parity::backend {
namespace {

/// Every page of a leaf, once.
struct AllPages {
    BlockNumber next;
    BlockNumber end;

    static BlockNumber next_page(void* pages) {
        auto* self = static_cast<AllPages*>(pages);
        return self->next < self->end ? self->next++ : InvalidBlockNumber;
    }
};

void read_leaf(const DigestTask& task, Relation leaf, const RowConsumer& consumer, MemoryContext row_context) {
    LeafRows rows(task, leaf);
    AllPages all{0, RelationGetNumberOfBlocks(leaf)};
    const BlockSupply blocks{AllPages::next_page, &all};
    auto* pages =
        new (allocate_array<PageReader>(CurrentMemoryContext, 1)) PageReader(leaf, GetActiveSnapshot(), blocks);
    HeapTupleData whole{};
    whole.t_tableOid = RelationGetRelid(leaf);
    ItemPointerSetInvalid(&whole.t_self);
    core::u64 seen = 0;
    while (pages->next()) {
        seen += pages->tuples().size();
        for (HeapTupleHeader tuple : pages->tuples()) {
            whole.t_data = tuple;
            MemoryContext caller = MemoryContextSwitchTo(row_context);
            rows.pass(&whole, consumer);
            MemoryContextSwitchTo(caller);
            MemoryContextReset(row_context);
        }
    }
    count_scan(leaf, seen);
    pages->close();
}

}  // namespace

void read_by_scan(const DigestTask& task, const RowConsumer& consumer) {
    MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "parity leaf", ALLOCSET_DEFAULT_SIZES);
    MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "parity row", ALLOCSET_DEFAULT_SIZES);
    for (Oid id : task.leaves) {
        Relation leaf = table_open(id, NoLock);
        MemoryContext caller = MemoryContextSwitchTo(context);
        read_leaf(task, leaf, consumer, row_context);
        MemoryContextSwitchTo(caller);
        MemoryContextReset(context);
        table_close(leaf, NoLock);
    }
    MemoryContextDelete(row_context);
    MemoryContextDelete(context);
}

}  // namespace parity::backend
