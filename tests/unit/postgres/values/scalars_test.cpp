#include "driver/postgres/values/scalars.h"

#include <limits>

#include "driver/engine/value_reader.h"
#include "driver/model/error.h"
#include "driver/postgres/values/type_rules.h"
#include "tests/support/core_bytes.h"
#include "tests/support/wire_fixtures.h"

namespace parity::driver {
namespace {

using fixtures::be;
using fixtures::be16;
using fixtures::be32;
using fixtures::expect_malformed;
using fixtures::Types;
using test::from_hex;
using test::le;

class WireScalars : public testing::Test {
  protected:
    std::string read(const std::string& type, const std::string& wire, const std::string& form = {}) {
        return types_.read_builtin(type, wire, form);
    }
    void expect_refused(const std::string& type, const std::string& wire, const std::string& form = {}) {
        expect_malformed([&] { read(type, wire, form); }, type + " " + test::to_hex(wire));
    }
    static std::string numeric(const std::vector<int>& digits, int weight, int sign) {
        std::string wire = be16(static_cast<int>(digits.size())) + be16(weight) + be16(sign) + be16(7);
        for (const int digit : digits) wire += be16(digit);
        return wire;
    }
    Types types_;
};

TEST_F(WireScalars, ReadsIntegersOfEveryWidth) {
    EXPECT_EQ(read("int2", be(std::int16_t{-32768})), le(std::int64_t{-32768}));
    EXPECT_EQ(read("int4", be(std::int32_t{-1})), le(std::int64_t{-1}));
    EXPECT_EQ(read("int8", be(std::numeric_limits<std::int64_t>::min())), le(std::numeric_limits<std::int64_t>::min()));
    EXPECT_EQ(read("oid", be32(0xFFFFFFFF)), le(std::int64_t{0xFFFFFFFF}));
    EXPECT_EQ(read("xid", be32(0xFFFFFFFF)), le(std::uint64_t{0xFFFFFFFF}));
    EXPECT_EQ(read("date", be(std::int32_t{-5})), le(std::int32_t{-5}));
    EXPECT_EQ(read("int2", be(std::int16_t{-1}), "decimal"), from_hex("01 00000000 0100"));
    EXPECT_EQ(read("oid", be32(0xFFFFFFFF), "decimal"), from_hex("03 02000000 2a00 1825 7f1c"));
    for (const char* type :
         {"int2",  "int4",   "int8", "oid",  "xid",  "xid8",   "date",   "time", "timestamp", "timestamptz",
          "money", "pg_lsn", "cid",  "bool", "char", "float4", "float8", "uuid", "macaddr",   "macaddr8"})
        for (const std::size_t length : {0, 3, 5, 7, 9, 17}) expect_refused(type, std::string(length, '\0'));
}

TEST_F(WireScalars, ReadsBooleans) {
    EXPECT_EQ(read("bool", from_hex("00")), from_hex("00"));
    EXPECT_EQ(read("bool", from_hex("01")), from_hex("01"));
    expect_refused("bool", from_hex("02"));
}

TEST_F(WireScalars, ReadsNumerics) {
    EXPECT_EQ(read("numeric", numeric({}, 0, 0)), from_hex("02"));
    EXPECT_EQ(read("numeric", numeric({1}, 0, 0)), from_hex("03 00000000 0100"));
    EXPECT_EQ(read("numeric", numeric({0, 1, 0}, 1, 0x4000)), from_hex("01 00000000 0100"));
    EXPECT_EQ(read("numeric", numeric({1, 0, 9999}, -5, 0)), from_hex("03 fbffffff 0100 0000 0f27"));
    EXPECT_EQ(read("numeric", numeric({0, 0}, 3, 0x4000)), from_hex("02"));
    EXPECT_EQ(read("numeric", numeric({}, 0, 0xC000)), from_hex("05"));
    EXPECT_EQ(read("numeric", numeric({}, 0, 0xD000)), from_hex("04"));
    EXPECT_EQ(read("numeric", numeric({}, 0, 0xF000)), from_hex("00"));
    expect_refused("numeric", numeric({10000}, 0, 0));
    expect_refused("numeric", numeric({1}, 0, 0x8000));
    expect_refused("numeric", numeric({1}, 0, 0) + "x");
    expect_refused("numeric", numeric({1, 2}, 0, 0).substr(0, 10));
    expect_refused("numeric", "");
    expect_refused("numeric", be16(65535) + be16(0) + be16(0) + be16(0));
}

TEST_F(WireScalars, NormalisesFloats) {
    const auto float8 = [&](const std::string& hex) { return test::to_hex(read("float8", from_hex(hex))); };
    const auto float4 = [&](const std::string& hex) { return test::to_hex(read("float4", from_hex(hex))); };
    EXPECT_EQ(float8("3ff0000000000000"), "000000000000f03f");
    EXPECT_EQ(float8("8000000000000000"), "0000000000000000");
    EXPECT_EQ(float8("fff8000000000001"), "000000000000f87f");
    EXPECT_EQ(float8("7ff0000000000001"), "000000000000f87f");
    EXPECT_EQ(float8("7ff0000000000000"), "000000000000f07f");
    EXPECT_EQ(float8("fff0000000000000"), "000000000000f0ff");
    EXPECT_EQ(float8("0000000000000001"), "0100000000000000");
    EXPECT_EQ(float4("3f800000"), "000000000000f03f");
    EXPECT_EQ(float4("80000000"), "0000000000000000");
    EXPECT_EQ(float4("ff800001"), "000000000000f87f");
    EXPECT_EQ(float4("00000001"), "000000000000a036");
}

TEST_F(WireScalars, ReadsTextOfManyKinds) {
    const std::string invalid = "a\xFF  ";
    EXPECT_EQ(read("text", invalid), invalid);
    EXPECT_EQ(read("bpchar", invalid), "a\xFF");
    EXPECT_EQ(read("bpchar", "   "), "");
    EXPECT_EQ(read("bpchar", "a\t\n "), "a\t\n");
    EXPECT_EQ(read("json", "{ }", "text"), "{ }");
    EXPECT_EQ(read("jsonpath", "\1$.a"), "$.a");
    expect_refused("jsonpath", "");
    expect_refused("jsonpath", "\2$.a");
    expect_refused("jsonb", "");
    expect_refused("jsonb", "1");
    EXPECT_EQ(read("jsonb", "\1null"), "n");
}

TEST_F(WireScalars, ReadsValuesAsOtherTypesDo) {
    const auto refused = [&](const std::string& type, const std::string& wire, const std::string& form) {
        const Error error = fixtures::thrown([&] { read(type, wire, form); });
        EXPECT_EQ(error.kind(), ErrorKind::kServer) << wire;
        return error.sqlstate();
    };
    const std::string uuid = from_hex("00112233445566778899aabbccddeeff");
    const std::string written = "00112233-4455-6677-8899-aabbccddeeff";
    EXPECT_EQ(read("uuid", uuid, "text"), written);
    for (const std::string& text : {written, std::string("00112233445566778899AABBCCDDEEFF"), "{" + written + "}",
                                    std::string("0011-2233-4455-6677-8899-aabb-ccdd-eeff"), written + "  "})
        EXPECT_EQ(read("varchar", text, "uuid"), uuid) << text;
    for (const std::string& text :
         {std::string(), std::string("{}"), std::string("{"), written.substr(1), written + "0", "{" + written,
          written + "}", "001-12233445566778899aabbccddeeff" + std::string(), written + "-", " " + written,
          "g" + written.substr(1)})
        EXPECT_EQ(refused("text", text, "uuid"), "22P02") << text;
    EXPECT_EQ(read("bpchar", written + " ", "uuid"), uuid);
    EXPECT_EQ(read("text", "a  ", "trimmed"), "a");
    EXPECT_EQ(read("text", " null ", "json"), "n");
    EXPECT_EQ(refused("text", "nil", "json"), "22P02");
    EXPECT_EQ(read("float8", from_hex("3ff0000010000000"), "float4"), from_hex("000000000000f03f"));
    EXPECT_EQ(read("float8", from_hex("7fefffffffffffff"), "float4"), from_hex("ffffffffffffef7f"));
    EXPECT_EQ(read("float4", from_hex("3f800000"), "float4"), from_hex("000000000000f03f"));
    EXPECT_EQ(read("money", numeric({1, 2300}, 0, 0), "decimal"), from_hex("03 00000000 0100 fc08"));
}

TEST_F(WireScalars, ReadsDatesAsTimestamps) {
    using Date = std::numeric_limits<std::int32_t>;
    using Timestamp = std::numeric_limits<std::int64_t>;
    const auto timestamp = [&](std::int32_t date) { return read("date", be(date), "timestamp"); };
    EXPECT_EQ(timestamp(-1), le(std::int64_t{-86'400'000'000}));
    EXPECT_EQ(timestamp(Date::min()), le(Timestamp::min()));
    EXPECT_EQ(timestamp(Date::max()), le(Timestamp::max()));
    EXPECT_EQ(timestamp(-2451545), le(std::int64_t{-211'813'488'000'000'000}));
    EXPECT_EQ(timestamp(106751982), le(std::int64_t{9'223'371'244'800'000'000}));
    for (const std::int32_t date : {-2451546, 106751983, Date::min() + 1, Date::max() - 1})
        EXPECT_EQ(fixtures::thrown([&] { timestamp(date); }).sqlstate(), "22008") << date;
}

TEST_F(WireScalars, GivesTextWithoutCopyingIt) {
    const std::string wire = "text";
    ByteBuffer buffer;
    const auto reader = make_wire_decoder(types_.catalog(), types_.builtin("text"), "text");
    EXPECT_EQ(static_cast<const void*>(reader->read(wire, buffer).data()), wire.data());
}

TEST_F(WireScalars, ReadsTimes) {
    EXPECT_EQ(read("timetz", be(std::int64_t{5}) + be(std::int32_t{-3600})),
              le(std::int64_t{5}) + le(std::int32_t{-3600}));
    EXPECT_EQ(read("interval", be(std::int64_t{-5}) + be(std::int32_t{3}) + be(std::int32_t{-2})),
              le(std::int64_t{-5}) + le(std::int32_t{3}) + le(std::int32_t{-2}));
    expect_refused("timetz", std::string(11, '\0'));
    expect_refused("timetz", std::string(13, '\0'));
    expect_refused("interval", std::string(15, '\0'));
    expect_refused("interval", std::string(17, '\0'));
}

TEST_F(WireScalars, ReadsBits) {
    EXPECT_EQ(read("varbit", be32(0)), le(0U));
    EXPECT_EQ(read("bit", be32(9) + "\xFF\x80"), le(9U) + "\xFF\x80");
    expect_refused("bit", be32(9) + "\xFF");
    expect_refused("bit", be32(8) + "\xFF\x80");
    expect_refused("bit", be32(-1));
    expect_refused("bit", be32(0x7FFFFFFF));
}

TEST_F(WireScalars, ReadsAddresses) {
    EXPECT_EQ(read("inet", from_hex("02 18 00 04 c0a80001")), from_hex("04 18 c0a80001"));
    EXPECT_EQ(read("cidr", from_hex("02 18 01 04 c0a80000")), from_hex("04 18 c0a80000"));
    const std::string six(16, '\x11');
    EXPECT_EQ(read("inet", from_hex("03 80 00 10") + six), from_hex("06 80") + six);
    for (const char* wire :
         {"", "02", "02 18 00", "02 18 00 04 c0a800", "02 18 00 04 c0a8000101", "02 21 00 04 c0a80001",
          "04 18 00 04 c0a80001", "03 18 00 04 c0a80001", "02 18 00 ff c0a80001"})
        expect_refused("inet", from_hex(wire));
}

TEST_F(WireScalars, ReadsShapes) {
    const std::string one = from_hex("3ff0000000000000");
    const std::string minus_zero = from_hex("8000000000000000");
    const std::string one_le = from_hex("000000000000f03f");
    const std::string zero = std::string(8, '\0');
    EXPECT_EQ(read("point", one + minus_zero), one_le + zero);
    EXPECT_EQ(read("line", one + one + minus_zero), one_le + one_le + zero);
    EXPECT_EQ(read("box", one + one + minus_zero + one), one_le + one_le + zero + one_le);
    EXPECT_EQ(read("path", "\1" + be32(1) + one + minus_zero), "\1" + le(1U) + one_le + zero);
    EXPECT_EQ(read("path", from_hex("00") + be32(0)), from_hex("00") + le(0U));
    EXPECT_EQ(read("polygon", be32(2) + one + one + one + minus_zero), le(2U) + one_le + one_le + one_le + zero);
    expect_refused("point", one);
    expect_refused("point", one + one + "x");
    expect_refused("path", "\1" + be32(2) + one + one);
    expect_refused("path", "\1" + be32(1) + one + one + one);
    expect_refused("path", "\1");
    expect_refused("polygon", be32(0xFFFFFFFF));
    expect_refused("polygon", be32(0x10000000) + one + one);
}

TEST_F(WireScalars, ReadsTransactions) {
    EXPECT_EQ(read("tid", be32(7) + be16(3)), le(7U) + le(std::uint16_t{3}));
    expect_refused("tid", be32(7));
    expect_refused("tid", be32(7) + be32(3));
    const std::string ends = be(std::uint64_t{10}) + be(std::uint64_t{20});
    EXPECT_EQ(read("pg_snapshot", be32(1) + ends + be(std::uint64_t{15})),
              le(std::uint64_t{10}) + le(std::uint64_t{20}) + le(1U) + le(std::uint64_t{15}));
    EXPECT_EQ(read("txid_snapshot", be32(0) + ends), le(std::uint64_t{10}) + le(std::uint64_t{20}) + le(0U));
    expect_refused("pg_snapshot", be32(2) + ends + be(std::uint64_t{15}));
    expect_refused("pg_snapshot", be32(0) + ends + be(std::uint64_t{15}));
    expect_refused("pg_snapshot", be32(-1) + ends);
}

}  // namespace
}  // namespace parity::driver
