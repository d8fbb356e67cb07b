#include "backend/task/scan_guard.h"

#include "backend/memory.h"
#include "backend/pg_compat.h"
#include "backend/task/plan_check.h"
#include "backend/task/planner_settings.h"

namespace parity::backend {
namespace {

/// The columns that pages hold.
std::span<const TaskColumn* const> stored_columns(const DigestTask& task) {
    auto** columns = allocate_array<const TaskColumn*>(CurrentMemoryContext, task.key.size() + task.columns.size() + 1);
    std::size_t count = 0;
    for (std::span<const TaskColumn> some : {task.key, task.columns})
        for (const TaskColumn& column : some)
            if (!is_virtual_generated(TupleDescAttr(RelationGetDescr(task.relation), column.number - 1)))
                columns[count++] = &column;
    return {columns, count};
}

const char* question(const DigestTask& task, std::span<const TaskColumn* const> columns) {
    StringInfoData sql;
    initStringInfo(&sql);
    appendStringInfoString(&sql, "SELECT");
    for (std::size_t i = 0; i < columns.size(); ++i)
        appendStringInfo(&sql, "%s %s", i > 0 ? "," : "", quote_identifier(NameStr(columns[i]->name)));
    appendStringInfo(&sql, " FROM %s%s", task.without_children ? "ONLY " : "",
                     quote_qualified_identifier(get_namespace_name(RelationGetNamespace(task.relation)),
                                                RelationGetRelationName(task.relation)));
    return sql.data;
}

/// Without them the planner has one way to read a table, and every other one is somebody else's.
int without_indexes() {
    const int level = NewGUCNestLevel();
    for (const char* setting : {"enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan", "enable_tidscan"})
        set_for_now(setting, "off");
    return level;
}

PlannedStmt* plan(Query* query, const char* sql) { return pg_plan_query(query, sql, CURSOR_OPT_PARALLEL_OK, nullptr); }

/// A plan that is being made as somebody else.
struct OwnersPlan {
    Relation relation;
    Oid owner;
};

void explain_owners_plan(void* plan) {
    const auto* self = static_cast<const OwnersPlan*>(plan);
    errcontext("planning a query on \"%s\" as the role \"%s\"", RelationGetRelationName(self->relation),
               GetUserNameFromId(self->owner, true));
}

/// As REINDEX does it: the owner's functions get the owner's rights, and a search path that the caller did not choose.
PlannedStmt* plan_as_owner(const DigestTask& task, Oid owner, Query* query, const char* sql) {
    Oid user;
    int context;
    GetUserIdAndSecContext(&user, &context);
    OwnersPlan explained{task.relation, owner};
    ErrorContextCallback callback{error_context_stack, explain_owners_plan, &explained};
    error_context_stack = &callback;
    set_for_now("search_path", "pg_catalog, pg_temp");
    SetUserIdAndSecContext(owner, context | SECURITY_RESTRICTED_OPERATION);
    PlannedStmt* made = plan(query, sql);
    SetUserIdAndSecContext(user, context);
    error_context_stack = callback.previous;
    return made;
}

bool has_planner_hooks() {
    return planner_hook || set_rel_pathlist_hook || set_join_pathlist_hook || create_upper_paths_hook ||
           get_relation_info_hook;
}

/// Whose rights the question is planned with; InvalidOid for the caller's. A superuser lends none, even where no
/// function was found: an owner may add an index until the planner looks. A hook of the planner must see the caller.
Oid planning_role(const DigestTask& task) {
    if (task.owners_code) return task.owners_code->owner;
    return superuser() && !has_planner_hooks() ? task.other_owner : InvalidOid;
}

/// Temporary relations of the session come last in the search path: names that a function does not qualify may mean
/// them. So a caller who could not become the owner anyway must have none.
bool may_plan_as(Oid owner) {
    return has_privs_of_role(GetUserId(), owner) || !OidIsValid(LookupExplicitNamespace("pg_temp", true));
}

const char* describe_owners_code(const OwnersCode& code) {
    return psprintf("function %s, called by an expression of \"%s\", which belongs to the role \"%s\"",
                    format_procedure(code.function), get_rel_name(code.relation), GetUserNameFromId(code.owner, true));
}

/// Why the question cannot be planned as the owner of the functions; null where it can.
const char* why_not_owner(const OwnersCode& code) {
    // The aggregate would run them with the caller's rights: of a superuser, that is worse than one owner's with
    // another's.
    if (code.several_owners && !superuser()) return "planning it calls functions of several roles";
    if (has_planner_hooks())
        return psprintf("planning it calls %s, while a hook of the planner is set", describe_owners_code(code));
    if (!may_plan_as(code.owner))
        return psprintf("planning it calls %s, while the session has temporary objects", describe_owners_code(code));
    return nullptr;
}

}  // namespace

void judge_scan(DigestTask& task, bool reads) {
    const std::span<const TaskColumn* const> columns = stored_columns(task);
    task.question = question(task, columns);
    const int level = without_indexes();
    List* queries = analyze_and_rewrite(linitial_node(RawStmt, parse_sql(task.question)), task.question);
    task.why_not_in_heap = why_not_plain_query(task, columns, queries);
    if (!task.why_not_in_heap && task.owners_code) task.why_not_in_heap = why_not_owner(*task.owners_code);
    if (!task.why_not_in_heap) {
        Query* query = linitial_node(Query, queries);
        if (reads) check_permissions(query);
        const Oid owner = planning_role(task);
        task.plan = OidIsValid(owner) ? plan_as_owner(task, owner, query, task.question) : plan(query, task.question);
        task.why_not_in_heap = why_not_plain_plan(task, columns, task.plan);
    }
    AtEOXact_GUC(false, level);
    task.in_heap = !task.why_not_in_heap;
}

void confirm_empty(const DigestTask& task) {
    if (!has_rows(task.plan, task.question)) return;
    ereport(ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
             errmsg("relation \"%s\" has rows that are not in its pages", RelationGetRelationName(task.relation)),
             errdetail("Its pages hold no visible row, but the executor gives one."),
             errhint("An extension changes what queries read. Use path => 'aggregate'.")));
}

void warn_of_owners_code(const DigestTask& task) {
    if (!task.owners_code || !superuser()) return;
    ereport(WARNING, (errmsg("planning a query on relation \"%s\" calls functions of other roles with your rights",
                             RelationGetRelationName(task.relation)),
                      errdetail("It calls %s.", describe_owners_code(*task.owners_code)),
                      errhint("Use a role that may do no more than SELECT.")));
}

}  // namespace parity::backend
