#pragma once

#include "backend/pg.h"

#include "backend/task/task.h"

/// Asks the server's own planner where a relation's rows are. Extensions keep rows elsewhere than in the relation's
/// pages, filter them or mask them; whatever does so shows in the plan of a plain SELECT.
namespace parity::backend {

/// Plans `SELECT columns FROM relation` from its text, as if the caller had sent it, without indexes; nothing of it is
/// kept for another call. Sets why_not_in_heap: why the task's pages must not be read. The relation and its leaves are
/// locked, and their kinds have storage.
///
/// Where planning would call functions of an owner who is neither the caller nor a superuser, it is done as that owner,
/// in a security-restricted operation. Where the caller is a superuser and no hook of the planner is set, so it is over
/// every relation of such an owner.
///
/// `reads`: pages are going to be read, and the caller's rights are checked as for the SELECT. Raises 42501.
void judge_scan(DigestTask& task, bool reads);

/// To be called where a pass over all rows of a judged task saw none: has the executor look for one, by the plan that
/// was judged. Raises 55000 where there is one.
void confirm_empty(const DigestTask& task);

/// Warns a superuser of functions of others that planning a query on the relation calls with the superuser's rights.
void warn_of_owners_code(const DigestTask& task);

}  // namespace parity::backend
