/*
 * Stands for extensions that keep a table's rows elsewhere than in the table's own heap: distributed tables, compressed
 * chunks, masking. Statements about the relation standin.shell see the rows of standin.store, which must have the same
 * columns. For tests only.
 *
 * standin.way says by which of the server's hooks:
 *   planner   the planner puts the store in the place of the shell
 *   analysis  the same happens as soon as a statement is analysed
 *   path      the shell is read by a custom scan that reads the store
 *   copy      COPY alone sees the store; other statements see the shell
 *   execution a plan over the shell is run over the store
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planner.h"
#include "optimizer/restrictinfo.h"
#include "parser/analyze.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/regproc.h"
#include "utils/varlena.h"

PG_MODULE_MAGIC;
void _PG_init(void);

typedef enum
{
    WAY_PLANNER,
    WAY_ANALYSIS,
    WAY_PATH,
    WAY_COPY,
    WAY_EXECUTION
} Way;

static const struct config_enum_entry ways[] = {
    {"planner", WAY_PLANNER, false}, {"analysis", WAY_ANALYSIS, false}, {"path", WAY_PATH, false}, {"copy", WAY_COPY, false},
    {"execution", WAY_EXECUTION, false}, {NULL, 0, false}};

static char *shell_name;
static char *store_name;
static int way = WAY_PLANNER;
static bool under_only = true;

static planner_hook_type next_planner;
static post_parse_analyze_hook_type next_analysis;
static set_rel_pathlist_hook_type next_pathlist;
static ProcessUtility_hook_type next_utility;
static ExecutorStart_hook_type next_start;

typedef struct
{
    Oid shell;
    Oid store;
} Swap;

static Oid
find_relation(const char *name)
{
    List *names;

    if (name == NULL || *name == '\0')
        return InvalidOid;
#if PG_VERSION_NUM >= 160000
    names = stringToQualifiedNameList(name, NULL);
#else
    names = stringToQualifiedNameList(name);
#endif
    return RangeVarGetRelid(makeRangeVarFromNameList(names), NoLock, true);
}

/* Whether shell and store exist; hooks run long before they do. */
static bool
find_swap(Swap *swap)
{
    if (!IsTransactionState())
        return false;
    swap->shell = find_relation(shell_name);
    swap->store = find_relation(store_name);
    return OidIsValid(swap->shell) && OidIsValid(swap->store);
}

static void
swap_relation(Query *query, RangeTblEntry *entry, Swap *swap)
{
    if (entry->rtekind != RTE_RELATION || entry->relid != swap->shell || !(entry->inh || under_only))
        return;
    LockRelationOid(swap->store, AccessShareLock);
#if PG_VERSION_NUM >= 160000
    if (entry->perminfoindex > 0)
        list_nth_node(RTEPermissionInfo, query->rteperminfos, entry->perminfoindex - 1)->relid = swap->store;
#endif
    entry->relid = swap->store;
}

static bool
swap_walker(Node *node, void *context)
{
    if (node == NULL)
        return false;
    if (IsA(node, Query))
    {
        Query *query = (Query *) node;
        ListCell *cell;

        foreach(cell, query->rtable)
            swap_relation(query, lfirst_node(RangeTblEntry, cell), context);
        return query_tree_walker(query, swap_walker, context, 0);
    }
    return expression_tree_walker(node, swap_walker, context);
}

static PlannedStmt *
plan(Query *query, const char *text, int cursor_options, ParamListInfo params)
{
    Swap swap;

    if (way == WAY_PLANNER && query->commandType == CMD_SELECT && find_swap(&swap))
        swap_walker((Node *) query, &swap);
    return next_planner ? next_planner(query, text, cursor_options, params) : standard_planner(query, text, cursor_options, params);
}

static void
swap_analysed(Query *query)
{
    Swap swap;

    if (way == WAY_ANALYSIS && query->commandType == CMD_SELECT && find_swap(&swap))
        swap_walker((Node *) query, &swap);
}

#if PG_VERSION_NUM >= 140000
static void
analyse(ParseState *state, Query *query, JumbleState *jumble)
{
    if (next_analysis)
        next_analysis(state, query, jumble);
    swap_analysed(query);
}
#else
static void
analyse(ParseState *state, Query *query)
{
    if (next_analysis)
        next_analysis(state, query);
    swap_analysed(query);
}
#endif

