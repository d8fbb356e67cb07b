#include "core/bounds.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include "core/decimal.h"
#include "core/order.h"
#include "tests/support/core_bytes.h"
#include "tests/support/key_bounds.h"

namespace parity::core {
namespace {

using test::Bytes;
using test::frame;
using test::from_hex;
using test::int_frame;
using test::le;
using test::text_frame;
using test::view;

const std::vector<Form> kIntKey{Form::kInt};
const std::vector<Form> kTextKey{Form::kText};
const std::vector<Form> kPairKey{Form::kInt, Form::kText};
const std::vector<Form> kNoKey;

const Bytes kNullFrame(1, '\0');

Bytes hash_bound(u64 hash) {
    Bytes bound = "h" + Bytes(8, '\0');
    store_be(reinterpret_cast<std::uint8_t*>(&bound[1]), hash);
    return bound;
}

/// Bounds with what a finder needs beside them.
class Division {
  public:
    Division(std::vector<Bytes> bounds, const std::vector<Form>& forms)
        : bounds_(std::move(bounds)), numbers_(bounds_.size() + 1) {
        for (const Bytes& bound : bounds_) views_.push_back(view(bound));
        finder_ = RangeFinder(views_, forms, numbers_.data());
    }
    std::uint32_t find(const Bytes& key, u64 hash = 0) { return finder_.find(view(key), hash); }
    /// Keys of one length, together.
    std::vector<std::uint32_t> find_all(const std::vector<Bytes>& keys) {
        const Bytes together = join(keys);
        std::vector<std::int64_t> numbers(keys.size());
        finder_.read_numbers(framed(together, keys), numbers);
        std::vector<std::uint32_t> ranges(keys.size());
        finder_.find_all(framed(together, keys), numbers, ranges.data());
        return ranges;
    }
    std::optional<std::uint32_t> find_same(std::int64_t lowest, std::int64_t highest) {
        return finder_.find_same(lowest, highest);
    }
    bool by_hash() const { return finder_.by_hash(); }

  private:
    static Bytes join(const std::vector<Bytes>& keys) {
        Bytes together;
        for (const Bytes& key : keys) together += key + "..";
        return together;
    }
    static FramedKeys framed(const Bytes& together, const std::vector<Bytes>& keys) {
        return {view(together).data(), keys[0].size() + 2, keys[0].size()};
    }

