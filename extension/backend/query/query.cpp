#include "backend/query/query.h"

#include <algorithm>

#include "backend/memory.h"
#include "backend/pg_compat.h"
#include "backend/task/planner_settings.h"
#include "backend/task/scan_guard.h"

namespace parity::backend {
namespace {

/// Columns that one call of the aggregate takes as arguments: aggregates take one less than functions, and the
/// specification is one.
constexpr std::size_t kMaxArguments = FUNC_MAX_ARGS - 2;
constexpr long kFetchRows = 256;

void append_column_list(StringInfo sql, const DigestTask& task) {
    const char* separator = "";
    auto append = [&](const TaskColumn& column) {
        appendStringInfo(sql, "%st.%s", separator, quote_identifier(NameStr(column.name)));
        separator = ", ";
    };
    for (const TaskColumn& column : task.key) append(column);
    for (const TaskColumn& column : task.columns) append(column);
}

/// The filter stands in parentheses on lines of its own, so that a comment in it ends there.
void append_source(StringInfo sql, const DigestTask& task) {
    Oid schema = RelationGetNamespace(task.relation);
    appendStringInfo(sql, " FROM %s%s AS t", task.without_children ? "ONLY " : "",
                     quote_qualified_identifier(get_namespace_name(schema), RelationGetRelationName(task.relation)));
    appendStringInfo(sql, " WHERE (\n%s\n)", task.filter ? task.filter : "true");
}

/// Wide tables come as one record: a function takes 100 arguments at most, and a row's hash needs all of its cells at
/// once.
const char* digest_query(const DigestTask& task) {
    std::size_t columns = task.key.size() + task.columns.size();
    bool as_record = columns > kMaxArguments || columns == 0;
    StringInfoData sql;
    initStringInfo(&sql);
    appendStringInfoString(&sql, as_record ? "SELECT parity_internal.range_digest_agg($1, ROW("
                                           : "SELECT parity_internal.range_digest_agg($1, ");
    append_column_list(&sql, task);
    appendStringInfoString(&sql, as_record ? "))" : ")");
    append_source(&sql, task);
    return sql.data;
}

const char* row_query(const DigestTask& task, const KeyCondition& condition) {
    StringInfoData sql;
    initStringInfo(&sql);
    appendStringInfoString(&sql, "SELECT ");
    append_column_list(&sql, task);
    if (task.key.empty() && task.columns.empty()) appendStringInfoString(&sql, "t");  // prepare_held() wants a column
    append_source(&sql, task);
    appendStringInfoString(&sql, condition.sql);
    return sql.data;
}

/// A volatile filter could choose other rows each time.
void check_not_volatile(SPIPlanPtr plan) {
    ListCell* source_cell;
    foreach (source_cell, SPI_plan_get_plan_sources(plan)) {
        auto* source = static_cast<CachedPlanSource*>(lfirst(source_cell));
        ListCell* query_cell;
        foreach (query_cell, source->query_list) {
            Query* query = lfirst_node(Query, query_cell);
            if (query->hasModifyingCTE || contain_volatile_functions(query->jointree->quals))
                ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("filter must not be volatile"),
                                errhint("A filter that changes from call to call chooses other rows on each side.")));
        }
    }
}

/// What a view or a filter reads must be as the snapshot knows it, no less than the relation itself.
void check_sources_unchanged(SPIPlanPtr plan) {
    ListCell* source_cell;
    foreach (source_cell, SPI_plan_get_plan_sources(plan)) {
        ListCell* cell;
        foreach (cell, static_cast<CachedPlanSource*>(lfirst(source_cell))->relationOids)
            check_unchanged(lfirst_oid(cell));
    }
}

HeldName held_name(const DigestTask& task) {
    return {RelationGetRelid(task.relation), RelationGetRelationName(task.relation)};
}

SPIPlanPtr prepare(const DigestTask& task, const char* sql, HeldName& held, int cursor_options) {
    SPIPlanPtr plan = prepare_held(sql, held, cursor_options);
    if (!plan) elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
    if (task.filter) check_not_volatile(plan);
    check_sources_unchanged(plan);
    return plan;
}

