#include "backend/pg.h"

#include <algorithm>

#include "backend/index/bounds.h"
#include "backend/index/rows.h"
#include "backend/index/span_reading.h"
#include "backend/index/spans.h"
#include "backend/memory.h"
#include "backend/query/query.h"
#include "backend/scan/scan.h"
#include "backend/sums/buckets.h"
#include "backend/sums/matrix.h"
#include "backend/task/arguments.h"
#include "backend/task/effort.h"
#include "backend/task/scan_guard.h"
#include "backend/task/task.h"
#include "backend/values/double_text.h"
#include "backend/values/text.h"
#include "core/render.h"

/// The SQL functions range_digests(), range_totals(), slice_digests() and split_keys().

extern "C" {
PG_FUNCTION_INFO_V1(parity_range_digests);
PG_FUNCTION_INFO_V1(parity_range_totals);
PG_FUNCTION_INFO_V1(parity_slice_digests);
PG_FUNCTION_INFO_V1(parity_split_keys);
}

namespace parity::backend {
namespace {

/// Positions of the arguments of range_digests, range_totals and slice_digests.
enum RangeArgument {
    kRelation,
    kRanges,
    kBounds,
    kKeyColumns,
    kColumns,
    kForms,
    kFilter,
    kSeed,
    kWidth,
    kWorkers,
    kPath,
    kOnlyRanges,
    kWithoutChildren,
    kSliceArguments,  ///< how many slice_digests has
    kBuckets = kSliceArguments,
    kRangeArguments,  ///< how many the others have
};

enum class DigestPath { kAuto, kScan, kIndex, kBlocks, kAggregate };

/// What one call computed.
struct RangeResult {
    DigestTask task;
    DigestMatrix matrix;
    DigestPath path;
    ParallelContext* ending_workers;  ///< of workers that have told all
};

template <typename T>
T* optional_pointer(FunctionCallInfo fcinfo, int argument) {
    return PG_ARGISNULL(argument) ? nullptr : reinterpret_cast<T*>(PG_DETOAST_DATUM(PG_GETARG_DATUM(argument)));
}

void require_argument(FunctionCallInfo fcinfo, int argument, const char* name) {
    if (PG_ARGISNULL(argument))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be NULL", name)));
}

DigestPath parse_path(FunctionCallInfo fcinfo) {
    if (PG_ARGISNULL(kPath)) return DigestPath::kAuto;
    char* name = text_to_cstring(PG_GETARG_TEXT_PP(kPath));
    if (strcmp(name, "auto") == 0) return DigestPath::kAuto;
    if (strcmp(name, "scan") == 0) return DigestPath::kScan;
    if (strcmp(name, "aggregate") == 0) return DigestPath::kAggregate;
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("path must be \"auto\", \"scan\" or \"aggregate\", not \"%s\"", name)));
    pg_unreachable();
}

/// The path that is taken: what was asked for, if it can be.
DigestPath choose_path(DigestPath wanted, const DigestTask& task, std::size_t groups) {
    if (wanted == DigestPath::kScan && task.obstacle != ScanObstacle::kNone)
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("relation \"%s\" cannot be scanned directly: %s", RelationGetRelationName(task.relation),
                               describe_obstacle(task))));
    if (wanted != DigestPath::kAuto) return wanted;
    if (is_reading_by_blocks()) {
        require_readable_by_blocks(task);
        return groups > 0 && has_read_ranges(task) ? DigestPath::kIndex : DigestPath::kBlocks;
    }
    if (groups > 0) return DigestPath::kIndex;
    return task.obstacle == ScanObstacle::kNone ? DigestPath::kScan : DigestPath::kAggregate;
}

const char* path_name(DigestPath path) {
    switch (path) {
        case DigestPath::kScan:
            return "scan";
        case DigestPath::kIndex:
            return "index";
        case DigestPath::kBlocks:
            return "blocks";
        default:
            return "aggregate";
    }
}

