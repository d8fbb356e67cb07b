#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/bytes.h"
#include "core/form.h"

/// How values that a server sends become canonical bytes: what the stream engine knows of it, whatever the server is.
namespace parity::driver {

/// A value as a server sends it: its bytes, or nothing for NULL.
using ValueField = std::optional<std::string_view>;

/// Working memory of the readers of one kind of server, kept from value to value so that reading one allocates nothing.
struct ValueScratch {
    virtual ~ValueScratch() = default;
    /// Bytes that are held.
    virtual std::size_t capacity() const = 0;
};

/// Canonical bytes under construction, in std memory, and what readers work with meanwhile. A growth that fails sets
/// sink.failed.
class ByteBuffer {
  public:
    ByteBuffer();
    ~ByteBuffer();
    ByteBuffer(const ByteBuffer&) = delete;
    ByteBuffer& operator=(const ByteBuffer&) = delete;
    core::ByteSink& sink() { return sink_; }
    core::ByteView view() const { return sink_.view(); }
    void clear() {
        sink_.clear();
        sink_.failed = false;
    }
    /// Gives its memory back where it is more than `keep` bytes; the bytes are lost then.
    void shrink(std::size_t keep);

    /// Made when it is first asked for.
    /// Requires: all readers that use one buffer ask for the same type.
    template <typename Scratch>
    Scratch& scratch() {
        if (!scratch_) scratch_ = std::make_unique<Scratch>();
        return static_cast<Scratch&>(*scratch_);
    }

  private:
    core::ByteSink sink_;
    std::unique_ptr<ValueScratch> scratch_;
};

/// Reads the values of one column into canonical bytes. Immutable and safe to share between threads.
class ValueReader {
  public:
    virtual ~ValueReader() = default;

    /// The form's full name and its code.
    const std::string& form_name() const { return name_; }
    core::Form form() const { return form_; }

    /// The canonical bytes of a value that is not NULL.
    /// Returns: a view of `sent` itself where the canonical bytes are the same, or of `buffer`, which is overwritten.
    /// Throws: Error{kServer} with an SQLSTATE for a value that the form cannot hold; Error{kInternal} for bytes that
    /// are no value of the type.
    virtual core::ByteView read(std::string_view sent, ByteBuffer& buffer) const = 0;

  protected:
    ValueReader(core::Form form, std::string name) : form_(form), name_(std::move(name)) {}

  private:
    core::Form form_;
    std::string name_;
};

}  // namespace parity::driver
