#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/engine/table_reader.h"
#include "driver/model/inventory.h"
#include "driver/model/plan.h"

/// A table by where its rows are stored, so that it can be read around a place that cannot be.
namespace parity::driver {

/// A relation that holds rows of a table, in blocks 0 … blocks − 1.
struct HeapPart {
    std::uint32_t oid = 0;
    QualifiedName name;
    std::int64_t blocks = 0;
};

/// Rows of a part: those of the blocks [first_block, end_block), or of one block those with these line pointers.
struct HeapPlace {
    std::size_t part = 0;  ///< index into HeapReader::parts()
    std::int64_t first_block = 0;
    std::int64_t end_block = 0;
    bool by_line = false;
    std::vector<int> lines{};  ///< with `by_line`: from 1, ascending; of the first block
};

/// A line pointer that no block has: reading it takes no more than that the block can be read.
inline constexpr int kNoLine = 65535;

/// Reads one side of a table, under its open snapshot, place by place. What fails at a place takes nothing from the
/// snapshot: the transaction comes back to where it was before.
class HeapReader {
  public:
    virtual ~HeapReader() = default;

    /// The relations that hold the table's rows.
    /// Returns: none where rows have no places, as those of a view, or where they may not be read by them.
    virtual const std::vector<HeapPart>& parts() const = 0;

    /// How many line pointers a block may have.
    virtual int lines_per_block() const = 0;

    /// How many blocks a place may have.
    virtual std::int64_t most_blocks() const = 0;

    /// As TableReader::split(), of the whole table.
    virtual std::vector<std::string> split(const TablePlan& table, int ranges) = 0;

    /// Looks at the rows at a place, but at no value of theirs.
    /// Throws: where one of them cannot be read.
    virtual void visit(const HeapPlace& place) = 0;

    /// Looks at the rows with keys in [lower, upper), which are key bounds or empty for no bound, and perhaps at some
    /// more, as an index of the key lists them.
    /// Returns: false where no index can be asked.
    /// Throws: where one of them cannot be read.
    virtual bool visit_keys(std::string_view lower, std::string_view upper) = 0;

    /// Calls `use` with a reader of the rows at a place, or of the whole table where that is nullptr, of these columns:
    /// `table` is the table of the snapshot, perhaps without some. Rows at a place are read by nothing but their
    /// location.
    /// Throws: what `use` throws.
    virtual void read(const TablePlan& table, const HeapPlace* place,
                      const std::function<void(TableReader& reader)>& use) = 0;
};

}  // namespace parity::driver
