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
 *   refusal   nobody may EXPLAIN
 * By the rest the shell keeps its rows, and the planner makes a plan of another shape. It knows no index then. The columns of the shell are
 * of type integer, bigint or text.
 *   condition  the shell is read under standin.condition, as masking and row filters do it
 *   pruning    the same, and of each partition all rows are read or none; the condition calls pg_backend_pid()
 *   mask       the scan gives standin.text for the second column
 *   projection what is above the scan does so
 *   made_up    one row of constants is in the place of the scan
 *   lost       the partition standin.store is left out
 *   twice      the partition standin.store is read twice
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/plancat.h"
#include "optimizer/planner.h"
#include "optimizer/restrictinfo.h"
#include "parser/analyze.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "storage/lmgr.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
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
    WAY_EXECUTION,
    WAY_REFUSAL,
    WAY_CONDITION, /* this one and those below change the shape of plans */
    WAY_PRUNING,
    WAY_MASK,
    WAY_PROJECTION,
    WAY_MADE_UP,
    WAY_LOST,
    WAY_TWICE
} Way;

static const struct config_enum_entry ways[] = {
    {"planner", WAY_PLANNER, false}, {"analysis", WAY_ANALYSIS, false}, {"path", WAY_PATH, false}, {"copy", WAY_COPY, false},
    {"execution", WAY_EXECUTION, false}, {"refusal", WAY_REFUSAL, false}, {"condition", WAY_CONDITION, false}, {"pruning", WAY_PRUNING, false},
    {"mask", WAY_MASK, false}, {"projection", WAY_PROJECTION, false}, {"made_up", WAY_MADE_UP, false}, {"lost", WAY_LOST, false},
    {"twice", WAY_TWICE, false}, {NULL, 0, false}};

static char *shell_name;
static char *store_name;
static char *condition_text;
static char *shown_text;
static int way = WAY_PLANNER;
static bool under_only = true;

static planner_hook_type next_planner;
static post_parse_analyze_hook_type next_analysis;
static set_rel_pathlist_hook_type next_pathlist;
static get_relation_info_hook_type next_relation_info;
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

/*
 * Plans of other shapes
 */

/* Numbers its columns as those of relation 1. */
static Query *
parse_condition(void)
{
    char *text = psprintf("SELECT FROM %s WHERE %s", shell_name, condition_text);
    RawStmt *raw = linitial_node(RawStmt, pg_parse_query(text));

#if PG_VERSION_NUM >= 150000
    return parse_analyze_fixedparams(raw, text, NULL, 0, NULL);
#else
    return parse_analyze(raw, text, NULL, 0, NULL);
#endif
}

static void
add_condition(Query *query, Swap *swap)
{
    for (int i = 1; i <= list_length(query->rtable); i++)
    {
        RangeTblEntry *entry = rt_fetch(i, query->rtable);
        Query *condition;

        if (entry->rtekind != RTE_RELATION || entry->relid != swap->shell || !(entry->inh || under_only))
            continue;
        condition = parse_condition();
        ChangeVarNodes(condition->jointree->quals, 1, i, 0);
        query->jointree->quals = make_and_qual(query->jointree->quals, condition->jointree->quals);
        query->hasSubLinks |= condition->hasSubLinks;
    }
}

static bool
condition_walker(Node *node, void *context)
{
    if (node == NULL)
        return false;
    if (IsA(node, Query))
    {
        /* What the condition itself reads comes after this. */
        bool done = query_tree_walker((Query *) node, condition_walker, context, 0);

        add_condition((Query *) node, context);
        return done;
    }
    return expression_tree_walker(node, condition_walker, context);
}

static Const *
constant_for(Var *column)
{
    switch (column->vartype)
    {
        case INT4OID:
            return makeConst(INT4OID, -1, InvalidOid, sizeof(int32), Int32GetDatum(7), false, true);
        case INT8OID:
            return makeConst(INT8OID, -1, InvalidOid, sizeof(int64), Int64GetDatum(7), false, FLOAT8PASSBYVAL);
        case TEXTOID:
            return makeConst(TEXTOID, -1, column->varcollid, -1, CStringGetTextDatum(shown_text), false, false);
        default:
            elog(ERROR, "standin: no constant of type %u", column->vartype);
    }
}

