#include "backend/task/task.h"

#include <algorithm>

#include "backend/memory.h"
#include "backend/pg_compat.h"
#include "backend/task/arguments.h"
#include "backend/task/column_choice.h"
#include "backend/task/filter.h"
#include "backend/task/scan_guard.h"
#include "backend/values/text.h"

namespace parity::backend {
namespace {

bool is_readable_kind(char kind) {
    return kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE || kind == RELKIND_MATVIEW ||
           kind == RELKIND_VIEW || kind == RELKIND_FOREIGN_TABLE;
}

bool has_storage(char kind) { return kind == RELKIND_RELATION || kind == RELKIND_MATVIEW; }

void check_kind(Relation relation) {
    const char* name = RelationGetRelationName(relation);
    if (!is_readable_kind(relation->rd_rel->relkind))
        ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                        errmsg("\"%s\" is not a table, materialized view, view or foreign table", name)));
    if (RELATION_IS_OTHER_TEMP(relation))
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("cannot access temporary table \"%s\" of another session", name)));
    if (RecoveryInProgress() && has_storage(relation->rd_rel->relkind) &&
        relation->rd_rel->relpersistence != RELPERSISTENCE_PERMANENT)
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("cannot access unlogged table \"%s\" during recovery", name)));
    if (!RelationIsPopulated(relation))
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("materialized view \"%s\" has not been populated", name),
                        errhint("Use the REFRESH MATERIALIZED VIEW command.")));
}

[[noreturn]] void raise_changed(Relation relation, const char* what) {
    ereport(ERROR,
            (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
             errmsg("relation \"%s\" was %s after the snapshot was taken", RelationGetRelationName(relation), what),
             errdetail("Under this snapshot it would be read as it never was."),
             errhint("Try again with a new snapshot.")));
    pg_unreachable();
}

/// A table that was truncated or rewritten after the snapshot holds rows that the snapshot does not see, and has lost
/// those that it does: it would read as empty. The snapshot's own view of pg_class tells.
void check_not_rewritten(Relation relation, Relation pg_class) {
    if (!has_storage(relation->rd_rel->relkind)) return;
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_class_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(RelationGetRelid(relation)));
    SysScanDesc scan = systable_beginscan(pg_class, ClassOidIndexId, true, GetActiveSnapshot(), 1, &key);
    HeapTuple tuple = systable_getnext(scan);
    if (!HeapTupleIsValid(tuple)) raise_changed(relation, "created");
    if (file_number(reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))) != file_number(relation->rd_rel))
        raise_changed(relation, "truncated or rewritten");
    systable_endscan(scan);
}

bool can_have_children(char kind) { return kind == RELKIND_PARTITIONED_TABLE || kind == RELKIND_RELATION; }

/// The relation and all its partitions or children. All are locked.
List* find_family(Relation relation) {
    if (can_have_children(relation->rd_rel->relkind))
        return find_all_inheritors(RelationGetRelid(relation), AccessShareLock, nullptr);
    return list_make1_oid(RelationGetRelid(relation));
}

/// Appends the children that a parent has under the active snapshot.
List* append_visible_children(List* family, Relation pg_inherits, Oid parent) {
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_inherits_inhparent, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(parent));
    SysScanDesc scan = systable_beginscan(pg_inherits, InheritsParentIndexId, true, GetActiveSnapshot(), 1, &key);
    while (HeapTuple tuple = systable_getnext(scan)) {
        auto* row = reinterpret_cast<Form_pg_inherits>(GETSTRUCT(tuple));
        if (!is_being_detached(row)) family = list_append_unique_oid(family, row->inhrelid);
    }
    systable_endscan(scan);
    return family;
}

/// Partitions and children that came or went after the snapshot would add rows to its, or take some away. The
/// snapshot's own view of pg_inherits tells.
void check_same_family(Relation relation, List* family) {
    if (!can_have_children(relation->rd_rel->relkind)) return;
    Relation pg_inherits = table_open(InheritsRelationId, AccessShareLock);
    List* visible = list_make1_oid(RelationGetRelid(relation));
    for (int i = 0; i < list_length(visible); ++i)
        visible = append_visible_children(visible, pg_inherits, list_nth_oid(visible, i));
    table_close(pg_inherits, AccessShareLock);
    list_sort(visible, list_oid_cmp);
    List* now = list_copy(family);
    list_sort(now, list_oid_cmp);
    if (!equal(visible, now)) raise_changed(relation, "given other partitions or children");
}

