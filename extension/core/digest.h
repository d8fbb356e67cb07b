#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/bytes.h"
#include "core/form.h"
#include "core/hash.h"

/// The digest of one slice: docs/digest-format.md, section 6.
namespace parity::core {

inline constexpr int kFormatVersion = 1;

/// 32 bytes, the SQL type `digest` as it is stored; trivially copyable.
struct Digest {
    std::uint8_t version;
    std::uint8_t width;  ///< 64 or 128
    Form form;
    std::uint8_t revision;
    std::uint32_t tag;
    u64 count;
    u64 sum_low;
    u64 sum_high;  ///< 0 for a width of 64
};
inline constexpr std::size_t kDigestBytes = 32;
static_assert(sizeof(Digest) == kDigestBytes);

/// Bytes that hold any digest's text form.
inline constexpr std::size_t kMaxDigestText = 120;

/// What can keep two digests from being added, subtracted or compared.
enum class DigestStatus {
    kOk,
    kOtherVersion,
    kOtherWidth,
    kOtherForm,
    kOtherRevision,
    kOtherTag,
    kCountBelowZero,
    kCountTooLarge
};

/// A phrase for people, such as "the widths differ".
std::string_view describe(DigestStatus status) noexcept;

/// kOk where the two describe the same kind of slice under the same seed and key forms.
DigestStatus check_compatible(const Digest& a, const Digest& b) noexcept;

/// a + b into a. Nothing is changed unless kOk is returned.
DigestStatus add(Digest& a, const Digest& b) noexcept;

/// a − b into a. Nothing is changed unless kOk is returned.
DigestStatus subtract(Digest& a, const Digest& b) noexcept;

/// Whether two digests have the same count and sum.
/// Requires: check_compatible() gives kOk.
bool same_content(const Digest& a, const Digest& b) noexcept;

/// Writes the text form.
/// Returns: its length, at most kMaxDigestText.
std::size_t write_digest_text(const Digest& digest, std::span<char, kMaxDigestText> to) noexcept;

/// Reads a text form.
/// Returns: nothing where it is malformed or of another format version.
std::optional<Digest> parse_digest_text(std::string_view text) noexcept;

/// Writes the 32 bytes that travel on the wire (big endian).
void write_digest_wire(const Digest& digest, std::span<std::uint8_t, kDigestBytes> to) noexcept;

/// Reads the wire form.
/// Returns: nothing unless it is 32 bytes of a valid digest of this format version.
std::optional<Digest> parse_digest_wire(ByteView wire) noexcept;

/// What a slice's tag is made from.
enum class SliceKind { kKey, kRow, kColumn };

/// The tag of a slice, from full names of forms; `key_forms` is empty for a keyless table. `column` is used for kColumn
/// only. `scratch` serves to build the tagged string; its failure is seen in scratch.failed.
std::uint32_t slice_tag(SliceKind kind, std::span<const std::string_view> key_forms,
                        std::span<const std::string_view> column_forms, std::string_view column, u64 seed,
                        ByteSink& scratch) noexcept;

}  // namespace parity::core