TaskArguments read_task_arguments(FunctionCallInfo fcinfo) {
    require_argument(fcinfo, kRelation, "relation");
    require_argument(fcinfo, kSeed, "seed");
    require_argument(fcinfo, kWidth, "width");
    require_argument(fcinfo, kWithoutChildren, "without_children");
    return {PG_GETARG_OID(kRelation),
            optional_array(fcinfo, kKeyColumns),
            optional_array(fcinfo, kColumns),
            optional_pointer<Jsonb>(fcinfo, kForms),
            PG_ARGISNULL(kFilter) ? nullptr : text_to_cstring(PG_GETARG_TEXT_PP(kFilter)),
            PG_GETARG_INT64(kSeed),
            PG_GETARG_INT32(kWidth),
            false,
            PG_GETARG_BOOL(kWithoutChildren)};
}

/// Takes a path that is possible, and tells it.
ScanEffort digest_by(DigestPath& path, const DigestTask& task, int workers, std::size_t groups,
                     const DigestMatrix& matrix) {
    switch (path) {
        case DigestPath::kIndex:
            if (digest_by_index(task, groups, matrix)) return {workers, 0, -1};
            path = DigestPath::kScan;
            [[fallthrough]];
        case DigestPath::kScan:
            return digest_by_scan(task, workers, matrix);
        case DigestPath::kBlocks:
            return digest_by_blocks(task, workers, matrix);
        default:
            digest_by_query(task, workers, matrix);
            return {workers, -1, -1};
    }
}

/// The processes that a scan would have. The executor does not tell its own.
int scanners(const DigestTask& task, int workers) {
    if (task.obstacle != ScanObstacle::kNone) return 1;
    return 1 + (workers < 0 ? default_workers(task) : workers);
}

RangeResult compute(FunctionCallInfo fcinfo, bool totals_only) {
    forget_buckets();
    DigestPath wanted = parse_path(fcinfo);
    int workers = workers_argument(fcinfo, kWorkers);
    RangeResult result{open_task(read_task_arguments(fcinfo)), {}, DigestPath::kAuto, nullptr};
    DigestTask& task = result.task;
    if (PG_ARGISNULL(kBounds)) {
        require_argument(fcinfo, kRanges, "ranges");
        check_range_count(PG_GETARG_INT32(kRanges));
        task.spec.bounds = split(task, PG_GETARG_INT32(kRanges));
    } else {
        set_bounds(task, bytea_array(PG_GETARG_ARRAYTYPE_P(kBounds), "bounds"));
    }
    keep_only(task, optional_array(fcinfo, kOnlyRanges));
    task.spec.totals_only = totals_only;
    std::size_t groups = groups_worth_an_index(task, scanners(task, workers));
    result.path = choose_path(wanted, task, groups);
    if (result.path == DigestPath::kIndex) workers = 0;
    const bool reads_pages = result.path == DigestPath::kScan || result.path == DigestPath::kBlocks;
    if (workers < 0 && reads_pages) workers = default_workers(task);
    const int participants = 1 + (workers < 0 ? max_parallel_workers_per_gather : workers);
    if (PG_NARGS() == kRangeArguments) {
        require_argument(fcinfo, kBuckets, "buckets");
        set_buckets(task, PG_GETARG_INT32(kBuckets));
        fit_buckets(task.spec, participants);
    }
    check_digest_memory(task.spec, participants);
    instr_time started, elapsed;
    INSTR_TIME_SET_CURRENT(started);
    result.matrix = make_matrix(task.spec, CurrentMemoryContext);
    const ScanEffort effort = digest_by(result.path, task, workers, groups, result.matrix);
    INSTR_TIME_SET_CURRENT(elapsed);
    INSTR_TIME_SUBTRACT(elapsed, started);
    core::u64 rows = 0;
    for (std::uint32_t range = 0; range < result.matrix.ranges; ++range) rows += result.matrix.range(range)[0];
    if (rows == 0 && result.path == DigestPath::kScan && reads_all(task)) confirm_empty(task);
    remember_effort({path_name(result.path), workers, effort.workers_launched, effort.pages, rows,
                     INSTR_TIME_GET_MILLISEC(elapsed), describe_obstacle(task)});
    keep_buckets(task.spec, result.matrix);
    result.ending_workers = effort.ending_workers;
    return result;
}

