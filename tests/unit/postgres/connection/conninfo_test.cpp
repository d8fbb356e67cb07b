#include "driver/postgres/connection/conninfo.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/plan_fixtures.h"

namespace parity::driver {
namespace {

using fixtures::usage_error;

TEST(Conninfo, AcceptsWhatLibpqUnderstands) {
    for (const char* conninfo : {"", "shop", "service=old", "host=/tmp port=5433 user=me password='with space @/?'",
                                 "postgresql://", "postgresql://u:p%40w%2Fx@h:5432/db?application_name=a",
                                 "postgres://h1:1,h2:2/db", "postgresql:///db?host=/tmp"}) {
        EXPECT_NO_THROW(check_conninfo("source", conninfo)) << conninfo;
    }
}

TEST(Conninfo, RefusesWithoutRepeatingAnything) {
    for (const char* conninfo :
         {"postgresql://u:hun@ter2@h/db", "postgresql://u:hun/ter2@h/db", "postgresql://u:hun/ter2/db",
          "password=hun ter2", "password='hun ter2", "ter2@h/db", "hunter2=1", "postgresql://u:hun%zzter2@h/db",
          "postgresql://u:hunter2@[bad/x", "postgresql://h/db?hunter2", "dbname=postgresql://u:hunter2@h/db"}) {
        const std::string message = usage_error([&] { check_conninfo("target", conninfo); });
        EXPECT_NE(message.find("target"), std::string::npos) << message;
        EXPECT_EQ(message.find("hun"), std::string::npos) << message;
        EXPECT_EQ(message.find("ter2"), std::string::npos) << message;
    }
}

TEST(Conninfo, IsDescribedWithoutSecrets) {
    for (const char* name : {"PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE", "PGHOSTADDR"}) unsetenv(name);
    EXPECT_EQ(describe_conninfo("postgresql://me:hunter2@h1:1,h2:2/shop?sslpassword=x&application_name=a"),
              "host=h1,h2 port=1,2 dbname=shop user=me");
    EXPECT_EQ(describe_conninfo("password='hunter2' service=new passfile=/x"), "service=new");
    EXPECT_EQ(describe_conninfo("the shop"), "dbname='the shop'");
    EXPECT_EQ(describe_conninfo("dbname='it\\'s'"), "dbname='it\\'s'");
    EXPECT_EQ(describe_conninfo(""), "defaults");
    setenv("PGHOST", "elsewhere", 1);
    EXPECT_EQ(describe_conninfo("shop"), "host=elsewhere dbname=shop");
    EXPECT_EQ(describe_conninfo("host=here dbname=shop"), "host=here dbname=shop");
    unsetenv("PGHOST");
}

TEST(Conninfo, TakesQuotedPartsOutOfMessages) {
    EXPECT_EQ(without_quoted_parts("missing \"=\" after \"secret\" in connection info string\n"),
              "missing \"…\" in connection info string");
    EXPECT_EQ(without_quoted_parts("out of memory"), "out of memory");
}

TEST(Conninfo, FoldsMessagesIntoOneLine) { EXPECT_EQ(one_line("first\n\tsecond\n"), "first second"); }

}  // namespace
}  // namespace parity::driver
