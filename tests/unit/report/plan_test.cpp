#include "driver/report/plan.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "driver/planning/plan.h"
#include "tests/support/plan_fixtures.h"
#include "tests/support/written_text.h"

namespace parity::driver {
namespace {

using namespace fixtures;

/// A table whose target has more rows, a table that is keyless and partly incomparable, and one that the target lacks.
Both<Inventory> sides() {
    RelationDesc larger = orders(11);
    larger.estimated_rows = -1;
    larger.bytes = 20000;
    const RelationDesc odd = table(3, "Odd", {int_column("v"), column("p", "point", "")}, {});
    Both<Inventory> made{inventory({orders(1), odd, table(4, "lone", {int_column("id")})}), inventory({larger, odd})};
    made.source.server.version = "15.18";
    made.source.server.host = "old";
    made.source.server.port = "5432";
    made.source.server.database = "shop";
    made.source.server.role = "verifier";
    made.source.server.encoding = "UTF8";
    return made;
}

std::string shown(const Options& options, const Both<Inventory>& inventories) {
    const Plan plan = plan_for(options, inventories);
    return test::written_text([&](Output& output) { write_dry_run(options, inventories, plan, output); });
}

TEST(DryRun, ShowsThePlanForPeople) {
    const Both<Inventory> inventories = sides();
    const std::string text = shown({}, inventories);
    for (const char* part :
         {"source: shop on old:5432 as verifier: PostgreSQL 15.18, UTF8, primary,",
          "public.orders\n  key      id int (proven)\n  columns  note text\n  path     scan\n  ranges   1\n",
          "  rows     about 1000, 98 kB on source; unknown, 20 kB on target\n", "public.\"Odd\"\n  key      none",
          "skipped  column p: type point is not comparable\n", "divergence: public.lone: table exists only on source\n",
          "2 tables and 0 sequences would be compared\n"}) {
        EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
    }
}

TEST(DryRun, ShowsThePlanAsJson) {
    const Both<Inventory> inventories = sides();
    Options options;
    options.format = ReportFormat::kJson;
    const auto report = nlohmann::json::parse(shown(options, inventories));
    EXPECT_TRUE(report["dry_run"].get<bool>());
    const auto& first = report["tables"].at(0);
    EXPECT_EQ(first["source"], "public.orders");
    EXPECT_EQ(first["key"], nlohmann::json::parse(R"([{"name": "id", "form": "int",
        "source": {"type": "integer", "default": "int", "asked": "int"},
        "target": {"type": "integer", "default": "int", "asked": "int"}}])"));
    EXPECT_EQ(
        first["estimate"],
        nlohmann::json::parse(R"({"source": {"bytes": "100000", "rows": "1000"}, "target": {"bytes": "20000"}})"));
    EXPECT_EQ(report["differences"].at(0)["object"], "public.lone");
    EXPECT_FALSE(report["tables"].at(1)["key_proven"].get<bool>());
}

}  // namespace
}  // namespace parity::driver