/// Looks at each leaf, which locks it.
ScanObstacle check_leaves(const DigestTask& task) {
    ScanObstacle obstacle = ScanObstacle::kNone;
    Relation pg_class = table_open(RelationRelationId, AccessShareLock);
    for (Oid leaf : task.leaves) {
        Relation relation = relation_open(leaf, NoLock);
        check_kind(relation);
        check_not_rewritten(relation, pg_class);
        if (!has_storage(relation->rd_rel->relkind))
            obstacle = ScanObstacle::kRelationKind;
        else if (relation->rd_rel->relam != HEAP_TABLE_AM_OID && obstacle == ScanObstacle::kNone)
            obstacle = ScanObstacle::kAccessMethod;
        relation_close(relation, NoLock);
    }
    table_close(pg_class, AccessShareLock);
    return obstacle;
}

std::span<const Oid> find_leaves(List* family) {
    Oid* leaves = allocate_array<Oid>(CurrentMemoryContext, static_cast<std::size_t>(list_length(family)));
    std::size_t count = 0;
    ListCell* cell;
    foreach (cell, family) {
        Oid child = lfirst_oid(cell);
        // as in SQL, another session's temporary child is not part of the relation
        if (get_rel_relkind(child) != RELKIND_PARTITIONED_TABLE && !isOtherTempNamespace(get_rel_namespace(child)))
            leaves[count++] = child;
    }
    return {leaves, count};
}

bool has_virtual_column(const DigestTask& task) {
    auto is_virtual = [&](const TaskColumn& column) {
        return is_virtual_generated(TupleDescAttr(RelationGetDescr(task.relation), column.number - 1));
    };
    return std::any_of(task.key.begin(), task.key.end(), is_virtual) ||
           std::any_of(task.columns.begin(), task.columns.end(), is_virtual);
}

/// Without any, there is nothing about a row but that it is there.
bool has_columns(Relation relation) {
    TupleDesc descriptor = RelationGetDescr(relation);
    for (int i = 0; i < descriptor->natts; ++i)
        if (!TupleDescAttr(descriptor, i)->attisdropped) return true;
    return false;
}

/// `of_leaves` is what check_leaves() found.
ScanObstacle find_obstacle(const DigestTask& task, ScanObstacle of_leaves) {
    if (task.relation->rd_rel->relkind == RELKIND_VIEW || task.relation->rd_rel->relkind == RELKIND_FOREIGN_TABLE)
        return ScanObstacle::kRelationKind;
    if (task.row_security) return ScanObstacle::kRowSecurity;
    if (task.filter) return ScanObstacle::kFilter;
    if (IsolationIsSerializable()) return ScanObstacle::kSerializable;
    if (has_virtual_column(task)) return ScanObstacle::kVirtualColumn;
    return of_leaves;
}

std::span<const Oid> as_span(List* oids) {
    Oid* copy = allocate_array<Oid>(CurrentMemoryContext, static_cast<std::size_t>(list_length(oids)));
    for (int i = 0; i < list_length(oids); ++i) copy[i] = list_nth_oid(oids, i);
    return {copy, static_cast<std::size_t>(list_length(oids))};
}

/// Asks the planner, which has to be asked before any page is read. Other obstacles keep rows from being read, but
/// not the keys of an index for bounds.
void judge(DigestTask& task, List* family, bool keys_only) {
    const std::span<const Oid> relations = as_span(family);
    task.owners_code = find_owners_code(relations);
    task.other_owner = find_other_owner(relations);
    if (task.obstacle == ScanObstacle::kRelationKind || task.row_security) return;
    judge_scan(task, task.obstacle == ScanObstacle::kNone || keys_only);
    if (task.obstacle == ScanObstacle::kNone && !task.in_heap) task.obstacle = ScanObstacle::kPlan;
}

