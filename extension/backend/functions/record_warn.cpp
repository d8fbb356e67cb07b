#include "backend/pg.h"

/// The SQL function parity_internal.record_warn(message, state): a WARNING without CONTEXT and STATEMENT in the
/// server's log. A client gets both as usual.

extern "C" {
PG_FUNCTION_INFO_V1(parity_record_warn);
}

Datum parity_record_warn(PG_FUNCTION_ARGS) {
    const char* message = text_to_cstring(PG_GETARG_TEXT_PP(0));
    const char* state = text_to_cstring(PG_GETARG_TEXT_PP(1));
    if (strlen(state) != 5 || strncmp(state, "PP", 2) != 0)  // the log does not tell who wrote it
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("\"%s\" is no SQLSTATE of pg_parity", state)));
    ereport(WARNING, (errcode(MAKE_SQLSTATE(state[0], state[1], state[2], state[3], state[4])),
                      errmsg_internal("%s", message), errhidecontext(true), errhidestmt(true)));
    PG_RETURN_VOID();
}