typedef struct
{
    Index relation;
    bool all;   /* constants for every column, not for the second alone */
    bool above; /* columns of the plan below in the place of the relation's */
} Masking;

static Node *
mask_mutator(Node *node, void *context)
{
    Masking *masking = context;
    Var *column;

    if (node == NULL)
        return NULL;
    if (!IsA(node, Var) || ((Var *) node)->varno != masking->relation)
        return expression_tree_mutator(node, mask_mutator, context);
    column = copyObject((Var *) node);
    if (column->varattno > 0 && (masking->all || column->varattno == 2))
        return (Node *) constant_for(column);
    if (masking->above)
        column->varno = OUTER_VAR;
    return (Node *) column;
}

static List *
masked(List *expressions, Masking masking)
{
    return (List *) mask_mutator((Node *) expressions, &masking);
}

/* All columns of a relation, as a scan gives them without computing anything. */
static List *
own_columns(Oid relation, Index number)
{
    Relation opened = table_open(relation, AccessShareLock);
    List *columns = NIL;

    for (int i = 1; i <= RelationGetNumberOfAttributes(opened); i++)
    {
        Form_pg_attribute column = TupleDescAttr(RelationGetDescr(opened), i - 1);
        Var *var = makeVar(number, i, column->atttypid, column->atttypmod, column->attcollation, 0);

        columns = lappend(columns, makeTargetEntry((Expr *) var, i, pstrdup(NameStr(column->attname)), false));
    }
    table_close(opened, NoLock);
    return columns;
}

static Plan *
result_like(Plan *plan)
{
    Result *result = makeNode(Result);

    result->plan = *plan;
    result->plan.type = T_Result;
    result->plan.parallel_aware = false;
    result->plan.qual = NIL;
    return (Plan *) result;
}

static Plan *
reshaped_scan(Plan *scan, Oid relation, Index number)
{
    Plan *result;

    switch (way)
    {
        case WAY_MASK:
            scan->targetlist = masked(scan->targetlist, (Masking){number, false, false});
            return scan;
        case WAY_PROJECTION:
            result = result_like(scan);
            result->targetlist = masked(scan->targetlist, (Masking){number, false, true});
            result->lefttree = scan;
            scan->targetlist = own_columns(relation, number);
            return result;
        case WAY_MADE_UP:
            result = result_like(scan);
            result->targetlist = masked(scan->targetlist, (Masking){number, true, false});
            ((Result *) result)->resconstantqual = (Node *) masked(scan->qual, (Masking){number, true, false});
            return result;
        default:
            return scan;
    }
}

/* The relation that a plan scans itself. */
static Oid
scanned_relation(PlannedStmt *statement, Plan *plan)
{
    return IsA(plan, SeqScan) ? rt_fetch(((Scan *) plan)->scanrelid, statement->rtable)->relid : InvalidOid;
}

static bool
calls_condition(Node *node, void *context)
{
    if (node == NULL)
        return false;
    if (IsA(node, FuncExpr) && ((FuncExpr *) node)->funcid == F_PG_BACKEND_PID)
        return true;
    return expression_tree_walker(node, calls_condition, context);
}

static void
forget_condition(Plan *plan)
{
    List *kept = NIL;
    ListCell *cell;

    foreach(cell, plan->qual)
        if (!calls_condition(lfirst(cell), NULL))
            kept = lappend(kept, lfirst(cell));
    plan->qual = kept;
}

static Plan *reshaped(PlannedStmt *statement, Plan *plan, Swap *swap);

static void
reshape_append(PlannedStmt *statement, Append *append, Swap *swap)
{
    List *children = NIL;
    ListCell *cell;

    foreach(cell, append->appendplans)
    {
        bool chosen = scanned_relation(statement, lfirst(cell)) == swap->store;
        Plan *child = reshaped(statement, lfirst(cell), swap);

        if (way == WAY_PRUNING)
            forget_condition(child);
        if (!(chosen && way == WAY_LOST))
            children = lappend(children, child);
        if (chosen && way == WAY_TWICE)
            children = lappend(children, copyObject(child));
    }
    append->appendplans = children;
}

