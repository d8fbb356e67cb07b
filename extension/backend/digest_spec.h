#pragma once

#include "backend/pg.h"

#include <span>

#include "core/bounds.h"
#include "core/form.h"
#include "core/hash.h"

/// What the reader of a key's part or of a column is made from.
struct InputSpec {
    std::string_view form;   ///< as it is asked for
    std::string_view label;  ///< what errors call it, as in: column "v"
};

/// What is to be digested, apart from where the rows come from. Leader, workers and aggregates build the same digests
/// from the same spec.
namespace parity::backend {

struct DigestSpec {
    bool wide;         ///< width 128 instead of 64
    bool totals_only;  ///< the columns' sums are not kept
    core::u64 seed;
    std::span<const core::Form> key_forms;             ///< empty: keyless
    std::span<const core::Form> column_forms;          ///< in the agreed order
    std::span<const std::string_view> key_form_names;  ///< in full, parallel to key_forms
    std::span<const std::string_view> column_form_names;
    std::span<const InputSpec> inputs;       ///< the key's, then the columns'
    std::span<const core::ByteView> bounds;  ///< checked and ascending
    std::span<const std::uint8_t> kept;      ///< one flag a range; empty: all ranges are digested

    std::uint32_t ranges() const { return static_cast<std::uint32_t>(bounds.size()) + 1; }
    bool keeps(std::uint32_t range) const { return kept.empty() || kept[range]; }
    int width() const { return wide ? 128 : 64; }
};

/// The spec as a value that can be handed to workers and aggregates of the same server; in the current context.
bytea* pack_spec(const DigestSpec& spec);

/// The spec in a packed value. Forms, bounds and flags lie in a copy in `context`. Raises 22023 for bytes that
/// pack_spec did not make.
DigestSpec unpack_spec(const bytea* packed, MemoryContext context);

}  // namespace parity::backend