void close_result(RangeResult& result) {
    await_exit(result.ending_workers);
    close_task(result.task);
}

/// The totals of ranges that travel together, as arrays.
class TotalsBundle {
  public:
    /// Hands bundles to `store`; `descriptor` is range_totals'.
    TotalsBundle(TupleDesc descriptor, Tuplestorestate* store, const char* path)
        : descriptor_(descriptor),
          store_(store),
          digest_type_(get_element_type(TupleDescAttr(descriptor, 2)->atttypid)),
          path_(CStringGetTextDatum(path)),
          totals_(allocate_array<Totals>(CurrentMemoryContext, 1)) {}

    void add(const DigestMaker& maker, const DigestMatrix& matrix, std::uint32_t range) {
        totals_->numbers[count_] = static_cast<int32>(range + 1);
        totals_->rows[count_] = static_cast<int64>(matrix.range(range)[0]);
        totals_->keys[count_] = maker.key(range);
        totals_->hashes[count_] = maker.row(range);
        if (++count_ == kRangesTogether) hand_over();
    }
    void hand_over() {
        if (count_ == 0) return;
        Datum values[kColumns] = {array_of(INT4OID, totals_->numbers), array_of(INT8OID, totals_->rows),
                                  array_of(digest_type_, totals_->keys), array_of(digest_type_, totals_->hashes),
                                  path_};
        bool nulls[kColumns] = {};
        tuplestore_putvalues(store_, descriptor_, values, nulls);
        for (int column = 0; column < kColumns - 1; ++column) pfree(DatumGetPointer(values[column]));
        count_ = 0;
    }

    static constexpr int kColumns = 5;

  private:
    static constexpr std::size_t kRangesTogether = 512;
    struct Totals {
        int32 numbers[kRangesTogether];
        int64 rows[kRangesTogether];
        core::Digest keys[kRangesTogether];
        core::Digest hashes[kRangesTogether];
    };

    template <typename T>
    Datum array_of(Oid type, const T* values) const {
        ArrayType* array = make_array(type, count_, sizeof(T));
        memcpy(ARR_DATA_PTR(array), values, count_ * sizeof(T));
        return PointerGetDatum(array);
    }

    TupleDesc descriptor_;
    Tuplestorestate* store_;
    Oid digest_type_;
    Datum path_;
    Totals* totals_;
    std::size_t count_ = 0;
};
static_assert(std::is_trivially_destructible_v<TotalsBundle>);

/// Bounds as people read them, and in bytes.
class BoundTexts {
  public:
    explicit BoundTexts(const DigestSpec& spec)
        : spec_(spec), context_(CurrentMemoryContext), sink_(make_sink(CurrentMemoryContext)) {}

    Datum text(std::size_t bound) { return PointerGetDatum(show(bound).text); }
    Datum bytes(std::size_t bound) { return PointerGetDatum(show(bound).bytes); }

    /// Sets a pair of result columns: the lower bound of a range, or the upper one; NULL at the ends.
    void set(std::uint32_t range, bool upper, Datum* value, bool* null) {
        if (const ShownBound* shown = of_range(range, upper, null)) *value = PointerGetDatum(shown->text);
    }
    /// The same in bytes.
    void set_bytes(std::uint32_t range, bool upper, Datum* value, bool* null) {
        if (const ShownBound* shown = of_range(range, upper, null)) *value = PointerGetDatum(shown->bytes);
    }

  private:
    struct ShownBound {
        std::size_t bound;
        struct varlena* text;
        bytea* bytes;
    };

