#include "backend/task/plan_check.h"

#include <algorithm>

#include "backend/memory.h"
#include "backend/pg_compat.h"

namespace parity::backend {
namespace {

constexpr const char* kRewritten = "the server rewrites a query on it";

const char* name_of(Oid relation) {
    const char* name = get_rel_name(relation);
    if (!name) return "a relation that is gone";
    return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), name);
}

bool is_column(Node* expression, int relation, AttrNumber column) {
    if (!IsA(expression, Var)) return false;
    const Var* var = castNode(Var, expression);
    return static_cast<int>(var->varno) == relation && var->varattno == column && var->varlevelsup == 0;
}

/// Whether a query only gives columns of one relation, whatever its row security: that would stand in its entry.
bool is_bare(Query* query) {
    return query->commandType == CMD_SELECT && !query->hasSubLinks && !query->cteList && !query->groupClause &&
           !query->groupingSets && !query->havingQual && !query->windowClause && !query->distinctClause &&
           !query->sortClause && !query->limitOffset && !query->limitCount && !query->rowMarks &&
           !query->setOperations && !query->hasAggs && !query->hasTargetSRFs && list_length(query->rtable) == 1 &&
           !query->jointree->quals && list_length(query->jointree->fromlist) == 1;
}

const char* node_name(const Plan* plan) {
    switch (nodeTag(plan)) {
        case T_CustomScan:
            return psprintf("Custom Scan (%s)", reinterpret_cast<const CustomScan*>(plan)->methods->CustomName);
        case T_ForeignScan:
            return "Foreign Scan";
        case T_FunctionScan:
            return "Function Scan";
        case T_ValuesScan:
            return "Values Scan";
        case T_SubqueryScan:
            return "Subquery Scan";
        case T_SampleScan:
            return "Sample Scan";
        case T_IndexScan:
            return "Index Scan";
        case T_ProjectSet:
            return "ProjectSet";
        default:
            return psprintf("a plan node of type %d", static_cast<int>(nodeTag(plan)));
    }
}

bool is_never(Node* condition) {
    if (!condition || !IsA(condition, List) || list_length(reinterpret_cast<List*>(condition)) != 1) return false;
    auto* only = static_cast<Node*>(linitial(reinterpret_cast<List*>(condition)));
    if (!IsA(only, Const)) return false;
    const Const* constant = castNode(Const, only);
    return constant->consttype == BOOLOID && (constant->constisnull || !DatumGetBool(constant->constvalue));
}

/// Walks a plan, and remembers which leaves it scans.
class PlanWalk {
  public:
    PlanWalk(const DigestTask& task, std::span<const TaskColumn* const> columns, PlannedStmt* plan)
        : task_(task),
          columns_(columns),
          plan_(plan),
          leaves_(allocate_array<Oid>(CurrentMemoryContext, task.leaves.size() + 1)),
          scanned_(allocate_array<bool>(CurrentMemoryContext, task.leaves.size() + 1)) {
        std::copy(task.leaves.begin(), task.leaves.end(), leaves_);
        std::sort(leaves_, leaves_ + task.leaves.size());
    }

    const char* check(Plan* plan) {
        check_stack_depth();
        if (plan->initPlan) return "the server plans subqueries for it";
        if (plan->qual) return "the server filters its rows";
        switch (nodeTag(plan)) {
            case T_SeqScan:
                return check_scan(plan);
            case T_Append:
                return check_append(reinterpret_cast<Append*>(plan));
            case T_Gather:
                return check_passing(plan, plan->lefttree);
            case T_Result:
                return check_result(reinterpret_cast<Result*>(plan));
            default:
                return psprintf("the server reads it through %s", node_name(plan));
        }
    }

    /// A leaf without pages may be scanned or not.
    const char* check_all_scanned() const {
        for (std::size_t i = 0; i < task_.leaves.size(); ++i) {
            if (scanned_[i]) continue;
            Relation leaf = relation_open(leaves_[i], NoLock);
            const BlockNumber pages = RelationGetNumberOfBlocks(leaf);
            relation_close(leaf, NoLock);
            if (pages > 0) return psprintf("the server does not read %s", name_of(leaves_[i]));
        }
        return nullptr;
    }