/// Settings of the planner for the queries of this module, until leave_settings() or the end of the (sub)transaction.
/// `workers` limits its parallel workers; below 0: the server's setting. Gives the level that they are undone with.
///
/// An index-only scan is never needed, may be chosen without any condition, and would not see the rows that a corrupt
/// index lacks.
int enter_settings(int workers) {
    const int level = NewGUCNestLevel();
    set_for_now("enable_indexonlyscan", "off");
    if (workers >= 0) set_for_now("max_parallel_workers_per_gather", psprintf("%d", workers));
    return level;
}

void leave_settings(int level) { AtEOXact_GUC(true, level); }

void connect() {
    if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "SPI_connect failed");
}

}  // namespace

void digest_by_query(const DigestTask& task, int workers, const DigestMatrix& matrix) {
    bytea* spec = pack_spec(task.spec);
    warn_of_owners_code(task);
    connect();
    const int settings = enter_settings(workers);
    HeldName held = held_name(task);
    held.parameters = 1;
    held.types[0] = BYTEAOID;
    const Datum argument = PointerGetDatum(spec);
    SPIPlanPtr plan = prepare(task, digest_query(task), held, CURSOR_OPT_PARALLEL_OK);
    ParamListInfo parameters = held_parameters(held, {&argument, 1});
    if (SPI_execute_plan_with_paramlist(plan, parameters, true, 0) != SPI_OK_SELECT || SPI_processed != 1)
        elog(ERROR, "the aggregate gave no row");
    bool null;
    Datum packed = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null);
    if (!null) {
        bytea* words = DatumGetByteaPP(packed);
        if (VARSIZE_ANY_EXHDR(words) != matrix.bytes()) elog(ERROR, "the aggregate gave digests of another shape");
        memcpy(matrix.words, VARDATA_ANY(words), matrix.bytes());
    }
    leave_settings(settings);
    SPI_finish();
}

RowQuery::RowQuery(const DigestTask& task, bool repeated)
    : task_(task),
      repeated_(repeated),
      row_context_(AllocSetContextCreate(CurrentMemoryContext, "parity row", ALLOCSET_DEFAULT_SIZES)),
      values_(allocate_array<Datum>(CurrentMemoryContext, task.key.size() + task.columns.size() + 1)),
      nulls_(allocate_array<bool>(CurrentMemoryContext, task.key.size() + task.columns.size() + 1)),
      held_(allocate_array<HeldName>(CurrentMemoryContext, 1)) {
    *held_ = held_name(task);
    warn_of_owners_code(task);
    connect();
    settings_ = enter_settings(-1);
}

void RowQuery::read(KeyCondition condition, const RowConsumer& consumer) {
    if (!plan_ || strcmp(prepared_, condition.sql) != 0) {
        int options = CURSOR_OPT_PARALLEL_OK | (repeated_ ? CURSOR_OPT_GENERIC_PLAN : 0);
        held_->parameters = condition.parameters;
        std::copy_n(condition.types, condition.parameters, held_->types);
        plan_ = prepare(task_, row_query(task_, condition), *held_, options);
        prepared_ = condition.sql;
    }
    ParamListInfo parameters = held_parameters(*held_, condition.values);
    Portal portal = SPI_cursor_open_with_paramlist(nullptr, plan_, parameters, true);
    pfree(parameters);
    for (;;) {
        SPI_cursor_fetch(portal, true, kFetchRows);
        if (SPI_processed == 0) break;
        for (uint64 i = 0; i < SPI_processed; ++i) {
            CHECK_FOR_INTERRUPTS();
            heap_deform_tuple(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, values_, nulls_);
            MemoryContext spi = MemoryContextSwitchTo(row_context_);
            consumer.consume(consumer.state, values_, nulls_);
            MemoryContextSwitchTo(spi);
            MemoryContextReset(row_context_);
        }
        SPI_freetuptable(SPI_tuptable);
    }
    SPI_freetuptable(SPI_tuptable);
    SPI_cursor_close(portal);
}

void RowQuery::close() {
    leave_settings(settings_);
    SPI_finish();
    MemoryContextDelete(row_context_);
}

}  // namespace parity::backend
