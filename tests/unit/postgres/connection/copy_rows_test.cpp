#include "driver/postgres/connection/copy_rows.h"

#include <gtest/gtest.h>

#include "tests/support/wire_fixtures.h"

namespace parity::driver {
namespace {

using namespace std::string_literals;
using fixtures::be16;
using fixtures::be32;
using fixtures::expect_malformed;
using fixtures::sized;
using fixtures::wire_null;

const std::string kHeader = "PGCOPY\n\377\r\n\0"s + be32(0) + be32(0);
const std::string kTrailer = be16(-1);

std::string row(const std::vector<std::string>& fields) {
    std::string message = be16(static_cast<int>(fields.size()));
    for (const std::string& field : fields) message += field;
    return message;
}

using Texts = std::vector<std::optional<std::string>>;

/// The fields of a message that must hold a row.
Texts read(CopyRowReader& reader, const std::string& message) {
    const auto fields = reader.read(message);
    if (!fields) throw std::logic_error("no row");
    return {fields->begin(), fields->end()};
}

/// What a reader of two fields says of messages, the last of which is malformed.
void expect_last_refused(const std::vector<std::string>& messages, const std::string& context) {
    CopyRowReader reader(2);
    for (std::size_t i = 0; i + 1 < messages.size(); ++i) reader.read(messages[i]);
    // a copy without room behind it, so that a sanitizer sees whoever reads beyond its end
    const std::unique_ptr<char[]> copy(new char[messages.back().size()]);
    messages.back().copy(copy.get(), messages.back().size());
    expect_malformed([&] { reader.read({copy.get(), messages.back().size()}); }, context);
}

TEST(CopyFormat, ReadsRows) {
    CopyRowReader reader(2);
    EXPECT_EQ(read(reader, kHeader + row({sized("a"), sized("")})), (Texts{"a", ""}));
    EXPECT_EQ(read(reader, row({wire_null(), sized("b\0c"s)})), (Texts{std::nullopt, "b\0c"s}));
    EXPECT_FALSE(reader.read(kTrailer));
    reader.require_complete(2);
}

TEST(CopyFormat, ReadsNoRows) {
    CopyRowReader together(2), apart(2);
    EXPECT_FALSE(together.read(kHeader + kTrailer));
    together.require_complete(0);
    EXPECT_FALSE(apart.read(kHeader));
    EXPECT_FALSE(apart.read(kTrailer));
    apart.require_complete(0);
}

TEST(CopyFormat, ReadsRowsWithoutFields) {
    CopyRowReader reader(0);
    EXPECT_EQ(read(reader, kHeader + row({})), Texts{});
    EXPECT_FALSE(reader.read(kTrailer));
    reader.require_complete(1);
}

TEST(CopyFormat, SkipsExtensionsOfTheHeader) {
    CopyRowReader reader(1);
    const std::string extended = "PGCOPY\n\377\r\n\0"s + be32(1) + sized("whatever it is");
    EXPECT_EQ(read(reader, extended + row({sized("x")})), Texts{"x"});
}

TEST(CopyFormat, RefusesOtherHeaders) {
    std::string signature = kHeader, oids = kHeader;
    signature[7] = '\n';  // what a text transfer makes of it
    oids[12] = 1;         // bit 16
    expect_last_refused({signature + kTrailer}, "signature");
    expect_last_refused({oids + kTrailer}, "critical flag");
    expect_last_refused({row({sized("a"), sized("b")})}, "no header");
    expect_last_refused({""}, "nothing");
    expect_last_refused({"PGCOPY\n\377\r\n\0"s + be32(0) + be32(5) + "1234"}, "header extension");
}

TEST(CopyFormat, RefusesEveryTruncation) {
    const std::string message = kHeader + row({sized("abc"), sized("de")});
    for (std::size_t length = 0; length < message.size(); ++length) {
        if (length == kHeader.size()) continue;  // a header alone may come
        expect_last_refused({message.substr(0, length)}, "cut after " + std::to_string(length));
    }
    expect_last_refused({kHeader, ""}, "empty message");
}

TEST(CopyFormat, RefusesRowsOfAnotherShape) {
    expect_last_refused({kHeader, row({sized("a")})}, "too few");
    expect_last_refused({kHeader, row({sized("a"), sized("b"), sized("c")})}, "too many");
    expect_last_refused({kHeader, be16(-2) + sized("a") + sized("b")}, "negative number");
    expect_last_refused({kHeader, row({be32(-2), sized("b")})}, "negative length");
    expect_last_refused({kHeader, row({be32(0x7FFFFFFF), sized("b")})}, "length beyond the end");
    expect_last_refused({kHeader, row({sized("a"), sized("b")}) + "x"}, "more than a row");
    expect_last_refused({kHeader, row({sized("a"), sized("b")}) + kTrailer}, "row and trailer");
}

TEST(CopyFormat, RefusesWhatFollowsTheTrailer) {
    expect_last_refused({kHeader, kTrailer + "x"}, "in one message");
    expect_last_refused({kHeader, kTrailer, kTrailer}, "another trailer");
    expect_last_refused({kHeader, kTrailer, row({sized("a"), sized("b")})}, "a row");
}

TEST(CopyFormat, IsCompleteOnlyWithTrailerAndCount) {
    CopyRowReader reader(1);
    expect_malformed([&] { reader.require_complete(0); }, "nothing came");
    reader.read(kHeader + row({sized("a")}));
    expect_malformed([&] { reader.require_complete(1); }, "no trailer");
    reader.read(kTrailer);
    reader.require_complete(1);
    expect_malformed([&] { reader.require_complete(0); }, "more than were sent");
    expect_malformed([&] { reader.require_complete(2); }, "fewer than were sent");
}

}  // namespace
}  // namespace parity::driver
