#include "driver/planning/plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/digest.h"
#include "tests/support/plan_fixtures.h"

namespace parity::driver {
namespace {

using namespace fixtures;
using Severity = SchemaDifference::Severity;
using Names = std::vector<std::string>;

Plan plan_of(std::vector<RelationDesc> source, std::vector<RelationDesc> target, const Options& options = {}) {
    return plan_for(options, {inventory(std::move(source)), inventory(std::move(target))});
}

Names source_names(const std::vector<ColumnPlan>& columns) {
    Names names;
    for (const ColumnPlan& entry : columns) names.push_back(entry.name.source);
    return names;
}

Names table_names(const Plan& plan) {
    Names names;
    for (const TablePlan& entry : plan.tables) names.push_back(entry.name.source.name + "=" + entry.name.target.name);
    return names;
}

/// "severity object: message" of all differences.
Names differences(const Plan& plan) {
    Names texts;
    for (const SchemaDifference& difference : plan.differences) {
        const char* severity = difference.severity == Severity::kNote ? "note" : "divergence";
        texts.push_back(std::string(severity) + " " + difference.object + ": " + difference.message);
    }
    return texts;
}

std::string skipped_reason(const Plan& plan) {
    EXPECT_EQ(plan.skipped_tables.size(), 1u);
    return plan.skipped_tables.empty() ? "" : plan.skipped_tables[0].second;
}

// ---- pairing -------------------------------------------------------------------------------------------------

TEST(Plan, PairsTablesOfOneNameLargestFirst) {
    RelationDesc small = table(1, "small", {int_column("id")}), big = table(2, "big", {int_column("id")});
    small.bytes = 10;
    big.bytes = 20;
    const Plan plan = plan_of({big, small}, {big, small});
    EXPECT_EQ(table_names(plan), (Names{"big=big", "small=small"}));
    EXPECT_TRUE(plan.differences.empty());
    EXPECT_TRUE(plan.skipped_tables.empty());
}

TEST(Plan, SaysWhichTablesOnlyOneSideHas) {
    const Plan plan =
        plan_of({orders(), table(2, "here", {int_column("id")})}, {orders(), table(3, "There", {int_column("id")})});
    EXPECT_EQ(differences(plan), (Names{"divergence public.here: table exists only on source",
                                        "divergence public.\"There\": table exists only on target"}));
}

TEST(Plan, DoesNotMissTablesThatAreExcludedOrUnselected) {
    RelationDesc excluded = table(2, "out", {int_column("id")});
    excluded.selected = false;
    excluded.excluded = true;
    const Plan plan = plan_of({orders(), excluded}, {orders()});
    EXPECT_TRUE(plan.differences.empty());
    EXPECT_EQ(plan.tables.size(), 1u);
}

TEST(Plan, PairsMappedTablesBeforeThoseOfTheTargetsName) {
    Options options;
    options.maps = {"orders=orders_v2"};
    const RelationDesc own = table(2, "orders_v2", {int_column("id")});
    const Plan plan =
        plan_of({orders(), own}, {table(5, "orders_v2", {int_column("id"), text_column("note")})}, options);
    EXPECT_EQ(table_names(plan), (Names{"orders=orders_v2"}));
    EXPECT_EQ(differences(plan), (Names{"divergence public.orders_v2: table exists only on source"}));
}

TEST(Plan, LeavesTheTargetsOldTableOutOfANamedSelection) {
    Options options;
    options.maps = {"orders=orders_v2"};
    options.tables = {"orders"};
    Both<Inventory> sides{inventory({orders()}),
                          inventory({orders(7), table(5, "orders_v2", {int_column("id"), text_column("note")})})};
    sides.source.table_patterns_matched = {true};
    EXPECT_TRUE(plan_for(options, sides).differences.empty());
    options.tables.clear();
    EXPECT_EQ(differences(plan_for(options, sides)), (Names{"divergence public.orders: table exists only on target"}));
}

TEST(Plan, RefusesMapsThatNameNothing) {
    Options options;
    options.maps = {"nonesuch=orders"};
    EXPECT_EQ(usage_error([&] { plan_of({orders()}, {orders()}, options); }),
              "no table matches --map \"nonesuch=orders\"");
    options.maps = {"orders=nonesuch"};
    EXPECT_EQ(usage_error([&] { plan_of({orders()}, {orders()}, options); }),
              "table public.nonesuch of --map \"orders=nonesuch\" does not exist on the target");
}

TEST(Plan, RefusesPatternsThatMatchNothing) {
    Options options;
    options.tables = {"orders", "nonesuch"};
    Both<Inventory> sides{inventory({orders()}), inventory({orders()})};
    sides.source.table_patterns_matched = {true, false};
    sides.target.table_patterns_matched = {true, false};
    EXPECT_EQ(usage_error([&] { plan_for(options, sides); }), "no table matches --table \"nonesuch\"");
    sides.target.table_patterns_matched = {false, true};
    EXPECT_EQ(plan_for(options, sides).tables.size(), 1u);
    EXPECT_TRUE(usage_error([] { plan_of({}, {}); }).starts_with("no table to compare: the source is database "));
}

TEST(Plan, ReachesPartitionsThroughTheirParent) {
    RelationDesc parent = orders(1), part = table(2, "orders_1", {int_column("id")});
    parent.relkind = 'p';
    part.is_partition = true;
    part.ancestors = {1};
    const Plan plan = plan_of({parent, part}, {parent, part});
    EXPECT_EQ(table_names(plan), (Names{"orders=orders"}));
    EXPECT_TRUE(plan.differences.empty());
}

TEST(Plan, PairsPartitionedWithPlain) {
    RelationDesc parent = orders(1), part = table(2, "orders_1", {int_column("id")});
    parent.relkind = 'p';
    part.is_partition = true;
    part.ancestors = {1};
    const Plan plan = plan_of({parent, part}, {orders(9)});
    EXPECT_EQ(table_names(plan), (Names{"orders=orders"}));
    EXPECT_EQ(differences(plan), (Names{"note public.orders: partitioned table on source, table on target"}));
}

TEST(Plan, PairsPartitionsWhoseParentIsExcluded) {
    RelationDesc parent = orders(1), part = table(2, "orders_1", {int_column("id")});
    parent.selected = false;
    parent.excluded = true;
    part.is_partition = true;
    part.ancestors = {1};
    EXPECT_EQ(table_names(plan_of({parent, part}, {parent, part})), (Names{"orders_1=orders_1"}));
}

TEST(Plan, PairsAPartitionWithAPlainTableOfItsName) {
    RelationDesc parent = orders(1), part = table(2, "orders_1", {int_column("id")});
    parent.relkind = 'p';
    part.is_partition = true;
    part.ancestors = {1};
    const Plan plan = plan_of({parent, part}, {orders(8), table(9, "orders_1", {int_column("id")})});
    EXPECT_EQ(table_names(plan), (Names{"orders=orders", "orders_1=orders_1"}));
}

TEST(Plan, SaysThatAnExcludedPartitionIsComparedWithItsParent) {
    RelationDesc parent = orders(1), part = table(2, "orders_1", {int_column("id")});
    parent.relkind = 'p';
    part.is_partition = true;
    part.ancestors = {1};
    part.selected = false;
    part.excluded = true;
    EXPECT_EQ(differences(plan_of({parent, part}, {parent})),
              (Names{"note public.orders_1: excluded, but compared on source as a part of public.orders"}));
}

/// The sentence about excluded tables; empty: none.
std::string left_out(const std::vector<RelationDesc>& source, const std::vector<RelationDesc>& target = {orders(90)}) {
    for (const std::string& sentence : plan_of(source, target).not_compared)
        if (sentence.starts_with("tables left out by --exclude-table: ")) return sentence.substr(36);
    return {};
}

TEST(Plan, CountsExcludedTables) {
    RelationDesc out = table(2, "out", {int_column("id")});
    out.selected = false;
    EXPECT_EQ(left_out({orders(), out}), "");
    out.excluded = true;
    EXPECT_EQ(left_out({orders(), out}), "1 on source, 0 on target");
    for (const char kind : {'v', 'f'}) {
        out.relkind = kind;
        EXPECT_EQ(left_out({orders(), out}), "") << "compared only when named";
        out.named = true;
        EXPECT_EQ(left_out({orders(), out}), "1 on source, 0 on target");
        out.named = false;
    }
}

/// A partition is no table of its own, unless its parent is divided between what is compared and what is not.
TEST(Plan, CountsExcludedPartitionsWithTheirParent) {
    RelationDesc parent = table(1, "log", {int_column("id")});
    parent.relkind = 'p';
    const auto part = [](std::uint32_t oid, bool excluded) {
        RelationDesc made = table(oid, "log_" + std::to_string(oid), {int_column("id")});
        made.is_partition = true;
        made.ancestors = {1};
        made.selected = !excluded;
        made.excluded = excluded;
        return made;
    };
    const std::vector<RelationDesc> with_parent{orders(9), parent, part(2, true), part(3, false)};
    EXPECT_EQ(left_out(with_parent, with_parent), "") << "compared with the parent";
    EXPECT_EQ(left_out(with_parent), "1 on source, 0 on target") << "the parent is on one side only";
    parent.selected = false;
    parent.excluded = true;
    EXPECT_EQ(left_out({orders(9), parent, part(2, true), part(3, true)}), "1 on source, 0 on target");
    EXPECT_EQ(left_out({orders(9), parent, part(2, false), part(3, false)}), "") << "all partitions are compared";
    EXPECT_EQ(left_out({orders(9), parent, part(2, true), part(3, false)}), "1 on source, 0 on target");
    RelationDesc foreign = part(2, false);
    foreign.relkind = 'f';
    EXPECT_EQ(left_out({orders(9), parent, foreign}), "1 on source, 0 on target") << "it is compared only when named";
}

TEST(Plan, TakesViewsAndForeignTablesOnlyWhenNamed) {
    for (char kind : {'v', 'f'}) {
        RelationDesc view = table(2, "w", {int_column("id")});
        view.relkind = kind;
        EXPECT_EQ(table_names(plan_of({orders(), view}, {orders(), view})), (Names{"orders=orders"}));
        view.named = true;
        EXPECT_EQ(plan_of({view}, {view}).tables.at(0).path.source, kind == 'v' ? "aggregate" : "scan");
    }
}

TEST(Plan, DoesNotReadAViewThatStandsForATable) {
    RelationDesc view = orders();
    view.relkind = 'v';
    const Plan plan = plan_of({orders()}, {view});
    EXPECT_TRUE(plan.tables.empty());
    EXPECT_NE(skipped_reason(plan).find("it is a view on target"), std::string::npos);
    EXPECT_NE(skipped_reason(plan_of({view}, {orders()})).find("it is a view on source"), std::string::npos);
}

// ---- what cannot be compared ----------------------------------------------------------------------------------

TEST(Plan, SkipsTablesThatCannotBeReadWhole) {
    RelationDesc changed = orders();
    changed.populated = false;
    EXPECT_EQ(skipped_reason(plan_of({orders()}, {changed})),
              "it is a materialized view that is not populated on target");
    changed = orders();
    changed.locked = true;
    EXPECT_EQ(skipped_reason(plan_of({changed}, {orders()})), "it is locked by another session on source");
    changed = orders();
    changed.readable = false;
    changed.unreadable_columns = {"id", "note"};
    EXPECT_EQ(skipped_reason(plan_of({orders()}, {changed})), "no SELECT privilege on target");
    changed = orders();
    changed.foreign_parts = true;
    EXPECT_NE(skipped_reason(plan_of({orders()}, {changed})).find("foreign tables as parts on target"),
              std::string::npos);
    changed.named = true;
    EXPECT_EQ(plan_of({orders()}, {changed}).tables.at(0).path.target, "aggregate");
}

TEST(Plan, SkipsRowSecurityUnlessEnabled) {
    RelationDesc secured = orders();
    secured.row_security_active = true;
    EXPECT_NE(skipped_reason(plan_of({orders()}, {secured})).find("--enable-row-security"), std::string::npos);
    Options options;
    options.enable_row_security = true;
    const TablePlan plan = plan_of({orders()}, {secured}, options).tables.at(0);
    EXPECT_TRUE(plan.visible_rows_only);
    EXPECT_EQ(plan.path.source, "scan");
    EXPECT_EQ(plan.path.target, "aggregate");
}

TEST(Plan, SkipsUnreadableColumnsAloud) {
    RelationDesc partly = orders();
    partly.unreadable_columns = {"note"};
    partly.readable = false;
    const TablePlan plan = plan_of({orders()}, {partly}).tables.at(0);
    EXPECT_TRUE(plan.columns.empty());
    EXPECT_EQ(plan.skipped, (Names{"column note: no SELECT privilege on target"}));
    Options options;
    options.exclude_columns = {"note"};
    EXPECT_TRUE(plan_of({orders()}, {partly}, options).tables.at(0).skipped.empty());
}

TEST(Plan, SkipsATableWithoutComparableColumns) {
    const RelationDesc odd = table(1, "odd", {column("p", "point", "")}, {});
    EXPECT_EQ(skipped_reason(plan_of({odd}, {odd})), "it has no columns that can be compared");
}

// ---- columns -------------------------------------------------------------------------------------------------

TEST(Plan, OrdersColumnsByTheSourcesNamesAndPairsByName) {
    const RelationDesc source = table(1, "t", {text_column("b"), int_column("id"), text_column("B"), text_column("a")});
    const RelationDesc target = table(2, "t", {text_column("a"), text_column("B"), text_column("b"), int_column("id")});
    const TablePlan plan = plan_of({source}, {target}).tables.at(0);
    EXPECT_EQ(source_names(plan.columns), (Names{"B", "a", "b"}));
    EXPECT_EQ(source_names(plan.key), (Names{"id"}));
    EXPECT_TRUE(plan.key.at(0).in_key);
}

TEST(Plan, ReportsColumnsThatOneSideHas) {
    const RelationDesc source = table(1, "t", {int_column("id"), text_column("x")});
    const RelationDesc target = table(2, "t", {int_column("id"), text_column("y")});
    EXPECT_EQ(differences(plan_of({source}, {target})), (Names{"divergence public.t.x: column exists only on source",
                                                               "divergence public.t.y: column exists only on target"}));
    Options options;
    options.exclude_columns = {"x,y"};
    EXPECT_TRUE(plan_of({source}, {target}, options).differences.empty());
    options.exclude_columns.clear();
    options.columns = {"id"};
    EXPECT_TRUE(plan_of({source}, {target}, options).differences.empty());
}

TEST(Plan, GivesTheServersReasonForAnIncomparableType) {
    ColumnDesc vector = column("v", "tsvector", "");
    EXPECT_EQ(plan_of({table(1, "t", {int_column("id"), vector})}, {table(2, "t", {int_column("id"), vector})})
                  .tables.at(0)
                  .skipped,
              (Names{"column v: type tsvector is not comparable"}));
    vector.reason = "type tsvector has no form yet";
    EXPECT_EQ(plan_of({table(1, "t", {int_column("id"), vector})}, {table(2, "t", {int_column("id"), vector})})
                  .tables.at(0)
                  .skipped,
              (Names{"column v: type tsvector has no form yet"}));
}

TEST(Plan, NotesDifferencesThatDoNotTouchTheData) {
    ColumnDesc strict = text_column("v");
    strict.not_null = true;
    strict.type = "character varying(10)";
    strict.collation = "C";
    strict.generated = "s";
    const Plan plan =
        plan_of({table(1, "t", {int_column("id"), strict})}, {table(2, "t", {int_column("id"), text_column("v")})});
    EXPECT_EQ(differences(plan), (Names{"note public.t.v: type character varying(10) on source, text on target",
                                        "note public.t.v: nullability not null on source, nullable on target",
                                        "note public.t.v: collation C on source, default on target",
                                        "note public.t.v: generated: yes on source, no on target"}));
}

TEST(Plan, ComparesOnlyTheColumnsAskedFor) {
    const RelationDesc both = table(1, "t", {int_column("id"), text_column("a"), text_column("b"), text_column("c")});
    const RelationDesc other = table(2, "u", {int_column("id"), text_column("a"), text_column("b")});
    Options options;
    options.columns = {"t.a,b"};
    const Plan plan = plan_of({both, other}, {both, other}, options);
    for (const TablePlan& entry : plan.tables) {
        EXPECT_EQ(source_names(entry.columns), entry.name.source.name == "t" ? (Names{"a"}) : (Names{"b"}))
            << entry.name.source.name;
    }
    options.columns = {"a", "b"};
    options.exclude_columns = {"public.t.b"};
    EXPECT_EQ(source_names(plan_of({both}, {both}, options).tables.at(0).columns), (Names{"a"}));
}

TEST(Plan, MapsColumns) {
    Options options;
    options.map_columns = {"orders.note=remark", "id=order_id"};
    const RelationDesc target = table(2, "orders", {int_column("order_id"), text_column("remark")}, {"order_id"});
    const TablePlan plan = plan_of({orders()}, {target}, options).tables.at(0);
    EXPECT_EQ(plan.key.at(0).name.target, "order_id");
    EXPECT_TRUE(plan.key_proven);
    EXPECT_EQ(plan.columns.at(0).name.target, "remark");
}

TEST(Plan, RefusesColumnsThatDoNotExist) {
    const auto refusal = [](Names Options::*option, const std::string& value) {
        Options options;
        options.*option = {value};
        return usage_error([&] { plan_of({orders()}, {orders()}, options); });
    };
    EXPECT_EQ(refusal(&Options::columns, "nonesuch"), "no chosen table has what --columns \"nonesuch\" names");
    EXPECT_EQ(refusal(&Options::exclude_columns, "orders.nonesuch"),
              "no chosen table has what --exclude-columns \"orders.nonesuch\" names");
    EXPECT_EQ(refusal(&Options::map_columns, "nonesuch=note"),
              "no chosen table has what --map-column \"nonesuch=note\" names");
    EXPECT_EQ(refusal(&Options::map_columns, "note=nonesuch"),
              "no chosen table has what --map-column \"note=nonesuch\" names");
    EXPECT_EQ(refusal(&Options::keys, "nonesuch"), "no chosen table has what --key \"nonesuch\" names");
    EXPECT_EQ(refusal(&Options::keys, "nonesuch=id"), "no chosen table has what --key \"nonesuch=id\" names");
    EXPECT_EQ(refusal(&Options::keys, "orders=id,gone"),
              "column \"gone\" of --key \"orders=id,gone\" does not exist in public.orders on the source");
}

TEST(Plan, AcceptsOptionsAboutTablesThatAreNotChosen) {
    RelationDesc other = table(2, "other", {});
    other.selected = false;
    Options options;
    options.exclude_columns = {"other.x"};
    options.keys = {"public.other=y"};
    EXPECT_EQ(plan_of({orders(), other}, {orders()}, options).tables.size(), 1u);
}

// ---- keys ----------------------------------------------------------------------------------------------------

TEST(Plan, UsesTheSourcesKeyAndSaysWhetherBothProveIt) {
    EXPECT_TRUE(plan_of({orders()}, {orders()}).tables.at(0).key_proven);
    RelationDesc keyless = orders();
    keyless.key = {};
    const Plan plan = plan_of({orders()}, {keyless});
    EXPECT_EQ(source_names(plan.tables.at(0).key), (Names{"id"}));
    EXPECT_FALSE(plan.tables.at(0).key_proven);
    EXPECT_EQ(differences(plan), (Names{"note public.orders: key (id) on source, none on target"}));
}

TEST(Plan, UsesTheTargetsKeyWhereTheSourceHasNone) {
    RelationDesc keyless = orders();
    keyless.key = {};
    const TablePlan plan = plan_of({keyless}, {orders()}).tables.at(0);
    EXPECT_EQ(source_names(plan.key), (Names{"id"}));
    EXPECT_FALSE(plan.key_proven);
}

TEST(Plan, ProvesAKeyInWhateverOrderOfItsColumns) {
    const auto two = [](Names key) {
        return table(1, "t", {int_column("a"), int_column("b"), int_column("c")}, std::move(key));
    };
    const TablePlan plan = plan_of({two({"b", "a"})}, {two({"a", "b"})}).tables.at(0);
    EXPECT_EQ(source_names(plan.key), (Names{"b", "a"}));
    EXPECT_TRUE(plan.key_proven);
    EXPECT_FALSE(plan_of({two({"a", "b"})}, {two({"a"})}).tables.at(0).key_proven);
}

TEST(Plan, ComparesWithoutAKeyWhereThereIsNone) {
    const RelationDesc keyless = table(1, "t", {int_column("a"), text_column("b")}, {});
    const TablePlan plan = plan_of({keyless}, {keyless}).tables.at(0);
    EXPECT_TRUE(plan.key.empty());
    EXPECT_EQ(source_names(plan.columns), (Names{"a", "b"}));
}

TEST(Plan, TakesTheKeyThatTheUserGives) {
    const RelationDesc two = table(1, "t", {int_column("id"), int_column("k")});
    Options options;
    options.keys = {"k"};
    TablePlan plan = plan_of({two}, {two}, options).tables.at(0);
    EXPECT_EQ(source_names(plan.key), (Names{"k"}));
    EXPECT_FALSE(plan.key_proven);
    EXPECT_EQ(source_names(plan.columns), (Names{"id"}));
    options.keys = {"k", "t=id"};
    plan = plan_of({two}, {two}, options).tables.at(0);
    EXPECT_EQ(source_names(plan.key), (Names{"id"}));
    EXPECT_TRUE(plan.key_proven);
}

TEST(Plan, DoesNotGiveUpAGivenKeySilently) {
    const RelationDesc source = table(1, "t", {int_column("id"), text_column("k")});
    const RelationDesc target = table(2, "t", {int_column("id"), int_column("k")});
    Options options;
    options.keys = {"t=k"};
    EXPECT_EQ(skipped_reason(plan_of({source}, {target}, options)), "column k of --key \"t=k\" cannot be compared");
}

TEST(Plan, ComparesWithoutAKeyThatIsNotComparableAndSaysSo) {
    const RelationDesc source = table(1, "t", {int_column("id"), text_column("v")});
    const RelationDesc target = table(2, "t", {text_column("id"), text_column("v")});
    const Plan plan = plan_of({source}, {target});
    EXPECT_TRUE(plan.tables.at(0).key.empty());
    EXPECT_EQ(plan.tables.at(0).skipped.size(), 1u);
    EXPECT_EQ(differences(plan).at(0),
              "note public.t: key (id) on source cannot be used; rows are compared without a key");
}

TEST(Plan, AnExcludedColumnIsNoKey) {
    Options options;
    options.exclude_columns = {"id"};
    const TablePlan plan = plan_of({orders()}, {orders()}, options).tables.at(0);
    EXPECT_TRUE(plan.key.empty());
    EXPECT_EQ(source_names(plan.columns), (Names{"note"}));
}

// ---- ranges and paths ------------------------------------------------------------------------------------------

TEST(Plan, RefusesMoreRangesThanMemoryAllows) {
    Options options;
    options.ranges = 7;
    EXPECT_EQ(plan_of({orders()}, {orders()}, options).tables.at(0).ranges, 7);
    options.ranges = 2000000000;
    EXPECT_EQ(usage_error([&] { plan_of({orders()}, {orders()}, options); }),
              "--ranges 2000000000 is too many for public.orders: the digests of 3 columns would not fit into 64 MB");
}

TEST(Plan, EstimatesTheLargerSide) {
    RelationDesc larger = orders();
    larger.estimated_rows = 2500000;
    larger.bytes = 350000000;
    const TablePlan plan = plan_of({orders()}, {larger}).tables.at(0);
    EXPECT_EQ(plan.estimated_rows, 2500000);
    EXPECT_EQ(plan.estimated_bytes, 350000000);
    EXPECT_EQ(plan.ranges, 2000);
}

TEST(Plan, AWhereConditionTakesTheAggregatePath) {
    RelationDesc filtered = orders();
    filtered.filter = "id > 3";
    Options options;
    options.where = filtered.filter;
    const TablePlan plan = plan_of({filtered}, {filtered}, options).tables.at(0);
    EXPECT_EQ(plan.where, "id > 3");
    EXPECT_EQ(plan.path.source, "aggregate");
}

/// Whether a plan says what the condition of the run leaves out.
bool tells_condition(const Plan& plan) {
    const auto& told = plan.not_compared;
    return std::find(told.begin(), told.end(), "rows without id > 3 (option where)") != told.end();
}

TEST(Plan, TellsTheConditionOfTheRunOnlyOfTablesUnderIt) {
    Options options;
    options.where = "id > 3";
    RelationDesc under = orders(), own = table(2, "own", {int_column("id")}), extension = own;
    under.filter = options.where;
    own.filter = "id > 5";
    extension.extension = "postgis";
    extension.filter = options.where;
    EXPECT_TRUE(tells_condition(plan_of({under, own}, {under, own}, options)));
    const Plan without = plan_of({own}, {own}, options);
    EXPECT_FALSE(tells_condition(without));
    EXPECT_EQ(without.not_compared.at(0), "rows of public.own without id > 5 (configuration file)");
    EXPECT_FALSE(tells_condition(plan_of({own, extension}, {own, extension}, options)));
    EXPECT_FALSE(tells_condition(plan_of({orders()}, {orders()})));
}

// ---- sequences -----------------------------------------------------------------------------------------------

SequenceDesc sequence(std::string name, std::vector<std::uint32_t> users = {}, std::string owner = {}) {
    SequenceDesc made;
    made.name = {"public", std::move(name)};
    made.users = std::move(users);
    made.selected = true;
    made.definition = "bigint";
    if (!owner.empty()) made.owner = {"public", std::move(owner)};
    return made;
}

Names sequence_names(const Plan& plan) {
    Names names;
    for (const auto& pair : plan.sequences) names.push_back(pair.source.name.name + "=" + pair.target.name.name);
    return names;
}

TEST(Plan, PairsSequencesByName) {
    Both<Inventory> sides{inventory({orders()}), inventory({orders()})};
    sides.source.sequences = {sequence("a"), sequence("b")};
    sides.target.sequences = {sequence("b"), sequence("c")};
    sides.target.sequences[0].definition = "integer";
    const Plan plan = plan_for({}, sides);
    EXPECT_EQ(sequence_names(plan), (Names{"b=b"}));
    EXPECT_EQ(differences(plan), (Names{"note public.b: sequence bigint on source, integer on target",
                                        "divergence public.a: sequence exists only on source",
                                        "divergence public.c: sequence exists only on target"}));
    Options options;
    options.sequences = false;
    EXPECT_TRUE(plan_for(options, sides).sequences.empty());
}

TEST(Plan, PairsSequencesOfRenamedTables) {
    Options options;
    options.maps = {"orders=purchases"};
    Both<Inventory> sides{inventory({orders(1)}),
                          inventory({table(2, "purchases", {int_column("id"), text_column("note")})})};
    sides.source.sequences = {sequence("orders_id_seq", {1}, "orders")};
    sides.target.sequences = {sequence("purchases_id_seq", {2}, "purchases")};
    EXPECT_EQ(sequence_names(plan_for(options, sides)), (Names{"orders_id_seq=purchases_id_seq"}));
}

TEST(Plan, TakesOnlyTheSequencesOfChosenTables) {
    Options options;
    options.tables = {"orders"};
    Both<Inventory> sides{inventory({orders(1)}), inventory({orders(1)})};
    sides.source.table_patterns_matched = {true};
    sides.source.sequences = {sequence("free"), sequence("others", {99}), sequence("used", {1})};
    sides.target.sequences = sides.source.sequences;
    EXPECT_EQ(sequence_names(plan_for(options, sides)), (Names{"used=used"}));
    options.tables.clear();
    EXPECT_EQ(sequence_names(plan_for(options, sides)), (Names{"free=free", "used=used"}));
}

TEST(Plan, SaysWhatIsNeverCompared) {
    Both<Inventory> sides{inventory({orders()}), inventory({orders()})};
    sides.source.other_objects = {{"view", 12}, {"policy", 1}};
    sides.target.other_objects = {{"view", 11}};
    const Names sentences = plan_for({}, sides).not_compared;
    ASSERT_EQ(sentences.size(), 3u);
    EXPECT_EQ(sentences[0], "policies: 1 on source, 0 on target");
    EXPECT_EQ(sentences[1], "views: 12 on source, 11 on target (compared only when named)");
}

// ---- servers -------------------------------------------------------------------------------------------------

ServerInfo server(std::string identifier, std::int64_t started_us, std::uint32_t database_oid) {
    ServerInfo made;
    made.identity.system_identifier = std::move(identifier);
    made.identity.started_us = started_us;
    made.identity.database_oid = database_oid;
    made.database = "shop";
    made.format_version = core::kFormatVersion;
    made.extension_version = "1.0";
    return made;
}

TEST(CheckServers, RefusesOneDatabaseTwice) {
    const ServerInfo one = server("7", 101, 5);
    EXPECT_EQ(usage_error([&] {
                  check_servers({}, {one, one});
              }),
              "source and target are the same database \"shop\" of the same server");
    usage_error([&] { check_servers({}, {one, server("", 101, 5)}); });
    Options allowed;
    allowed.allow_same_server = true;
    EXPECT_NO_THROW(check_servers(allowed, {one, one}));
}

TEST(CheckServers, AllowsStandbysOtherDatabasesAndOtherServers) {
    const ServerInfo one = server("7", 101, 5);
    EXPECT_NO_THROW(check_servers({}, {one, server("7", 102, 5)}));
    EXPECT_NO_THROW(check_servers({}, {one, server("7", 101, 6)}));
    EXPECT_NO_THROW(check_servers({}, {one, server("8", 101, 5)}));
}

TEST(CheckServers, RefusesAnotherDigestFormat) {
    ServerInfo newer = server("8", 101, 5);
    newer.format_version = core::kFormatVersion + 1;
    newer.extension_version = "9.0";
    EXPECT_EQ(usage_error([&] {
                  check_servers({}, {server("7", 101, 5), newer});
              }),
              "pg_parity 9.0 on the target has digest format 2, this pgparity has 1");
}

}  // namespace
}  // namespace parity::driver
