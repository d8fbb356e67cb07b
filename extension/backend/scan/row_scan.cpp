#include "backend/scan/row_scan.h"

#include <new>

#include "backend/memory.h"
#include "backend/scan/leaf_rows.h"
#include "backend/scan/page_reader.h"

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

/// Calls `read(reader)` for each page of a leaf; gives how many there are.
template <typename Read>
BlockNumber for_each_page(Relation leaf, Read read) {
    AllPages all{0, RelationGetNumberOfBlocks(leaf)};
    const BlockSupply blocks{AllPages::next_page, &all};
    auto* pages =
        new (allocate_array<PageReader>(CurrentMemoryContext, 1)) PageReader(leaf, GetActiveSnapshot(), blocks);
    core::u64 seen = 0;
    while (pages->next()) {
        seen += pages->tuples().size();
        read(*pages);
    }
    count_scan(leaf, seen);
    pages->close();
    return all.end;
}

/// Calls `read(leaf, row_context)` for each leaf.
template <typename Read>
void for_each_leaf(const DigestTask& task, Read read) {
    MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "parity leaf", ALLOCSET_DEFAULT_SIZES);
    MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "parity row", ALLOCSET_DEFAULT_SIZES);
    for (Oid id : task.leaves) {
        Relation leaf = table_open(id, NoLock);
        MemoryContext caller = MemoryContextSwitchTo(context);
        read(leaf, row_context);
        MemoryContextSwitchTo(caller);
        MemoryContextReset(context);
        table_close(leaf, NoLock);
    }
    MemoryContextDelete(row_context);
    MemoryContextDelete(context);
}

void pass_rows(LeafRows& rows, Oid leaf, const PageReader& page, const RowConsumer& consumer,
               MemoryContext row_context) {
    HeapTupleData whole{};
    whole.t_tableOid = leaf;
    ItemPointerSetInvalid(&whole.t_self);
    for (HeapTupleHeader tuple : page.tuples()) {
        whole.t_data = tuple;
        MemoryContext caller = MemoryContextSwitchTo(row_context);
        rows.hand_over(&whole, consumer);
        MemoryContextSwitchTo(caller);
        MemoryContextReset(row_context);
    }
}

}  // namespace

std::int64_t read_by_scan(const DigestTask& task, const RowConsumer& consumer) {
    std::int64_t pages = 0;
    for_each_leaf(task, [&](Relation leaf, MemoryContext row_context) {
        LeafRows rows(task, leaf);
        pages += for_each_page(leaf, [&](const PageReader& page) {
            pass_rows(rows, RelationGetRelid(leaf), page, consumer, row_context);
        });
    });
    return pages;
}

}  // namespace parity::backend
