#include "driver/postgres/queries/shown.h"

#include <charconv>

#include <fmt/format.h>

#include "driver/model/error.h"

namespace parity::driver {
namespace {

constexpr std::size_t kMostBytesOfCharacter = 4;

}  // namespace

std::string shown_expression(std::string_view text) {
    return fmt::format(
        "CASE WHEN pg_catalog.octet_length({0}) > {1} THEN pg_catalog.octet_length({0})::pg_catalog.text "
        "|| ':' || pg_catalog.left({0}, {2}) ELSE ':' || {0} END",
        text, kMostShownBytes, kMostShownBytes / kMostBytesOfCharacter);
}

std::optional<ShownValue> read_shown(std::optional<std::string_view> sent) {
    if (!sent) return std::nullopt;
    std::uint64_t bytes = 0;
    const auto [end, error] = std::from_chars(sent->data(), sent->data() + sent->size(), bytes);
    const auto digits = static_cast<std::size_t>(end - sent->data());
    if (digits >= sent->size() || (*sent)[digits] != ':')
        throw Error(ErrorKind::kInternal, "a server sent a value in a form that was not asked for");
    std::string text(sent->substr(digits + 1));
    return digits == 0 ? ShownValue(std::move(text)) : ShownValue(std::move(text), bytes);
}

/// Only output functions show every type; format() calls them and gives NULL no text. A subquery would call it once,
/// but not every extension that distributes tables can push one down.
std::string printed_expression(const std::vector<std::string>& columns) {
    std::vector<std::string> texts;
    for (const std::string& column : columns)
        texts.push_back(fmt::format("CASE WHEN {} IS DISTINCT FROM NULL THEN {} END", column,
                                    shown_expression(fmt::format("pg_catalog.format('%s', {})", column))));
    return fmt::format("ARRAY[{}]::pg_catalog.text[]", fmt::join(texts, ", "));
}

}  // namespace parity::driver