  private:
    /// Whether the outputs are the columns that `number_of` tells, and nothing else.
    template <typename NumberOf>
    bool has_outputs(Plan* plan, int relation, NumberOf number_of) const {
        if (static_cast<std::size_t>(list_length(plan->targetlist)) != columns_.size()) return false;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            auto* target = static_cast<TargetEntry*>(list_nth(plan->targetlist, static_cast<int>(i)));
            if (target->resjunk || !is_column(reinterpret_cast<Node*>(target->expr), relation, number_of(i)))
                return false;
        }
        return true;
    }

    const char* check_scan(Plan* plan) {
        const auto index = static_cast<int>(scan_relation(plan));
        RangeTblEntry* entry = rt_fetch(index, plan_->rtable);
        Oid* leaf = std::lower_bound(leaves_, leaves_ + task_.leaves.size(), entry->relid);
        if (entry->rtekind != RTE_RELATION || leaf == leaves_ + task_.leaves.size() || *leaf != entry->relid)
            return psprintf("the server reads %s in its place", name_of(entry->relid));
        if (scanned_[leaf - leaves_]) return psprintf("the server reads %s twice", name_of(entry->relid));
        scanned_[leaf - leaves_] = true;
        const bool is_relation = *leaf == RelationGetRelid(task_.relation);
        const bool plain = has_outputs(plan, index, [&](std::size_t i) {
            return is_relation ? columns_[i]->number : get_attnum(*leaf, NameStr(columns_[i]->name));
        });
        return plain ? nullptr : "the server computes its columns";
    }

    const char* check_passing(Plan* plan, Plan* child) {
        const bool plain = has_outputs(plan, OUTER_VAR, [](std::size_t i) { return static_cast<AttrNumber>(i + 1); });
        return plain ? check(child) : "the server computes its columns";
    }

    const char* check_append(Append* append) {
        if (has_run_time_pruning(append)) return "the server leaves out partitions when it runs the plan";
        ListCell* cell;
        foreach (cell, append->appendplans)
            if (const char* objection = check_passing(&append->plan, static_cast<Plan*>(lfirst(cell))))
                return objection;
        return nullptr;
    }

    const char* check_result(Result* result) {
        if (!result->plan.lefttree) return is_never(result->resconstantqual) ? nullptr : "the server makes up its rows";
        if (result->resconstantqual) return "the server filters its rows";
        return check_passing(&result->plan, result->plan.lefttree);
    }

    const DigestTask& task_;
    std::span<const TaskColumn* const> columns_;
    PlannedStmt* plan_;
    Oid* leaves_;    ///< sorted
    bool* scanned_;  ///< one a leaf
};
static_assert(std::is_trivially_destructible_v<PlanWalk>);

}  // namespace

const char* why_not_plain_query(const DigestTask& task, std::span<const TaskColumn* const> columns, List* queries) {
    if (list_length(queries) != 1) return kRewritten;
    Query* query = linitial_node(Query, queries);
    if (!is_bare(query)) return kRewritten;
    const RangeTblEntry* entry = linitial_node(RangeTblEntry, query->rtable);
    if (entry->rtekind != RTE_RELATION || entry->inh == task.without_children || entry->securityQuals ||
        entry->tablesample)
        return kRewritten;
    if (entry->relid != RelationGetRelid(task.relation))
        return psprintf("the server reads %s in its place", name_of(entry->relid));
    if (static_cast<std::size_t>(list_length(query->targetList)) != columns.size()) return kRewritten;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        auto* target = static_cast<TargetEntry*>(list_nth(query->targetList, static_cast<int>(i)));
        if (target->resjunk || !is_column(reinterpret_cast<Node*>(target->expr), 1, columns[i]->number))
            return kRewritten;
    }
    return nullptr;
}

const char* why_not_plain_plan(const DigestTask& task, std::span<const TaskColumn* const> columns, PlannedStmt* plan) {
    if (plan->commandType != CMD_SELECT || plan->subplans || plan->hasModifyingCTE || plan->rowMarks)
        return "the server plans subqueries for it";
    PlanWalk walk(task, columns, plan);
    if (const char* objection = walk.check(plan->planTree)) return objection;
    return walk.check_all_scanned();
}

}  // namespace parity::backend
