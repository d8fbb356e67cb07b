#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "driver/model/error.h"

/// Taking a value in PostgreSQL's binary format apart.
namespace parity::driver {

/// A server sent bytes that are no `what` ("a jsonb", "an array").
/// Throws: Error{kInternal}.
[[noreturn]] inline void throw_malformed(std::string_view what) {
    throw Error(ErrorKind::kInternal, "a server sent bytes that are not " + std::string(what));
}

/// Takes integers and byte strings off the front of a value. `what` names the value in messages.
/// Requires: `what` outlives the cursor.
/// Throws: Error{kInternal} where the value ends too early.
class WireCursor {
  public:
    WireCursor(std::string_view wire, std::string_view what) : rest_(wire), what_(what) {}

    /// An integer of T's width.
    template <typename T>
    T integer() {
        return core::load_be<T>(core::as_bytes(take(sizeof(T))).data());
    }
    std::string_view take(std::size_t length) {
        if (rest_.size() < length) fail();
        const std::string_view taken = rest_.substr(0, length);
        rest_.remove_prefix(length);
        return taken;
    }
    /// Bytes behind their length as i32.
    /// Returns: nothing for NULL, a length of -1.
    std::optional<std::string_view> value() {
        const auto length = integer<std::int32_t>();
        if (length == -1) return std::nullopt;
        if (length < 0) fail();
        return take(static_cast<std::size_t>(length));
    }
    /// The bytes up to a zero byte, which is taken too.
    std::string_view terminated() {
        const std::size_t length = rest_.find('\0');
        if (length == std::string_view::npos) fail();
        const std::string_view taken = take(length);
        take(1);
        return taken;
    }
    /// A number of parts that take at least `bytes` each. The rest can hold so many, so that memory can be taken for
    /// them.
    /// Throws: Error{kInternal} for a number that the rest cannot hold.
    std::uint32_t count(std::size_t bytes) {
        const auto number = integer<std::uint32_t>();
        if (number > rest_.size() / bytes) fail();
        return number;
    }
    std::size_t left() const { return rest_.size(); }
    /// Checks that nothing is left.
    /// Throws: Error{kInternal} where something is.
    void finish() const {
        if (!rest_.empty()) fail();
    }
    [[noreturn]] void fail() const { throw_malformed(what_); }

  private:
    std::string_view rest_;
    std::string_view what_;
};

}  // namespace parity::driver
