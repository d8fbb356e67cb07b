#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "core/bytes.h"

/// What the fuzz targets have in common.
namespace parity::fuzz {

/// Ends the process where a property does not hold, which libFuzzer takes for a fault.
inline void require(bool holds, const char* property) {
    if (holds) return;
    std::fprintf(stderr, "does not hold: %s\n", property);
    std::abort();
}

/// Bytes with nothing behind them, so that a sanitizer sees whoever reads beyond their end.
class ExactBytes {
  public:
    explicit ExactBytes(std::string_view bytes) : data_(new char[bytes.size()]), size_(bytes.size()) {
        bytes.copy(data_.get(), size_);
    }
    std::string_view text() const { return {data_.get(), size_}; }
    core::ByteView view() const { return core::as_bytes(text()); }

  private:
    std::unique_ptr<char[]> data_;
    std::size_t size_;
};

/// Cuts an input into parts. Where it ends too early the parts are shorter, and integers zero.
class InputCutter {
  public:
    InputCutter(const std::uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

    template <typename T>
    T integer() {
        const std::string_view bytes = take(sizeof(T));
        return bytes.size() < sizeof(T) ? T{} : core::load_be<T>(core::as_bytes(bytes).data());
    }
    /// Bytes behind their length as u16.
    ExactBytes sized() { return ExactBytes(take(integer<std::uint16_t>())); }
    ExactBytes rest() { return ExactBytes(take(rest_.size())); }
    bool at_end() const { return rest_.empty(); }

  private:
    std::string_view take(std::size_t length) {
        const std::string_view taken = rest_.substr(0, length);
        rest_.remove_prefix(taken.size());
        return taken;
    }
    std::string_view rest_;
};

/// A sink that never has more than `capacity` bytes, to see what is done without memory.
class SmallSink {
  public:
    explicit SmallSink(std::size_t capacity) : room_(new std::uint8_t[capacity]) {
        sink_.data = room_.get();
        sink_.capacity = capacity;
        sink_.grow = [](core::ByteSink&, std::size_t) noexcept { return false; };
    }
    core::ByteSink& sink() { return sink_; }

  private:
    std::unique_ptr<std::uint8_t[]> room_;
    core::ByteSink sink_;
};

/// For render_value(): a double in hexadecimal.
inline void write_double(core::ByteSink& sink, double value) {
    char text[40];
    sink.append(std::string_view(text, static_cast<std::size_t>(std::snprintf(text, sizeof text, "%a", value))));
}

}  // namespace parity::fuzz

/// What each target defines: runs one input, gives 0.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
