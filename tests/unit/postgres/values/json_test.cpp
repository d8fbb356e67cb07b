#include "driver/postgres/values/json.h"

#include <map>
#include <random>

#include "driver/model/error.h"
#include "tests/support/core_bytes.h"
#include "tests/support/wire_fixtures.h"

namespace parity::driver {
namespace {

using fixtures::thrown;
using test::counted;
using test::le;

std::string canonical_json(std::string_view text) {
    JsonReader reader;
    return fixtures::appended([&](core::ByteSink& sink) { reader.append(text, sink); });
}

std::string string(const std::string& utf8) { return "s" + counted(utf8); }
std::string array(std::uint32_t count, const std::string& elements) { return "[" + le(count) + elements; }
std::string object(std::uint32_t count, const std::string& members) { return "{" + le(count) + members; }

const std::string kOne = "#" + counted(test::from_hex("03 00000000 0100"));
const std::string kTwo = "#" + counted(test::from_hex("03 00000000 0200"));

TEST(JsonText, WritesScalars) {
    EXPECT_EQ(canonical_json("null"), "n");
    EXPECT_EQ(canonical_json(" \t\r\nfalse "), "f");
    EXPECT_EQ(canonical_json("true"), "t");
    EXPECT_EQ(canonical_json("\"\""), string(""));
    EXPECT_EQ(canonical_json("\"\xC3\xA4\""), string("\xC3\xA4"));
    EXPECT_EQ(canonical_json("1.0"), kOne);
    EXPECT_EQ(canonical_json("-0"), "#" + counted(test::from_hex("02")));
}

TEST(JsonText, WritesContainers) {
    EXPECT_EQ(canonical_json("[]"), array(0, ""));
    EXPECT_EQ(canonical_json("[ ]"), array(0, ""));
    EXPECT_EQ(canonical_json("{}"), object(0, ""));
    EXPECT_EQ(canonical_json("{ }"), object(0, ""));
    EXPECT_EQ(canonical_json("[1, [null,{}], 2]"), array(3, kOne + array(2, "n" + object(0, "")) + kTwo));
    EXPECT_EQ(canonical_json(R"({ "a" : 1 , "b" : [ 2 ] })"),
              object(2, counted("a") + kOne + counted("b") + array(1, kTwo)));
}

TEST(JsonText, OrdersMembersByTheirBytes) {
    EXPECT_EQ(canonical_json(R"({"b":1,"a":2})"), object(2, counted("a") + kTwo + counted("b") + kOne));
    // jsonb has the shorter key first
    EXPECT_EQ(canonical_json(R"({"b":1,"aa":2})"), object(2, counted("aa") + kTwo + counted("b") + kOne));
    EXPECT_EQ(canonical_json(R"({"aa":1,"a":2,"":null})"),
              object(3, counted("") + "n" + counted("a") + kTwo + counted("aa") + kOne));
    // bytes are unsigned
    EXPECT_EQ(canonical_json("{\"\xC3\xA4\":1,\"z\":2}"), object(2, counted("z") + kTwo + counted("\xC3\xA4") + kOne));
}

TEST(JsonText, OrdersMembersAtEveryDepth) {
    const std::string inner = object(2, counted("x") + kOne + counted("y") + "n");
    EXPECT_EQ(canonical_json(R"({"b":{"y":null,"x":1},"a":{"x":1,"y":null}})"),
              object(2, counted("a") + inner + counted("b") + inner));
    EXPECT_EQ(canonical_json(R"([{"y":null,"x":1},{},{"y":null,"x":1},2,{}])"),
              array(5, inner + object(0, "") + inner + kTwo + object(0, "")));
    EXPECT_EQ(canonical_json(R"({"c":[{"b":{},"a":[{"y":null,"x":1}]}],"b":{}})"),
              object(2, counted("b") + object(0, "") + counted("c") +
                            array(1, object(2, counted("a") + array(1, inner) + counted("b") + object(0, "")))));
}

TEST(JsonText, TakesTheLastOfRepeatedKeys) {
    EXPECT_EQ(canonical_json(R"({"a":1,"a":2})"), object(1, counted("a") + kTwo));
    EXPECT_EQ(canonical_json(R"({"a":1,"b":null,"\u0061":2})"), object(2, counted("a") + kTwo + counted("b") + "n"));
    EXPECT_EQ(canonical_json(R"({"a":{"z":1,"z":2,"y":1},"a":{"z":1,"y":1,"z":2},"b":{"c":1,"c":[]}})"),
              object(2, counted("a") + object(2, counted("y") + kOne + counted("z") + kTwo) + counted("b") +
                            object(1, counted("c") + array(0, ""))));
    EXPECT_EQ(canonical_json(R"([{"a":[{"b":1}],"a":2},{"b":1}])"),
              array(2, object(1, counted("a") + kTwo) + object(1, counted("b") + kOne)));
}

TEST(JsonText, ResolvesEscapes) {
    EXPECT_EQ(canonical_json(R"("\"\\\/\b\f\n\r\t")"), string("\"\\/\b\f\n\r\t"));
    EXPECT_EQ(canonical_json(R"("\u0041\u00e4\u00E4\u20ac\ud83d\ude00!")"),
              string("A\xC3\xA4\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80!"));
    EXPECT_EQ(canonical_json(R"("\u007f\u0080\u07ff\u0800\uffff\ud800\udc00\udbff\udfff")"),
              string("\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"));
}

TEST(JsonText, RefusesWhatJsonbRefuses) {
    for (const char* text : {R"("\u0000")", R"({"\u0000":1})", R"({"a":"\u0000","a":1})"}) {
        const Error error = thrown([&] { canonical_json(text); });
        EXPECT_EQ(error.kind(), ErrorKind::kServer) << text;
        EXPECT_EQ(error.sqlstate(), "22P05") << text;
    }
    for (const char* text : {R"("\ud83d")", R"("\ude00")", R"("\ud83d\ud83d")", R"("\ud83dx\ude00")", R"("\ud83d\n")",
                             R"("\ud83d\u0041")", R"("\ud83d\ude00\ude00")"}) {
        const Error error = thrown([&] { canonical_json(text); });
        EXPECT_EQ(error.kind(), ErrorKind::kServer) << text;
        EXPECT_EQ(error.sqlstate(), "22P02") << text;
    }
    EXPECT_EQ(thrown([] { canonical_json("[1e131072]"); }).sqlstate(), "22003");
    EXPECT_EQ(thrown([] { canonical_json(R"({"a":1e131072,"a":1})"); }).sqlstate(), "22003");
}

TEST(JsonText, RefusesWhatIsNoJson) {
    for (const std::string text :
         {"",        " ",        "nul",       "nulll",      "True",        "01",         "+1",    "1.",
          ".5",      "1e",       "1e+",       "-",          "--1",         "0x1",        "NaN",   "\"",
          "\"a",     "\"\\\"",   "\"\\x\"",   "\"\\u12\"",  "\"\\u123g\"", "\"\n\"",     "[",     "[1",
          "[1,",     "[1,]",     "[,1]",      "[1 2]",      "]",           "[}",         "{",     "{\"a\"",
          "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{\"a\" 1}",   "{a:1}",      "{1:1}", "{\"a\":1]",
          "{]",      "}",        "1 1",       "[] []",      "{},",         "\"a\"\"b\"", "'a'",   "\"\\"})
        EXPECT_EQ(thrown([&] { canonical_json(text); }).sqlstate(), "22P02") << text;
    EXPECT_EQ(thrown([] { canonical_json(std::string_view("\"\0\"", 3)); }).sqlstate(), "22P02");
    EXPECT_EQ(thrown([] { canonical_json(std::string_view("1\0", 2)); }).sqlstate(), "22P02");
}

TEST(JsonText, ReadsDeepDocumentsWithoutRecursion) {
    constexpr std::size_t kDepth = 300000;
    std::string expected;
    for (std::size_t i = 0; i < kDepth; ++i) expected += array(1, "");
    EXPECT_EQ(canonical_json(std::string(kDepth, '[') + "1" + std::string(kDepth, ']')), expected + kOne);
    EXPECT_EQ(thrown([] { canonical_json(std::string(1000000, '[')); }).sqlstate(), "22P02");
}

/// Reordering must not copy an object once for each object around it: this would take minutes.
TEST(JsonText, ReordersDeepObjectsInOnePass) {
    constexpr std::size_t kDepth = 100000;
    std::string text, expected;
    for (std::size_t i = 0; i < kDepth; ++i) {
        text += "{\"b\":";
        expected += object(2, counted("a") + "n" + counted("b"));
    }
    text += "1";
    for (std::size_t i = 0; i < kDepth; ++i) text += ",\"a\":null}";
    EXPECT_EQ(canonical_json(text), expected + kOne);
}

TEST(JsonText, AppendsBehindWhatIsThere) {
    JsonReader reader;
    const std::string bytes = fixtures::appended([&](core::ByteSink& sink) {
        sink.append(std::string_view("before"));
        reader.append(R"({"b":1,"a":2})", sink);
        reader.append(R"({"a":2,"b":1})", sink);
    });
    const std::string one = object(2, counted("a") + kTwo + counted("b") + kOne);
    EXPECT_EQ(bytes, "before" + one + one);
}

TEST(JsonText, IsUsableAfterAnError) {
    JsonReader reader;
    const std::string bytes = fixtures::appended([&](core::ByteSink& sink) {
        EXPECT_THROW(reader.append(R"({"b":{"a":[1,{"x":)", sink), Error);
        sink.clear();
        reader.append(R"({"b":1,"a":2})", sink);
    });
    EXPECT_EQ(bytes, object(2, counted("a") + kTwo + counted("b") + kOne));
}

TEST(JsonText, SaysWhenThereIsNoMemory) {
    JsonReader reader;
    core::ByteSink sink = test::make_failing_sink();
    for (const char* text : {R"({"b":1,"a":{}})", R"([[1],[]])", R"("text")", "1"})
        fixtures::expect_malformed([&] { reader.append(text, sink); }, text);
}

/// A random document as two texts of the same value, and as canonical bytes.
class RandomDocument {
  public:
    explicit RandomDocument(std::mt19937& random) : random_(random) {}

