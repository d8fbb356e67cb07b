#include "core/digest.h"

#include <string>
#include <vector>

#include "tests/support/core_bytes.h"

namespace parity::core {
namespace {

constexpr u64 kMax = ~u64{0};

Digest narrow(u64 count, u64 sum) { return {1, 64, Form::kInt, 1, 0x5F3A0C1D, count, sum, 0}; }
Digest wide(u64 count, u64 high, u64 low) { return {1, 128, Form::kText, 1, 7, count, low, high}; }

std::string text_of(const Digest& digest) {
    char text[kMaxDigestText];
    return std::string(text, write_digest_text(digest, text));
}

std::string wire_of(const Digest& digest) {
    std::uint8_t wire[kDigestBytes];
    write_digest_wire(digest, wire);
    return test::bytes_of(wire);
}

TEST(Digest, AddsCountsAndSums) {
    Digest sum = narrow(2, 10);
    EXPECT_EQ(add(sum, narrow(3, 32)), DigestStatus::kOk);
    EXPECT_TRUE(same_content(sum, narrow(5, 42)));
}

TEST(Digest, SumsWrapAroundAtTheirWidth) {
    Digest sum = narrow(1, kMax);
    EXPECT_EQ(add(sum, narrow(1, 3)), DigestStatus::kOk);
    EXPECT_TRUE(same_content(sum, narrow(2, 2)));
    Digest large = wide(1, kMax, kMax);
    EXPECT_EQ(add(large, wide(1, 0, 3)), DigestStatus::kOk);
    EXPECT_TRUE(same_content(large, wide(2, 0, 2)));
}

TEST(Digest, OfWidth128CarriesIntoTheHighHalf) {
    Digest sum = wide(1, 5, kMax);
    EXPECT_EQ(add(sum, wide(1, 1, 1)), DigestStatus::kOk);
    EXPECT_TRUE(same_content(sum, wide(2, 7, 0)));
    EXPECT_EQ(subtract(sum, wide(1, 1, 1)), DigestStatus::kOk);
    EXPECT_TRUE(same_content(sum, wide(1, 5, kMax)));
}

TEST(Digest, SubtractingTakesBackWhatWasAdded) {
    Digest sum = narrow(2, 3);
    Digest part = narrow(7, kMax - 5);
    ASSERT_EQ(add(sum, part), DigestStatus::kOk);
    ASSERT_EQ(subtract(sum, part), DigestStatus::kOk);
    EXPECT_TRUE(same_content(sum, narrow(2, 3)));
}

TEST(Digest, CountsNeitherFallBelowZeroNorWrap) {
    Digest digest = narrow(2, 10);
    EXPECT_EQ(subtract(digest, narrow(3, 1)), DigestStatus::kCountBelowZero);
    EXPECT_EQ(add(digest, narrow(kMax - 1, 1)), DigestStatus::kCountTooLarge);
    EXPECT_TRUE(same_content(digest, narrow(2, 10))) << "nothing is changed by what is refused";
    EXPECT_EQ(add(digest, narrow(kMax - 2, 1)), DigestStatus::kOk);
    EXPECT_EQ(digest.count, kMax);
}

TEST(Digest, KindsThatDifferAreNeverMixed) {
    const Digest base = narrow(2, 10);
    auto expect_refused = [&](Digest other, DigestStatus status) {
        Digest digest = base;
        EXPECT_EQ(check_compatible(base, other), status);
        EXPECT_EQ(add(digest, other), status);
        EXPECT_EQ(subtract(digest, other), status);
        EXPECT_TRUE(same_content(digest, base));
        EXPECT_FALSE(describe(status).empty());
    };
    Digest other = base;
    other.version = 2;
    expect_refused(other, DigestStatus::kOtherVersion);
    other = base;
    other.width = 128;
    expect_refused(other, DigestStatus::kOtherWidth);
    other = base;
    other.form = Form::kDecimal;
    expect_refused(other, DigestStatus::kOtherForm);
    other = base;
    other.revision = 2;
    expect_refused(other, DigestStatus::kOtherRevision);
    other = base;
    other.tag ^= 1;
    expect_refused(other, DigestStatus::kOtherTag);
}

TEST(DigestText, IsAsTheFormatSays) {
    Digest digest = narrow(1000, 0x0123456789ABCDEF);
    EXPECT_EQ(text_of(digest), "1:64:int:1:5f3a0c1d:1000:0123456789abcdef");
    EXPECT_EQ(text_of(wide(0, 1, 2)), "1:128:text:1:00000007:0:00000000000000010000000000000002");
    Digest array = narrow(kMax, kMax);
    array.form = array_of(Form::kTimestamptz);
    EXPECT_EQ(text_of(array), "1:64:timestamptz[]:1:5f3a0c1d:18446744073709551615:ffffffffffffffff");
}

TEST(DigestText, OfTheLongestDigestFitsItsBuffer) {
    Digest longest{255, 128, array_of(Form::kTimestamptz), 255, 0xFFFFFFFF, kMax, kMax, kMax};
    EXPECT_LE(text_of(longest).size(), kMaxDigestText);
}

TEST(DigestText, ReadsBack) {
    for (Digest digest : {narrow(0, 0), narrow(kMax, kMax), wide(3, 4, 5), wide(kMax, kMax, 0)}) {
        std::optional<Digest> read = parse_digest_text(text_of(digest));
        ASSERT_TRUE(read) << text_of(digest);
        EXPECT_EQ(check_compatible(*read, digest), DigestStatus::kOk);
        EXPECT_TRUE(same_content(*read, digest));
    }
    std::optional<Digest> upper = parse_digest_text("1:64:int:1:5F3A0C1D:1000:0123456789ABCDEF");
    ASSERT_TRUE(upper) << "hexadecimal digits may be upper case";
    EXPECT_EQ(text_of(*upper), "1:64:int:1:5f3a0c1d:1000:0123456789abcdef");
}

TEST(DigestText, RefusesWhatIsNoDigest) {
    for (const char* text : {"",
                             "1",
                             ":",
                             "::::::",
                             "1:64:int:1:5f3a0c1d:1000",
                             "1:64:int:1:5f3a0c1d:1000:",
                             "1:64:int:1:5f3a0c1d:1000:0123456789abcde",
                             "1:64:int:1:5f3a0c1d:1000:00123456789abcdef",
                             "1:64:int:1:5f3a0c1d:1000:0123456789abcdef:",
                             "1:64:int:1:5f3a0c1d:1000:0123456789abcdef ",
                             " 1:64:int:1:5f3a0c1d:1000:0123456789abcdef",
                             "1:64:int:1:5f3a0c1d:1000:0123456789abcdeg",
                             "1:64:int:1:5f3a0c1d:1000:0x23456789abcdef",
                             "1:64:int:1:5f3a0c1d:-1:0123456789abcdef",
                             "1:64:int:1:5f3a0c1d:+1:0123456789abcdef",
                             "1:64:int:1:5f3a0c1d:18446744073709551616:0123456789abcdef",
                             "1:64:int:1:5f3a0c1:1000:0123456789abcdef",
                             "1:64:int:0:5f3a0c1d:1000:0123456789abcdef",
                             "1:64:int:256:5f3a0c1d:1000:0123456789abcdef",
                             "1:64:integer:1:5f3a0c1d:1000:0123456789abcdef",
                             "1:64:?:1:5f3a0c1d:1000:0123456789abcdef",
                             "1:64::1:5f3a0c1d:1000:0123456789abcdef",
                             "2:64:int:1:5f3a0c1d:1000:0123456789abcdef",
                             "257:64:int:1:5f3a0c1d:1000:0123456789abcdef",
                             "1:65:int:1:5f3a0c1d:1000:0123456789abcdef",
                             "1:320:int:1:5f3a0c1d:1000:0123456789abcdef",
                             "1:18:int:1:5f3a0c1d:1000:0123",
                             "1:0:int:1:5f3a0c1d:1000:",
                             "1:128:int:1:5f3a0c1d:1000:0123456789abcdef",
                             "1:64:int:1:5f3a0c1d:1000:01234567:9abcdef"})
        EXPECT_FALSE(parse_digest_text(text)) << text;
    std::string cut = "1:128:text[]:1:5f3a0c1d:1000:0123456789abcdef0123456789abcdef";
    ASSERT_TRUE(parse_digest_text(cut));
    while (!cut.empty()) {
        cut.pop_back();
        EXPECT_FALSE(parse_digest_text(cut)) << cut;
    }
}

TEST(DigestWire, IsBigEndianAndReadsBack) {
    Digest digest = wide(0x0102030405060708, 0x1112131415161718, 0x2122232425262728);
    digest.tag = 0xA1A2A3A4;
    std::string wire = wire_of(digest);
    EXPECT_EQ(test::to_hex(wire), "01800501a1a2a3a4010203040506070821222324252627281112131415161718");
    std::optional<Digest> read = parse_digest_wire(test::view(wire));
    ASSERT_TRUE(read);
    EXPECT_EQ(text_of(*read), text_of(digest));
}

TEST(DigestWire, RefusesWhatIsNoDigest) {
    std::string good = wire_of(narrow(1, 2));
    ASSERT_TRUE(parse_digest_wire(test::view(good)));
    EXPECT_FALSE(parse_digest_wire({}));
    EXPECT_FALSE(parse_digest_wire(test::view(good.substr(1))));
    EXPECT_FALSE(parse_digest_wire(test::view(good + '\0')));
    auto expect_refused = [&](std::size_t at, int value) {
        std::string bad = good;
        bad[at] = static_cast<char>(value);
        EXPECT_FALSE(parse_digest_wire(test::view(bad))) << at << " " << value;
    };
    expect_refused(0, 0);
    expect_refused(0, 2);
    expect_refused(1, 0);
    expect_refused(1, 32);
    expect_refused(2, 0);
    expect_refused(2, 39);
    expect_refused(2, 128);
    expect_refused(2, 128 + 64);
    expect_refused(3, 0);
    expect_refused(31, 1);  // a width of 64 has no high half
}

std::uint32_t tag(SliceKind kind, std::initializer_list<Form> key, std::initializer_list<Form> columns,
                  Form column = Form::kNone, u64 seed = 0) {
    ByteSink scratch = test::make_sink();
    const auto names_of = [](std::initializer_list<Form> forms) {
        std::vector<std::string_view> names;
        for (Form form : forms) names.push_back(form_name(form));
        return names;
    };
    std::uint32_t result = slice_tag(kind, names_of(key), names_of(columns), form_name(column), seed, scratch);
    EXPECT_FALSE(scratch.failed);
    std::free(scratch.data);
    return result;
}

std::uint32_t tag_of_string(std::string_view tagged, u64 seed = 0) {
    return static_cast<std::uint32_t>(hash_bytes<u64>(as_bytes(tagged), seed));
}

TEST(SliceTag, IsTheHashOfTheFormsInWords) {
    using enum Form;
    EXPECT_EQ(tag(SliceKind::kKey, {kInt, kText}, {kBool}), tag_of_string("int,text;key"));
    EXPECT_EQ(tag(SliceKind::kRow, {kInt}, {kBool, kText}), tag_of_string("int;row:bool,text"));
    EXPECT_EQ(tag(SliceKind::kRow, {kInt}, {}), tag_of_string("int;row:"));
    EXPECT_EQ(tag(SliceKind::kColumn, {kInt}, {kBool, kText}, array_of(kText)), tag_of_string("int;text[]"));
    EXPECT_EQ(tag(SliceKind::kKey, {}, {kBool, kText}), tag_of_string(";key:bool,text"));
    EXPECT_EQ(tag(SliceKind::kRow, {}, {kBool}), tag_of_string(";row:bool"));
    EXPECT_EQ(tag(SliceKind::kColumn, {}, {kBool}, kBool, 99), tag_of_string(";bool", 99));
}

TEST(SliceTag, TellsSeedsAndFormsApart) {
    using enum Form;
    EXPECT_NE(tag(SliceKind::kKey, {kInt}, {}), tag(SliceKind::kKey, {kDecimal}, {}));
    EXPECT_NE(tag(SliceKind::kKey, {kInt}, {}, kNone, 1), tag(SliceKind::kKey, {kInt}, {}, kNone, 2));
    EXPECT_NE(tag(SliceKind::kRow, {kInt}, {kInt, kText}), tag(SliceKind::kRow, {kInt}, {kText, kInt}));
    EXPECT_EQ(tag(SliceKind::kKey, {kInt}, {kText}), tag(SliceKind::kKey, {kInt}, {kBool}))
        << "the key's digest does not depend on the columns";
}

TEST(SliceTag, TellsOfMissingMemory) {
    ByteSink scratch = test::make_failing_sink();
    (void)slice_tag(SliceKind::kKey, {}, {}, {}, 0, scratch);
    EXPECT_TRUE(scratch.failed);
}

}  // namespace
}  // namespace parity::core
