#include "backend/pg.h"

#include <algorithm>

#include "backend/index/rows.h"
#include "backend/index/span_reading.h"
#include "backend/index/spans.h"
#include "backend/memory.h"
#include "backend/pg_compat.h"
#include "backend/query/key_condition.h"
#include "backend/query/query.h"
#include "backend/rows/row_hasher.h"
#include "backend/scan/row_scan.h"
#include "backend/scan/scan.h"
#include "backend/sums/hash_total.h"
#include "backend/task/arguments.h"
#include "backend/task/effort.h"
#include "backend/task/scan_guard.h"
#include "backend/task/task.h"
#include "backend/values/double_text.h"
#include "core/render.h"

/// The SQL functions row_digests() and row_records(): the rows of chosen ranges, or with chosen keys, and their hashes.

extern "C" {
PG_FUNCTION_INFO_V1(parity_row_digests);
PG_FUNCTION_INFO_V1(parity_row_records);
}

namespace parity::backend {
namespace {

enum RowArgument {
    kRelation,
    kLowerBound,
    kUpperBound,
    kBounds,
    kOnlyRanges,
    kKeys,
    kKeyColumns,
    kColumns,
    kForms,
    kFilter,
    kSeed,
    kWidth,
    kWorkers,
    kBuckets,
    kWithoutChildren,
    kRecordArguments,  ///< how many row_records has
    kWithValues = kRecordArguments,
    kRowArguments,  ///< how many row_digests has
};

constexpr int kResultColumns = 7;
constexpr int kRecordColumns = 2;

/// Records that travel together take about so many bytes.
constexpr std::size_t kBytesTogether = 64 * 1024;

/// The range that was asked for by its bounds, among the ranges that they make.
struct RowRanges {
    std::span<const core::ByteView> bounds;
    int32 only;  ///< 0: what only_ranges says
};

core::ByteView bytea_argument(FunctionCallInfo fcinfo, int argument) {
    bytea* bytes = PG_GETARG_BYTEA_PP(argument);
    return {reinterpret_cast<const std::uint8_t*>(VARDATA_ANY(bytes)), VARSIZE_ANY_EXHDR(bytes)};
}

RowRanges read_ranges(FunctionCallInfo fcinfo) {
    bool lower = !PG_ARGISNULL(kLowerBound);
    bool upper = !PG_ARGISNULL(kUpperBound);
    if (!lower && !upper)
        return {PG_ARGISNULL(kBounds) ? std::span<const core::ByteView>{}
                                      : bytea_array(PG_GETARG_ARRAYTYPE_P(kBounds), "bounds"),
                0};
    if (!PG_ARGISNULL(kBounds) || !PG_ARGISNULL(kOnlyRanges))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("lower_bound and upper_bound cannot be combined with bounds and only_ranges")));
    auto* bounds = allocate_array<core::ByteView>(CurrentMemoryContext, 2);
    std::size_t count = 0;
    if (lower) bounds[count++] = bytea_argument(fcinfo, kLowerBound);
    if (upper) bounds[count++] = bytea_argument(fcinfo, kUpperBound);
    return {{bounds, count}, lower ? 2 : 1};
}

/// Prints values as SQL shows them, under the session's settings.
struct ValuePrinter {
    FmgrInfo function;
};

/// Takes rows, hashes those that are wanted and hands them to a sort.
struct RowCollector {
    const DigestTask* task;
    RowHasher* hasher;
    bool by_key;
    std::span<const core::ByteView> keys;  ///< sorted; those that are wanted now
    RangeWindow window;                    ///< only rows of these ranges are taken now
    HashedRow row;                         ///< the one whose key was framed last
    bool framed;                           ///< consume_row() is called for it next
    core::u128* cells;
    int workers;  ///< of a scan that needs no values
    core::u64 taken;
    KeysRead keys_read;  ///< where there are buckets
    bool as_records;
    ValuePrinter* printers;  ///< of the key's columns and the others; null: no values
    Tuplesortstate* sort;
    TupleTableSlot* slot;
    core::ByteSink bytes;
    core::ByteSink text;
};
static_assert(std::is_trivially_destructible_v<RowCollector>);

