#include "driver/planning/trees.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "driver/planning/plan.h"
#include "tests/support/plan_fixtures.h"

namespace parity::driver {
namespace {

using namespace fixtures;

RelationDesc child(std::uint32_t oid, std::string name, std::uint32_t parent,
                   std::vector<std::uint32_t> ancestors = {}) {
    RelationDesc made = table(oid, std::move(name), {int_column("id"), text_column("note")}, {});
    made.parents = {parent};
    made.ancestors = ancestors.empty() ? made.parents : std::move(ancestors);
    return made;
}

/// A root with two children, one of which has a child.
Inventory tree() {
    RelationDesc root = orders();
    root.has_children = true;
    return inventory({root, child(2, "a", 1), child(3, "b", 1), child(4, "c", 3, {3, 1})});
}

std::vector<std::string> planned(const Plan& plan) {
    std::vector<std::string> names;
    for (const TablePlan& table : plan.tables)
        names.push_back(table.name.source.name + (table.without_children.source ? " alone" : ""));
    std::sort(names.begin(), names.end());
    return names;
}

const std::vector<std::string> kMembers{"a", "b alone", "c", "orders alone"};

TEST(Trees, MembersAreComparedEachByItself) {
    const Plan plan = plan_for({}, {tree(), tree()});
    EXPECT_EQ(planned(plan), kMembers);
    EXPECT_TRUE(plan.differences.empty());
}

TEST(Trees, ChoosingTheRootChoosesTheTree) {
    Inventory side = tree();
    for (std::size_t i = 1; i < 4; ++i) side.relations[i].selected = false;
    EXPECT_EQ(planned(plan_for({}, {side, side})), kMembers);
}

TEST(Trees, OtherMembersMakeItAWhole) {
    Inventory source = tree();
    source.relations.push_back(child(5, "d", 1));
    const Plan plan = plan_for({}, {source, tree()});
    EXPECT_EQ(planned(plan), std::vector<std::string>{"orders"});
    ASSERT_EQ(plan.differences.size(), 1u);
    EXPECT_EQ(plan.differences[0].severity, SchemaDifference::Severity::kNote);
    EXPECT_NE(plan.differences[0].message.find("public.d only on source"), std::string::npos);
}

TEST(Trees, OtherConstraintsMakeItAWhole) {
    Inventory source = tree();
    source.relations[1].checks = "CHECK ((id < 5))";
    const Plan plan = plan_for({}, {source, tree()});
    EXPECT_EQ(planned(plan), std::vector<std::string>{"orders"});
    EXPECT_NE(plan.differences.at(0).message.find("public.a with other CHECK constraints"), std::string::npos);
}

TEST(Trees, OwnColumnsOfAWholeAreComparedBesides) {
    Inventory source = tree(), target = tree();
    source.relations.push_back(child(5, "d", 1));
    for (Inventory* side : {&source, &target}) side->relations[2].has_own_columns = true;
    EXPECT_EQ(planned(plan_for({}, {source, target})), (std::vector<std::string>{"b alone", "c", "orders"}));
}

TEST(Trees, AConditionIsAboutTheWhole) {
    Options options;
    options.where = "id > 0";
    Inventory filtered = tree();
    for (RelationDesc& relation : filtered.relations) relation.filter = options.where;
    EXPECT_EQ(planned(plan_for(options, {filtered, filtered})), std::vector<std::string>{"orders"});
}

TEST(Trees, WhatCannotBeReadByItselfMakesItAWhole) {
    Inventory target = tree();
    target.relations[3].readable_by_itself = false;
    const Plan plan = plan_for({}, {tree(), target});
    EXPECT_EQ(planned(plan), std::vector<std::string>{"orders"});
    EXPECT_NE(plan.tables.at(0).notes.at(0).find("public.c on target cannot be read by itself"), std::string::npos);
}

TEST(Trees, ExcludedMembersAreLeftOut) {
    Inventory side = tree();
    side.relations[1].selected = false;
    side.relations[1].excluded = true;
    const Plan plan = plan_for({}, {side, side});
    EXPECT_EQ(planned(plan), (std::vector<std::string>{"b alone", "c", "orders alone"}));
    EXPECT_TRUE(plan.differences.empty());
    EXPECT_EQ(plan.not_compared.at(0), "tables left out by --exclude-table: 1 on source, 1 on target");
}

TEST(Trees, AChildOfTwoParentsIsComparedOnce) {
    Inventory side = tree();
    RelationDesc other = table(6, "other", {int_column("id")});
    side.relations.push_back(other);
    side.relations[3].parents = {3, 6};
    side.relations[3].ancestors = {3, 1, 6};
    EXPECT_EQ(planned(plan_for({}, {side, side})),
              (std::vector<std::string>{"a", "b alone", "c", "orders alone", "other alone"}));
}

TEST(Trees, ChildrenOfALoneParentArePairedByThemselves) {
    Inventory target = inventory({table(2, "a", {int_column("id"), text_column("note")}, {})});
    Inventory source = tree();
    source.relations.erase(source.relations.begin() + 2, source.relations.end());
    const Plan plan = plan_for({}, {source, target});
    EXPECT_EQ(planned(plan), std::vector<std::string>{"a"});
    ASSERT_EQ(plan.differences.size(), 1u);
    EXPECT_EQ(plan.differences[0].object, "public.orders");
}

TEST(Trees, AnotherParentIsANote) {
    Inventory target = tree();
    target.relations[3].parents = {1};
    target.relations[3].ancestors = {1};
    const Plan plan = plan_for({}, {tree(), target});
    EXPECT_EQ(plan.tables.size(), 4u);
    ASSERT_EQ(plan.differences.size(), 1u);
    EXPECT_EQ(plan.differences[0].message, "inherits from public.b on source, public.orders on target");
}

}  // namespace
}  // namespace parity::driver
