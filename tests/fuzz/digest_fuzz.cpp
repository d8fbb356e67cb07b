#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/digest.h"
#include "driver/model/error.h"
#include "driver/postgres/extension/digest_reader.h"
#include "driver/postgres/values/array.h"
#include "tests/fuzz/fuzz_input.h"

/// Digests as text, on the wire and in arrays. Input: which of the three (u8), then the bytes.
namespace parity::fuzz {
namespace {

using core::Digest;
using core::DigestStatus;

std::string text_of(const Digest& digest) {
    std::array<char, core::kMaxDigestText> text;
    return {text.data(), core::write_digest_text(digest, text)};
}

std::string wire_of(const Digest& digest) {
    std::array<std::uint8_t, core::kDigestBytes> wire;
    core::write_digest_wire(digest, wire);
    return std::string(core::as_text(wire));
}

void check_digest(const Digest& digest) {
    const std::optional<Digest> from_text = core::parse_digest_text(text_of(digest));
    const std::optional<Digest> from_wire = core::parse_digest_wire(core::as_bytes(wire_of(digest)));
    require(from_text && wire_of(*from_text) == wire_of(digest), "a digest's text is read as the same digest");
    require(from_wire && wire_of(*from_wire) == wire_of(digest), "a digest's bytes are read as the same digest");
    Digest sum = digest;
    if (core::add(sum, digest) != DigestStatus::kOk) return;
    require(core::parse_digest_text(text_of(sum)).has_value(), "a sum is a digest");
    require(core::subtract(sum, digest) == DigestStatus::kOk && wire_of(sum) == wire_of(digest),
            "subtracting undoes adding");
}

void check_array(std::string_view wire) {
    std::vector<Digest> digests;
    driver::decode_digest_array(wire, digests);
    require(digests.size() * core::kDigestBytes <= wire.size(), "each digest was sent");
    for (const Digest& digest : digests) check_digest(digest);
}

void run(std::uint8_t kind, const ExactBytes& bytes) {
    std::optional<Digest> digest;
    if (kind % 4 == 0) digest = core::parse_digest_text(bytes.text());
    if (kind % 4 == 1) digest = core::parse_digest_wire(bytes.view());
    if (kind % 4 == 1 && digest) require(wire_of(*digest) == bytes.text(), "there is one way to send a digest");
    if (kind % 4 == 2) check_array(bytes.text());
    if (kind % 4 == 3) driver::read_wire_array(bytes.text(), [](std::optional<std::string_view>) {});
    if (digest) check_digest(*digest);
}

}  // namespace
}  // namespace parity::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    parity::fuzz::InputCutter input(data, size);
    try {
        const auto kind = input.integer<std::uint8_t>();
        parity::fuzz::run(kind, input.rest());
    } catch (const parity::driver::Error& error) {
        parity::fuzz::require(error.kind() == parity::driver::ErrorKind::kInternal, "malformed data is kInternal");
    }
    return 0;
}