/// A hash in the byte order in which the digest's text form writes sums.
void append_hash(core::ByteSink& sink, core::u128 hash, bool wide) {
    std::uint8_t bytes[16];
    core::store_be(bytes, core::high_half(hash));
    core::store_be(bytes + 8, core::low_half(hash));
    sink.append(wide ? bytes : bytes + 8, wide ? 16 : 8);
}

Datum hash_bytea(RowCollector& self, const core::u128* hashes, std::size_t count) {
    self.bytes.clear();
    for (std::size_t i = 0; i < count; ++i) append_hash(self.bytes, hashes[i], self.task->spec.wide);
    return PointerGetDatum(make_bytea(self.bytes.view()));
}

/// The texts of some of a row's values, as an array.
Datum value_texts(const RowCollector& self, const Datum* values, const bool* nulls, std::size_t first,
                  std::size_t number) {
    if (number == 0) return PointerGetDatum(construct_empty_array(TEXTOID));
    auto* texts = static_cast<Datum*>(palloc0(sizeof(Datum) * number));
    auto* absent = static_cast<bool*>(palloc0(number));
    for (std::size_t i = 0; i < number; ++i) {
        absent[i] = nulls[first + i];
        if (!absent[i])
            texts[i] = CStringGetTextDatum(OutputFunctionCall(&self.printers[first + i].function, values[first + i]));
    }
    int count = static_cast<int>(number), lower = 1;
    return PointerGetDatum(construct_md_array(texts, absent, 1, &count, &lower, TEXTOID, -1, false, TYPALIGN_INT));
}

/// What is shown of a row.
struct RowTexts {
    Datum columns;
    Datum key;
};

RowTexts row_texts(const RowCollector& self, const Datum* values, const bool* nulls) {
    if (!self.printers) return {0, 0};
    const std::size_t key = self.task->key.size();
    return {value_texts(self, values, nulls, key, self.task->columns.size()), value_texts(self, values, nulls, 0, key)};
}

void put_row(RowCollector& self, const HashedRow& row, const RowTexts& texts) {
    ++self.taken;
    ExecClearTuple(self.slot);
    Datum* result = self.slot->tts_values;
    bool* absent = self.slot->tts_isnull;
    result[0] = Int32GetDatum(static_cast<int32>(row.bucket + 1));
    result[1] = PointerGetDatum(make_bytea(row.key));
    self.text.clear();
    std::span<const core::Form> forms =
        self.task->key.empty() ? self.task->spec.column_forms : self.task->spec.key_forms;
    core::render_key(forms, row.key, write_double, self.text);
    result[2] = PointerGetDatum(make_text(self.text.view()));
    result[3] = hash_bytea(self, &row.hash, 1);
    result[4] = hash_bytea(self, row.cells, self.task->columns.size());
    std::fill(absent, absent + kResultColumns, false);
    absent[5] = absent[6] = !self.printers;
    result[5] = texts.columns;
    result[6] = texts.key;
    ExecStoreVirtualTuple(self.slot);
    tuplesort_puttupleslot(self.sort, self.slot);
}

/// Range, key, row hash and cell hashes, one after the other: the order of such bytes is that of the rows, because no
/// framed key is the beginning of another one.
void put_record(RowCollector& self, const HashedRow& row) {
    ++self.taken;
    std::uint8_t number[sizeof(std::uint32_t)];
    core::store_be(number, row.bucket + 1);
    self.bytes.clear();
    self.bytes.append(number, sizeof number);
    self.bytes.append(row.key);
    append_hash(self.bytes, row.hash, self.task->spec.wide);
    for (std::size_t i = 0; i < self.task->columns.size(); ++i)
        append_hash(self.bytes, row.cells[i], self.task->spec.wide);
    tuplesort_putdatum(self.sort, PointerGetDatum(make_bytea(self.bytes.view())), false);
}

/// Whether the row whose key was just framed is wanted.
bool wants_framed(RowCollector& self, core::ByteView key) {
    const DigestSpec& spec = self.task->spec;
    const std::uint32_t range = self.hasher->range_of_framed_key();
    if (!self.window.holds(range) || !spec.keeps(range)) return false;
    core::u64 bucket_hash = 0;
    if (spec.buckets > 1) {
        const core::u128 key_hash = self.hasher->hash_of_framed_key();
        self.keys_read.seen.add(key_hash);
        bucket_hash = core::low_half(key_hash);
        if (!spec.keeps_bucket(range, bucket_hash)) return false;
        self.keys_read.chosen.add(key_hash);
    }
    self.row = {static_cast<std::uint32_t>(bucket_index(range, bucket_hash, spec.buckets)), key, 0, self.cells};
    return !self.by_key || is_among(self.keys, key);
}