    std::vector<Bytes> bounds_;
    std::vector<ByteView> views_;
    std::vector<std::int64_t> numbers_;
    RangeFinder finder_;
};

TEST(Bound, IsWellFormedOrRefused) {
    EXPECT_EQ(check_bound(view("k" + int_frame(1)), kIntKey), BoundStatus::kOk);
    EXPECT_EQ(check_bound(view("k" + kNullFrame), kIntKey), BoundStatus::kOk);
    EXPECT_EQ(check_bound(view("k" + int_frame(1)), kPairKey), BoundStatus::kOk) << "a leading column is enough";
    EXPECT_EQ(check_bound(view("k" + int_frame(1) + text_frame("x")), kPairKey), BoundStatus::kOk);
    EXPECT_EQ(check_bound(view(hash_bound(5)), kIntKey), BoundStatus::kOk);
    EXPECT_EQ(check_bound(view(hash_bound(5)), kNoKey), BoundStatus::kOk);
    for (const Bytes& bad : {Bytes(), Bytes("k"), Bytes("x"), "x" + int_frame(1), "k" + int_frame(1) + int_frame(2),
                             "k" + int_frame(1).substr(1), "k" + int_frame(1).substr(0, 5), "k" + text_frame("1"),
                             Bytes("h"), hash_bound(1) + "x", hash_bound(1).substr(0, 8)})
        EXPECT_EQ(check_bound(view(bad), kIntKey), BoundStatus::kMalformed) << test::to_hex(bad);
    EXPECT_EQ(check_bound(view("k" + frame(Form::kDecimal, from_hex("07"))), std::vector{Form::kDecimal}),
              BoundStatus::kMalformed);
}

TEST(Bound, OnKeysNeedsAKey) { EXPECT_EQ(check_bound(view("k" + int_frame(1)), kNoKey), BoundStatus::kNoKey); }

TEST(Bound, MustFollowASmallerOneOfItsKind) {
    Bytes one = "k" + int_frame(1);
    Bytes two = "k" + int_frame(2);
    EXPECT_EQ(check_succession(view(one), view(two), kIntKey), BoundStatus::kOk);
    EXPECT_EQ(check_succession(view(two), view(one), kIntKey), BoundStatus::kNotAscending);
    EXPECT_EQ(check_succession(view(one), view(one), kIntKey), BoundStatus::kNotAscending);
    EXPECT_EQ(check_succession(view(one), view("k" + kNullFrame), kIntKey), BoundStatus::kOk) << "NULL comes last";
    EXPECT_EQ(check_succession(view(one), view(hash_bound(1)), kIntKey), BoundStatus::kMixedKinds);
    EXPECT_EQ(check_succession(view(hash_bound(1)), view(hash_bound(u64{1} << 63)), kIntKey), BoundStatus::kOk);
    EXPECT_EQ(check_succession(view(hash_bound(1)), view(hash_bound(1)), kIntKey), BoundStatus::kNotAscending);
}

TEST(Bound, OnFewerColumnsComesBeforeItsExtensions) {
    Bytes prefix = "k" + int_frame(1);
    EXPECT_EQ(compare_bounds(view(prefix), view(prefix + text_frame("")), kPairKey), -1);
    EXPECT_EQ(compare_bounds(view("k" + int_frame(2)), view(prefix + kNullFrame), kPairKey), 1);
}

TEST(Bound, EveryStatusHasItsWords) {
    for (BoundStatus status : {BoundStatus::kOk, BoundStatus::kMalformed, BoundStatus::kMixedKinds,
                               BoundStatus::kNotAscending, BoundStatus::kNoKey})
        EXPECT_NE(describe(status), "unknown");
}

TEST(HashBound, IsAnEvenPartOfAllHashes) {
    std::uint8_t bound[kHashBoundBytes];
    write_hash_bound(1, 2, bound);
    EXPECT_EQ(test::to_hex(test::bytes_of(bound)), "688000000000000000");
    write_hash_bound(1, 3, bound);
    EXPECT_EQ(test::to_hex(test::bytes_of(bound)), "685555555555555555");
    write_hash_bound(999999, 1000000, bound);
    EXPECT_EQ(test::to_hex(test::bytes_of(bound)), "68ffffef39085f4a12");
}

TEST(RangeFinder, WithoutBoundsThereIsOneRange) {
    Division all({}, kIntKey);
    EXPECT_EQ(all.find(int_frame(std::numeric_limits<std::int64_t>::min())), 0u);
    EXPECT_EQ(all.find(kNullFrame), 0u);
    EXPECT_FALSE(all.by_hash());
}

TEST(RangeFinder, BoundsBelongToTheUpperRange) {
    Division integers({"k" + int_frame(-5), "k" + int_frame(10)}, kIntKey);
    EXPECT_EQ(integers.find(int_frame(-6)), 0u);
    EXPECT_EQ(integers.find(int_frame(-5)), 1u);
    EXPECT_EQ(integers.find(int_frame(9)), 1u);
    EXPECT_EQ(integers.find(int_frame(10)), 2u);
    Division texts({"k" + text_frame("b")}, kTextKey);
    EXPECT_EQ(texts.find(text_frame("az")), 0u);
    EXPECT_EQ(texts.find(text_frame("b")), 1u);
}

TEST(RangeFinder, NullsAreInTheLastRangeUnlessABoundSaysOtherwise) {
    Division integers({"k" + int_frame(1)}, kIntKey);
    EXPECT_EQ(integers.find(kNullFrame), 1u);
    Division apart({"k" + int_frame(1), "k" + kNullFrame}, kIntKey);
    EXPECT_EQ(apart.find(int_frame(std::numeric_limits<std::int64_t>::max())), 1u);
    EXPECT_EQ(apart.find(kNullFrame), 2u);
    Division texts({"k" + text_frame("")}, kTextKey);
    EXPECT_EQ(texts.find(text_frame("")), 1u);
    EXPECT_EQ(texts.find(kNullFrame), 1u);
}

TEST(RangeFinder, ABoundOnLeadingColumnsTakesAllKeysThatBeginSo) {
    Division pairs({"k" + int_frame(1), "k" + int_frame(1) + text_frame("m"), "k" + int_frame(2)}, kPairKey);
    EXPECT_EQ(pairs.find(int_frame(0) + kNullFrame), 0u);
    EXPECT_EQ(pairs.find(int_frame(1) + text_frame("")), 1u);
    EXPECT_EQ(pairs.find(int_frame(1) + text_frame("m")), 2u);
    EXPECT_EQ(pairs.find(int_frame(1) + kNullFrame), 2u);
    EXPECT_EQ(pairs.find(int_frame(2) + text_frame("")), 3u);
    EXPECT_EQ(pairs.find(kNullFrame + text_frame("")), 3u);
}

TEST(RangeFinder, HashBoundsLookAtTheHashAloneWithoutSign) {
    Division halves({hash_bound(1), hash_bound(u64{1} << 63)}, kIntKey);
    EXPECT_TRUE(halves.by_hash());
    EXPECT_EQ(halves.find(int_frame(77), 0), 0u);
    EXPECT_EQ(halves.find(int_frame(77), 1), 1u);
    EXPECT_EQ(halves.find(int_frame(77), (u64{1} << 63) - 1), 1u);
    EXPECT_EQ(halves.find(int_frame(77), u64{1} << 63), 2u);
    EXPECT_EQ(halves.find(kNullFrame, ~u64{0}), 2u);
}

TEST(RangeFinder, DatesAreReadAsFourBytes) {
    const std::vector<Form> forms{Form::kDate};
    auto date = [](std::int32_t days) { return frame(Form::kDate, le(days)); };
    Division dates({"k" + date(-1), "k" + date(300)}, forms);
    EXPECT_EQ(dates.find(date(std::numeric_limits<std::int32_t>::min())), 0u);
    EXPECT_EQ(dates.find(date(-1)), 1u);
    EXPECT_EQ(dates.find(date(299)), 1u);
    EXPECT_EQ(dates.find(date(std::numeric_limits<std::int32_t>::max())), 2u);
}

/// Whatever range was found last, and whatever the kind of bounds: the range is the number of bounds that are not
/// above.
template <typename MakeFrame>
void expect_found_everywhere(Form form, MakeFrame make_frame) {
    std::mt19937_64 random(20260101);
    const std::vector<Form> forms{form};
    for (std::size_t count : {1, 2, 3, 7, 64, 255}) {
        std::vector<Bytes> bounds;
        for (std::size_t i = 0; i < count; ++i) bounds.push_back("k" + make_frame(random()));
        auto below = [&](const Bytes& a, const Bytes& b) { return compare_bounds(view(a), view(b), forms) < 0; };
        std::sort(bounds.begin(), bounds.end(), below);
        bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
        Division division(bounds, forms);
        std::map<std::size_t, std::vector<Bytes>> keys;  // by length
        for (int i = 0; i < 2000; ++i) {
            Bytes key = i % 50 == 0  ? kNullFrame
                        : i % 3 == 0 ? bounds[random() % bounds.size()].substr(1)
                                     : make_frame(random());
            auto expected = std::count_if(bounds.begin(), bounds.end(), [&](const Bytes& b) {
                return compare_keys(forms, view(key), view(b).subspan(1)) >= 0;
            });
            ASSERT_EQ(division.find(key), static_cast<std::uint32_t>(expected));
            keys[key.size()].push_back(key);
        }
        for (const auto& [length, of_length] : keys) {
            std::vector<std::uint32_t> alone;
            for (const Bytes& key : of_length) alone.push_back(division.find(key));
            ASSERT_EQ(division.find_all(of_length), alone);
        }
    }
}

TEST(RangeFinder, FindsEveryIntegerInItsRange) {
    expect_found_everywhere(
        Form::kInt, [](std::uint64_t value) { return int_frame(static_cast<std::int64_t>(value >> value % 64)); });
    expect_found_everywhere(Form::kTimestamp, [](std::uint64_t value) {
        return frame(Form::kTimestamp, le(static_cast<std::int64_t>(value)));
    });
}

TEST(RangeFinder, FindsEveryTextInItsRange) {
    expect_found_everywhere(Form::kText,
                            [](std::uint64_t value) { return text_frame(std::to_string(value).substr(0, value % 5)); });
}

TEST(RangeFinder, FindsTextsThatBeginAlike) {
    expect_found_everywhere(Form::kText, [](std::uint64_t value) {
        return text_frame(Bytes(value % 3 ? "customer number " : "custom") + std::to_string(value % 100000));
    });
}

TEST(RangeFinder, LooksBehindWhatAllBoundsBeginWith) {
    const auto numbered = [](int number) { return text_frame("order number " + std::to_string(number)); };
    std::vector<Bytes> bounds;
    for (int number = 100; number < 1000; number += 100) bounds.push_back("k" + numbered(number));
    Division division(bounds, kTextKey);
    EXPECT_EQ(division.find(numbered(99)), 9u);
    EXPECT_EQ(division.find(numbered(100)), 1u);
    EXPECT_EQ(division.find(numbered(199)), 1u);
    EXPECT_EQ(division.find(numbered(200)), 2u);
    for (const char* below : {"", "order", "order number ", "order numbeq 9", "order number 0"})
        EXPECT_EQ(division.find(text_frame(below)), 0u) << below;
    for (const char* above : {"ordes", "p", "order numbes", "order number A"})
        EXPECT_EQ(division.find(text_frame(above)), 9u) << above;
    bounds.push_back("k" + kNullFrame);
    Division with_null(bounds, kTextKey);
    EXPECT_EQ(with_null.find(text_frame("p")), 9u);
    EXPECT_EQ(with_null.find(numbered(250)), 2u);
    EXPECT_EQ(with_null.find(kNullFrame), 10u);
    Division one({"k" + numbered(5)}, kTextKey);
    EXPECT_EQ(one.find(numbered(5)), 1u);
    EXPECT_EQ(one.find(numbered(55)), 1u);
    EXPECT_EQ(one.find(numbered(4)), 0u);
    EXPECT_EQ(one.find(text_frame("order number ")), 0u);
    EXPECT_EQ(one.find(text_frame("q")), 1u);
}

TEST(RangeFinder, FindsEveryUuidInItsRange) {
    expect_found_everywhere(Form::kUuid, [](std::uint64_t value) {
        return frame(Form::kUuid, (value % 5 ? le(value) : Bytes(8, 'u')) + le(value * 7919));
    });
}

TEST(RangeFinder, FindsEveryUnsignedNumberInItsRange) {
    expect_found_everywhere(Form::kUnsigned, [](std::uint64_t value) { return frame(Form::kUnsigned, le(value)); });
}

TEST(RangeFinder, FindsEveryFloatInItsRange) {
    expect_found_everywhere(Form::kFloat, [](std::uint64_t value) {
        return frame(Form::kFloat, le(value % 20 ? value : value % 40 ? std::uint64_t{0} : std::uint64_t{1} << 63));
    });
}

TEST(RangeFinder, FindsEveryDecimalInItsRange) {
    expect_found_everywhere(Form::kDecimal, [](std::uint64_t value) {
        return frame(Form::kDecimal, test::appended([&](ByteSink& sink) {
                         constexpr DecimalKind kWithoutDigits[] = {DecimalKind::kMinusInfinity, DecimalKind::kZero,
                                                                   DecimalKind::kInfinity, DecimalKind::kNan};
                         if (value % 50 < 4) return append_decimal(sink, kWithoutDigits[value % 50]);
                         const auto weight = static_cast<std::int32_t>(value % 7 ? value % 5 : value >> 32);
                         const std::uint16_t digits[] = {static_cast<std::uint16_t>(value % 11),
                                                         static_cast<std::uint16_t>(value % 3),
                                                         static_cast<std::uint16_t>(value % 9999)};
                         append_decimal(sink, value % 2, value % 50 < 8 ? 0 : weight, digits);
                     }));
    });
}

TEST(RangeFinder, FindsTheRangeThatAllKeysShareNearTheLastOne) {
    constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
    constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
    Division division({"k" + int_frame(10), "k" + int_frame(20), "k" + int_frame(30)}, kIntKey);
    EXPECT_EQ(division.find(int_frame(15)), 1u);
    EXPECT_EQ(division.find_same(10, 19), 1u);
    EXPECT_EQ(division.find_same(10, 20), std::nullopt);
    EXPECT_EQ(division.find_same(9, 10), std::nullopt);
    EXPECT_EQ(division.find_same(kMin, 9), 0u);
    EXPECT_EQ(division.find_same(kMin, kMax), std::nullopt);
    EXPECT_EQ(division.find_same(20, 29), 2u);  // not beside the last one
    EXPECT_EQ(division.find_same(30, kMax), 3u);
    EXPECT_EQ(division.find_same(kMin, kMin), 0u);
    EXPECT_EQ(division.find_same(25, 30), std::nullopt);
    EXPECT_EQ(division.find_same(5, 6), std::nullopt) << "looked for elsewhere once only";
    EXPECT_EQ(division.find_same(30, 31), 3u) << "beside where it was looked for in vain";
    EXPECT_EQ(division.find_same(5, 6), 0u);
    EXPECT_EQ(Division({}, kIntKey).find_same(1, kMax), 0u);
    EXPECT_EQ(Division({"k" + text_frame("b")}, kTextKey).find_same(1, 1), std::nullopt);
    EXPECT_EQ(Division({hash_bound(1)}, kIntKey).find_same(1, 1), std::nullopt);
    EXPECT_EQ(Division({"k" + kNullFrame}, kIntKey).find_same(1, 1), std::nullopt);
}

TEST(RangeFinder, ComparesTheColumnsBehindTheFirst) {
    std::vector<Bytes> bounds{"k" + int_frame(1) + text_frame("b"), "k" + int_frame(1) + text_frame("d"),
                              "k" + int_frame(3)};
    Division division(bounds, kPairKey);
    const std::vector<Bytes> keys{int_frame(1) + text_frame("a"), int_frame(1) + text_frame("b"),
                                  int_frame(1) + text_frame("e"), int_frame(2) + text_frame("a"),
                                  int_frame(3) + text_frame("")};
    const std::vector<std::uint32_t> expected{0, 1, 2, 2, 3};
    for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(division.find(keys[i]), expected[i]);
    EXPECT_EQ(division.find_all({keys.begin(), keys.begin() + 4}), (std::vector<std::uint32_t>{0, 1, 2, 2}));
    EXPECT_EQ(division.find(int_frame(3) + kNullFrame), 3u);
    EXPECT_EQ(division.find(kNullFrame + text_frame("a")), 3u);
}

}  // namespace
}  // namespace parity::core
