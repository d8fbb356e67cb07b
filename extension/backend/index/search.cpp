#include "backend/index/search.h"

#include <new>

#include "backend/memory.h"
#include "backend/pg_compat.h"
#include "backend/task/key_choice.h"

namespace parity::backend {
namespace {

/// As the planner decides it: an index that was built over broken HOT chains does not serve older snapshots.
bool serves_snapshot(Relation index) {
    return !index->rd_index->indcheckxmin ||
           TransactionIdPrecedes(HeapTupleHeaderGetXmin(index->rd_indextuple->t_data), TransactionXmin);
}

/// Whether one of its columns has the operators of the key column's type, and not some that are only asked for.
bool has_type_operators(Relation index, int index_column, const TaskColumn& column) {
    TypeCacheEntry* type = lookup_type_cache(getBaseType(column.type), TYPECACHE_BTREE_OPFAMILY);
    return index->rd_opfamily[index_column] == type->btree_opf;
}

RegProcedure comparison_of(Relation index, int index_column, StrategyNumber strategy, Oid type) {
    Oid found = get_opfamily_member(index->rd_opfamily[index_column], index->rd_opcintype[index_column], type,
                                    static_cast<int16>(strategy));
    return OidIsValid(found) ? get_opcode(found) : InvalidOid;
}

/// Whether its first column is in the order of the key column's type and collation.
bool serves_intervals(Relation index, const TaskColumn& column, Oid type) {
    return has_type_operators(index, 0, column) &&
           (!OidIsValid(column.collation) || index->rd_indcollation[0] == column.collation) &&
           OidIsValid(comparison_of(index, 0, BTGreaterEqualStrategyNumber, type)) &&
           OidIsValid(comparison_of(index, 0, BTLessEqualStrategyNumber, type));
}

bool serves_keys(Relation index, std::span<const TaskColumn> key, std::span<const Oid> types) {
    for (std::size_t i = 0; i < key.size(); ++i) {
        int index_column = static_cast<int>(i);
        if (!has_type_operators(index, index_column, key[i]) ||
            !OidIsValid(comparison_of(index, index_column, BTEqualStrategyNumber, types[i])))
            return false;
    }
    return true;
}

/// What an index is asked for.
struct Wanted {
    std::span<const TaskColumn> key;
    std::span<const Oid> types;  ///< of the values that it is searched for
    IndexUse use;
};

/// Requires: `state` is a Wanted.
bool serves(const void* state, Relation index) {
    const auto& wanted = *static_cast<const Wanted*>(state);
    if (!serves_snapshot(index)) return false;
    return wanted.use == IndexUse::kKeys ? serves_keys(index, wanted.key, wanted.types)
                                         : serves_intervals(index, wanted.key[0], wanted.types[0]);
}

void set_key(ScanKeyData& key, Relation index, int index_column, StrategyNumber strategy, Oid type, Datum value) {
    ScanKeyEntryInitialize(&key, 0, static_cast<AttrNumber>(index_column + 1), strategy, type,
                           index->rd_indcollation[index_column], comparison_of(index, index_column, strategy, type),
                           value);
}

/// InvalidOid where there is none.
Oid wanted_index(Relation leaf, const Wanted& wanted) {
    AttrNumber* columns = allocate_array<AttrNumber>(CurrentMemoryContext, wanted.key.size() + 1);
    for (std::size_t i = 0; i < wanted.key.size(); ++i)
        columns[i] = get_attnum(RelationGetRelid(leaf), NameStr(wanted.key[i].name));
    const Oid index = find_btree(leaf, {columns, wanted.key.size()}, serves, &wanted);
    pfree(columns);
    return index;
}

}  // namespace

Oid interval_type(const DigestTask& task) { return interval_of_range(task, {}, {}).type; }

Oid interval_index(const DigestTask& task, Relation leaf, Oid type) {
    return wanted_index(leaf, {task.key, {&type, 1}, IndexUse::kIntervals});
}

int interval_conditions(Relation index, const KeyInterval& interval, ScanKeyData* conditions) {
    int count = 0;
    if (interval.lower)
        set_key(conditions[count++], index, 0, BTGreaterEqualStrategyNumber, interval.type, *interval.lower);
    if (interval.upper)
        set_key(conditions[count++], index, 0, BTLessEqualStrategyNumber, interval.type, *interval.upper);
    return count;
}

int searchable_columns(const DigestTask& task, Relation index) {
    int count = 0;
    for (const TaskColumn& column : task.key) {
        if (!has_type_operators(index, count, column)) break;
        ++count;
    }
    return count;
}

IndexSearches::IndexSearches(const DigestTask& task, IndexUse use)
    : leaves_(allocate_array<LeafIndex>(CurrentMemoryContext, task.leaves.size() + 1)),
      row_context_(AllocSetContextCreate(CurrentMemoryContext, "parity row", ALLOCSET_DEFAULT_SIZES)) {
    std::span<const Oid> types;
    if (use == IndexUse::kKeys) {
        types = key_value_types(task);
    } else if (Oid* type = allocate_array<Oid>(CurrentMemoryContext, 1); OidIsValid(*type = interval_type(task))) {
        types = {type, 1};
    }
    const Wanted wanted{task.key, types, use};
    for (Oid id : task.leaves) {
        LeafIndex& leaf = leaves_[opened_];
        leaf.heap = table_open(id, NoLock);
        const Oid index = types.empty() ? InvalidOid : wanted_index(leaf.heap, wanted);
        if (!OidIsValid(index)) {
            table_close(leaf.heap, NoLock);
            usable_ = false;
            return;
        }
        leaf.index = index_open(index, AccessShareLock);
        leaf.slot = table_slot_create(leaf.heap, nullptr);
        leaf.rows = new (allocate_array<LeafRows>(CurrentMemoryContext, 1)) LeafRows(task, leaf.heap);
        ++opened_;
    }
}

void IndexSearches::read(const KeyInterval& interval, const RowConsumer& consumer) {
    for (std::size_t i = 0; i < opened_; ++i) {
        ScanKeyData keys[2];
        const int count = interval_conditions(leaves_[i].index, interval, keys);
        read_leaf(leaves_[i], keys, count, consumer);
    }
}

void IndexSearches::read_key(std::span<const Oid> types, const Datum* values, const RowConsumer& consumer) {
    for (std::size_t i = 0; i < opened_; ++i) {
        ScanKeyData keys[INDEX_MAX_KEYS];
        int count = 0;
        for (; count < static_cast<int>(types.size()); ++count) {
            auto at = static_cast<std::size_t>(count);
            set_key(keys[at], leaves_[i].index, count, BTEqualStrategyNumber, types[at], values[at]);
        }
        read_leaf(leaves_[i], keys, count, consumer);
    }
}

void IndexSearches::read_leaf(LeafIndex& leaf, ScanKeyData* keys, int count, const RowConsumer& consumer) {
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
        leaf.rows->hand_over(tuple, consumer);
        MemoryContextSwitchTo(caller);
        MemoryContextReset(row_context_);
    }
}

void IndexSearches::close() {
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
