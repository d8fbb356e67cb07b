#include "core/form.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace parity::core {
namespace {

TEST(Form, CodesAreThoseOfTheFormat) {
    const char* names[] = {"bool", "int",    "decimal",   "float",       "text",     "bytes", "uuid",     "date",
                           "time", "timetz", "timestamp", "timestamptz", "interval", "json",  "jsonb_raw"};
    std::uint8_t code = 1;
    for (const char* name : names) {
        std::optional<Form> form = form_by_name(name);
        ASSERT_TRUE(form) << name;
        EXPECT_EQ(static_cast<std::uint8_t>(*form), code) << name;
        EXPECT_EQ(static_cast<std::uint8_t>(array_of(*form)), 128 + code) << name;
        ++code;
    }
    EXPECT_EQ(static_cast<std::uint8_t>(*form_by_name("key")), 64);
    EXPECT_EQ(static_cast<std::uint8_t>(*form_by_name("row")), 65);
}

TEST(Form, EveryCodeIsAFormWithANameOfItsOwnOrNone) {
    std::set<std::string> names;
    int forms = 0;
    for (int code = 0; code < 256; ++code) {
        std::optional<Form> form = form_by_code(static_cast<std::uint8_t>(code));
        EXPECT_EQ(form.has_value(), form_name(static_cast<Form>(code)) != "?") << code;
        if (!form) continue;
        ++forms;
        EXPECT_EQ(form_by_name(form_name(*form)), form);
        EXPECT_TRUE(names.insert(std::string(form_name(*form))).second);
        EXPECT_LE(form_name(*form).size(), kMaxFormName);
    }
    EXPECT_EQ(forms, 38 + 38 + 2);
}

TEST(Form, NamesThatAreNoneHaveNoForm) {
    for (const char* name : {"", "?", "integer", "INT", "int ", "int[][]", "[]", "key[]", "row[]", "none"})
        EXPECT_FALSE(form_by_name(name)) << name;
}

TEST(Form, FullNamesOfNestedFormsTellTheOuterForm) {
    EXPECT_EQ(form_by_name("range<int>"), Form::kRange);
    EXPECT_EQ(form_by_name("multirange<range<int>>"), Form::kMultirange);
    EXPECT_EQ(form_by_name("record<a:int,\"B b\":text[]>[]"), array_of(Form::kRecord));
    for (const char* name : {"range<int", "int<int>", "<int>", "range<int>[", "range<int>x"})
        EXPECT_FALSE(form_by_name(name)) << name;
}

TEST(Form, ArraysKnowTheirElements) {
    EXPECT_TRUE(is_array(array_of(Form::kJson)));
    EXPECT_FALSE(is_array(Form::kJson));
    EXPECT_EQ(element_of(array_of(Form::kJson)), Form::kJson);
    EXPECT_EQ(form_name(array_of(Form::kJsonbRaw)), "jsonb_raw[]");
}

TEST(Form, WidthsAreThoseOfTheFormat) {
    EXPECT_EQ(fixed_width(Form::kBool), 1u);
    EXPECT_EQ(fixed_width(Form::kDate), 4u);
    for (Form form : {Form::kInt, Form::kFloat, Form::kTime, Form::kTimestamp, Form::kTimestamptz})
        EXPECT_EQ(fixed_width(form), 8u);
    EXPECT_EQ(fixed_width(Form::kTimetz), 12u);
    for (Form form : {Form::kUuid, Form::kInterval}) EXPECT_EQ(fixed_width(form), 16u);
    for (Form form : {Form::kDecimal, Form::kText, Form::kBytes, Form::kJson, Form::kJsonbRaw, array_of(Form::kInt),
                      array_of(Form::kBool)})
        EXPECT_EQ(fixed_width(form), 0u);
}

TEST(Form, OnlyIntegersAreOrderedAsIntegers) {
    for (Form form : {Form::kInt, Form::kDate, Form::kTime, Form::kTimestamp, Form::kTimestamptz})
        EXPECT_TRUE(is_integer_ordered(form));
    for (Form form : {Form::kBool, Form::kFloat, Form::kDecimal, Form::kTimetz, Form::kInterval, Form::kUuid,
                      Form::kText, array_of(Form::kInt)})
        EXPECT_FALSE(is_integer_ordered(form));
}

}  // namespace
}  // namespace parity::core
