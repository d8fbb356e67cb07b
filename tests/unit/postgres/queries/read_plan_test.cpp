#include "driver/postgres/queries/read_plan.h"

#include <gtest/gtest.h>

#include <functional>

#include <nlohmann/json.hpp>

namespace parity::driver {
namespace {

using Json = nlohmann::ordered_json;

const PlanLeaf kTable{{"public", "t"}, true};

Json scan(const std::string& name, const std::string& alias, const std::vector<std::string>& output,
          const std::string& schema = "public") {
    return {{"Node Type", "Seq Scan"}, {"Parallel Aware", false}, {"Async Capable", false}, {"Relation Name", name},
            {"Schema", schema},        {"Alias", alias},          {"Output", output}};
}

Json member(Json node, const std::string& relationship = "Member") {
    node["Parent Relationship"] = relationship;
    return node;
}

Json append(const std::vector<Json>& children) {
    Json plans = Json::array();
    for (const Json& child : children) plans.push_back(member(child));
    return {{"Node Type", "Append"}, {"Parallel Aware", false}, {"Subplans Removed", 0}, {"Plans", plans}};
}

Json over(const std::string& type, const Json& child, const std::vector<std::string>& output) {
    Json node{{"Node Type", type}, {"Parallel Aware", false}, {"Output", output}};
    if (type == "Gather") {
        node["Workers Planned"] = 2;
        node["Single Copy"] = false;
    }
    node["Plans"] = Json::array({member(child, "Outer")});
    return node;
}

Json nothing(const std::vector<std::string>& output) {
    return {{"Node Type", "Result"}, {"Parallel Aware", false}, {"Output", output}, {"One-Time Filter", "false"}};
}

std::string explained(const Json& node) { return Json::array({{{"Plan", node}}}).dump(2); }

std::optional<std::string> judge(const Json& node, const std::vector<std::string>& columns = {"id", "v"},
                                 const std::vector<PlanLeaf>& leaves = {kTable}) {
    return why_not_plain(explained(node), {columns, leaves});
}

const Json kScan = scan("t", "t", {"\"id\"", "\"v\""});

// ---- plain ---------------------------------------------------------------------------------------------------

TEST(ReadPlan, AScanOfTheTableIsPlain) {
    EXPECT_EQ(judge(kScan), std::nullopt);
    EXPECT_EQ(judge(scan("t", "x", {"\"x\".\"id\"", "\"x\".\"v\""})), std::nullopt);
    EXPECT_EQ(judge(scan("T\"t", "a\"b", {"\"a\"\"b\".\"I\"\"d\""}, "S.s"), {"I\"d"}, {{{"S.s", "T\"t"}, true}}),
              std::nullopt);
}

TEST(ReadPlan, WhatEveryNodeMaySayIsKnown) {
    Json node = kScan;
    node["Disabled"] = false;
    EXPECT_EQ(judge(node), std::nullopt);
    EXPECT_EQ(why_not_plain(Json::array({{{"Plan", kScan}, {"Query Identifier", -5}}}).dump(), {{"id", "v"}, {kTable}}),
              std::nullopt);
}

TEST(ReadPlan, PartsAreScannedOnceEach) {
    const std::vector<PlanLeaf> leaves{{{"public", "p1"}, true}, {{"s", "p2"}, true}, {{"public", "empty"}, false}};
    const Json first = scan("p1", "p_1", {"\"p_1\".\"id\"", "\"p_1\".\"v\""});
    const Json second = scan("p2", "p_2", {"\"p_2\".\"id\"", "\"p_2\".\"v\""}, "s");
    const Json empty = scan("empty", "p_3", {"\"p_3\".\"id\"", "\"p_3\".\"v\""});
    const std::vector<std::string> output{"\"p\".\"id\"", "\"p\".\"v\""};
    const auto verdict = [&](const Json& node) { return judge(node, {"id", "v"}, leaves); };
    EXPECT_EQ(verdict(append({first, second})), std::nullopt);
    EXPECT_EQ(verdict(append({first, second, empty})), std::nullopt);
    EXPECT_EQ(verdict(append({append({first, empty}), second})), std::nullopt);
    EXPECT_EQ(verdict(over("Gather", append({first, second}), output)), std::nullopt);
    EXPECT_EQ(verdict(over("Result", append({first, second}), output)), std::nullopt);
    EXPECT_EQ(verdict(append({over("Gather", first, output), second})), std::nullopt);
    EXPECT_EQ(verdict(append({first})), "the server does not read s.p2 for it");
    EXPECT_EQ(verdict(append({first, second, first})), "the server reads public.p1 more than once");
    EXPECT_EQ(verdict(append({first, second, kScan})), "the server reads public.t for it");
}

TEST(ReadPlan, AResultThatIsNeverRunReadsNothing) {
    const Json empty = nothing({"\"id\"", "\"v\""});
    EXPECT_EQ(judge(empty, {"id", "v"}, {}), std::nullopt);
    EXPECT_EQ(judge(empty, {"id", "v"}, {{{"public", "t"}, false}}), std::nullopt);
    EXPECT_EQ(judge(empty), "the server does not read public.t for it");
}

// ---- rows of other relations ---------------------------------------------------------------------------------

TEST(ReadPlan, AnotherTableIsNotTheTable) {
    EXPECT_EQ(judge(scan("t", "t", {"\"id\"", "\"v\""}, "store")), "the server reads store.t for it");
    EXPECT_EQ(judge(scan("T", "t", {"\"id\"", "\"v\""})), "the server reads public.\"T\" for it");
}

TEST(ReadPlan, ANodeThatIsNotKnownIsNamed) {
    Json node = kScan;
    node["Node Type"] = "Custom Scan";
    EXPECT_EQ(judge(node), "the server reads it through Custom Scan");
    node["Custom Plan Provider"] = "ColumnarScan";
    EXPECT_EQ(judge(node), "the server reads it through Custom Scan (ColumnarScan)");
    for (const char* type : {"Index Scan",    "Index Only Scan", "Bitmap Heap Scan",
                             "Tid Scan",      "Tid Range Scan",  "Foreign Scan",
                             "Function Scan", "Values Scan",     "Subquery Scan",
                             "CTE Scan",      "Sample Scan",     "Sort",
                             "Limit",         "Hash Join",       "Aggregate",
                             "ProjectSet",    "Merge Append",    "Gather Merge",
                             "Materialize",   "seq scan",        ""}) {
        node = kScan;
        node["Node Type"] = type;
        EXPECT_TRUE(judge(node)) << type;
        EXPECT_TRUE(judge(over("Gather", node, {"\"id\"", "\"v\""}))) << type;
        EXPECT_TRUE(judge(append({kScan, node}))) << type;
    }
}

TEST(ReadPlan, AResultMayNotMakeRowsUp) {
    EXPECT_EQ(judge({{"Node Type", "Result"}, {"Output", {"\"id\"", "\"v\""}}}, {"id", "v"}, {}),
              "the server makes its rows up");
    Json node = over("Result", kScan, {"\"id\"", "\"v\""});
    EXPECT_EQ(judge(node), std::nullopt);
    node["One-Time Filter"] = "false";
    EXPECT_EQ(judge(node), "the server reads it with a condition (One-Time Filter)");
    node = nothing({"\"id\"", "\"v\""});
    node["One-Time Filter"] = "(current_user = 'x'::name)";
    EXPECT_EQ(judge(node, {"id", "v"}, {}), "the server reads it with a condition (One-Time Filter)");
    node["One-Time Filter"] = false;
    EXPECT_TRUE(judge(node, {"id", "v"}, {}));
}

// ---- conditions and what is not known --------------------------------------------------------------------------

TEST(ReadPlan, ConditionsFilter) {
    for (const char* name : {"Filter", "Index Cond", "Recheck Cond", "TID Cond", "Join Filter", "One-Time Filter"}) {
        Json node = kScan;
        node[name] = "(\"v\" > 0)";
        EXPECT_EQ(judge(node), std::string("the server reads it with a condition (") + name + ")");
        EXPECT_TRUE(judge(append({node})));
        EXPECT_TRUE(judge(over("Gather", node, {"\"id\"", "\"v\""})));
    }
    Json node = over("Gather", kScan, {"\"id\"", "\"v\""});
    node["Filter"] = "true";
    EXPECT_TRUE(judge(node));
}

TEST(ReadPlan, AMemberThatIsNotKnownIsNamed) {
    Json node = kScan;
    node["Sampling Method"] = "system";
    EXPECT_EQ(judge(node), "the server's plan says what is not known (Sampling Method)");
    node = append({kScan});
    node["Relation Name"] = "t";
    EXPECT_TRUE(judge(node));
    EXPECT_TRUE(why_not_plain(Json::array({{{"Plan", kScan}, {"Rewritten", true}}}).dump(), {{"id", "v"}, {kTable}}));
}

TEST(ReadPlan, OtherQueriesAreNoPartsOfAPlan) {
    for (const char* relationship : {"InitPlan", "SubPlan", "Subquery", "Inner", "Member"}) {
        Json node = kScan;
        node["Plans"] = Json::array({member(scan("s", "s", {"\"id\""}), relationship)});
        EXPECT_TRUE(judge(node)) << relationship;
        Json gather = over("Gather", kScan, {"\"id\"", "\"v\""});
        gather["Plans"].push_back(member(kScan, relationship));
        EXPECT_TRUE(judge(gather)) << relationship;
    }
    Json members = append({kScan});
    members["Plans"][0]["Parent Relationship"] = "InitPlan";
    EXPECT_EQ(judge(members), "the server reads it with the help of another query (InitPlan)");
    members["Plans"][0].erase("Parent Relationship");
    EXPECT_TRUE(judge(members));
}

TEST(ReadPlan, PartsMayNotBeLeftOut) {
    Json node = append({kScan});
    node["Subplans Removed"] = 1;
    EXPECT_EQ(judge(node), "the server leaves out parts of it");
}

// ---- columns -------------------------------------------------------------------------------------------------

TEST(ReadPlan, ColumnsArePlainOnes) {
    const auto of = [&](const std::string& expression) { return judge(scan("t", "t", {expression, "\"v\""})); };
    EXPECT_EQ(of("\"t\".\"id\""), std::nullopt);
    for (const char* expression : {"id", "\"v\"", "\"x\".\"id\"", "(\"id\")", "\"id\" + 1", "NULL::integer",
                                   "'x'::\"text\"", "$0", "true", "\"mask\"(\"id\")", "(\"id\")::\"text\"", "\"id\"\"",
                                   "\"t\".\"t\".\"id\"", "\"t\".*", "", " \"id\"", "\"public\".\"t\".\"id\""})
        EXPECT_EQ(of(expression), std::string("the server reads ") + expression + " in the place of column id");
    EXPECT_TRUE(judge(scan("t", "t", {"\"v\"", "\"id\""})));
    EXPECT_TRUE(judge(scan("t", "t", {"\"id\""})));
    EXPECT_TRUE(judge(scan("t", "t", {"\"id\"", "\"v\"", "\"w\""})));
    Json node = kScan;
    node.erase("Output");
    EXPECT_TRUE(judge(node));
    EXPECT_EQ(judge(node, {}), std::nullopt);
    node["Output"] = "\"id\", \"v\"";
    EXPECT_TRUE(judge(node));
    node["Output"] = {1, 2};
    EXPECT_TRUE(judge(node));
}

TEST(ReadPlan, ColumnsThatAreHandedOnArePlainOnes) {
    for (const char* type : {"Gather", "Result"}) {
        const auto of = [&](const std::string& expression) { return judge(over(type, kScan, {expression, "\"v\""})); };
        EXPECT_EQ(of("\"id\""), std::nullopt);
        EXPECT_EQ(of("\"t_1\".\"id\""), std::nullopt);
        EXPECT_EQ(of("\"t\"\"_\".\"id\""), std::nullopt);
        for (const char* expression : {"\"mask\"(\"t\".\"id\")", "\"f\"(\"a\").\"id\"", "(\"r\").\"id\"", ".\"id\"",
                                       "\"\".\"\".\"id\"", "x.\"id\"", "\"a\" + \"b\".\"id\"", "\"t.\"id\""})
            EXPECT_TRUE(of(expression)) << expression;
    }
}

// ---- what is no plan -----------------------------------------------------------------------------------------

TEST(ReadPlan, WhatIsNoPlanIsAReason) {
    const PlanQuestion question{{"id", "v"}, {kTable}};
    for (const char* text : {"", "null", "[]", "{}", "[null]", "[{}]", "[[]]", "[{\"Plan\": null}]", "[{\"Plan\": []}]",
                             "[{\"Plan\": {}}]", "[{\"Plan\": {\"Node Type\": 5}}]", "Seq Scan on t",
                             "[{\"Plan\": {\"Node Type\": \"Append\", \"Plans\": {}}}]",
                             "[{\"Plan\": {\"Node Type\": \"Append\", \"Plans\": [5]}}]",
                             "[{\"Plan\": {\"Node Type\": \"Gather\", \"Plans\": []}}]",
                             "[{\"Plan\": {\"Node Type\": \"Result\"}}]", "[{\"Plan\": {\"Node Type\": \"\\ud800\"}}]"})
        EXPECT_TRUE(why_not_plain(text, question)) << text;
    const std::string good = explained(kScan);
    EXPECT_EQ(why_not_plain(good, question), std::nullopt);
    for (std::size_t length = 0; length < good.size(); ++length)
        EXPECT_TRUE(why_not_plain(std::string_view(good).substr(0, length), question)) << length;
    EXPECT_TRUE(why_not_plain(good + good, question));
    EXPECT_TRUE(why_not_plain(Json::array({{{"Plan", kScan}}, {{"Plan", kScan}}}).dump(), question));
}

TEST(ReadPlan, NoMemberIsSaidTwice) {
    std::string text = explained(kScan);
    text.insert(text.find("\"Parallel Aware\""), "\"Node Type\": \"Seq Scan\", ");
    EXPECT_EQ(why_not_plain(text, {{"id", "v"}, {kTable}}), "the server's plan has a form that is not known");
}

TEST(ReadPlan, DepthIsNoDanger) {
    Json node = kScan;
    for (int i = 0; i < 100; ++i) node = over("Result", node, {"\"id\"", "\"v\""});
    EXPECT_TRUE(judge(node));
    EXPECT_TRUE(why_not_plain(std::string(100'000, '['), {{"id", "v"}, {kTable}}));
}

}  // namespace
}  // namespace parity::driver
