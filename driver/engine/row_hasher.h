#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/bounds.h"
#include "core/hash.h"
#include "driver/digests/merge.h"
#include "driver/engine/spec.h"
#include "driver/engine/sums.h"
#include "driver/engine/value_reader.h"

/// From rows on the wire to hashes and sums: the only place where the driver applies docs/digest-format.md, sections 4
/// and 5. The backend's is extension/backend/rows/row_hasher.h.
namespace parity::driver {

/// Hashes rows under one spec. Each thread has its own. Fields are the key's and then the columns'; what follows them
/// is not looked at.
class RowHasher {
  public:
    explicit RowHasher(const StreamSpec& spec);

    /// Adds a row to its range's sums, unless that range is not kept.
    void accumulate(std::span<const ValueField> fields, SumMatrix& sums) {
        spec_.wide ? accumulate_as<core::u128>(fields, sums) : accumulate_as<core::u64>(fields, sums);
    }

    /// Fills `row` with a row's hashes.
    /// Returns: false where the row's range is not kept.
    bool hash(std::span<const ValueField> fields, RowDigest& row) {
        return spec_.wide ? hash_as<core::u128>(fields, row) : hash_as<core::u64>(fields, row);
    }

    /// A row's framed key (keyless: all of it). The bytes live until the next row.
    core::ByteView frame_key(std::span<const ValueField> fields);

  private:
    /// A value of the key's columns and the others, counted together.
    /// Throws: what ValueReader::read() throws, with a message that names the column.
    core::ByteView read(const ValueReader& reader, std::string_view sent, std::size_t column);

    template <typename H>
    void accumulate_as(std::span<const ValueField> fields, SumMatrix& sums);
    template <typename H>
    bool hash_as(std::span<const ValueField> fields, RowDigest& row);
    template <typename H, typename Consume>
    H hash_cells(std::span<const ValueField> fields, H key_hash, Consume consume);
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
