#include "driver/planning/form_choice.h"

#include <gtest/gtest.h>

#include "driver/model/error.h"
#include "driver/model/options.h"
#include "driver/model/plan.h"
#include "driver/options/form_name.h"
#include "driver/planning/plan.h"
#include "tests/support/plan_fixtures.h"

namespace parity::driver {
namespace {

using namespace fixtures;

ColumnDesc typed(std::string type, std::vector<std::string> forms, std::vector<std::string> lossy = {}) {
    ColumnDesc made = column("v", std::move(type), forms.empty() ? "" : forms.front());
    if (!forms.empty()) made.other_forms.assign(forms.begin() + 1, forms.end());
    made.lossy_forms = std::move(lossy);
    return made;
}

const ColumnDesc kInteger = typed("integer", {"int", "decimal"});
const ColumnDesc kNumeric = typed("numeric(10,2)", {"decimal"});
const ColumnDesc kReal = typed("real", {"float", "float4"});
const ColumnDesc kDouble = typed("double precision", {"float"}, {"float4"});
const ColumnDesc kText = typed("text", {"text"}, {"trimmed", "uuid", "json"});
const ColumnDesc kUuid = typed("uuid", {"uuid", "text"});
const ColumnDesc kJson = typed("json", {"text", "json"});
const ColumnDesc kJsonb = typed("jsonb", {"json", "jsonb_raw"});
const ColumnDesc kReading = typed("timestamp without time zone", {"timestamp"}, {"timestamptz@zone"});
const ColumnDesc kInstant = typed("timestamp with time zone", {"timestamptz"}, {"timestamp@zone"});
const ColumnDesc kHstore = typed("public.hstore", {"hstore"});

std::string form(const ColumnDesc& source, const ColumnDesc& target) { return default_form(source, target).form; }
std::string reason(const ColumnDesc& source, const ColumnDesc& target) { return default_form(source, target).reason; }

TEST(FormChoice, TakesTheFirstFormInCommon) {
    EXPECT_EQ(form(kInteger, kInteger), "int");
    EXPECT_EQ(form(kInteger, kNumeric), "decimal");
    EXPECT_EQ(form(kNumeric, kInteger), "decimal");
    EXPECT_EQ(form(kJson, kJsonb), "json");
    EXPECT_EQ(form(kJsonb, kJson), "json");
    EXPECT_EQ(form(kJson, kJson), "text");
    EXPECT_EQ(form(kText, kUuid), "text");
    EXPECT_EQ(form(kUuid, kText), "text");
    EXPECT_EQ(form(typed("uuid[]", {"uuid[]", "text[]"}), typed("text[]", {"text[]"}, {"trimmed[]"})), "text[]");
    EXPECT_EQ(form(kReal, kReal), "float");
    EXPECT_FALSE(default_form(kText, kUuid).lossy);
}

TEST(FormChoice, NeverComparesStoredTrees) {
    const ColumnDesc raw = typed("jsonb", {"jsonb_raw"});
    EXPECT_EQ(reason(raw, raw), "types jsonb on source and jsonb on target have no form in common");
}

TEST(FormChoice, LeavesTheChoiceBetweenWidenedAndRoundedToTheUser) {
    EXPECT_EQ(reason(kReal, kDouble),
              "types real on source and double precision on target hold other numbers for the same decimal one; "
              "--form v=float compares them as they are, --form v=float4 ignores digits beyond single precision");
    EXPECT_EQ(form(typed("real[]", {"float[]", "float4[]"}), typed("double precision[]", {"float[]"}, {"float4[]"})),
              "");
    EXPECT_EQ(form(typed("f", {"range<float>", "range<float4>"}), typed("g", {"range<float>"}, {"range<float4>"})), "");
}

TEST(FormChoice, SaysWhatCouldBeAskedFor) {
    EXPECT_EQ(reason(kUuid, kInteger), "types uuid on source and integer on target have no form in common");
    EXPECT_EQ(
        reason(kText, kJsonb),
        "types text on source and jsonb on target have no form in common; --form v=json ignores white space, the order "
        "and repetition of members and how values are written");
    const std::string zones = reason(kReading, kInstant);
    EXPECT_NE(zones.find("--form v=timestamptz@zone takes"), std::string::npos) << zones;
    EXPECT_NE(zones.find("--form v=timestamp@zone takes"), std::string::npos) << zones;
    EXPECT_NE(reason(kHstore, kJsonb).find("compare a view that casts the hstore"), std::string::npos);
    EXPECT_NE(reason(kJsonb, kHstore).find("compare a view that casts the hstore"), std::string::npos);
}

TEST(FormChoice, AsksTheSideWithoutAZoneAlone) {
    const std::string berlin = "timestamptz@Europe/Berlin";
    FormChoice choice = asked_form_of("--form", berlin, kReading, kInstant);
    EXPECT_EQ(choice.form, "timestamptz");
    EXPECT_EQ(choice.asked_forms.source, berlin);
    EXPECT_EQ(choice.asked_forms.target, "");
    EXPECT_TRUE(choice.lossy);
    choice = asked_form_of("--form", "timestamp@Asia/Kolkata", kReading, kInstant);
    EXPECT_EQ(choice.form, "timestamp");
    EXPECT_EQ(choice.asked_forms.source, "");
    EXPECT_EQ(choice.asked_forms.target, "timestamp@Asia/Kolkata");
    choice = asked_form_of("--form", "timestamptz@UTC[]", typed("timestamp[]", {"timestamp[]"}, {"timestamptz@zone[]"}),
                           typed("timestamptz[]", {"timestamptz[]"}));
    EXPECT_EQ(choice.form, "timestamptz[]");
    EXPECT_EQ(choice.asked_forms.source, "timestamptz@UTC[]");
}

TEST(FormChoice, IsLossyWhereOneSideIs) {
    EXPECT_TRUE(asked_form_of("--form", "float4", kReal, kDouble).lossy);
    EXPECT_FALSE(asked_form_of("--form", "float4", kReal, kReal).lossy);
    EXPECT_FALSE(asked_form_of("--form", "float", kReal, kDouble).lossy);
    EXPECT_TRUE(asked_form_of("--form", "uuid", kUuid, kText).lossy);
}

TEST(FormChoice, RefusesWhatASideDoesNotHave) {
    EXPECT_EQ(usage_error([] { asked_form_of("--form \"t.v=json\"", "json", kText, kUuid); }),
              "column v of type uuid on target has no form \"json\", which --form \"t.v=json\" asks for");
    EXPECT_EQ(
        usage_error([] { asked_form_of("--form", "timestamptz", kReading, kInstant); }),
        "column v of type timestamp without time zone on source has no form \"timestamptz\", which --form asks for");
    EXPECT_EQ(usage_error([] { asked_form_of("--form", "jsonb_raw", kJsonb, kJsonb); }),
              "column v of type jsonb on source has no form \"jsonb_raw\", which --form asks for");
    try {
        asked_form_of("--form", "json", kUuid, kText);
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_EQ(error.hint(), "its forms are uuid, text");
    }
}

TEST(FormChoice, ZonesAreNoPartOfTheFormsName) {
    EXPECT_EQ(without_zones("timestamptz@Europe/Berlin"), "timestamptz");
    EXPECT_EQ(without_zones("range<timestamptz@America/Port-au-Prince>[]"), "range<timestamptz>[]");
    EXPECT_EQ(without_zones("text"), "text");
    EXPECT_EQ(zone_of("range<timestamptz@America/Port-au-Prince>[]"), "America/Port-au-Prince");
    EXPECT_EQ(zone_of("text"), "");
}

// ---- in a plan -------------------------------------------------------------------------------------------------

Plan plan_with(const Options& options, const ColumnDesc& source, const ColumnDesc& target) {
    const Both<Inventory> sides{inventory({table(1, "t", {int_column("id"), source}, {"id"})}),
                                inventory({table(2, "t", {int_column("id"), target}, {"id"})})};
    return plan_for(options, sides);
}

Options with_forms(std::vector<std::string> forms) {
    Options options;
    options.forms = std::move(forms);
    return options;
}

TEST(FormChoice, OfSeveralOptionsTheMostSpecificOneDecides) {
    for (const auto& forms :
         {std::vector<std::string>{"v=text", "public.t.v=uuid", "t.v=trimmed"}, {"public.t.v=uuid"}}) {
        EXPECT_EQ(plan_with(with_forms(forms), kText, kText).tables.at(0).columns.at(0).form, "uuid");
    }
}

TEST(FormChoice, ALossyFormIsNotedInThePlan) {
    const Plan plan = plan_with(with_forms({"v=timestamptz@Europe/Berlin"}), kReading, kInstant);
    EXPECT_EQ(plan.tables.at(0).notes,
              std::vector<std::string>{"column v is compared as timestamptz@Europe/Berlin, which takes what a clock in "
                                       "Europe/Berlin shows for the instant, and readings that it skips for others"});
    EXPECT_TRUE(plan.tables.at(0).skipped.empty());
    EXPECT_EQ(plan_with(with_forms({"v=decimal"}), kInteger, kInteger).tables.at(0).notes,
              std::vector<std::string>{"column v is compared as decimal"});
    EXPECT_TRUE(plan_with({}, kText, kUuid).tables.at(0).notes.empty());
}

TEST(FormChoice, TypesThatDifferAreNotedWithTheForm) {
    EXPECT_EQ(plan_with({}, kInteger, kNumeric).differences.at(0).message,
              "type integer on source, numeric(10,2) on target; compared as decimal");
    EXPECT_EQ(plan_with({}, kInteger, typed("bigint", {"int", "decimal"})).differences.at(0).message,
              "type integer on source, bigint on target");
}

TEST(FormChoice, AKeyUnderALossyFormProvesNothing) {
    ColumnDesc id = kText;
    id.name = "id";
    const Both<Inventory> sides{inventory({table(1, "t", {id}, {"id"})}), inventory({table(2, "t", {id}, {"id"})})};
    EXPECT_TRUE(plan_for({}, sides).tables.at(0).key_proven);
    EXPECT_FALSE(plan_for(with_forms({"id=trimmed"}), sides).tables.at(0).key_proven);
}

TEST(FormChoice, OptionsThatCannotBeReadOrUsedAreRefused) {
    EXPECT_EQ(usage_error([] { plan_with(with_forms({"x=text"}), kText, kText); }),
              "no chosen table has what --form \"x=text\" names");
    EXPECT_EQ(usage_error([] { plan_with(with_forms({"v"}), kText, kText); }), "invalid value \"v\" for --form");
    EXPECT_EQ(usage_error([] { plan_with(with_forms({"v=varchar"}), kText, kText); }),
              "unknown form \"varchar\" in --form \"v=varchar\"");
    EXPECT_EQ(usage_error([] { plan_with(with_forms({"v=row"}), kText, kText); }),
              "unknown form \"row\" in --form \"v=row\"");
    for (const char* form : {"text@UTC", "int[]@UTC", "timestamptz[]@UTC", "range<decimal@Europe/Berlin>"}) {
        const std::string entry = std::string("v=") + form;
        EXPECT_EQ(usage_error([&] { plan_with(with_forms({entry}), kText, kText); }),
                  std::string("unknown form \"") + form + "\" in --form \"" + entry + "\"");
    }
    for (const char* zone : {"", "CET", "zone", "+02"}) {
        EXPECT_EQ(
            usage_error([&] { plan_with(with_forms({std::string("v=timestamptz@") + zone}), kReading, kInstant); }),
            std::string("invalid time zone \"") + zone + "\" in --form \"v=timestamptz@" + zone + "\"");
    }
}

TEST(Plan, ATableMustNotBeLeftWithItsKeyAlone) {
    Options options;
    options.columns = {"v"};
    options.exclude_columns = {"t.v"};
    EXPECT_EQ(usage_error([&] { plan_with(options, kText, kText); }),
              "--columns and --exclude-columns leave no column of public.t to compare");
    const std::vector<std::string> note{"nothing but the key is compared: the options leave no other column"};
    options.columns.clear();
    EXPECT_EQ(plan_with(options, kText, kText).tables.at(0).notes, note);
    options.exclude_columns.clear();
    EXPECT_TRUE(plan_with(options, kText, kText).tables.at(0).notes.empty());
    options.columns = {"id"};
    EXPECT_EQ(plan_with(options, kText, kText).tables.at(0).notes, note);
    options.columns = {"id"};
    options.exclude_columns = {"v"};
    EXPECT_TRUE(plan_with(options, kText, kText).tables.at(0).columns.empty()) << "the key was asked for";
}

}  // namespace
}  // namespace parity::driver
