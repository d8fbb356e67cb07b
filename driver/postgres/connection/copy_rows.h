#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "driver/engine/value_reader.h"

namespace parity::driver {

/// In PostgreSQL's binary formats, the length of a field or of an array's element that is NULL.
inline constexpr std::int32_t kNullLength = -1;

/// Reads the messages of one COPY … TO STDOUT (FORMAT binary), each of which holds one row.
/// Throws: Error{kInternal}, and gives no row, for bytes that are not what PostgreSQL's documentation of the format
/// ("COPY", Binary Format) says.
class CopyRowReader {
  public:
    /// Reads rows of this many fields; a row with another number is malformed.
    explicit CopyRowReader(std::size_t fields) : fields_(fields) {}

    /// The fields of a message's row, as views of the message that live until the next call.
    /// Returns: nothing for the trailer, or for a message that is nothing but the header.
    std::optional<std::span<const ValueField>> read(std::string_view message);

    /// Checks that all rows came.
    /// Throws: Error{kInternal} unless the trailer came and the server says that it sent as many rows as were read.
    void require_complete(std::uint64_t rows_sent) const;

  private:
    void skip_header(std::string_view& rest);

    std::vector<ValueField> fields_;
    std::uint64_t rows_ = 0;
    bool header_read_ = false;
    bool trailer_read_ = false;
};

}  // namespace parity::driver
