#pragma once

#include "backend/pg.h"

#include <algorithm>
#include <cstdint>

/// Everything that depends on the server's version. The rest of the backend is written for the newest one; what older
/// ones lack is supplied here.

#if PG_VERSION_NUM >= 140000
extern "C" {
#include "utils/multirangetypes.h"
}
#else
#define MONEYOID CASHOID
#define PG_LSNOID LSNOID
#endif

#if PG_VERSION_NUM < 150000
#define BTPageGetOpaque(page) ((BTPageOpaque)PageGetSpecialPointer(page))
#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)
#endif

#if PG_VERSION_NUM >= 170000
extern "C" {
#include "storage/read_stream.h"
}
#endif

namespace parity::backend {

/// Whether a tuplestore's rows lie in the context that was current when it was made; newer ones have their own.
inline constexpr bool kStoresUseTheirContext = PG_VERSION_NUM < 180000;

/// Whether each message of a queue wakes its receiver, however little it is.
inline constexpr bool kEachMessageWakes = PG_VERSION_NUM < 150000;

/// Puts a message into a queue, waiting for room.
inline shm_mq_result send_to_queue(shm_mq_handle* queue, Size bytes, const void* message) {
#if PG_VERSION_NUM >= 150000
    return shm_mq_send(queue, bytes, message, false, false);
#else
    return shm_mq_send(queue, bytes, message, false);
#endif
}

/// Starts a scan of an index of a table with room for so many conditions.
inline IndexScanDesc begin_index_scan(Relation heap, Relation index, Snapshot snapshot, int conditions) {
#if PG_VERSION_NUM >= 180000
    return index_beginscan(heap, index, snapshot, nullptr, conditions, 0);
#else
    return index_beginscan(heap, index, snapshot, conditions, 0);
#endif
}

/// Numbers of pages in the order in which they are to be read, each asked for once; InvalidBlockNumber at the end.
struct BlockSupply {
    BlockNumber (*next)(void* state);
    void* state;
};

#if PG_VERSION_NUM >= 170000

/// Pages of a relation, which the server reads ahead of time. They are pinned.
/// Requires: the caller releases them.
using BlockStream = ReadStream*;

#if PG_VERSION_NUM >= 180000
inline constexpr int kStreamFlags = READ_STREAM_SEQUENTIAL | READ_STREAM_USE_BATCHING;
#else
inline constexpr int kStreamFlags = READ_STREAM_SEQUENTIAL;
#endif

inline BlockNumber next_of_supply(ReadStream*, void* supply, void*) {
    const auto* blocks = static_cast<const BlockSupply*>(supply);
    return blocks->next(blocks->state);
}

/// Begins to read the pages that `blocks` names.
/// Requires: `blocks` outlives the stream.
inline BlockStream begin_blocks(Relation relation, BufferAccessStrategy strategy, const BlockSupply& blocks) {
    return read_stream_begin_relation(kStreamFlags, strategy, relation, MAIN_FORKNUM, next_of_supply,
                                      const_cast<BlockSupply*>(&blocks), 0);
}

/// The next page.
/// Returns: InvalidBuffer at the end.
inline Buffer next_block(BlockStream& stream) { return read_stream_next_buffer(stream, nullptr); }

inline void end_blocks(BlockStream& stream) { read_stream_end(stream); }

/// Snapshots do not become too old any more.
inline void check_old_snapshot(Snapshot, Relation, Page) {}

#else

/// The operating system reads ahead, as pages are in order.
struct BlockStream {
    Relation relation;
    BufferAccessStrategy strategy;
    const BlockSupply* blocks;
    Buffer last;    ///< where the last page was
    bool in_a_row;  ///< behind the one before it
};

inline BlockStream begin_blocks(Relation relation, BufferAccessStrategy strategy, const BlockSupply& blocks) {
    return {relation, strategy, &blocks, InvalidBuffer, false};
}

#if PG_VERSION_NUM >= 140000

/// Pins a page if it is in the buffer that follows the last page's. Looking it up costs more: the table of buffers is
/// large, and seldom in the processor's caches.
inline bool pin_following(const BlockStream& stream, BlockNumber number) {
#if PG_VERSION_NUM >= 160000
    const auto& file = stream.relation->rd_locator;
#else
    const auto& file = stream.relation->rd_node;
#endif
    if (!stream.in_a_row || stream.last >= NBuffers) return false;
    if (!ReadRecentBuffer(file, MAIN_FORKNUM, number, stream.last + 1)) return false;
    pgstat_count_buffer_read(stream.relation);
    pgstat_count_buffer_hit(stream.relation);
    return true;
}

#else

inline bool pin_following(const BlockStream&, BlockNumber) { return false; }

#endif

inline Buffer next_block(BlockStream& stream) {
    BlockNumber number = stream.blocks->next(stream.blocks->state);
    if (number == InvalidBlockNumber) return InvalidBuffer;
    Buffer buffer = stream.last + 1;
    if (!pin_following(stream, number))
        buffer = ReadBufferExtended(stream.relation, MAIN_FORKNUM, number, RBM_NORMAL, stream.strategy);
    stream.in_a_row = stream.last > 0 && buffer == stream.last + 1;
    stream.last = buffer;
    return buffer;
}

inline void end_blocks(BlockStream&) {}

inline void check_old_snapshot(Snapshot snapshot, Relation relation, Page page) {
    TestForOldSnapshot(snapshot, relation, page);
}

#endif

/// Counts a sequential scan in the statistics of a relation, and the rows that it read.
inline void count_scan(Relation relation, std::uint64_t rows) {
    pgstat_count_heap_scan(relation);
    if (!relation->pgstat_info) return;
#if PG_VERSION_NUM >= 160000
    relation->pgstat_info->counts.tuples_returned += static_cast<PgStat_Counter>(rows);
#else
    relation->pgstat_info->t_counts.t_tuples_returned += static_cast<PgStat_Counter>(rows);
#endif
}

/// The next of the values that were sorted, in the current context.
/// Returns: false at the end.
inline bool next_sorted_datum(Tuplesortstate* sort, Datum* value) {
    bool null;
#if PG_VERSION_NUM >= 160000
    return tuplesort_getdatum(sort, true, true, value, &null, nullptr);
#else
    return tuplesort_getdatum(sort, true, value, &null, nullptr);
#endif
}

/// The level of a B-tree page, 0 for leaves.
inline uint32 page_level(BTPageOpaque opaque) {
#if PG_VERSION_NUM >= 140000
    return opaque->btpo_level;
#else
    return opaque->btpo.level;
#endif
}

/// The raw parse trees of an SQL text.
inline List* parse_sql(const char* text) {
#if PG_VERSION_NUM >= 140000
    return raw_parser(text, RAW_PARSE_DEFAULT);
#else
    return raw_parser(text);
#endif
}

/// The queries that an SQL text stands for, after rules, as for a statement of the caller.
inline List* analyze_and_rewrite(RawStmt* statement, const char* text) {
#if PG_VERSION_NUM >= 150000
    return pg_analyze_and_rewrite_fixedparams(statement, text, nullptr, 0, nullptr);
#else
    return pg_analyze_and_rewrite(statement, text, nullptr, 0, nullptr);
#endif
}

/// Checks the caller's rights to what a query reads, as the executor does: whoever listens there is told of it.
inline void check_permissions(Query* query) {
#if PG_VERSION_NUM >= 160000
    ExecCheckPermissions(query->rtable, query->rteperminfos, true);
#else
    ExecCheckRTPerms(query->rtable, true);
#endif
}

/// Whether an Append chooses among its plans when it is run.
inline bool has_run_time_pruning(const Append* append) {
#if PG_VERSION_NUM >= 180000
    return append->part_prune_index >= 0;
#else
    return append->part_prune_info != nullptr;
#endif
}

/// The relation of a scan: its place among those of the plan.
inline Index scan_relation(const Plan* scan) { return reinterpret_cast<const Scan*>(scan)->scanrelid; }

/// Whether a plan gives a row under the active snapshot, to the caller.
inline bool has_rows(PlannedStmt* plan, const char* text) {
    QueryDesc* query =
        CreateQueryDesc(plan, text, GetActiveSnapshot(), InvalidSnapshot, None_Receiver, nullptr, nullptr, 0);
    ExecutorStart(query, 0);
#if PG_VERSION_NUM >= 180000
    ExecutorRun(query, ForwardScanDirection, 1);
#else
    ExecutorRun(query, ForwardScanDirection, 1, true);
#endif
    const bool found = query->estate->es_processed > 0;
    ExecutorFinish(query);
    ExecutorEnd(query);
    FreeQueryDesc(query);
    return found;
}

/// The column of pg_statistic_ext with expressions (PostgreSQL 14).
#if PG_VERSION_NUM >= 140000
inline constexpr AttrNumber kStatisticsExpressions = Anum_pg_statistic_ext_stxexprs;
#else
inline constexpr AttrNumber kStatisticsExpressions = InvalidAttrNumber;
#endif

/// Calls `walker` for the parts of an expression. Before PostgreSQL 16 the walker's type has no arguments.
inline bool walk_expression(Node* node, bool (*walker)(Node*, void*), void* context) {
#if PG_VERSION_NUM >= 160000
    return expression_tree_walker(node, walker, context);
#else
    auto* untyped = reinterpret_cast<bool (*)()>(reinterpret_cast<void (*)()>(walker));
    return expression_tree_walker(node, untyped, context);
#endif
}

/// Whether a column is computed when it is read, so that the heap does not hold it (PostgreSQL 18).
inline bool is_virtual_generated(Form_pg_attribute attribute) {
#if PG_VERSION_NUM >= 180000
    return attribute->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL;
#else
    return attribute != nullptr && false;
#endif
}

/// Whether no row has NULL in a column. Since PostgreSQL 18 attnotnull is also set where NOT NULL was never checked.
inline bool is_never_null(TupleDesc descriptor, int number) {
#if PG_VERSION_NUM >= 180000
    return TupleDescCompactAttr(descriptor, number)->attnullability == ATTNULLABLE_VALID;
#else
    return TupleDescAttr(descriptor, number)->attnotnull;
#endif
}

/// Whether numeric has infinities (PostgreSQL 14).
inline constexpr bool kNumericHasInfinity = PG_VERSION_NUM >= 140000;

/// Calls `walker` for the parts of a raw parse tree. Before PostgreSQL 16 the walker's type has no arguments.
inline bool walk_parse_tree(Node* node, bool (*walker)(Node*, void*), void* context) {
#if PG_VERSION_NUM >= 160000
    return raw_expression_tree_walker(node, walker, context);
#else
    auto* untyped = reinterpret_cast<bool (*)()>(reinterpret_cast<void (*)()>(walker));
    return raw_expression_tree_walker(node, untyped, context);
#endif
}

/// Valid UTF-8 in another encoding, in the current context.
/// Returns: null where that encoding cannot hold the text.
inline char* convert_from_utf8(const char* text, int length, int encoding) {
    Oid conversion = FindDefaultConversionProc(PG_UTF8, encoding);
    if (!OidIsValid(conversion)) return nullptr;
#if PG_VERSION_NUM >= 140000
    Size room = static_cast<Size>(length) * MAX_CONVERSION_GROWTH + 1;
    char* converted = static_cast<char*>(palloc_extended(room, MCXT_ALLOC_HUGE));
    int done = pg_do_encoding_conversion_buf(
        conversion, PG_UTF8, encoding, reinterpret_cast<unsigned char*>(const_cast<char*>(text)), length,
        reinterpret_cast<unsigned char*>(converted), static_cast<int>(std::min<Size>(room, PG_INT32_MAX)), true);
    return done == length ? converted : nullptr;
#else
    return pg_any_to_server(text, length, PG_UTF8);
#endif
}

/// pg_type.typtype of a multirange type (PostgreSQL 14).
inline constexpr char kMultirangeTypeKind = 'm';

/// The range type that a multirange type is made of.
inline TypeCacheEntry* multirange_range_type(Oid multirange) {
#if PG_VERSION_NUM >= 140000
    return lookup_type_cache(get_multirange_range(multirange), TYPECACHE_RANGE_INFO);
#else
    elog(ERROR, "type %u is no multirange type", multirange);
#endif
}

/// The ranges of a multirange, in the current context.
/// Returns: how many ranges there are.
inline int32 split_multirange(TypeCacheEntry* range, Datum value, RangeType*** ranges) {
#if PG_VERSION_NUM >= 140000
    int32 count;
    multirange_deserialize(range, DatumGetMultirangeTypeP(value), &count, ranges);
    return count;
#else
    elog(ERROR, "type %u has no multirange type", range->type_id);
#endif
}

/// The number that names a relation's file, as pg_class has it.
inline Oid file_number(Form_pg_class relation) { return relation->relfilenode; }

/// The number that names an open relation's file.
inline Oid open_file_number(Relation relation) {
#if PG_VERSION_NUM >= 160000
    return relation->rd_locator.relNumber;
#else
    return relation->rd_node.relNode;
#endif
}

/// Whether a partition is on its way out (DETACH CONCURRENTLY, PostgreSQL 14).
inline bool is_being_detached(Form_pg_inherits row) {
#if PG_VERSION_NUM >= 140000
    return row->inhdetachpending;
#else
    return row == nullptr;
#endif
}

/// Whether the role may read the whole relation.
inline bool may_select(Oid relation, Oid role) { return pg_class_aclcheck(relation, role, ACL_SELECT) == ACLCHECK_OK; }

}  // namespace parity::backend