/*
 * The custom scan.
 */

typedef struct
{
    CustomScanState css;
    Relation store;
    TableScanDesc scan;
    TupleTableSlot *row;
} StoreScan;

static TupleTableSlot *
next_row(ScanState *state)
{
    StoreScan *self = (StoreScan *) state;
    TupleTableSlot *slot = state->ss_ScanTupleSlot;
    Size columns = slot->tts_tupleDescriptor->natts;

    ExecClearTuple(slot);
    if (!table_scan_getnextslot(self->scan, ForwardScanDirection, self->row))
        return slot;
    slot_getallattrs(self->row);
    memcpy(slot->tts_values, self->row->tts_values, columns * sizeof(Datum));
    memcpy(slot->tts_isnull, self->row->tts_isnull, columns * sizeof(bool));
    return ExecStoreVirtualTuple(slot);
}

static bool
is_still_right(ScanState *state, TupleTableSlot *slot)
{
    return true;
}

static void
begin_scan(CustomScanState *node, EState *estate, int flags)
{
    StoreScan *self = (StoreScan *) node;

    self->store = table_open(linitial_oid(((CustomScan *) node->ss.ps.plan)->custom_private), AccessShareLock);
    self->row = table_slot_create(self->store, NULL);
    if (!(flags & EXEC_FLAG_EXPLAIN_ONLY))
        self->scan = table_beginscan(self->store, estate->es_snapshot, 0, NULL);
}

static TupleTableSlot *
exec_scan(CustomScanState *node)
{
    return ExecScan(&node->ss, next_row, is_still_right);
}

static void
end_scan(CustomScanState *node)
{
    StoreScan *self = (StoreScan *) node;

    if (self->scan)
        table_endscan(self->scan);
    ExecDropSingleTupleTableSlot(self->row);
    table_close(self->store, NoLock);
}

static void
rescan(CustomScanState *node)
{
    table_rescan(((StoreScan *) node)->scan, NULL);
    ExecScanReScan(&node->ss);
}

static const CustomExecMethods exec_methods = {
    .CustomName = "StoreScan",
    .BeginCustomScan = begin_scan,
    .ExecCustomScan = exec_scan,
    .EndCustomScan = end_scan,
    .ReScanCustomScan = rescan,
};

static Node *
make_state(CustomScan *scan)
{
    StoreScan *self = palloc0(sizeof(StoreScan));

    NodeSetTag(self, T_CustomScanState);
    self->css.methods = &exec_methods;
    return (Node *) self;
}

static const CustomScanMethods scan_methods = {.CustomName = "StoreScan", .CreateCustomScanState = make_state};

static Plan *
make_plan(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *targets, List *clauses, List *children)
{
    CustomScan *scan = makeNode(CustomScan);

    scan->scan.plan.targetlist = targets;
    scan->scan.plan.qual = extract_actual_clauses(clauses, false);
    scan->scan.scanrelid = rel->relid;
    scan->custom_private = path->custom_private;
    scan->methods = &scan_methods;
    return (Plan *) scan;
}

static const CustomPathMethods path_methods = {.CustomName = "StoreScan", .PlanCustomPath = make_plan};

static void
choose_paths(PlannerInfo *root, RelOptInfo *rel, Index index, RangeTblEntry *entry)
{
    Swap swap;
    CustomPath *path;

    if (next_pathlist)
        next_pathlist(root, rel, index, entry);
    if (way != WAY_PATH || entry->rtekind != RTE_RELATION || !(entry->inh || under_only) || !find_swap(&swap) || entry->relid != swap.shell)
        return;
    path = makeNode(CustomPath);
    path->path.pathtype = T_CustomScan;
    path->path.parent = rel;
    path->path.pathtarget = rel->reltarget;
    path->path.rows = rel->rows;
    path->path.total_cost = 1;
    path->custom_private = list_make1_oid(swap.store);
    path->methods = &path_methods;
    rel->pathlist = list_make1(path);
    rel->partial_pathlist = NIL;
}

/*
 * Execution
 */