    /// It lives until the next bound but one is asked for: a bound is asked for as the upper one of a range, and then
    /// as the lower one of the next.
    const ShownBound& show(std::size_t bound) {
        ShownBound& shown = shown_[bound % lengthof(shown_)];
        if (shown.text && shown.bound == bound) return shown;
        if (shown.text) {
            pfree(shown.text);
            pfree(shown.bytes);
        }
        sink_.clear();
        core::render_bound(spec_.key_forms, spec_.bounds[bound], write_double, sink_);
        MemoryContext caller = MemoryContextSwitchTo(context_);
        shown = {bound, make_text(sink_.view()), make_bytea(spec_.bounds[bound])};
        MemoryContextSwitchTo(caller);
        return shown;
    }
    const ShownBound* of_range(std::uint32_t range, bool upper, bool* null) {
        *null = upper ? range == spec_.bounds.size() : range == 0;
        return *null ? nullptr : &show(upper ? range : range - 1);
    }

    const DigestSpec& spec_;
    MemoryContext context_;
    core::ByteSink sink_;
    ShownBound shown_[2] = {};
};
static_assert(std::is_trivially_destructible_v<BoundTexts>);

/// What the rows of range_digests take, about.
std::size_t result_bytes(const RangeResult& result, std::size_t columns) {
    constexpr std::size_t kOthers = 200;  // numbers, short bounds twice, headers
    const DigestSpec& spec = result.task.spec;
    const auto kept = spec.kept.empty() ? spec.ranges() : std::count(spec.kept.begin(), spec.kept.end(), 1);
    return static_cast<std::size_t>(kept) * (kOthers + (columns + 2) * sizeof(core::Digest));
}

Datum digest_datum(const core::Digest& digest) {
    auto* copy = static_cast<core::Digest*>(palloc(sizeof(core::Digest)));
    *copy = digest;
    return PointerGetDatum(copy);
}

/// Calls `put(range)` for each range that was digested, each in memory that is then given back.
template <typename Put>
void for_each_range(const RangeResult& result, Put put) {
    MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "parity result", ALLOCSET_DEFAULT_SIZES);
    for (std::uint32_t range = 0; range < result.matrix.ranges; ++range) {
        CHECK_FOR_INTERRUPTS();
        if (!result.task.spec.keeps(range)) continue;
        MemoryContext caller = MemoryContextSwitchTo(context);
        put(range);
        MemoryContextSwitchTo(caller);
        MemoryContextReset(context);
    }
}

}  // namespace
}  // namespace parity::backend

using namespace parity::backend;

Datum parity_range_digests(PG_FUNCTION_ARGS) {
    const FunctionShape shape{kRangeArguments, 10};
    result_descriptor(fcinfo, shape);  // before arguments are read
    RangeResult result = compute(fcinfo, false);
    const DigestMaker maker(result.task.spec, result.matrix, CurrentMemoryContext);
    Tuplestorestate* store;
    TupleDesc descriptor = begin_result(fcinfo, shape, &store, result_bytes(result, maker.columns()));
    BoundTexts texts(result.task.spec);
    parity::core::Digest key, row;
    ArrayType* columns =
        make_array(TupleDescAttr(descriptor, 4)->atttypid, maker.columns(), sizeof(parity::core::Digest));
    Datum values[10] = {};
    bool nulls[10] = {};
    values[4] = PointerGetDatum(&key);
    values[5] = PointerGetDatum(&row);
    values[6] = PointerGetDatum(columns);
    values[9] = CStringGetTextDatum(path_name(result.path));
    for_each_range(result, [&](std::uint32_t range) {
        values[0] = Int32GetDatum(static_cast<int32>(range + 1));
        texts.set(range, false, &values[1], &nulls[1]);
        texts.set(range, true, &values[2], &nulls[2]);
        texts.set_bytes(range, false, &values[7], &nulls[7]);
        texts.set_bytes(range, true, &values[8], &nulls[8]);
        values[3] = Int64GetDatum(static_cast<int64>(result.matrix.range(range)[0]));
        key = maker.key(range);
        row = maker.row(range);
        maker.columns(range, reinterpret_cast<parity::core::Digest*>(ARR_DATA_PTR(columns)));
        tuplestore_putvalues(store, descriptor, values, nulls);
    });
    close_result(result);
    return 0;
}

