#include "driver/postgres/extension/digest_reader.h"

#include <gtest/gtest.h>

#include <functional>

#include "driver/model/error.h"
#include "driver/postgres/values/array.h"
#include "tests/support/wire_fixtures.h"

namespace parity::driver {
namespace {

using fixtures::be;

std::string wire_of(const core::Digest& digest) {
    std::string bytes(core::kDigestBytes, '\0');
    core::write_digest_wire(digest, std::span<std::uint8_t, core::kDigestBytes>(
                                        reinterpret_cast<std::uint8_t*>(bytes.data()), core::kDigestBytes));
    return bytes;
}

std::string array_of(const std::vector<std::optional<std::string>>& elements) {
    std::string wire = be<std::int32_t>(1) + be<std::int32_t>(0) + be<std::uint32_t>(12345) +
                       be(static_cast<std::int32_t>(elements.size())) + be<std::int32_t>(1);
    for (const auto& element : elements)
        wire += element ? be(static_cast<std::int32_t>(element->size())) + *element : be<std::int32_t>(-1);
    return wire;
}

const std::string kEmptyArray = be<std::int32_t>(0) + be<std::int32_t>(0) + be<std::uint32_t>(25);

void expect_internal_error(const std::function<void()>& action) {
    try {
        action();
        ADD_FAILURE() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kInternal);
    }
}

TEST(WireArray, GivesElementsAndNulls) {
    std::vector<std::optional<std::string>> seen;
    read_wire_array(array_of({"one", std::nullopt, ""}), [&](std::optional<std::string_view> element) {
        seen.push_back(element ? std::optional<std::string>(*element) : std::nullopt);
    });
    EXPECT_EQ(seen, (std::vector<std::optional<std::string>>{"one", std::nullopt, ""}));
}

TEST(WireArray, AnEmptyArrayHasNoDimensions) {
    int elements = 0;
    read_wire_array(kEmptyArray, [&](std::optional<std::string_view>) { ++elements; });
    EXPECT_EQ(elements, 0);
}

TEST(WireArray, RefusesEveryTruncation) {
    const std::string wire = array_of({"one", "two"});
    for (std::size_t length = 0; length < wire.size(); ++length) {
        SCOPED_TRACE(length);
        expect_internal_error([&] { read_wire_array(wire.substr(0, length), [](std::optional<std::string_view>) {}); });
    }
    expect_internal_error([&] { read_wire_array(wire + "x", [](std::optional<std::string_view>) {}); });
    std::string negative = array_of({std::nullopt});
    negative.back() = '\xFE';  // a length of -2 is no NULL
    expect_internal_error([&] { read_wire_array(negative, [](std::optional<std::string_view>) {}); });
}

TEST(WireArray, RefusesSeveralDimensions) {
    const std::string wire = be<std::int32_t>(2) + be<std::int32_t>(0) + be<std::uint32_t>(25) + std::string(16, '\0');
    expect_internal_error([&] { read_wire_array(wire, [](std::optional<std::string_view>) {}); });
}

TEST(DigestReader, ReadsIntegersOfBothWidths) {
    std::vector<std::int64_t> numbers{9};
    decode_integer_array(array_of({be<std::int32_t>(-2), be<std::int64_t>(std::int64_t{1} << 40)}), numbers);
    EXPECT_EQ(numbers, (std::vector<std::int64_t>{-2, std::int64_t{1} << 40}));
    expect_internal_error([&] { decode_integer_array(array_of({std::nullopt}), numbers); });
    expect_internal_error([&] { decode_integer_array(array_of({"abc"}), numbers); });
}

TEST(RangeCheck, TakesExactlyTheRangesThatWereAskedFor) {
    RangeDigests range;
    RangeCheck check(Side::kSource, {{"a", "b", "c"}, {1, 3}});
    check.take(1, 5, range);
    EXPECT_EQ(range.range_no, 1);
    EXPECT_EQ(range.rows, 5U);
    expect_internal_error([&] { check.finish(); });
    expect_internal_error([&] { check.take(2, 5, range); });
    expect_internal_error([&] { check.take(1, 5, range); });
    expect_internal_error([&] { check.take(3, -1, range); });
    RangeCheck other(Side::kSource, {{"a"}, {2}});
    other.take(2, 0, range);
    other.finish();
    expect_internal_error([&] { other.take(3, 0, range); });
}

TEST(DigestReader, ReadsDigestsFromTheWire) {
    const core::Digest a{1, 64, core::Form::kInt, 1, 0x01020304, 7, 0x1122334455667788, 0};
    const core::Digest b{1, 128, core::Form::kText, 1, 5, 9, 1, 2};
    std::vector<core::Digest> digests{b, b, b};
    decode_digest_array(array_of({wire_of(a), wire_of(b)}), digests);
    ASSERT_EQ(digests.size(), 2U);
    EXPECT_EQ(digests[0].tag, a.tag);
    EXPECT_EQ(digests[0].count, a.count);
    EXPECT_EQ(digests[0].sum_low, a.sum_low);
    EXPECT_TRUE(digests[1].form == core::Form::kText && digests[1].sum_high == 2);
}

TEST(DigestReader, RefusesNullsOtherLengthsAndOtherVersions) {
    std::vector<core::Digest> digests;
    expect_internal_error([&] { decode_digest_array(array_of({std::nullopt}), digests); });
    expect_internal_error([&] { decode_digest_array(array_of({std::string(31, '\1')}), digests); });
    std::string other_version = wire_of({1, 64, core::Form::kInt, 1, 0, 0, 0, 0});
    other_version[0] = 2;
    expect_internal_error([&] { decode_digest(other_version); });
}

}  // namespace
}  // namespace parity::driver
