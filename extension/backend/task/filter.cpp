#include "backend/task/filter.h"

#include "backend/pg_compat.h"

namespace parity::backend {
namespace {

/// The one unnamed output expression of a plain SELECT, or null.
Node* only_expression(List* parsed) {
    if (list_length(parsed) != 1) return nullptr;
    Node* statement = linitial_node(RawStmt, parsed)->stmt;
    if (!IsA(statement, SelectStmt)) return nullptr;
    SelectStmt* select = castNode(SelectStmt, statement);
    SelectStmt* bare = makeNode(SelectStmt);
    bare->targetList = select->targetList;
    bare->limitOption = select->limitOption;
    if (!equal(select, bare) || list_length(select->targetList) != 1) return nullptr;
    ResTarget* target = linitial_node(ResTarget, select->targetList);
    return target->name || target->indirection != NIL ? nullptr : target->val;
}

/// Whether an expression refers to a parameter. The queries that a filter becomes part of have some, and they are no
/// concern of the one who wrote it.
bool has_parameter(Node* node, void*) {
    if (!node) return false;
    return IsA(node, ParamRef) || walk_parse_tree(node, has_parameter, nullptr);
}

/// Tells where a syntax error is: its position means nothing to the one who wrote the filter.
void explain_filter_error(void* filter) {
    errposition(0);
    errhint("The filter must be exactly one SQL expression.");
    errcontext("filter \"%s\"", static_cast<char*>(filter));
}

}  // namespace

char* check_filter(char* filter) {
    ErrorContextCallback context{error_context_stack, explain_filter_error, filter};
    error_context_stack = &context;
    Node* alone = only_expression(parse_sql(psprintf("SELECT\n%s\n", filter)));
    Node* enclosed = alone ? only_expression(parse_sql(psprintf("SELECT (\n%s\n)", filter))) : nullptr;
    if (!alone || !enclosed || !equal(alone, enclosed))
        ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("filter is not exactly one expression")));
    if (has_parameter(alone, nullptr))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_PARAMETER), errmsg("filter must not refer to parameters")));
    error_context_stack = context.previous;
    return filter;
}

}  // namespace parity::backend
