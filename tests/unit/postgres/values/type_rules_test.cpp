#include "driver/postgres/values/type_rules.h"

#include <algorithm>
#include <random>

#include "driver/model/error.h"
#include "tests/support/core_bytes.h"
#include "tests/support/wire_fixtures.h"

namespace parity::driver {
namespace {

using fixtures::be;
using fixtures::be16;
using fixtures::be32;
using fixtures::sized;
using fixtures::thrown;
using fixtures::Types;
using test::from_hex;

using Names = std::vector<std::string>;

TEST(WireTypes, GivesTheDefaultFormFirst) {
    Types types;
    EXPECT_EQ(types.forms(types.builtin("int4")), (Names{"int", "decimal"}));
    EXPECT_EQ(types.forms(types.builtin("json")), (Names{"text", "json"}));
    EXPECT_EQ(types.forms(types.array(types.builtin("json"))), (Names{"text[]", "json[]"}));
    EXPECT_EQ(types.forms(types.domain(types.domain(types.builtin("int8")))), (Names{"int", "decimal"}));
    EXPECT_EQ(types.forms(types.own("mood", 'e')), Names{"text"});
    // not that of the tree as the server keeps it
    EXPECT_EQ(types.forms(types.builtin("jsonb")), Names{"json"});
}

TEST(WireTypes, GoesByTheSchemaOrTheExtension) {
    Types types;
    EXPECT_EQ(types.forms(types.own("int4")), Names{});
    EXPECT_EQ(types.reason(types.own("int4")), "type int4 has no form");
    EXPECT_EQ(types.forms(types.own("citext")), Names{});
    EXPECT_EQ(types.forms(types.of_extension("citext", "citext")), Names{"text"});
    EXPECT_EQ(types.forms(types.of_extension("other", "citext")), Names{});
    EXPECT_EQ(types.forms(types.builtin("citext")), Names{});
    EXPECT_EQ(types.forms(types.of_extension("postgis", "geometry")), Names{});
}

TEST(WireTypes, HasNoArraysOfArrays) {
    Types types;
    const std::uint32_t vector = types.array(types.builtin("int2"));
    EXPECT_EQ(types.forms(vector), (Names{"int[]", "decimal[]"}));
    const std::uint32_t vectors = types.array(vector);
    EXPECT_EQ(types.forms(vectors), Names{});
    EXPECT_EQ(types.reason(vectors), "type __int2 has no form");
}

TEST(WireTypes, CastsWhatHasNoUsableBinaryFormat) {
    Types types;
    const auto expression = [&](std::uint32_t type, const std::string& form) {
        return make_wire_decoder(types.catalog(), type, form)->select_expression("t.\"a b\"");
    };
    const std::uint32_t xml = types.builtin("xml");
    EXPECT_EQ(expression(xml, "text"), "(t.\"a b\")::pg_catalog.text");
    EXPECT_EQ(expression(types.array(types.domain(xml)), "text[]"), "(t.\"a b\")::pg_catalog.text[]");
    EXPECT_EQ(expression(types.builtin("aclitem"), "text"), "(t.\"a b\")::pg_catalog.text");
    EXPECT_EQ(expression(types.builtin("text"), "text"), "t.\"a b\"");
    EXPECT_EQ(expression(types.of_extension("ltree", "ltree"), "text"), "t.\"a b\"");
    EXPECT_EQ(expression(types.of_extension("ltree", "ltree", false), "text"), "(t.\"a b\")::pg_catalog.text");
    EXPECT_EQ(expression(types.array(types.of_extension("hstore", "hstore", false)), "hstore[]"),
              "(t.\"a b\")::pg_catalog.text[]");
    EXPECT_EQ(types.read(types.of_extension("ltree", "ltree"), "\1a.b"), "a.b");
    EXPECT_EQ(types.read(types.of_extension("ltree", "ltree", false), "a.b"), "a.b");
}

TEST(WireTypes, CannotCastInsideOtherValues) {
    Types types;
    const std::uint32_t xml = types.builtin("xml");
    const std::uint32_t record = types.record({{"i", types.builtin("int4")}, {"x", types.array(xml)}});
    const std::string reason = "values of type _xml cannot be read inside those of type c without the extension";
    EXPECT_EQ(types.forms(record), Names{});
    EXPECT_EQ(types.reason(record), reason);
    EXPECT_EQ(types.reason(types.array(record)), reason);
    EXPECT_EQ(types.reason(types.range(types.record({{"c", record}}))), reason);
    EXPECT_EQ(types.reason(types.range(xml)),
              "values of type xml cannot be read inside those of type r without the extension");
    EXPECT_EQ(types.reason(types.record({{"o", types.own("other")}})), "type other has no form");
}

TEST(WireTypes, ListsLossyFormsApart) {
    Types types;
    const auto lossy = [&](std::uint32_t type) { return wire_forms(types.catalog(), type).lossy; };
    const std::uint32_t text = types.builtin("text");
    EXPECT_EQ(types.forms(text), Names{"text"});
    EXPECT_EQ(lossy(text), (Names{"trimmed", "uuid", "json"}));
    EXPECT_EQ(lossy(types.array(text)), (Names{"trimmed[]", "uuid[]", "json[]"}));
    EXPECT_EQ(lossy(types.range(text)), (Names{"range<trimmed>", "range<uuid>", "range<json>"}));
    EXPECT_EQ(lossy(types.record({{"t", text}})), Names{});
    const std::uint32_t timestamp = types.builtin("timestamp");
    EXPECT_EQ(lossy(timestamp), Names{"timestamptz@zone"});
    // there is no expression for them
    EXPECT_EQ(lossy(types.array(timestamp)), Names{});
    EXPECT_EQ(lossy(types.range(timestamp)), Names{});
}

TEST(WireTypes, LetsTheServerConvertTimeZones) {
    Types types;
    const std::uint32_t timestamp = types.domain(types.builtin("timestamp"));
    const auto reader = make_wire_decoder(types.catalog(), timestamp, "timestamptz@Europe/O'Brien");
    EXPECT_EQ(reader->form_name(), "timestamptz");
    EXPECT_EQ(reader->form(), core::Form::kTimestamptz);
    EXPECT_EQ(reader->select_expression("c"),
              "pg_catalog.timezone('Europe/O''Brien'::pg_catalog.text, (c)::pg_catalog.timestamp)");
    EXPECT_EQ(make_wire_decoder(types.catalog(), types.builtin("timestamptz"), "timestamp@UTC")->select_expression("c"),
              "pg_catalog.timezone('UTC'::pg_catalog.text, (c)::pg_catalog.timestamptz)");
    for (const char* form :
         {"timestamptz", "timestamptz@", "timestamptz@CET", "timestamp@UTC", "@UTC", "timestamptz@zone"})
        EXPECT_EQ(thrown([&] { make_wire_decoder(types.catalog(), timestamp, form); }).kind(), ErrorKind::kUsage)
            << form;
}

TEST(WireTypes, RefusesFormsThatATypeHasNot) {
    Types types;
    const std::uint32_t int4 = types.builtin("int4");
    const std::uint32_t range = types.range(int4);
    const auto refused = [&](std::uint32_t type, const std::string& form) {
        const Error error = thrown([&] { make_wire_decoder(types.catalog(), type, form); });
        EXPECT_EQ(error.kind(), ErrorKind::kUsage) << form;
    };
    for (const char* form : {"", "text", "int[]", "range<int>", "in", "int "}) refused(int4, form);
    for (const char* form : {"int", "int[]", "range<text>", "range<int", "range<>", "multirange<int>", "range<int>[]"})
        refused(range, form);
    for (const char* form : {"[]", "int", "text[]", "int[][]"}) refused(types.array(int4), form);
    for (const char* form : {"record<>", "record<b:int>", "record<a:decimal>", "record<a:int>[]"})
        refused(types.record({{"a", int4}}), form);
    refused(types.builtin("jsonb"), "jsonb_raw");
    EXPECT_EQ(make_wire_decoder(types.catalog(), range, "range<decimal>")->form_name(), "range<decimal>");
    EXPECT_EQ(make_wire_decoder(types.catalog(), types.array(range), "range<decimal>[]")->form(),
              core::array_of(core::Form::kRange));
}

TEST(WireTypes, RefusesCatalogsThatEndNowhere) {
    Types types;
    EXPECT_EQ(thrown([&] { types.forms(4711); }).kind(), ErrorKind::kInternal);
    const std::uint32_t domain = types.domain(0);
    types[domain].base = domain;
    EXPECT_EQ(thrown([&] { types.forms(domain); }).kind(), ErrorKind::kInternal);
    const std::uint32_t record = types.record({});
    types[record].attributes = {{"a", record}};
    EXPECT_EQ(thrown([&] { types.forms(record); }).kind(), ErrorKind::kInternal);
}

TEST(WireTypes, NamesObjects) {
    Types types;
    const std::uint32_t regclass = types.builtin("regclass");
    const auto names = std::make_shared<ObjectNames>();
    names->add("pg_class", 7, "public.t");
    EXPECT_EQ(types.read(regclass, be32(7), "text", names), "public.t");
    EXPECT_EQ(types.read(regclass, be32(0xFFFFFFFF), "text", names), "4294967295");
    EXPECT_EQ(types.read(regclass, be32(0), "text", names), "-");
    EXPECT_EQ(thrown([&] { types.read(regclass, be32(7), "text"); }).kind(), ErrorKind::kInternal);
    const std::uint32_t record = types.record({{"a", types.array(types.builtin("regprocedure"))}, {"b", regclass}});
    Names needed;
    make_wire_decoder(types.catalog(), record, types.forms(record)[0])->add_needed_names(needed);
    EXPECT_EQ(needed, (Names{"pg_proc()", "pg_class"}));
}

/// One value on the wire of each kind of reader.
std::vector<std::pair<std::uint32_t, std::string>> samples(Types& types) {
    const std::uint32_t int4 = types.builtin("int4");
    const std::uint32_t text = types.builtin("text");
    const std::uint32_t jsonb = types.builtin("jsonb");
    const std::uint32_t texts = types.array(text);
    const std::string int_wire = sized(be(std::int32_t{5}));
    const std::string array = be32(1) + be32(0) + be32(text) + be32(2) + be32(1) + sized("one") + fixtures::wire_null();
    const std::string range = "\2" + int_wire + int_wire;
    const std::string document = "\1{\"b\": [1, 2.50e3, \"\\u00e4\\n\"], \"a\": {\"d\": null, \"c\": true}}";
    const std::string point = be(std::uint64_t{1}) + be(std::uint64_t{2});
    return {
        {types.builtin("numeric"), be16(2) + be16(1) + be16(0x4000) + be16(3) + be16(12) + be16(3400)},
        {types.builtin("inet"), from_hex("02 18 00 04 c0a80001")},
        {types.builtin("varbit"), be32(9) + "\xFF\x80"},
        {types.builtin("path"), "\1" + be32(2) + point + point},
        {types.builtin("pg_snapshot"), be32(1) + point + be(std::uint64_t{3})},
        {jsonb, document},
        {types.builtin("tsvector"), be32(2) + std::string("b\0\0\1\0\5a\0\0\0", 10)},
        {types.builtin("tsquery"), be32(4) + std::string("\2\4\0\1\2\1\1\0\0b\0\1\0\0a\0", 16)},
        {types.of_extension("hstore", "hstore"),
         be32(2) + sized("b") + sized("x") + sized("a") + fixtures::wire_null()},
        {types.of_extension("hstore", "hstore", false), R"("b"=>"x\\y")"},
        {texts, array},
        {types.range(int4), range},
        {types.range(int4, 'm'), be32(2) + sized(range) + sized(range)},
        {types.record({{"t", texts}, {"j", jsonb}}),
         be32(2) + be32(texts) + sized(array) + be32(jsonb) + sized(document)},
    };
}

/// Whatever bytes come: an answer or Error{kInternal} or, for documents that jsonb refuses, Error{kServer}.
void read_anything(const Types& types, std::uint32_t type, const std::string& wire) {
    try {
        const std::string bytes = types.read(type, wire);
        // no reader makes much of little
        ASSERT_LE(bytes.size(), 16 * wire.size() + 16);
    } catch (const Error& error) {
        ASSERT_TRUE(error.kind() == ErrorKind::kInternal || !error.sqlstate().empty()) << error.what();
    }
}

TEST(WireTypes, RefusesValuesThatEndEarly) {
    Types types;
    for (const auto& [type, wire] : samples(types)) {
        EXPECT_FALSE(types.read(type, wire).empty());
        for (std::size_t length = 0; length < wire.size(); ++length) {
            // an hstore's text may be empty
            if (length == 0 && types[type].name == "hstore" && !types[type].has_send) continue;
            const Error error =
                thrown([&types, oid = type, bytes = wire.substr(0, length)] { types.read(oid, bytes); });
            const bool in_json =
                error.sqlstate() == "22P02" && (types[type].name == "jsonb" || types[type].kind == 'c');
            EXPECT_TRUE(error.kind() == ErrorKind::kInternal || in_json) << types[type].name << " of " << length;
        }
    }
}

TEST(WireTypes, SurvivesDamagedValues) {
    Types types;
    std::mt19937 random(20240612);
    for (const auto& [type, wire] : samples(types)) {
        for (int i = 0; i < 4000; ++i) {
            std::string damaged = wire;
            for (std::uint32_t changes = 1 + static_cast<std::uint32_t>(random() % 3); changes > 0; --changes) {
                const std::size_t at = random() % damaged.size();
                switch (random() % 3) {
                    case 0:
                        damaged[at] = static_cast<char>(random());
                        break;
                    case 1:
                        damaged.insert(at, 1, static_cast<char>(random() % 4 == 0 ? 0xFF : random()));
                        break;
                    default:
                        if (damaged.size() > 1) damaged.erase(at, 1);
                }
            }
            read_anything(types, type, damaged);
        }
    }
}

}  // namespace
}  // namespace parity::driver
