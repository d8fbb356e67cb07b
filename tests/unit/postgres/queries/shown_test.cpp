#include "driver/postgres/queries/shown.h"

#include <gtest/gtest.h>

#include "driver/model/error.h"

namespace parity::driver {
namespace {

using namespace std::string_literals;

/// Not every extension that distributes tables can push a subquery down that reads no table.
TEST(Shown, HasNoSubqueries) {
    for (const std::string& sql : {shown_expression("x.a"), printed_expression({"x.a", "x.b"}), printed_expression({})})
        EXPECT_EQ(sql.find("SELECT"), std::string::npos) << sql;
}

TEST(Shown, PrintsEachColumnOnceOrNull) {
    const std::string sql = printed_expression({"x.a", "x.b"});
    EXPECT_TRUE(sql.starts_with("ARRAY[CASE WHEN x.a IS DISTINCT FROM NULL THEN ")) << sql;
    EXPECT_NE(sql.find(" END, CASE WHEN x.b IS DISTINCT FROM NULL THEN "), std::string::npos) << sql;
    EXPECT_TRUE(sql.ends_with(" END]::pg_catalog.text[]")) << sql;
    EXPECT_EQ(printed_expression({}), "ARRAY[]::pg_catalog.text[]");
}

TEST(Shown, ReadsWhatWasSent) {
    EXPECT_EQ(read_shown(std::nullopt), std::nullopt);
    EXPECT_EQ(read_shown(":"), ShownValue(""s));
    EXPECT_EQ(read_shown(":5:x"), ShownValue("5:x"s));
    EXPECT_EQ(read_shown("70000:x"), ShownValue("x"s, 70000));
}

TEST(Shown, RefusesAnythingElse) {
    for (const char* sent : {"", "x", "70000", "7x:y", "-7:x"}) EXPECT_THROW(read_shown(sent), Error) << sent;
}

}  // namespace
}  // namespace parity::driver
