#include "backend/query/held_name.h"

#include "backend/pg_compat.h"

namespace parity::backend {
namespace {

/// FROM is analysed before all other clauses, and adds its relation first. Subqueries have states of their own.
void check_first_relation(ParseState* state) {
    const auto* held = static_cast<const HeldName*>(state->p_ref_hook_state);
    while (state->parentParseState) state = state->parentParseState;
    const RangeTblEntry* first = state->p_rtable == NIL ? nullptr : linitial_node(RangeTblEntry, state->p_rtable);
    if (first && first->rtekind == RTE_RELATION && first->relid == held->relation) return;
    ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                    errmsg("relation \"%s\" was renamed after the snapshot was taken", held->name),
                    errdetail("Another relation has its name now."), errhint("Try again with a new snapshot.")));
}

Node* before_column(ParseState* state, ColumnRef*) {
    check_first_relation(state);
    return nullptr;
}

Node* parameter(ParseState* state, ParamRef* reference) {
    check_first_relation(state);
    const auto* held = static_cast<const HeldName*>(state->p_ref_hook_state);
    if (reference->number < 1 || reference->number > held->parameters)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_PARAMETER), errmsg("there is no parameter $%d", reference->number)));
    auto* made = makeNode(Param);
    made->paramkind = PARAM_EXTERN;
    made->paramid = reference->number;
    made->paramtype = held->types[reference->number - 1];
    made->paramtypmod = -1;
    made->paramcollid = get_typcollation(made->paramtype);
    made->location = reference->location;
    return reinterpret_cast<Node*>(made);
}

void set_up_parser(ParseState* state, void* held) {
    state->p_pre_columnref_hook = before_column;
    state->p_paramref_hook = parameter;
    state->p_ref_hook_state = held;
}

}  // namespace

SPIPlanPtr prepare_held(const char* sql, HeldName& held, int cursor_options) {
    return SPI_prepare_params(sql, set_up_parser, &held, cursor_options);
}

ParamListInfo held_parameters(const HeldName& held, std::span<const Datum> values) {
    ParamListInfo list = makeParamList(held.parameters);
    for (int i = 0; i < held.parameters; ++i)
        list->params[i] = {values[static_cast<std::size_t>(i)], false, PARAM_FLAG_CONST, held.types[i]};
    return list;
}

}  // namespace parity::backend
