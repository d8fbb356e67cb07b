#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/engine/value_reader.h"
#include "driver/postgres/values/json.h"

namespace parity::driver {

/// Each part is used by one kind of reader, none of which has others inside it, except `fields`, which is a stack.
struct WireScratch final : ValueScratch {
    struct Pair {
        std::string_view key;
        std::optional<std::string_view> value;
    };
    struct Lexeme {
        std::string_view text;
        std::string_view positions;  ///< as on the wire
    };
    struct QueryNode {
        std::uint8_t operation = 0;  ///< 0: a lexeme
        std::uint16_t distance = 0;
        std::uint32_t size = 0;  ///< of the tree below and with it
        std::uint8_t weight = 0;
        bool prefix = false;
        std::string_view text;
    };

    JsonReader json;
    std::vector<Pair> pairs;
    std::string unescaped;
    std::vector<Lexeme> lexemes;
    std::vector<QueryNode> nodes;
    std::vector<std::uint32_t> pending;
    std::vector<std::optional<std::string_view>> fields;

    std::size_t capacity() const override {
        return json.capacity() + pairs.capacity() * sizeof(Pair) + unescaped.capacity() +
               lexemes.capacity() * sizeof(Lexeme) + nodes.capacity() * sizeof(QueryNode) +
               pending.capacity() * sizeof(std::uint32_t) + fields.capacity() * sizeof(std::optional<std::string_view>);
    }
};

}  // namespace parity::driver
