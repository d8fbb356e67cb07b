#include "driver/postgres/values/text_search.h"

#include "tests/support/core_bytes.h"
#include "tests/support/wire_fixtures.h"

namespace parity::driver {
namespace {

using fixtures::be16;
using fixtures::be32;
using fixtures::expect_malformed;
using fixtures::sized;
using fixtures::Types;
using test::counted;
using test::from_hex;
using test::le;

// ---- tsvector ------------------------------------------------------------------------------------------------------

std::string lexeme(const std::string& text, const std::vector<int>& positions = {}) {
    std::string wire = text + std::string(1, '\0') + be16(static_cast<int>(positions.size()));
    for (const int position : positions) wire += be16(position);
    return wire;
}

TEST(WireSearch, OrdersLexemesByTheirBytes) {
    Types types;
    EXPECT_EQ(types.read_builtin("tsvector", be32(0)), le(0U));
    EXPECT_EQ(types.read_builtin("tsvector", be32(3) + lexeme("b") + lexeme("\xC3\xA4", {1, 0xC002}) + lexeme("aa")),
              le(3U) + counted("aa") + le(0U) + counted("b") + le(0U) + counted("\xC3\xA4") + le(2U) +
                  le(std::uint16_t{1}) + le(std::uint16_t{0xC002}));
}

TEST(WireSearch, RefusesMalformedTsvectors) {
    Types types;
    for (const std::string& wire :
         {std::string(), be32(1), be32(1) + "a", be32(1) + lexeme("a") + "x", be32(2) + lexeme("a"),
          be32(1) + std::string("a\0\0", 3), be32(1) + std::string("a\0", 2) + be16(2) + be16(1), be32(-1),
          be32(0x7FFFFFFF) + lexeme("a")})
        expect_malformed([&] { types.read_builtin("tsvector", wire); }, test::to_hex(wire));
}

// ---- tsquery -------------------------------------------------------------------------------------------------------

std::string operand(const std::string& text, int weight = 0, int prefix = 0) {
    return std::string({'\1', static_cast<char>(weight), static_cast<char>(prefix)}) + text + std::string(1, '\0');
}
const std::string kNot = "\2\1";
const std::string kAnd = "\2\2";
const std::string kOr = "\2\3";
std::string phrase(int distance) { return "\2\4" + be16(distance); }
std::string leaf(const std::string& text) { return "v" + from_hex("00 00") + counted(text); }

TEST(WireSearch, WritesLeftOperandsFirst) {
    Types types;
    EXPECT_EQ(types.read_builtin("tsquery", be32(0)), "");
    EXPECT_EQ(types.read_builtin("tsquery", be32(1) + operand("a", 9, 1)), "v" + from_hex("09 01") + counted("a"));
    // the right operand comes first on the wire
    EXPECT_EQ(types.read_builtin("tsquery", be32(3) + kAnd + operand("r") + operand("l")), "&" + leaf("l") + leaf("r"));
    EXPECT_EQ(
        types.read_builtin("tsquery", be32(6) + kOr + phrase(2) + operand("c") + operand("b") + kNot + operand("a")),
        "|!" + leaf("a") + "<" + le(std::uint16_t{2}) + leaf("b") + leaf("c"));
}

TEST(WireSearch, ReadsDeepQueriesWithoutRecursion) {
    Types types;
    constexpr std::size_t kDepth = 1000000;
    std::string wire = be32(kDepth + 1);
    for (std::size_t i = 0; i < kDepth; ++i) wire += kNot;
    EXPECT_EQ(types.read_builtin("tsquery", wire + operand("a")), std::string(kDepth, '!') + leaf("a"));
}

TEST(WireSearch, RefusesMalformedTsqueries) {
    Types types;
    for (const std::string& wire :
         {std::string(), be32(1), be32(1) + kNot, be32(2) + kAnd + operand("a"), be32(2) + operand("a") + operand("b"),
          be32(1) + operand("a") + "x", be32(2) + operand("a"), be32(1) + "\1", be32(1) + std::string("\1\0\0a", 4),
          be32(2) + "\2\5" + operand("a"), be32(2) + std::string("\2\0", 2) + operand("a"), be32(1) + "\3\1",
          be32(3) + "\2\4" + operand("a"), be32(-1), be32(0x7FFFFFFF) + kNot})
        expect_malformed([&] { types.read_builtin("tsquery", wire); }, test::to_hex(wire));
}

// ---- hstore --------------------------------------------------------------------------------------------------------

TEST(WireSearch, OrdersPairsByTheirKeysBytes) {
    Types types;
    const std::uint32_t sent = types.of_extension("hstore", "hstore");
    const std::uint32_t unsent = types.of_extension("hstore", "hstore", false);
    const std::string pairs = le(3U) + counted("") + from_hex("00") + counted("aa") + "\1" + counted("\"\\") +
                              counted("b") + "\1" + counted("");
    EXPECT_EQ(types.read(sent, be32(3) + sized("") + fixtures::wire_null() + sized("b") + sized("") + sized("aa") +
                                   sized("\"\\")),
              pairs);
    EXPECT_EQ(types.read(unsent, R"(""=>NULL, "b"=>"", "aa"=>"\"\\")"), pairs);
    EXPECT_EQ(types.read(sent, be32(0)), le(0U));
    EXPECT_EQ(types.read(unsent, ""), le(0U));
    EXPECT_EQ(types.read(unsent, R"("a"=>"NULL")"), le(1U) + counted("a") + "\1" + counted("NULL"));
}

TEST(WireSearch, RefusesMalformedHstores) {
    Types types;
    const std::uint32_t sent = types.of_extension("hstore", "hstore");
    for (const std::string& wire :
         {std::string(), be32(1), be32(1) + sized("a"), be32(1) + fixtures::wire_null() + sized("a"),
          be32(1) + sized("a") + sized("b") + "x", be32(2) + sized("a") + sized("b"), be32(-1),
          be32(1) + be32(100) + "a", be32(1) + be32(-2) + sized("a"), be32(0x7FFFFFFF)})
        expect_malformed([&] { types.read(sent, wire); }, test::to_hex(wire));
    const std::uint32_t unsent = types.of_extension("hstore", "hstore", false);
    for (const std::string wire : {"a=>b", "\"a", "\"a\"", "\"a\"=>", "\"a\"=>\"b", "\"a\"=>\"b\\", "\"a\"=>\"b\"x",
                                   "\"a\"=>\"b\",\"c\"=>\"d\"", "\"a\"=>\"b\", ", "\"a\"=>NUL", "NULL=>\"a\""})
        expect_malformed([&] { types.read(unsent, wire); }, wire);
}

}  // namespace
}  // namespace parity::driver