bool wants_row(void* state, const Datum* key_values, const bool* key_nulls) {
    RowCollector& self = *static_cast<RowCollector*>(state);
    return self.framed = wants_framed(self, self.hasher->frame_key(key_values, key_nulls));
}

void consume_row(void* state, const Datum* values, const bool* nulls) {
    RowCollector& self = *static_cast<RowCollector*>(state);
    if (!self.framed && !wants_framed(self, self.hasher->frame_key(values, nulls))) return;
    self.framed = false;
    self.row.hash = self.hasher->hash_cells(values, nulls, self.cells);
    if (self.as_records)
        put_record(self, self.row);
    else
        put_row(self, self.row, row_texts(self, values, nulls));
}

void take_hashed_row(void* state, const HashedRow& row) {
    RowCollector& self = *static_cast<RowCollector*>(state);
    if (self.as_records)
        put_record(self, row);
    else
        put_row(self, row, {0, 0});
}

void set_printer(ValuePrinter& printer, Oid type) {
    Oid function;
    bool varlena;
    getTypeOutputInfo(type, &function, &varlena);
    fmgr_info(function, &printer.function);
}

ValuePrinter* make_printers(const DigestTask& task) {
    const std::size_t key = task.key.size();
    ValuePrinter* printers = allocate_array<ValuePrinter>(CurrentMemoryContext, key + task.columns.size() + 1);
    for (std::size_t i = 0; i < key; ++i) set_printer(printers[i], task.key[i].type);
    for (std::size_t i = 0; i < task.columns.size(); ++i) set_printer(printers[key + i], task.columns[i].type);
    return printers;
}

/// Sorts by range, key bytes and row hash.
Tuplesortstate* begin_sort(TupleDesc descriptor) {
    AttrNumber columns[] = {1, 2, 4};
    Oid bytea_less = lookup_type_cache(BYTEAOID, TYPECACHE_LT_OPR)->lt_opr;
    Oid operators[] = {Int4LessOperator, bytea_less, bytea_less};
    Oid collations[] = {InvalidOid, InvalidOid, InvalidOid};
    bool nulls_first[] = {false, false, false};
    return tuplesort_begin_heap(descriptor, lengthof(columns), columns, operators, collations, nulls_first, work_mem,
                                nullptr, 0);
}

Tuplesortstate* begin_record_sort() {
    Oid less = lookup_type_cache(BYTEAOID, TYPECACHE_LT_OPR)->lt_opr;
    return tuplesort_begin_datum(BYTEAOID, less, InvalidOid, false, work_mem, nullptr, 0);
}

void drain(Tuplesortstate* sort, TupleDesc descriptor, Tuplestorestate* store) {
    TupleTableSlot* slot = MakeSingleTupleTableSlot(descriptor, &TTSOpsMinimalTuple);
    tuplesort_performsort(sort);
    while (tuplesort_gettupleslot(sort, true, false, slot, nullptr)) {
        CHECK_FOR_INTERRUPTS();
        tuplestore_puttupleslot(store, slot);
    }
    tuplesort_end(sort);
    ExecDropSingleTupleTableSlot(slot);
}

/// Records that are to travel together, each behind its length.
class RecordBundle {
  public:
    RecordBundle(TupleDesc descriptor, Tuplestorestate* store)
        : descriptor_(descriptor), store_(store), bytes_(make_sink(CurrentMemoryContext)) {}

    void add(core::ByteView record) {
        std::uint8_t length[sizeof(std::uint32_t)];
        core::store_be(length, static_cast<std::uint32_t>(record.size()));
        bytes_.append(length, sizeof length);
        bytes_.append(record);
        ++count_;
        if (bytes_.size >= kBytesTogether) hand_over();
    }
    void hand_over() {
        if (count_ == 0) return;
        bytea* bytes = make_bytea(bytes_.view());
        Datum values[kRecordColumns] = {Int32GetDatum(count_), PointerGetDatum(bytes)};
        bool nulls[kRecordColumns] = {};
        tuplestore_putvalues(store_, descriptor_, values, nulls);
        pfree(bytes);
        bytes_.clear();
        count_ = 0;
    }

