#include "backend/index_scan.h"

#include <new>

#include "backend/key_choice.h"
#include "backend/memory.h"
#include "backend/pg_compat.h"

namespace parity::backend {
namespace {

/// As the planner decides it: an index that was built over broken HOT chains does not serve older snapshots.
bool serves_snapshot(Relation index) {
    return !index->rd_index->indcheckxmin ||
           TransactionIdPrecedes(HeapTupleHeaderGetXmin(index->rd_indextuple->t_data), TransactionXmin);
}

/// Whether its first column is in the order of the key column's type and collation.
bool has_type_order(Relation index, const TaskColumn& column) {
    TypeCacheEntry* type = lookup_type_cache(getBaseType(column.type), TYPECACHE_BTREE_OPFAMILY);
    return index->rd_opfamily[0] == type->btree_opf &&
           (!OidIsValid(column.collation) || index->rd_indcollation[0] == column.collation);
}

RegProcedure comparison_of(Relation index, StrategyNumber strategy, Oid type) {
    Oid found = get_opfamily_member(index->rd_opfamily[0], index->rd_opcintype[0], type, static_cast<int16>(strategy));
    return OidIsValid(found) ? get_opcode(found) : InvalidOid;
}

void add_key(ScanKeyData* keys, int* count, Relation index, StrategyNumber strategy, Oid type,
             const std::optional<Datum>& value) {
    if (!value) return;
    ScanKeyEntryInitialize(&keys[(*count)++], 0, 1, strategy, type, index->rd_indcollation[0],
                           comparison_of(index, strategy, type), *value);
}

}  // namespace

IndexScans::IndexScans(const DigestTask& task)
    : leaves_(allocate_array<LeafIndex>(CurrentMemoryContext, task.leaves.size() + 1)),
      row_context_(AllocSetContextCreate(CurrentMemoryContext, "parity row", ALLOCSET_DEFAULT_SIZES)) {
    AttrNumber* columns = allocate_array<AttrNumber>(CurrentMemoryContext, task.key.size() + 1);
    Oid type = stretch_of_range(task, {}, {}).type;
    for (Oid id : task.leaves) {
        for (std::size_t i = 0; i < task.key.size(); ++i) columns[i] = get_attnum(id, NameStr(task.key[i].name));
        LeafIndex& leaf = leaves_[opened_];
        leaf.heap = table_open(id, NoLock);
        Oid index = find_btree(leaf.heap, {columns, task.key.size()});
        if (!OidIsValid(type) || !OidIsValid(index)) {
            table_close(leaf.heap, NoLock);
            usable_ = false;
            return;
        }
        leaf.index = index_open(index, AccessShareLock);
        leaf.slot = table_slot_create(leaf.heap, nullptr);
        leaf.rows = new (allocate_array<LeafRows>(CurrentMemoryContext, 1)) LeafRows(task, leaf.heap);
        ++opened_;
        usable_ = usable_ && serves_snapshot(leaf.index) && has_type_order(leaf.index, task.key[0]) &&
                  OidIsValid(comparison_of(leaf.index, BTGreaterEqualStrategyNumber, type)) &&
                  OidIsValid(comparison_of(leaf.index, BTLessEqualStrategyNumber, type));
    }
}

void IndexScans::read(const KeyStretch& stretch, const RowConsumer& consumer) {
    for (std::size_t i = 0; i < opened_; ++i) read_leaf(leaves_[i], stretch, consumer);
}

void IndexScans::read_leaf(LeafIndex& leaf, const KeyStretch& stretch, const RowConsumer& consumer) {
    ScanKeyData keys[2];
    int count = 0;
    add_key(keys, &count, leaf.index, BTGreaterEqualStrategyNumber, stretch.type, stretch.lower);
    add_key(keys, &count, leaf.index, BTLessEqualStrategyNumber, stretch.type, stretch.upper);
    if (leaf.scan && leaf.scan_keys != count) {
        index_endscan(leaf.scan);
        leaf.scan = nullptr;
    }
    if (!leaf.scan) leaf.scan = begin_index_scan(leaf.heap, leaf.index, GetActiveSnapshot(), count);
    leaf.scan_keys = count;
    index_rescan(leaf.scan, keys, count, nullptr, 0);
    while (index_getnext_slot(leaf.scan, ForwardScanDirection, leaf.slot)) {
        CHECK_FOR_INTERRUPTS();
        bool copied;
        HeapTuple tuple = ExecFetchSlotHeapTuple(leaf.slot, false, &copied);
        MemoryContext caller = MemoryContextSwitchTo(row_context_);
        leaf.rows->pass(tuple, consumer);
        MemoryContextSwitchTo(caller);
        MemoryContextReset(row_context_);
    }
}

void IndexScans::close() {
    for (std::size_t i = 0; i < opened_; ++i) {
        LeafIndex& leaf = leaves_[i];
        if (leaf.scan) index_endscan(leaf.scan);
        ExecDropSingleTupleTableSlot(leaf.slot);
        index_close(leaf.index, AccessShareLock);
        table_close(leaf.heap, NoLock);
    }
    MemoryContextDelete(row_context_);
}

}  // namespace parity::backend
