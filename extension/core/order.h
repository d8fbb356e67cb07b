#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/bytes.h"
#include "core/form.h"

/// Framed keys and their order: docs/digest-format.md, sections 3 and 7.
namespace parity::core {

inline constexpr std::uint8_t kFrameNull = 0;
inline constexpr std::uint8_t kFrameValue = 1;
inline constexpr std::size_t kFrameLengthBytes = 4;  ///< before a value of varying width

/// One column of a framed key.
struct FramedValue {
    bool null;
    ByteView bytes;  ///< empty for NULL
};

/// Appends a NULL.
void append_null_frame(ByteSink& sink) noexcept;

/// Appends a value's canonical bytes.
/// Returns: false where they are too long to be framed (over 2^32 − 1).
bool append_frame(ByteSink& sink, Form form, ByteView canonical) noexcept;

/// Walks the columns of a framed key.
class FrameReader {
  public:
    explicit FrameReader(ByteView framed) noexcept : rest_(framed) {}
    bool at_end() const noexcept { return rest_.empty(); }
    /// The next column under its form.
    /// Returns: nothing where the bytes are no frame.
    std::optional<FramedValue> next(Form form) noexcept;

  private:
    ByteView rest_;
};

/// Whether the bytes could be canonical bytes of the form, as far as order and rendering rely on it: the width of
/// fixed-width forms and the structure of `decimal`.
bool is_canonical(Form form, ByteView bytes) noexcept;

/// Orders two values of one form.
/// Requires: both are canonical.
/// Returns: −1, 0 or 1.
int compare_values(Form form, ByteView a, ByteView b) noexcept;

/// Orders two framed keys whose columns have these forms; NULLs last. Where one ends early (a bound on leading columns)
/// and the columns before are equal, the shorter one is the smaller.
/// Requires: both are well formed.
int compare_keys(std::span<const Form> forms, ByteView a, ByteView b) noexcept;

}  // namespace parity::core
