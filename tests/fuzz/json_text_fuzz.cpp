#include <algorithm>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "core/order.h"
#include "core/render.h"
#include "driver/engine/value_reader.h"
#include "driver/model/error.h"
#include "driver/postgres/values/json.h"
#include "tests/fuzz/fuzz_input.h"

/// The reader of JSON texts, beside another parser. Input: the text.
namespace parity::fuzz {
namespace {

/// Longer texts are not rendered: they may be deeper than what is rendered, or have a million digits.
constexpr std::size_t kMaxRendered = 256;
constexpr std::string_view kOutOfRange = "22003";
constexpr std::string_view kZeroCharacter = "22P05";

struct Outcome {
    std::optional<std::string> canonical;
    std::string sqlstate;
    bool operator==(const Outcome&) const = default;
};

Outcome read(std::string_view text, driver::JsonReader& reader) {
    driver::ByteBuffer buffer;
    buffer.sink().append_u8('x');  // it appends
    try {
        reader.append(text, buffer.sink());
        require(!buffer.sink().failed, "there is memory for a document");
        return {std::string(core::as_text(buffer.view().subspan(1))), {}};
    } catch (const driver::Error& error) {
        require(error.kind() == driver::ErrorKind::kServer && error.sqlstate().size() == 5,
                "a refusal has an SQLSTATE");
        return {std::nullopt, error.sqlstate()};
    }
}

/// Whether a digit stands before an "e": a number may be beyond double then.
bool has_exponent(std::string_view text) {
    for (std::size_t at = 1; at < text.size(); ++at)
        if ((text[at] == 'e' || text[at] == 'E') && text[at - 1] >= '0' && text[at - 1] <= '9') return true;
    return false;
}

/// nlohmann::json ends a text at a zero byte, skips a byte order mark, checks UTF-8 and has no numbers beyond double.
void compare_parsers(std::string_view text, const Outcome& ours) {
    const bool theirs = nlohmann::json::accept(text.begin(), text.end());
    const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return c != '\0' && !(c & 0x80); });
    const bool small_numbers = text.size() < 300 && !has_exponent(text);
    if (theirs && plain)
        require(ours.canonical || ours.sqlstate == kOutOfRange || ours.sqlstate == kZeroCharacter,
                "a JSON text is not refused as malformed");
    if (ours.canonical && plain && small_numbers) require(theirs, "what is read is a JSON text");
}

std::string rendered(const std::string& canonical) {
    driver::ByteBuffer text;
    core::render_value(core::Form::kJson, core::as_bytes(canonical), write_double, text.sink());
    return std::string(core::as_text(text.view()));
}

void run(std::string_view text) {
    static driver::JsonReader used;
    driver::JsonReader fresh;
    const Outcome outcome = read(text, fresh);
    require(read(text, used) == outcome, "a text is read the same twice");
    compare_parsers(text, outcome);
    if (outcome.canonical && text.size() <= kMaxRendered)
        require(read(rendered(*outcome.canonical), used) == outcome, "the text of canonical bytes has the same ones");
}

}  // namespace
}  // namespace parity::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    parity::fuzz::run(parity::fuzz::InputCutter(data, size).rest().text());
    return 0;
}