static Plan *
reshaped(PlannedStmt *statement, Plan *plan, Swap *swap)
{
    if (plan == NULL)
        return NULL;
    plan->lefttree = reshaped(statement, plan->lefttree, swap);
    plan->righttree = reshaped(statement, plan->righttree, swap);
    if (IsA(plan, SubqueryScan))
        ((SubqueryScan *) plan)->subplan = reshaped(statement, ((SubqueryScan *) plan)->subplan, swap);
    if (IsA(plan, Append))
        reshape_append(statement, (Append *) plan, swap);
    if (scanned_relation(statement, plan) == swap->shell)
        return reshaped_scan(plan, swap->shell, ((Scan *) plan)->scanrelid);
    return plan;
}

static void
reshape(PlannedStmt *statement, Swap *swap)
{
    ListCell *cell;

    statement->planTree = reshaped(statement, statement->planTree, swap);
    foreach(cell, statement->subplans)
        lfirst(cell) = reshaped(statement, lfirst(cell), swap);
}

/* Statements that a test sends itself, and those of pgparity, must not differ by the index that they take. */
static void
forget_indexes(PlannerInfo *root, Oid relation, bool is_parent, RelOptInfo *rel)
{
    if (next_relation_info)
        next_relation_info(root, relation, is_parent, rel);
    if (way >= WAY_CONDITION && relation >= FirstNormalObjectId)
        rel->indexlist = NIL;
}

static PlannedStmt *
plan(Query *query, const char *text, int cursor_options, ParamListInfo params)
{
    Swap swap;
    PlannedStmt *made;
    bool found = query->commandType == CMD_SELECT && (way == WAY_PLANNER || way >= WAY_CONDITION) && find_swap(&swap);

    if (found && way == WAY_PLANNER)
        swap_walker((Node *) query, &swap);
    if (found && (way == WAY_CONDITION || way == WAY_PRUNING))
        condition_walker((Node *) query, &swap);
    made = next_planner ? next_planner(query, text, cursor_options, params) : standard_planner(query, text, cursor_options, params);
    if (found && way >= WAY_PRUNING)
        reshape(made, &swap);
    return made;
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
 * COPY and EXPLAIN
 */

static void
refuse(PlannedStmt *statement)
{
    if (way == WAY_REFUSAL && IsA(statement->utilityStmt, ExplainStmt))
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("standin: permission denied to explain")));
}

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

    refuse(statement);
    next(with_store(statement), text, read_only_tree, context, params, environment, receiver, completion);
}
#else
static void
run_utility(PlannedStmt *statement, const char *text, ProcessUtilityContext context, ParamListInfo params, QueryEnvironment *environment,
            DestReceiver *receiver, QueryCompletion *completion)
{
    ProcessUtility_hook_type next = next_utility ? next_utility : standard_ProcessUtility;

    refuse(statement);
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
    DefineCustomStringVariable("standin.condition", "condition under which the shell is read", NULL, &condition_text, "true", PGC_USERSET, 0, NULL, NULL,
                               NULL);
    DefineCustomStringVariable("standin.text", "what is shown in the place of texts", NULL, &shown_text, "", PGC_USERSET, 0, NULL, NULL, NULL);
    RegisterCustomScanMethods(&scan_methods);
    next_planner = planner_hook;
    planner_hook = plan;
    next_analysis = post_parse_analyze_hook;
    post_parse_analyze_hook = analyse;
    next_pathlist = set_rel_pathlist_hook;
    set_rel_pathlist_hook = choose_paths;
    next_relation_info = get_relation_info_hook;
    get_relation_info_hook = forget_indexes;
    next_start = ExecutorStart_hook;
    ExecutorStart_hook = start_execution;
    next_utility = ProcessUtility_hook;
    ProcessUtility_hook = run_utility;
}