/// SELECT on the relation, or on each column that is read; that of partitions does not matter, as in SQL.
void check_privileges(const DigestTask& task) {
    Oid id = RelationGetRelid(task.relation);
    if (may_select(id, GetUserId())) return;
    auto check = [&](const TaskColumn& column) {
        if (pg_attribute_aclcheck(id, column.number, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
            ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                            errmsg("permission denied for column \"%s\" of relation \"%s\"", NameStr(column.name),
                                   RelationGetRelationName(task.relation))));
    };
    if (task.key.empty() && task.columns.empty())
        aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(task.relation->rd_rel->relkind),
                       RelationGetRelationName(task.relation));
    std::for_each(task.key.begin(), task.key.end(), check);
    std::for_each(task.columns.begin(), task.columns.end(), check);
}

std::span<const core::Form> forms_of(std::span<const TaskColumn> columns) {
    core::Form* forms = allocate_array<core::Form>(CurrentMemoryContext, columns.size() + 1);
    for (std::size_t i = 0; i < columns.size(); ++i) forms[i] = columns[i].reader.form;
    return {forms, columns.size()};
}

std::span<const std::string_view> form_names_of(std::span<const TaskColumn> columns) {
    auto* names = allocate_array<std::string_view>(CurrentMemoryContext, columns.size() + 1);
    for (std::size_t i = 0; i < columns.size(); ++i) names[i] = columns[i].reader.name;
    return {names, columns.size()};
}

std::span<const InputSpec> inputs_of(const DigestTask& task) {
    auto* inputs = allocate_array<InputSpec>(CurrentMemoryContext, task.key.size() + task.columns.size() + 1);
    std::size_t count = 0;
    for (std::span<const TaskColumn> columns : {task.key, task.columns})
        for (const TaskColumn& column : columns)
            inputs[count++] = {column.reader.asked, column_label(NameStr(column.name))};
    return {inputs, count};
}

}  // namespace

const char* describe_obstacle(const DigestTask& task) {
    switch (task.obstacle) {
        case ScanObstacle::kNone:
            return nullptr;
        case ScanObstacle::kRowSecurity:
            return "row security applies to the caller";
        case ScanObstacle::kFilter:
            return "there is a filter";
        case ScanObstacle::kSerializable:
            return "the transaction is serializable";
        case ScanObstacle::kRelationKind:
            return "it is or contains a view or foreign table";
        case ScanObstacle::kAccessMethod:
            return "its table access method is not heap";
        case ScanObstacle::kVirtualColumn:
            return "it has virtual generated columns";
        case ScanObstacle::kPlan:
            return task.why_not_in_heap;
    }
    return "unknown";
}

bool avoids_plans(const DigestTask& task) {
    return task.obstacle == ScanObstacle::kNone && (task.owners_code || (superuser() && OidIsValid(task.other_owner)));
}

bool reads_all(const DigestTask& task) {
    const auto has_all = [](std::span<const std::uint8_t> kept) {
        return std::find(kept.begin(), kept.end(), 0) == kept.end();
    };
    const auto has_all_buckets = [](core::u64 flags) { return flags == PG_UINT64_MAX; };
    const std::span<const core::u64> buckets = task.spec.kept_buckets;
    return has_all(task.spec.kept) && std::all_of(buckets.begin(), buckets.end(), has_all_buckets);
}

DigestTask open_task(const TaskArguments& arguments) {
    if (arguments.width != 64 && arguments.width != 128)
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("width must be 64 or 128, not %d", arguments.width)));
    DigestTask task{};
    task.relation = open_argument(arguments.relation);
    check_kind(task.relation);
    ChosenColumns chosen = choose_columns(task.relation, arguments.key_columns, arguments.columns, arguments.forms);
    if (chosen.key.empty() && chosen.columns.empty() && !arguments.keys_only && has_columns(task.relation))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("relation \"%s\" has no columns to digest", RelationGetRelationName(task.relation))));
    task.key = chosen.key;
    task.columns = chosen.columns;
    check_privileges(task);
    task.row_security = check_enable_rls(arguments.relation, InvalidOid, false) == RLS_ENABLED;
    task.filter = arguments.filter ? check_filter(arguments.filter) : nullptr;
    task.spec.wide = arguments.width == 128;
    task.spec.seed = static_cast<core::u64>(arguments.seed);
    task.spec.key_forms = forms_of(task.key);
    task.spec.key_form_names = form_names_of(task.key);
    task.spec.column_forms = forms_of(task.columns);
    task.spec.column_form_names = form_names_of(task.columns);
    task.spec.inputs = inputs_of(task);
    task.without_children = arguments.without_children;
    List* family = task.without_children ? list_make1_oid(arguments.relation) : find_family(task.relation);
    if (!task.without_children) check_same_family(task.relation, family);
    task.leaves = find_leaves(family);
    task.obstacle = find_obstacle(task, check_leaves(task));
    judge(task, family, arguments.keys_only);
    return task;
}

