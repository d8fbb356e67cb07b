#include "driver/postgres/values/nested.h"

#include "driver/engine/value_reader.h"
#include "driver/model/error.h"
#include "driver/postgres/values/type_rules.h"
#include "tests/support/core_bytes.h"
#include "tests/support/wire_fixtures.h"

namespace parity::driver {
namespace {

using fixtures::be;
using fixtures::be32;
using fixtures::expect_malformed;
using fixtures::sized;
using fixtures::Types;
using fixtures::wire_null;
using test::counted;
using test::from_hex;
using test::le;

std::string framed(const std::string& bytes) { return "\1" + counted(bytes); }
std::string framed_int(std::int64_t value) { return "\1" + le(value); }
const std::string kNull(1, '\0');

std::string wire_array(const std::vector<std::pair<int, int>>& shape, const std::string& elements) {
    std::string wire = be32(static_cast<int>(shape.size())) + be32(0) + be32(23);
    for (const auto& [length, lower_bound] : shape) wire += be32(length) + be32(lower_bound);
    return wire + elements;
}
std::string wire_int(std::int32_t value) { return sized(be(value)); }

TEST(WireNested, ReadsArrays) {
    Types types;
    const std::uint32_t ints = types.array(types.builtin("int4"));
    EXPECT_EQ(types.read(ints, wire_array({}, "")), le(0U));
    EXPECT_EQ(types.read(ints, wire_array({{2, 1}}, wire_int(7) + wire_null())),
              le(1U) + le(2U) + le(std::int32_t{1}) + framed_int(7) + kNull);
    EXPECT_EQ(types.read(ints, wire_array({{1, -3}, {2, 0}}, wire_int(1) + wire_int(2))),
              le(2U) + le(1U) + le(std::int32_t{-3}) + le(2U) + le(std::int32_t{0}) + framed_int(1) + framed_int(2));
    // an empty int2vector
    EXPECT_EQ(types.read(ints, wire_array({{0, 0}}, "")), le(0U));
    const std::uint32_t texts = types.array(types.builtin("text"));
    EXPECT_EQ(types.read(texts, wire_array({{1, 1}}, sized("ab"))),
              le(1U) + le(1U) + le(std::int32_t{1}) + framed("ab"));
    EXPECT_EQ(types.forms(ints), (std::vector<std::string>{"int[]", "decimal[]"}));
}

TEST(WireNested, RefusesMalformedArrays) {
    Types types;
    const std::uint32_t ints = types.array(types.builtin("int4"));
    const std::string huge = wire_array({{0x7FFFFFFF, 1}, {0x7FFFFFFF, 1}, {0x7FFFFFFF, 1}}, wire_int(1));
    for (const std::string& wire :
         {std::string(), be32(0), be32(0) + be32(0), wire_array({}, "x"), wire_array({{1, 1}}, ""),
          wire_array({{2, 1}}, wire_int(1)), wire_array({{1, 1}}, wire_int(1) + wire_int(2)),
          wire_array({{-1, 1}}, wire_int(1)), wire_array({{1, 1}}, sized("abc")), wire_array({{1, 1}}, be32(-2)),
          wire_array({{0x7FFFFFFF, 1}}, wire_int(1)), huge,
          wire_array({{1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, wire_int(1)),
          be32(-1) + be32(0) + be32(0)})
        expect_malformed([&] { types.read(ints, wire); }, test::to_hex(wire));
}

TEST(WireNested, ReadsRanges) {
    Types types;
    const std::uint32_t range = types.range(types.builtin("int4"));
    EXPECT_EQ(types.forms(range), (std::vector<std::string>{"range<int>", "range<decimal>"}));
    EXPECT_EQ(types.read(range, "\1"), "\1" + kNull + kNull);
    EXPECT_EQ(types.read(range, "\2" + wire_int(1) + wire_int(5)), "\2" + framed_int(1) + framed_int(5));
    EXPECT_EQ(types.read(range, from_hex("18")), from_hex("18") + kNull + kNull);
    EXPECT_EQ(types.read(range, from_hex("12") + wire_int(1)), from_hex("12") + framed_int(1) + kNull);
    // a flag that GiST indexes set
    EXPECT_EQ(types.read(range, from_hex("82") + wire_int(1) + wire_int(5)), "\2" + framed_int(1) + framed_int(5));
    EXPECT_EQ(types.read(types.array(range), wire_array({{1, 1}}, sized("\1"))),
              le(1U) + le(1U) + le(std::int32_t{1}) + framed("\1" + kNull + kNull));
    for (const std::string& wire :
         {std::string(), std::string("\1x"), "\2" + wire_int(1), "\2" + wire_int(1) + wire_null(),
          "\2" + wire_int(1) + wire_int(2) + "x", "\2" + sized("a") + wire_int(1)})
        expect_malformed([&] { types.read(range, wire); }, test::to_hex(wire));
}

TEST(WireNested, ReadsMultiranges) {
    Types types;
    const std::uint32_t multirange = types.range(types.builtin("int4"), 'm');
    EXPECT_EQ(types.forms(multirange).front(), "multirange<int>");
    EXPECT_EQ(types.read(multirange, be32(0)), le(0U));
    const std::string wire = "\2" + wire_int(1) + wire_int(5);
    const std::string range = "\2" + framed_int(1) + framed_int(5);
    EXPECT_EQ(types.read(multirange, be32(2) + sized(wire) + sized(wire)), le(2U) + counted(range) + counted(range));
    for (const std::string& malformed : {std::string(), be32(1), be32(1) + wire_null(), be32(1) + sized(""),
                                         be32(1) + sized(wire) + "x", be32(-1), be32(0x7FFFFFFF) + sized(wire)})
        expect_malformed([&] { types.read(multirange, malformed); }, test::to_hex(malformed));
}

TEST(WireNested, ReadsCompositesByTheirAttributesNames) {
    Types types;
    const std::uint32_t int4 = types.builtin("int4");
    const std::uint32_t text = types.builtin("text");
    const std::uint32_t type = types.record({{"b", int4}, {"A\"", text}, {"\xC3\xA4", int4}, {"a_1", text}});
    EXPECT_EQ(types.forms(type), std::vector<std::string>{"record<\"A\"\"\":text,a_1:text,b:int,\"\xC3\xA4\":int>"});
    const std::string wire = be32(4) + be32(int4) + wire_int(7) + be32(text) + sized("x") + be32(int4) + wire_null() +
                             be32(text) + sized("");
    EXPECT_EQ(types.read(type, wire), le(4U) + counted("A\"") + framed("x") + counted("a_1") + framed("") +
                                          counted("b") + framed_int(7) + counted("\xC3\xA4") + kNull);
    const std::uint32_t nothing = types.record({});
    EXPECT_EQ(types.forms(nothing), std::vector<std::string>{"record<>"});
    EXPECT_EQ(types.read(nothing, be32(0)), le(0U));
}

TEST(WireNested, ReadsCompositesInsideCompositesInsideArrays) {
    Types types;
    const std::uint32_t int4 = types.builtin("int4");
    const std::uint32_t inner = types.record({{"y", int4}, {"x", int4}});
    const std::uint32_t inners = types.array(inner);
    const std::uint32_t outer = types.record({{"q", int4}, {"p", inners}});
    const std::uint32_t domain = types.domain(types.domain(outer));
    EXPECT_EQ(types.forms(domain), std::vector<std::string>{"record<p:record<x:int,y:int>[],q:int>"});
    const std::string pair = be32(2) + be32(int4) + wire_int(2) + be32(int4) + wire_int(1);
    const std::string wire =
        be32(2) + be32(int4) + wire_int(9) + be32(inners) + sized(wire_array({{2, 1}}, sized(pair) + sized(pair)));
    const std::string inside = le(2U) + counted("x") + framed_int(1) + counted("y") + framed_int(2);
    EXPECT_EQ(types.read(domain, wire),
              le(2U) + counted("p") + framed(le(1U) + le(2U) + le(std::int32_t{1}) + framed(inside) + framed(inside)) +
                  counted("q") + framed_int(9));
}

TEST(WireNested, RefusesMalformedComposites) {
    Types types;
    const std::uint32_t int4 = types.builtin("int4");
    const std::uint32_t type = types.record({{"a", int4}, {"b", int4}});
    const std::string field = be32(int4) + wire_int(1);
    for (const std::string& wire :
         {std::string(), be32(2), be32(1) + field, be32(3) + field + field + field, be32(2) + field,
          be32(2) + field + field + "x", be32(2) + field + be32(int4 + 1) + wire_int(1),
          be32(2) + field + be32(int4) + be32(-2), be32(-1)})
        expect_malformed([&] { types.read(type, wire); }, test::to_hex(wire));
}

TEST(WireNested, IsUsableAfterAnError) {
    Types types;
    const std::uint32_t int4 = types.builtin("int4");
    const std::uint32_t type = types.record({{"b", int4}, {"a", int4}});
    const auto reader = make_wire_decoder(types.catalog(), type, "record<a:int,b:int>");
    ByteBuffer buffer;
    const std::string good = be32(2) + be32(int4) + wire_int(1) + be32(int4) + wire_int(2);
    EXPECT_THROW(reader->read(be32(2) + be32(int4) + sized("abc") + be32(int4) + wire_int(2), buffer), Error);
    const std::string expected = le(2U) + counted("a") + framed_int(2) + counted("b") + framed_int(1);
    EXPECT_EQ(test::bytes_of(reader->read(good, buffer)), expected);
    buffer.shrink(0);
    EXPECT_EQ(test::bytes_of(reader->read(good, buffer)), expected);
}

}  // namespace
}  // namespace parity::driver
