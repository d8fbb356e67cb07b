#include "driver/conninfo.h"

#include <gtest/gtest.h>

#include "tests/support/plan_fixtures.h"

namespace parity::driver {
namespace {

using fixtures::usage_error;

TEST(Conninfo, AcceptsWhatLibpqUnderstands) {
    for (const char* conninfo : {"", "shop", "service=old", "host=/tmp port=5433 user=me password='with space @/?'",
                                 "postgresql://", "postgresql://u:p%40w%2Fx@h:5432/db?application_name=a",
                                 "postgres://h1:1,h2:2/db", "postgresql:///db?host=/tmp"}) {
        EXPECT_NO_THROW(check_conninfo(Side::kSource, conninfo)) << conninfo;
    }
}

TEST(Conninfo, RefusesWithoutRepeatingAnything) {
    for (const char* conninfo :
         {"postgresql://u:hun@ter2@h/db", "postgresql://u:hun/ter2@h/db", "postgresql://u:hun/ter2/db",
          "password=hun ter2", "password='hun ter2", "ter2@h/db", "hunter2=1", "postgresql://u:hun%zzter2@h/db",
          "postgresql://u:hunter2@[bad/x", "postgresql://h/db?hunter2"}) {
        const std::string message = usage_error([&] { check_conninfo(Side::kTarget, conninfo); });
        EXPECT_NE(message.find("target"), std::string::npos) << message;
        EXPECT_EQ(message.find("hun"), std::string::npos) << message;
        EXPECT_EQ(message.find("ter2"), std::string::npos) << message;
    }
}

TEST(Conninfo, TakesQuotedPartsOutOfMessages) {
    EXPECT_EQ(without_quoted_parts("missing \"=\" after \"secret\" in connection info string\n"),
              "missing \"…\" in connection info string");
    EXPECT_EQ(without_quoted_parts("out of memory"), "out of memory");
}

TEST(Conninfo, FoldsMessagesIntoOneLine) { EXPECT_EQ(one_line("first\n\tsecond\n"), "first second"); }

}  // namespace
}  // namespace parity::driver
