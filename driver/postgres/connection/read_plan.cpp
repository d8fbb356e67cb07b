#include "driver/postgres/connection/read_plan.h"

#include <fmt/format.h>

#include "driver/postgres/connection/connection.h"
#include "driver/postgres/queries/feed.h"

namespace parity::driver {
namespace {

/// The first version whose EXPLAIN calls post_parse_analyze_hook for the query that it explains. Before it, PREPARE
/// does, and what extensions make of the query there is what EXPLAIN EXECUTE shows.
constexpr int kExplainAnalyzesVersion = 140000;

Result explain(Connection& connection, const std::string& query) {
    if (connection.server_version() >= kExplainAnalyzesVersion)
        return connection.query(fmt::format("{}{}", kExplain, query));
    connection.query("DEALLOCATE ALL");  // one is left where EXPLAIN failed
    connection.query("PREPARE explained AS " + query);
    Result plan = connection.query(fmt::format("{}EXECUTE explained", kExplain));
    connection.query("DEALLOCATE explained");
    return plan;
}

}  // namespace

std::optional<std::string> why_not_planned_plain(Connection& connection, const std::string& query,
                                                 const PlanQuestion& question) {
    connection.query(plan_settings_statements());
    const Result plan = explain(connection, query);
    return plan.rows() == 1 ? why_not_plain(plan.text(0, 0), question) : "the server shows no plan";
}

}  // namespace parity::driver
