#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/bounds.h"
#include "core/hash.h"
#include "driver/digests/merge.h"
#include "driver/digests/ranges.h"
#include "driver/postgres/connection/copy_rows.h"
#include "driver/postgres/values/type_rules.h"

/// From rows on the wire to hashes and sums: the only place where the driver applies docs/digest-format.md, sections 4
/// and 5. The backend's is row_hasher.h.
namespace parity::driver {

/// How the columns of one table and side are read. Shared by all threads.
struct StreamColumns {
    std::vector<std::shared_ptr<const WireReader>> key;  ///< empty: keyless
    std::vector<std::shared_ptr<const WireReader>> columns;
    ObjectNames names;
    /// What errors about values of the key's and the others' are explained with; may be shorter.
    struct Label {
        std::string message;  ///< source: a value of column "v" cannot be digested as "uuid"
        std::string hint;
    };
    std::vector<Label> labels;

    std::vector<core::Form> key_forms() const;
    std::size_t fields() const { return key.size() + columns.size(); }
};

/// Which hashes are wanted. Shared by all threads; the columns and the list must outlive it.
class StreamSpec {
  public:
    /// Bounds are checked; Error{kInternal} where they are malformed.
    StreamSpec(const StreamColumns& columns, const DigestSettings& settings, const RangeList& ranges);
    StreamSpec(const StreamSpec&) = delete;
    StreamSpec& operator=(const StreamSpec&) = delete;

    std::size_t ranges() const { return bounds.size() + 1; }
    bool keeps(std::uint32_t range) const { return kept.empty() || kept[range] != 0; }
    /// How many columns' sums are kept.
    std::size_t summed_columns() const { return totals_only ? 0 : columns.columns.size(); }

    const StreamColumns& columns;
    const std::uint64_t seed;
    const bool wide;         ///< a width of 128
    const bool totals_only;  ///< columns are hashed, but their sums not kept
    const std::vector<core::Form> key_forms;
    std::vector<core::ByteView> bounds;

  private:
    std::vector<std::uint8_t> kept;  ///< one a range; empty: all
};

/// Counts and sums of every range, as one participant has them.
class SumMatrix {
  public:
    SumMatrix() = default;
    SumMatrix(std::size_t ranges, std::size_t columns, bool wide);

    /// The bytes that such a matrix takes.
    static std::size_t bytes(std::size_t ranges, std::size_t columns, bool wide);

    /// A range's words, from 0: the count, then the sums of the key, the row and `columns` columns, one word or two
    /// each.
    std::uint64_t* range(std::size_t range) { return words_.data() + range * stride_; }

    /// How many rows were added, of all ranges.
    std::uint64_t rows() const;

    /// Adds another participant's.
    void add(const SumMatrix& other);

  private:
    std::vector<std::uint64_t> words_;
    std::size_t stride_ = 0;
    bool wide_ = false;
};

/// The digests of one range (from 0) out of a matrix; `tags` are those of slice_tags().
RangeDigests digests_of_range(SumMatrix& sums, std::size_t range, const StreamSpec& spec,
                              const std::vector<std::uint32_t>& tags);

/// The tags of the key slice, the row slice and each column's.
std::vector<std::uint32_t> slice_tags(const StreamSpec& spec);

/// Hashes rows under one spec. Each thread has its own. Fields are the key's and then the columns'; what follows them
/// is not looked at.
class StreamHasher {
  public:
    explicit StreamHasher(const StreamSpec& spec);

    /// Adds a row to its range's sums, unless that range is not kept.
    void accumulate(std::span<const WireField> fields, SumMatrix& sums) {
        spec_.wide ? accumulate_as<core::u128>(fields, sums) : accumulate_as<core::u64>(fields, sums);
    }

    /// Fills `row` with a row's hashes; false where its range is not kept.
    bool hash(std::span<const WireField> fields, RowDigest& row) {
        return spec_.wide ? hash_as<core::u128>(fields, row) : hash_as<core::u64>(fields, row);
    }

    /// A row's framed key (keyless: all of it). The bytes live until the next row.
    core::ByteView frame_key(std::span<const WireField> fields);

  private:
    /// A value of the key's columns and the others, counted together. Errors name the column.
    core::ByteView read(const WireReader& reader, std::string_view wire, std::size_t column);

    template <typename H>
    void accumulate_as(std::span<const WireField> fields, SumMatrix& sums);
    template <typename H>
    bool hash_as(std::span<const WireField> fields, RowDigest& row);
    template <typename H, typename Consume>
    H hash_cells(std::span<const WireField> fields, H key_hash, Consume consume);
    template <typename H, typename Consume>
    H hash_framed_cells(H key_hash, Consume consume);
    bool keyless() const { return spec_.columns.key.empty(); }

    const StreamSpec& spec_;
    std::vector<std::int64_t> numbers_;
    core::RangeFinder finder_;
    ByteBuffer framed_;
    ByteBuffer scratch_;
};

}  // namespace parity::driver
