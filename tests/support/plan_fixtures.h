#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "driver/model/error.h"
#include "driver/model/inventory.h"
#include "driver/model/options.h"
#include "driver/model/plan.h"
#include "driver/model/sides.h"
#include "driver/options/request.h"
#include "driver/planning/pairing.h"
#include "driver/planning/plan.h"

/// Made-up inventories for tests of what decides about them.
namespace parity::driver::fixtures {

inline ColumnDesc column(std::string name, std::string type, std::string form,
                         std::vector<std::string> other_forms = {}) {
    ColumnDesc made;
    made.name = std::move(name);
    made.type = std::move(type);
    made.form = std::move(form);
    made.other_forms = std::move(other_forms);
    if (made.form == "text") made.collation = "default";
    return made;
}

inline ColumnDesc int_column(std::string name) { return column(std::move(name), "integer", "int", {"decimal"}); }
inline ColumnDesc text_column(std::string name) { return column(std::move(name), "text", "text"); }

/// An ordinary table with a proven key; without key columns it has none.
inline RelationDesc table(std::uint32_t oid, std::string name, std::vector<ColumnDesc> columns,
                          std::vector<std::string> key = {"id"}) {
    RelationDesc made;
    made.oid = oid;
    made.name = {"public", std::move(name)};
    made.selected = true;
    made.columns = std::move(columns);
    made.key = {std::move(key), true};
    if (made.key.columns.empty()) made.key.proven = false;
    made.estimated_rows = 1000;
    made.bytes = 100000;
    return made;
}

inline RelationDesc orders(std::uint32_t oid = 1) {
    return table(oid, "orders", {int_column("id"), text_column("note")});
}

/// The plan that a run with these options makes of two sides.
inline Plan plan_for(Options options, const Both<Inventory>& sides) {
    const Request request(std::move(options));
    const Pairing pairing = pair_relations(request, sides);
    require_something(request.options, pairing, {&sides.source, &sides.target});
    return make_plan(request, sides, pairing);
}

inline Inventory inventory(std::vector<RelationDesc> relations) {
    Inventory made;
    made.large_objects.listed = true;  // there are none
    made.relations = std::move(relations);
    return made;
}

/// What kUsage error an action throws.
inline std::string usage_error(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kUsage) << error.what();
        return error.what();
    }
    ADD_FAILURE() << "no error";
    return {};
}

}  // namespace parity::driver::fixtures