Datum parity_range_totals(PG_FUNCTION_ARGS) {
    Tuplestorestate* store;
    TupleDesc descriptor = begin_result(fcinfo, {kRangeArguments, TotalsBundle::kColumns}, &store);
    RangeResult result = compute(fcinfo, true);
    const DigestMaker maker(result.task.spec, result.matrix, CurrentMemoryContext);
    TotalsBundle bundle(descriptor, store, path_name(result.path));
    for (std::uint32_t range = 0; range < result.matrix.ranges; ++range) {
        CHECK_FOR_INTERRUPTS();
        if (result.task.spec.keeps(range)) bundle.add(maker, result.matrix, range);
    }
    bundle.hand_over();
    close_result(result);
    return 0;
}

Datum parity_slice_digests(PG_FUNCTION_ARGS) {
    Tuplestorestate* store;
    TupleDesc descriptor = begin_result(fcinfo, {kSliceArguments, 6}, &store);
    RangeResult result = compute(fcinfo, false);
    const DigestMaker maker(result.task.spec, result.matrix, CurrentMemoryContext);
    BoundTexts texts(result.task.spec);
    for_each_range(result, [&](std::uint32_t range) {
        Datum values[6] = {};
        bool nulls[6] = {};
        values[0] = Int32GetDatum(static_cast<int32>(range + 1));
        texts.set(range, false, &values[1], &nulls[1]);
        texts.set(range, true, &values[2], &nulls[2]);
        auto put = [&](const char* slice, const NameData* column, const parity::core::Digest& digest) {
            values[3] = CStringGetTextDatum(slice);
            nulls[4] = !column;
            values[4] = column ? NameGetDatum(column) : 0;
            values[5] = digest_datum(digest);
            tuplestore_putvalues(store, descriptor, values, nulls);
        };
        put("key", nullptr, maker.key(range));
        put("row", nullptr, maker.row(range));
        for (std::size_t i = 0; i < result.task.columns.size(); ++i)
            put("column", &result.task.columns[i].name, maker.column(range, i));
    });
    close_result(result);
    return 0;
}

Datum parity_split_keys(PG_FUNCTION_ARGS) {
    Tuplestorestate* store;
    TupleDesc descriptor = begin_result(fcinfo, {5, 3}, &store);
    require_argument(fcinfo, 0, "relation");
    require_argument(fcinfo, 1, "ranges");
    require_argument(fcinfo, 4, "without_children");
    check_range_count(PG_GETARG_INT32(1));
    ArrayType* keys_only = construct_empty_array(TEXTOID);
    DigestTask task = open_task({PG_GETARG_OID(0), optional_array(fcinfo, 2), keys_only,
                                 optional_pointer<Jsonb>(fcinfo, 3), nullptr, 0, 64, true, PG_GETARG_BOOL(4)});
    if (task.row_security)
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                        errmsg("bounds of \"%s\" cannot be read: row security applies to the caller",
                               RelationGetRelationName(task.relation)),
                        errdetail("The index's pages hold keys of rows that the caller may not see."),
                        errhint("parity.range_digests() divides such a relation by hash.")));
    task.spec.bounds = split(task, PG_GETARG_INT32(1));
    BoundTexts texts(task.spec);
    for (std::size_t i = 0; i < task.spec.bounds.size(); ++i) {
        Datum values[3] = {Int32GetDatum(static_cast<int32>(i + 1)), texts.bytes(i), texts.text(i)};
        bool nulls[3] = {};
        tuplestore_putvalues(store, descriptor, values, nulls);
    }
    close_task(task);
    return 0;
}
