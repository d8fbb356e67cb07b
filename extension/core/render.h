#pragma once

#include <span>

#include "core/bytes.h"
#include "core/form.h"

/// Canonical bytes as text for people. What is rendered is close to what the server prints but not meant to be read
/// back: a decimal has no display scale, a JSON document is ordered by its keys.
namespace parity::core {

/// Appends the shortest decimal text of a double that reads back as the same; the backend and the driver have their
/// own.
using DoubleWriter = void (*)(ByteSink& sink, double value);

/// Appends the text of one canonical value. Malformed bytes are shown in hexadecimal.
void render_value(Form form, ByteView canonical, DoubleWriter write_double, ByteSink& sink) noexcept;

/// Appends a framed key, "(17, abc, NULL)"; for one column only the value. A key bound on fewer columns shows these.
void render_key(std::span<const Form> forms, ByteView framed, DoubleWriter write_double, ByteSink& sink) noexcept;

/// Appends a bound: the key of a key bound, "hash 0x…" for a hash bound.
void render_bound(std::span<const Form> forms, ByteView bound, DoubleWriter write_double, ByteSink& sink) noexcept;

}  // namespace parity::core