static void
start_execution(QueryDesc *query, int flags)
{
    Swap swap;

    if (way == WAY_EXECUTION && query->operation == CMD_SELECT && find_swap(&swap))
    {
        ListCell *cell;

        query->plannedstmt = copyObject(query->plannedstmt);
        foreach(cell, query->plannedstmt->rtable)
        {
            RangeTblEntry *entry = lfirst_node(RangeTblEntry, cell);

            if (entry->rtekind != RTE_RELATION || entry->relid != swap.shell)
                continue;
            LockRelationOid(swap.store, AccessShareLock);
            entry->relid = swap.store;
#if PG_VERSION_NUM >= 160000
            if (entry->perminfoindex > 0)
                list_nth_node(RTEPermissionInfo, query->plannedstmt->permInfos, entry->perminfoindex - 1)->relid = swap.store;
#endif
        }
    }
    if (next_start)
        next_start(query, flags);
    else
        standard_ExecutorStart(query, flags);
}

/*
 * COPY
 */

static bool
names_shell(RangeVar *relation, Oid shell)
{
    return RangeVarGetRelid(relation, NoLock, true) == shell;
}

static void
name_store(RangeVar *relation, Oid store)
{
    relation->schemaname = get_namespace_name(get_rel_namespace(store));
    relation->relname = get_rel_name(store);
}

static bool
rename_walker(Node *node, void *context)
{
    Swap *swap = context;

    if (node == NULL)
        return false;
    if (IsA(node, RangeVar) && names_shell((RangeVar *) node, swap->shell))
    {
        RangeVar *relation = (RangeVar *) node;

        if (relation->alias == NULL)
            relation->alias = makeAlias(relation->relname, NIL);
        name_store(relation, swap->store);
        return false;
    }
    return raw_expression_tree_walker(node, rename_walker, context);
}

static PlannedStmt *
with_store(PlannedStmt *statement)
{
    Swap swap;
    CopyStmt *copy;

    if (way != WAY_COPY || !IsA(statement->utilityStmt, CopyStmt) || !find_swap(&swap))
        return statement;
    statement = copyObject(statement);
    copy = (CopyStmt *) statement->utilityStmt;
    if (copy->is_from)
        return statement;
    if (copy->relation && names_shell(copy->relation, swap.shell))
        name_store(copy->relation, swap.store);
    if (copy->query)
        rename_walker(copy->query, &swap);
    return statement;
}

#if PG_VERSION_NUM >= 140000
static void
run_utility(PlannedStmt *statement, const char *text, bool read_only_tree, ProcessUtilityContext context, ParamListInfo params,
            QueryEnvironment *environment, DestReceiver *receiver, QueryCompletion *completion)
{
    ProcessUtility_hook_type next = next_utility ? next_utility : standard_ProcessUtility;

    next(with_store(statement), text, read_only_tree, context, params, environment, receiver, completion);
}
#else
static void
run_utility(PlannedStmt *statement, const char *text, ProcessUtilityContext context, ParamListInfo params, QueryEnvironment *environment,
            DestReceiver *receiver, QueryCompletion *completion)
{
    ProcessUtility_hook_type next = next_utility ? next_utility : standard_ProcessUtility;

    next(with_store(statement), text, context, params, environment, receiver, completion);
}
#endif

void
_PG_init(void)
{
    DefineCustomStringVariable("standin.shell", "relation whose rows are elsewhere", NULL, &shell_name, "", PGC_USERSET, 0, NULL, NULL, NULL);
    DefineCustomStringVariable("standin.store", "relation that has its rows", NULL, &store_name, "", PGC_USERSET, 0, NULL, NULL, NULL);
    DefineCustomEnumVariable("standin.way", "hook by which statements see them", NULL, &way, WAY_PLANNER, ways, PGC_USERSET, 0, NULL, NULL, NULL);
    DefineCustomBoolVariable("standin.under_only", "also for FROM ONLY", NULL, &under_only, true, PGC_USERSET, 0, NULL, NULL, NULL);
    RegisterCustomScanMethods(&scan_methods);
    next_planner = planner_hook;
    planner_hook = plan;
    next_analysis = post_parse_analyze_hook;
    post_parse_analyze_hook = analyse;
    next_pathlist = set_rel_pathlist_hook;
    set_rel_pathlist_hook = choose_paths;
    next_start = ExecutorStart_hook;
    ExecutorStart_hook = start_execution;
    next_utility = ProcessUtility_hook;
    ProcessUtility_hook = run_utility;
}
