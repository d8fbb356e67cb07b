#pragma once

#include "backend/pg.h"

#include "backend/task/task.h"

/// Asks the server's own planner where a relation's rows are. Extensions keep rows elsewhere than in the relation's
/// pages, filter them or mask them; whatever does so shows in the plan of a plain SELECT.
namespace parity::backend {

/// Plans `SELECT columns FROM relation` from its text, as if the caller had sent it, without indexes; nothing of it is
/// kept for another call. Sets the task's objection: why its pages must not be read.
///
/// Where planning would call functions of an owner who is neither the caller nor a superuser, it is done as that owner,
/// in a security-restricted operation. Where the caller is a superuser and no hook of the planner is set, so it is over
/// every relation of such an owner.
///
/// `reads`: pages are going to be read, and the caller's rights are checked as for the SELECT.
/// Requires: the relation and its leaves are locked, and their kinds have storage.
/// Errors: 42501 where the caller lacks these rights.
void judge_scan(DigestTask& task, bool reads);

/// Has the executor look for a row of a judged task, by the plan that was judged.
/// Requires: a pass over all rows of the task saw none.
/// Errors: 55000 where there is one.
void confirm_empty(const DigestTask& task);

/// Warns a superuser of functions of others that planning a query on the relation calls with the superuser's rights.
void warn_of_owners_code(const DigestTask& task);

}  // namespace parity::backend
