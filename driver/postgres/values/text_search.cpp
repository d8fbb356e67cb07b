#include "driver/postgres/values/text_search.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "driver/postgres/values/counted.h"
#include "driver/postgres/values/cursor.h"

namespace parity::driver {
namespace {

constexpr std::uint8_t kItemLexeme = 1;
constexpr std::uint8_t kItemOperator = 2;
constexpr std::uint8_t kNot = 1;  // 2 is AND, 3 is OR
constexpr std::uint8_t kPhrase = 4;
constexpr std::string_view kQuery = "a tsquery";

/// The shortest lexeme of a tsvector on the wire is a zero byte and the number of positions, the shortest item of a
/// tsquery an operator.
constexpr std::size_t kLeastLexeme = 3;
constexpr std::size_t kLeastItem = 2;

WireScratch::QueryNode read_node(WireCursor& cursor) {
    WireScratch::QueryNode node;
    const auto type = cursor.integer<std::uint8_t>();
    if (type == kItemLexeme) {
        node.weight = cursor.integer<std::uint8_t>();
        node.prefix = cursor.integer<std::uint8_t>() != 0;
        node.text = cursor.terminated();
    } else if (type == kItemOperator) {
        node.operation = cursor.integer<std::uint8_t>();
        if (node.operation < kNot || node.operation > kPhrase) cursor.fail();
        if (node.operation == kPhrase) node.distance = cursor.integer<std::uint16_t>();
    } else {
        cursor.fail();
    }
    return node;
}

/// Finds how large each node's tree is: behind an operator stands its right operand's tree, then its left one's.
void measure_nodes(std::vector<WireScratch::QueryNode>& nodes) {
    for (std::size_t i = nodes.size(); i-- > 0;) {
        WireScratch::QueryNode& node = nodes[i];
        node.size = 1;
        const int operands = node.operation == 0 ? 0 : node.operation == kNot ? 1 : 2;
        for (int operand = 0; operand < operands; ++operand) {
            if (i + node.size >= nodes.size()) throw_malformed(kQuery);
            node.size += nodes[i + node.size].size;
        }
    }
    if (!nodes.empty() && nodes[0].size != nodes.size()) throw_malformed(kQuery);
}

void append_node(const WireScratch::QueryNode& node, core::ByteSink& sink) {
    static constexpr std::string_view kSigns = "v!&|<";
    sink.append(kSigns.substr(node.operation, 1));
    if (node.operation == kPhrase) core::append_le(sink, node.distance);
    if (node.operation != 0) return;
    sink.append_u8(node.weight);
    sink.append_u8(node.prefix ? 1 : 0);
    append_counted(sink, node.text);
}

void append_pairs(std::vector<WireScratch::Pair>& pairs, core::ByteSink& sink) {
    std::sort(pairs.begin(), pairs.end(),
              [](const WireScratch::Pair& a, const WireScratch::Pair& b) { return a.key < b.key; });
    core::append_le(sink, static_cast<std::uint32_t>(pairs.size()));
    for (const WireScratch::Pair& pair : pairs) {
        append_counted(sink, pair.key);
        sink.append_u8(pair.value ? 1 : 0);
        if (pair.value) append_counted(sink, *pair.value);
    }
}

/// Takes an hstore's text form apart: "key"=>"value", "key"=>NULL, …, with \ before each " and \.
class HstoreText {
  public:
    /// `unescaped` keeps the strings; they are no longer than the text, so that views of them last.
    HstoreText(std::string_view text, std::string& unescaped) : rest_(text), unescaped_(unescaped) {
        unescaped_.clear();
        unescaped_.reserve(text.size());
    }
    bool at_end() const { return rest_.empty(); }
    void expect(std::string_view what) {
        if (!take(what)) fail();
    }
    bool take(std::string_view what) {
        if (!rest_.starts_with(what)) return false;
        rest_.remove_prefix(what.size());
        return true;
    }
    std::string_view string() {
        expect("\"");
        const std::size_t start = unescaped_.size();
        for (;;) {
            const std::size_t plain = rest_.find_first_of("\"\\");
            if (plain == std::string_view::npos) fail();
            unescaped_.append(rest_.substr(0, plain));
            rest_.remove_prefix(plain);
            if (take("\"")) return std::string_view(unescaped_).substr(start);
            if (rest_.size() < 2) fail();
            unescaped_.push_back(rest_[1]);
            rest_.remove_prefix(2);
        }
    }

