#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/bytes.h"
#include "core/form.h"
#include "driver/engine/value_reader.h"
#include "driver/postgres/values/names.h"
#include "driver/postgres/values/scratch.h"
#include "driver/postgres/values/type_rules.h"

/// What the decoders of type_rules.h have in common: each can append its values to others' bytes.
namespace parity::driver {

/// What a decoder is made with.
struct DecoderOptions {
    core::Form form;
    bool lossy = false;
    std::string_view cast = {};                          ///< a type that the column is cast to
    std::string_view catalog = {};                       ///< of object_name_decoder
    std::string_view zone = {};                          ///< of zone_decoder: a time zone
    std::shared_ptr<const ObjectNames> names = nullptr;  ///< of object_name_decoder: where names are found
};

class AppendingDecoder : public WireDecoder {
  public:
    /// Appends a value's canonical bytes.
    /// Throws: as read() does.
    virtual void append(std::string_view wire, WireScratch& scratch, core::ByteSink& sink) const = 0;

    core::ByteView read(std::string_view wire, ByteBuffer& buffer) const override;
    std::string select_expression(const std::string& column) const override;

    /// What the decoder is asked for with: the form's full name, with the time zone that values are read in.
    virtual std::string asked_name() const { return form_name(); }
    /// Values that differ under the type's default form may be equal.
    bool lossy() const { return lossy_; }
    /// The type that a column must be cast to for this decoder, fully qualified; empty: its own. A column that is an
    /// array is cast to arrays of that.
    const std::string& cast() const { return cast_; }
    /// Whether only columns can be read, by an expression that has no counterpart for arrays of the type.
    virtual bool columns_only() const { return false; }

  protected:
    explicit AppendingDecoder(const DecoderOptions& options)
        : AppendingDecoder(options.form, std::string(core::form_name(options.form)), options.lossy,
                           std::string(options.cast)) {}
    AppendingDecoder(core::Form form, std::string name, bool lossy, std::string cast)
        : WireDecoder(form, std::move(name)), lossy_(lossy), cast_(std::move(cast)) {}

  private:
    bool lossy_;
    std::string cast_;
};

using DecoderPtr = std::shared_ptr<const AppendingDecoder>;
using MakeDecoder = DecoderPtr (*)(const DecoderOptions&);

/// Reads values by one function: either `ByteView (string_view wire)`, where the canonical bytes are part of the wire
/// bytes, or `void (string_view wire, ByteSink&)`, or `void (string_view wire, WireScratch&, ByteSink&)`.
template <auto Decode>
class SimpleDecoder final : public AppendingDecoder {
    static constexpr bool kIsView = std::is_invocable_r_v<core::ByteView, decltype(Decode), std::string_view>;
    static constexpr bool kTakesScratch =
        std::is_invocable_v<decltype(Decode), std::string_view, WireScratch&, core::ByteSink&>;

  public:
    explicit SimpleDecoder(const DecoderOptions& options) : AppendingDecoder(options) {}

    core::ByteView read(std::string_view wire, ByteBuffer& buffer) const override {
        if constexpr (kIsView)
            return Decode(wire);
        else
            return AppendingDecoder::read(wire, buffer);
    }
    void append(std::string_view wire, [[maybe_unused]] WireScratch& scratch, core::ByteSink& sink) const override {
        if constexpr (kIsView)
            sink.append(Decode(wire));
        else if constexpr (kTakesScratch)
            Decode(wire, scratch, sink);
        else
            Decode(wire, sink);
    }
};

template <auto Decode>
DecoderPtr simple_decoder(const DecoderOptions& options) {
    return std::make_shared<SimpleDecoder<Decode>>(options);
}

}  // namespace parity::driver
