#pragma once

#include <cstdint>
#include <string_view>

#include "core/bytes.h"
#include "core/decimal.h"
#include "driver/postgres/values/cursor.h"

/// Decoders of types that are made of no others, as SimpleDecoder takes them (decoder.h): from what the type's send
/// function makes to canonical bytes (docs/digest-format.md, section 2).
/// Throws: each of them Error{kInternal} for other bytes.
namespace parity::driver {

// ---- canonical bytes that are part of the wire bytes ---------------------------------------------------------------

/// Text, and whatever else is sent as it is.
inline core::ByteView view_all(std::string_view wire) { return core::as_bytes(wire); }

template <std::size_t Width>
core::ByteView view_exactly(std::string_view wire) {
    if (wire.size() != Width) throw_malformed("a value of its type");
    return core::as_bytes(wire);
}

/// char(n), without its blanks at the end.
core::ByteView view_bpchar(std::string_view wire);

/// A format's version, which is 1, and text: jsonpath, ltree and the like.
core::ByteView view_versioned_text(std::string_view wire);

// ---- numbers -------------------------------------------------------------------------------------------------------

template <typename Wire>
Wire load_integer(std::string_view wire) {
    if (wire.size() != sizeof(Wire)) throw_malformed("an integer of its type");
    return core::load_be<Wire>(core::as_bytes(wire).data());
}

/// An integer that is `Wire` on the wire and `Canonical` in canonical bytes.
template <typename Wire, typename Canonical>
void append_integer(std::string_view wire, core::ByteSink& sink) {
    core::append_le(sink, static_cast<Canonical>(load_integer<Wire>(wire)));
}

template <typename Wire>
void append_integer_as_decimal(std::string_view wire, core::ByteSink& sink) {
    core::append_decimal(sink, std::int64_t{load_integer<Wire>(wire)});
}

void append_bool(std::string_view wire, core::ByteSink& sink);
void append_numeric(std::string_view wire, core::ByteSink& sink);
void append_float4(std::string_view wire, core::ByteSink& sink);
/// A double as the form `float4`.
void append_rounded_double(std::string_view wire, core::ByteSink& sink);

/// The double of these bits, as the form `float` has it.
void append_double(std::uint64_t bits, core::ByteSink& sink);

/// So many doubles: double precision, and the geometric types of fixed width.
template <std::size_t Count>
void append_doubles(std::string_view wire, core::ByteSink& sink) {
    if (wire.size() != Count * sizeof(std::uint64_t)) throw_malformed("floating-point numbers");
    for (std::size_t i = 0; i < Count; ++i)
        append_double(core::load_be<std::uint64_t>(core::as_bytes(wire).data() + i * sizeof(std::uint64_t)), sink);
}

// ---- under another type's form (section 2.9) ------------------------------------------------------------------------

/// These three append a value under another type's form.
/// Throws: Error{kServer} with the SQLSTATE of the other type's input function or cast for a value that the other type
/// does not hold.
void append_uuid_as_text(std::string_view wire, core::ByteSink& sink);
void append_text_as_uuid(std::string_view wire, core::ByteSink& sink);
void append_date_as_timestamp(std::string_view wire, core::ByteSink& sink);

// ---- others --------------------------------------------------------------------------------------------------------

void append_timetz(std::string_view wire, core::ByteSink& sink);
void append_interval(std::string_view wire, core::ByteSink& sink);
void append_bits(std::string_view wire, core::ByteSink& sink);
void append_inet(std::string_view wire, core::ByteSink& sink);
void append_path(std::string_view wire, core::ByteSink& sink);
void append_polygon(std::string_view wire, core::ByteSink& sink);
void append_tid(std::string_view wire, core::ByteSink& sink);
void append_snapshot(std::string_view wire, core::ByteSink& sink);

}  // namespace parity::driver