  private:
    [[noreturn]] static void fail() { throw_malformed("an hstore's text"); }
    std::string_view rest_;
    std::string& unescaped_;
};

}  // namespace

void append_tsvector(std::string_view wire, WireScratch& scratch, core::ByteSink& sink) {
    WireCursor cursor(wire, "a tsvector");
    const std::uint32_t count = cursor.count(kLeastLexeme);
    std::vector<WireScratch::Lexeme>& lexemes = scratch.lexemes;
    lexemes.clear();
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::string_view text = cursor.terminated();
        const auto positions = cursor.integer<std::uint16_t>();
        lexemes.push_back({text, cursor.take(positions * sizeof(std::uint16_t))});
    }
    cursor.finish();
    std::sort(lexemes.begin(), lexemes.end(),
              [](const WireScratch::Lexeme& a, const WireScratch::Lexeme& b) { return a.text < b.text; });
    core::append_le(sink, count);
    for (const WireScratch::Lexeme& lexeme : lexemes) {
        append_counted(sink, lexeme.text);
        core::append_le(sink, static_cast<std::uint32_t>(lexeme.positions.size() / sizeof(std::uint16_t)));
        for (std::size_t at = 0; at < lexeme.positions.size(); at += sizeof(std::uint16_t))
            core::append_le(sink, core::load_be<std::uint16_t>(core::as_bytes(lexeme.positions).data() + at));
    }
}

/// The tree is walked without recursion: a query may be as deep as it is long.
void append_tsquery(std::string_view wire, WireScratch& scratch, core::ByteSink& sink) {
    WireCursor cursor(wire, kQuery);
    const std::uint32_t count = cursor.count(kLeastItem);
    std::vector<WireScratch::QueryNode>& nodes = scratch.nodes;
    nodes.clear();
    for (std::uint32_t i = 0; i < count; ++i) nodes.push_back(read_node(cursor));
    cursor.finish();
    measure_nodes(nodes);
    std::vector<std::uint32_t>& pending = scratch.pending;
    pending.clear();
    if (count > 0) pending.push_back(0);
    while (!pending.empty()) {
        const std::uint32_t at = pending.back();
        pending.pop_back();
        append_node(nodes[at], sink);
        if (nodes[at].operation == 0) continue;
        pending.push_back(at + 1);
        if (nodes[at].operation != kNot) pending.push_back(at + 1 + nodes[at + 1].size);
    }
}

void append_hstore(std::string_view wire, WireScratch& scratch, core::ByteSink& sink) {
    WireCursor cursor(wire, "an hstore");
    const std::uint32_t count = cursor.count(2 * sizeof(std::int32_t));
    scratch.pairs.clear();
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::optional<std::string_view> key = cursor.value();
        if (!key) cursor.fail();
        scratch.pairs.push_back({*key, cursor.value()});
    }
    cursor.finish();
    append_pairs(scratch.pairs, sink);
}

void append_hstore_text(std::string_view wire, WireScratch& scratch, core::ByteSink& sink) {
    HstoreText text(wire, scratch.unescaped);
    scratch.pairs.clear();
    while (!text.at_end()) {
        if (!scratch.pairs.empty()) text.expect(", ");
        const std::string_view key = text.string();
        text.expect("=>");
        if (text.take("NULL"))
            scratch.pairs.push_back({key, std::nullopt});
        else
            scratch.pairs.push_back({key, text.string()});
    }
    append_pairs(scratch.pairs, sink);
}

}  // namespace parity::driver