    struct Document {
        std::string first, second, canonical;
    };

    Document value(int depth) {
        switch (pick(depth > 0 ? 6 : 4)) {
            case 0:
                return {"null", " null", "n"};
            case 1:
                return {"true", "true\n", "t"};
            case 2:
                return number();
            case 3: {
                const std::string text(pick(3), static_cast<char>('a' + pick(26)));
                std::string escaped;
                for (const char c : text) escaped += "\\u00" + test::to_hex(std::string(1, c));
                return {"\"" + text + "\"", "\"" + escaped + "\"", string(text)};
            }
            case 4:
                return array_of(depth);
            default:
                return object_of(depth);
        }
    }

  private:
    std::uint32_t pick(std::uint32_t below) { return static_cast<std::uint32_t>(random_() % below); }

    Document number() {
        const std::uint16_t n = static_cast<std::uint16_t>(1 + pick(9));
        const std::string digit = std::to_string(n);
        return {digit, digit + "0e-1", "#" + counted(test::from_hex("03 00000000") + le(n))};
    }
    Document array_of(int depth) {
        const std::uint32_t count = pick(4);
        Document made{"[", "[ ", array(count, "")};
        for (std::uint32_t i = 0; i < count; ++i) {
            const Document element = value(depth - 1);
            made.first += (i > 0 ? "," : "") + element.first;
            made.second += (i > 0 ? " , " : "") + element.second;
            made.canonical += element.canonical;
        }
        return {made.first + "]", made.second + "]", made.canonical};
    }
    Document object_of(int depth) {
        std::map<std::string, Document> members;
        for (std::uint32_t i = pick(5); i > 0; --i)
            members[std::string(pick(3), static_cast<char>('a' + pick(3)))] = value(depth - 1);
        Document made{"{", "{", object(static_cast<std::uint32_t>(members.size()), "")};
        for (const auto& [key, member] : members) {
            made.first += (made.first.size() > 1 ? "," : "") + ("\"" + key + "\":") + member.first;
            made.canonical += counted(key) + member.canonical;
        }
        // backwards, and each member once with another value before the true one
        for (auto member = members.rbegin(); member != members.rend(); ++member) {
            made.second += (made.second.size() > 1 ? "," : "") + ("\"" + member->first + "\":[{\"z\":1,\"y\":2}],");
            made.second += "\"" + member->first + "\":" + member->second.second;
        }
        return {made.first + "}", made.second + "}", made.canonical};
    }

    std::mt19937& random_;
};

TEST(JsonText, ReadsRandomDocuments) {
    std::mt19937 random(20240611);
    RandomDocument documents(random);
    for (int i = 0; i < 3000; ++i) {
        const RandomDocument::Document document = documents.value(6);
        ASSERT_EQ(canonical_json(document.first), document.canonical) << document.first;
        ASSERT_EQ(canonical_json(document.second), document.canonical) << document.second;
    }
}

}  // namespace
}  // namespace parity::driver
