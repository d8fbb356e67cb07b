#include <string>

#include "driver/engine/value_reader.h"
#include "driver/model/error.h"
#include "driver/postgres/connection/copy_rows.h"
#include "tests/fuzz/fuzz_input.h"

/// The reader of COPY … (FORMAT binary). Input: the number of fields (u8), then messages, each behind its length.
namespace parity::fuzz {
namespace {

using driver::CopyRowReader;
using driver::Error;
using driver::ValueField;

template <typename T>
void append_be(std::string& to, T value) {
    const std::size_t at = to.size();
    to.resize(at + sizeof value);
    core::store_be(reinterpret_cast<std::uint8_t*>(to.data() + at), value);
}

std::string encode(std::span<const ValueField> fields) {
    std::string message;
    append_be(message, static_cast<std::uint16_t>(fields.size()));
    for (const ValueField& field : fields) {
        append_be(message, field ? static_cast<std::uint32_t>(field->size()) : ~std::uint32_t{0});
        if (field) message.append(*field);
    }
    return message;
}

bool is_refused(const CopyRowReader& reader, std::uint64_t rows) {
    try {
        reader.require_complete(rows);
        return false;
    } catch (const Error&) {
        return true;
    }
}

void run(InputCutter& input) {
    CopyRowReader reader(input.integer<std::uint8_t>());
    std::uint64_t rows = 0;
    std::uint64_t without_row = 0;
    while (!input.at_end()) {
        const ExactBytes message = input.sized();
        const auto fields = reader.read(message.text());
        ++(fields ? rows : without_row);
        if (fields)
            require(message.text().ends_with(encode(*fields)) &&
                        (rows + without_row == 1 || message.text() == encode(*fields)),
                    "a row that was read is encoded as it came");
        require(without_row <= 2, "only the header and the trailer hold no row");
    }
    require(is_refused(reader, rows + 1), "a row that was sent and did not come is missed");
    if (without_row == 0) require(is_refused(reader, rows), "a trailer that did not come is missed");
}

}  // namespace
}  // namespace parity::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    parity::fuzz::InputCutter input(data, size);
    try {
        parity::fuzz::run(input);
    } catch (const parity::driver::Error& error) {
        parity::fuzz::require(error.kind() == parity::driver::ErrorKind::kInternal, "malformed data is kInternal");
    }
    return 0;
}