  private:
    TupleDesc descriptor_;
    Tuplestorestate* store_;
    core::ByteSink bytes_;
    int32 count_ = 0;
};

void drain_records(Tuplesortstate* sort, TupleDesc descriptor, Tuplestorestate* store) {
    RecordBundle bundle(descriptor, store);
    tuplesort_performsort(sort);
    for (Datum value; next_sorted_datum(sort, &value);) {
        CHECK_FOR_INTERRUPTS();
        bytea* record = DatumGetByteaPP(value);
        bundle.add({reinterpret_cast<const std::uint8_t*>(VARDATA_ANY(record)), VARSIZE_ANY_EXHDR(record)});
        pfree(DatumGetPointer(value));
    }
    bundle.hand_over();
    tuplesort_end(sort);
}

/// The last row: what was read, so that who asked can see that nothing is missing.
void put_keys_read(const RowCollector& collector, TupleDesc descriptor, Tuplestorestate* store) {
    core::ByteSink sink = make_sink(CurrentMemoryContext);
    for (const HashTotal& total : {collector.keys_read.seen, collector.keys_read.chosen}) {
        append_hash(sink, total.rows, false);
        append_hash(sink, total.sum, collector.task->spec.wide);
    }
    Datum values[kRecordColumns] = {Int32GetDatum(0), PointerGetDatum(make_bytea(sink.view()))};
    bool nulls[kRecordColumns] = {};
    tuplestore_putvalues(store, descriptor, values, nulls);
}

TaskArguments read_task_arguments(FunctionCallInfo fcinfo) {
    for (int argument : {int{kRelation}, int{kSeed}, int{kWidth}, int{kBuckets}, int{kWithoutChildren}})
        if (PG_ARGISNULL(argument))
            ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                            errmsg("relation, seed, width, buckets and without_children must not be NULL")));
    return {PG_GETARG_OID(kRelation),
            optional_array(fcinfo, kKeyColumns),
            optional_array(fcinfo, kColumns),
            PG_ARGISNULL(kForms) ? nullptr : PG_GETARG_JSONB_P(kForms),
            PG_ARGISNULL(kFilter) ? nullptr : text_to_cstring(PG_GETARG_TEXT_PP(kFilter)),
            PG_GETARG_INT64(kSeed),
            PG_GETARG_INT32(kWidth),
            false,
            PG_GETARG_BOOL(kWithoutChildren)};
}

DigestTask open_row_task(FunctionCallInfo fcinfo) {
    DigestTask task = open_task(read_task_arguments(fcinfo));
    RowRanges ranges = read_ranges(fcinfo);
    set_bounds(task, ranges.bounds);
    set_buckets(task, PG_GETARG_INT32(kBuckets));
    if (task.spec.buckets > 1 && !PG_ARGISNULL(kKeys))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("keys cannot be combined with buckets")));
    keep_only_buckets(task, optional_array(fcinfo, kOnlyRanges));
    if (ranges.only > 0) {
        auto* kept = allocate_array<std::uint8_t>(CurrentMemoryContext, task.spec.ranges());
        kept[ranges.only - 1] = 1;
        task.spec.kept = {kept, task.spec.ranges()};
    }
    return task;
}

RowCollector make_collector(FunctionCallInfo fcinfo, const DigestTask& task, RowHasher& hasher) {
    RowCollector collector{};
    collector.task = &task;
    collector.hasher = &hasher;
    collector.workers = workers_argument(fcinfo, kWorkers);
    if (collector.workers < 0) collector.workers = task.obstacle == ScanObstacle::kNone ? default_workers(task) : 0;
    collector.by_key = !PG_ARGISNULL(kKeys);
    if (collector.by_key) collector.keys = sorted_bytea_array(PG_GETARG_ARRAYTYPE_P(kKeys), "keys");
    collector.cells = allocate_array<core::u128>(CurrentMemoryContext, task.columns.size() + 1);
    collector.bytes = make_sink(CurrentMemoryContext);
    collector.text = make_sink(CurrentMemoryContext);
    return collector;
}

void read_by_query(RowCollector& collector, const KeyCondition& condition) {
    RowQuery query(*collector.task, false);
    query.read(condition, {wants_row, consume_row, &collector});
    query.close();
}

