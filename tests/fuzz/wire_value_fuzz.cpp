#include <optional>
#include <string>

#include "core/order.h"
#include "core/render.h"
#include "driver/engine/value_reader.h"
#include "driver/model/error.h"
#include "driver/postgres/values/decoder.h"
#include "driver/postgres/values/scratch.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/readers.h"

/// The readers of values on the wire. Input: the reader's selector (u32), then the value.
namespace parity::fuzz {
namespace {

using driver::ByteBuffer;
using driver::Error;
using driver::ErrorKind;

/// Memory that reading may take: the parser of JSON keeps the most for a byte.
constexpr std::size_t kBytesPerByte = 128;
constexpr std::size_t kFixedBytes = 64 << 10;
/// Longer values are not rendered: 14 bytes of a numeric make 131072 digits.
constexpr std::size_t kMaxRendered = 256;

/// A copy of the canonical bytes; nothing where the value is refused.
std::optional<std::string> read(const Reader& reader, std::string_view wire, ByteBuffer& buffer) {
    try {
        return std::string(core::as_text(reader.reader->read(wire, buffer)));
    } catch (const Error& error) {
        const bool refused = error.kind() == ErrorKind::kServer && error.sqlstate().size() == 5;
        require(refused || error.kind() == ErrorKind::kInternal, "an error is a refusal or malformed bytes");
        return std::nullopt;
    }
}

/// What is appended where only some of the bytes have room is either refused or known to be incomplete.
void read_without_memory(const Reader& reader, std::string_view wire, std::size_t room) {
    const auto* decoder = dynamic_cast<const driver::AppendingDecoder*>(reader.reader.get());
    require(decoder != nullptr, "every decoder appends");
    ByteBuffer scratch;
    SmallSink small(room);
    try {
        decoder->append(wire, scratch.scratch<driver::WireScratch>(), small.sink());
        require(small.sink().failed, "missing memory is seen");
    } catch (const Error&) {
    }
}

/// An array's or a JSON document's bytes are shown as text only if their structure is right.
void require_rendered(core::Form form, core::ByteView canonical) {
    ByteBuffer text;
    core::render_value(form, canonical, write_double, text.sink());
    require(!text.sink().failed, "there is memory for a rendered value");
    if (core::is_array(form) || form == core::Form::kJson)
        require(!core::as_text(text.view()).starts_with('\\'), "canonical bytes have the structure of their form");
}

void run(const Reader& reader, std::string_view wire) {
    static ByteBuffer used;  // what earlier values, read or refused, left in it must not matter
    ByteBuffer fresh;
    const std::optional<std::string> canonical = read(reader, wire, fresh);
    require(fresh.sink().capacity + fresh.scratch<driver::WireScratch>().capacity() <=
                kFixedBytes + kBytesPerByte * wire.size(),
            "memory is bounded by the value's length");
    require(read(reader, wire, used) == canonical, "a value is read the same twice");
    if (!canonical) return;
    const core::ByteView bytes = core::as_bytes(*canonical);
    require(core::is_canonical(reader.reader->form(), bytes), "the bytes are canonical");
    if (!bytes.empty()) read_without_memory(reader, wire, bytes.size() / 2);
    if (wire.size() <= kMaxRendered) require_rendered(reader.reader->form(), bytes);
}

}  // namespace
}  // namespace parity::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    parity::fuzz::InputCutter input(data, size);
    const parity::fuzz::Reader& reader = parity::fuzz::reader_at(input.integer<std::uint32_t>());
    const parity::fuzz::ExactBytes wire = input.rest();
    parity::fuzz::run(reader, wire.text());
    return 0;
}
