#include "driver/postgres/lookups/extension_rows.h"

#include "driver/model/error.h"
#include "driver/model/plan.h"
#include "driver/model/sides.h"
#include "driver/model/sqlstates.h"
#include "driver/postgres/connection/connection.h"
#include "driver/postgres/queries/catalog.h"
#include "driver/postgres/queries/query.h"

namespace parity::driver {
namespace {

/// What begin_table() asks of a plan. Rows are counted by a query with the session's rights.
TablePlan plan_of(const ExtensionTable& table, Side side, const Options& options) {
    TablePlan plan;
    plan.must_run_no_code[side] = !options.run_owners_code;
    plan.oid[side] = table.oid;
    plan.name[side] = table.name;
    plan.relkind[side] = table.relkind;
    plan.columns_text[side] = table.columns_text;
    return plan;
}

std::uint64_t count_once(Session& session, const ExtensionTable& table, const Options& options) {
    session.begin_table(plan_of(table, session.side(), options));
    const Query query = extension_row_count_query(table.name, table.relkind != 'p', table.condition);
    const Result result = session.connection().query(query.sql, query.parameters);
    const std::uint64_t rows = result.number<std::uint64_t>(0, 0);
    session.require_named_server();
    session.end();
    return rows;
}

}  // namespace

std::uint64_t count_extension_rows(Session& session, const ExtensionTable& table, const Options& options) {
    for (int attempt = 1;; ++attempt) {
        try {
            return count_once(session, table, options);
        } catch (const Error& error) {
            session.end();
            if (!is_snapshot_failure(error) || attempt == kSnapshotAttempts) throw;
        }
    }
}

}  // namespace parity::driver