/// Reads the rows by what costs least, and tells how; all but its time.
Effort read_wanted(RowCollector& collector) {
    const DigestTask& task = *collector.task;
    const bool with_values = collector.by_key || collector.printers;
    const bool by_blocks = !with_values && is_reading_by_blocks();
    const RowConsumer consumer{wants_row, consume_row, &collector};
    collector.window = {0, task.spec.ranges() - 1};
    KeyCondition condition;
    if (collector.by_key) {
        if (read_keys_by_index(task, &collector.keys, consumer)) return {"index", 0, 0, -1, 0, 0, nullptr};
        condition = condition_of_keys(task, collector.keys);
    } else if (std::size_t groups =
                   by_blocks && !has_read_ranges(task)
                       ? 0
                       : groups_worth_an_index_for_rows(task, 1 + (with_values ? 0 : collector.workers))) {
        if (read_by_index(task, groups, &collector.window, consumer)) return {"index", 0, 0, -1, 0, 0, nullptr};
        collector.window = {0, task.spec.ranges() - 1};
    }
    const bool plans = condition.parameters > 0 && !avoids_plans(task);  // not even for an index
    if (plans || task.obstacle != ScanObstacle::kNone) {
        read_by_query(collector, condition);
        return {"query", -1, -1, -1, 0, 0, nullptr};
    }
    if (by_blocks) {
        require_readable_by_blocks(task);
        const ScanEffort effort = read_hashes_by_blocks(task, collector.workers, {take_hashed_row, &collector});
        collector.keys_read = effort.keys_read;
        return {"blocks", effort.workers_requested, effort.workers_launched, effort.pages, 0, 0, nullptr};
    }
    if (with_values) return {"scan", 0, 0, read_by_scan(task, consumer), 0, 0, nullptr};
    const ScanEffort effort = read_hashes_by_scan(task, collector.workers, {take_hashed_row, &collector});
    collector.keys_read = effort.keys_read;
    return {"scan", effort.workers_requested, effort.workers_launched, effort.pages, 0, 0, nullptr};
}

void read_rows(RowCollector& collector) {
    instr_time started, elapsed;
    INSTR_TIME_SET_CURRENT(started);
    Effort effort = read_wanted(collector);
    INSTR_TIME_SET_CURRENT(elapsed);
    INSTR_TIME_SUBTRACT(elapsed, started);
    const DigestTask& task = *collector.task;
    if (collector.taken == 0 && !collector.by_key && strcmp(effort.path, "scan") == 0 && reads_all(task))
        confirm_empty(task);
    effort.rows = collector.taken;
    effort.why_not_scanned = describe_obstacle(task);
    effort.milliseconds = INSTR_TIME_GET_MILLISEC(elapsed);
    remember_effort(effort);
}

}  // namespace
}  // namespace parity::backend

using namespace parity::backend;

Datum parity_row_digests(PG_FUNCTION_ARGS) {
    Tuplestorestate* store;
    TupleDesc descriptor = begin_result(fcinfo, {kRowArguments, kResultColumns}, &store);
    if (PG_ARGISNULL(kWithValues))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("with_values must not be NULL")));
    DigestTask task = open_row_task(fcinfo);
    RowHasher hasher = make_row_hasher(task);
    RowCollector collector = make_collector(fcinfo, task, hasher);
    collector.printers = PG_GETARG_BOOL(kWithValues) ? make_printers(task) : nullptr;
    collector.sort = begin_sort(descriptor);
    collector.slot = MakeSingleTupleTableSlot(descriptor, &TTSOpsVirtual);
    read_rows(collector);
    drain(collector.sort, descriptor, store);
    ExecDropSingleTupleTableSlot(collector.slot);
    close_task(task);
    return 0;
}

Datum parity_row_records(PG_FUNCTION_ARGS) {
    Tuplestorestate* store;
    TupleDesc descriptor = begin_result(fcinfo, {kRecordArguments, kRecordColumns}, &store);
    DigestTask task = open_row_task(fcinfo);
    RowHasher hasher = make_row_hasher(task);
    RowCollector collector = make_collector(fcinfo, task, hasher);
    collector.as_records = true;
    collector.sort = begin_record_sort();
    read_rows(collector);
    drain_records(collector.sort, descriptor, store);
    if (task.spec.buckets > 1) put_keys_read(collector, descriptor, store);
    close_task(task);
    return 0;
}
