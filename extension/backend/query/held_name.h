#pragma once

#include "backend/pg.h"

#include <span>

namespace parity::backend {

/// A statement over a relation that is open already, which it can only call by its name. A lock keeps a relation's own
/// name, but its schema may be renamed at any time, and another relation have the name when the statement is parsed, or
/// parsed once more because a plan was invalidated. So each time the names have been looked up, and before anything
/// else is done with what was found, the first relation of its outermost FROM is compared with the one that is open.
/// Requires: the statement refers to a column or a parameter, which is where that is looked at.
/// Errors: 40001 where the first relation of the outermost FROM is not the one that is open.
struct HeldName {
    Oid relation;
    const char* name;  ///< of the relation, for the message
    int parameters = 0;
    Oid types[INDEX_MAX_KEYS] = {};
};

/// A plan as SPI_prepare_cursor() makes it, in the SPI context.
/// Requires: `held` lasts as long as the plan.
SPIPlanPtr prepare_held(const char* sql, HeldName& held, int cursor_options);

/// The statement's parameters, in the current context.
/// Requires: none of them is null.
ParamListInfo held_parameters(const HeldName& held, std::span<const Datum> values);

}  // namespace parity::backend