void check_unchanged(Oid id) {
    Relation relation = try_relation_open(id, AccessShareLock);
    if (!relation) return;
    List* family = find_family(relation);
    check_same_family(relation, family);
    Relation pg_class = table_open(RelationRelationId, AccessShareLock);
    ListCell* cell;
    foreach (cell, family) {
        Relation member = relation_open(lfirst_oid(cell), NoLock);
        check_not_rewritten(member, pg_class);
        relation_close(member, NoLock);
    }
    table_close(pg_class, AccessShareLock);
    relation_close(relation, NoLock);
}

void close_task(DigestTask& task) { relation_close(task.relation, NoLock); }

void set_bounds(DigestTask& task, std::span<const core::ByteView> bounds) {
    for (std::size_t i = 0; i < bounds.size(); ++i) {
        core::BoundStatus status = core::check_bound(bounds[i], task.spec.key_forms);
        if (status == core::BoundStatus::kOk && i > 0)
            status = core::check_succession(bounds[i - 1], bounds[i], task.spec.key_forms);
        if (status != core::BoundStatus::kOk)
            ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("bound %zu is not usable", i + 1),
                            errdetail("For this bound: %s.", core::describe(status).data()),
                            errhint("Take bounds from parity.split_keys() with the same key columns and forms.")));
    }
    task.spec.bounds = bounds;
}

void keep_only(DigestTask& task, ArrayType* only_ranges) {
    if (!only_ranges) return;
    std::uint8_t* kept = allocate_array<std::uint8_t>(CurrentMemoryContext, task.spec.ranges());
    for (int32 number : int_array(only_ranges, "only_ranges")) {
        if (number < 1 || static_cast<std::uint32_t>(number) > task.spec.ranges())
            ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                            errmsg("range %d does not exist: there are %u ranges", number, task.spec.ranges())));
        kept[number - 1] = 1;
    }
    task.spec.kept = {kept, task.spec.ranges()};
}

void set_buckets(DigestTask& task, int buckets) {
    if (buckets < 1 || !is_bucket_count(static_cast<std::uint32_t>(buckets)))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("buckets must be a power of two up to %u, not %d", kMaxBuckets, buckets)));
    if (core::u64{task.spec.ranges()} * static_cast<core::u64>(buckets) > PG_INT32_MAX)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("%u ranges are too many for %d buckets each", task.spec.ranges(), buckets)));
    task.spec.buckets = static_cast<std::uint32_t>(buckets);
}

void keep_only_buckets(DigestTask& task, ArrayType* only_buckets) {
    const std::uint32_t ranges = task.spec.ranges(), buckets = task.spec.buckets;
    if (buckets == 1) return keep_only(task, only_buckets);
    std::uint8_t* kept = allocate_array<std::uint8_t>(CurrentMemoryContext, ranges);
    core::u64* flags = allocate_array<core::u64>(CurrentMemoryContext, ranges);
    task.spec.kept = {kept, ranges};
    task.spec.kept_buckets = {flags, ranges};
    if (!only_buckets) {
        std::fill_n(kept, ranges, std::uint8_t{1});
        std::fill_n(flags, ranges, PG_UINT64_MAX);
        return;
    }
    for (int32 number : int_array(only_buckets, "only_ranges")) {
        if (number < 1 || static_cast<core::u64>(number) > core::u64{ranges} * buckets)
            ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                            errmsg("bucket %d does not exist: there are %u ranges with %u buckets each", number, ranges,
                                   buckets)));
        const std::uint32_t index = static_cast<std::uint32_t>(number) - 1;
        kept[index / buckets] = 1;
        flags[index / buckets] |= core::u64{1} << index % buckets;
    }
}

}  // namespace parity::backend
