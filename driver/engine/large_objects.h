#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace parity::driver {

/// One page of a large object as it is stored.
struct LargeObjectPage {
    std::uint32_t object = 0;
    std::int32_t number = 0;
    std::string_view bytes;
};

/// One side's pages, in the order of object and number.
class LargeObjectPages {
  public:
    virtual ~LargeObjectPages() = default;
    /// Overwrites `page` with the next one, whose bytes live until the next call.
    /// Returns: false at the end.
    virtual bool next(LargeObjectPage& page) = 0;
};

/// One side's large objects under the open snapshot.
/// Requires: one thread uses it, and one LargeObjectPages at a time.
class LargeObjectReader {
  public:
    virtual ~LargeObjectReader() = default;

    /// The pages of these objects.
    virtual std::unique_ptr<LargeObjectPages> pages(const std::vector<std::uint32_t>& objects) = 0;
    /// The pages of all objects behind `after` and up to `last`.
    virtual std::unique_ptr<LargeObjectPages> pages(std::uint32_t after, std::uint32_t last) = 0;
    /// How many pages there are, as a scan of all counts them.
    virtual std::uint64_t count_pages() = 0;

    /// The object that `number` objects stand behind `after`.
    /// Returns: nothing where there are fewer.
    virtual std::optional<std::uint32_t> object_after(std::uint32_t after, std::size_t number) = 0;
    /// Those of `objects` that there are, whatever an index says.
    /// Requires: `objects` ascend.
    virtual std::vector<std::uint32_t> existing(const std::vector<std::uint32_t>& objects) = 0;

    /// From now on pages are read without the help of indexes.
    virtual void avoid_indexes() = 0;

    /// Checks that what was read counts.
    /// Throws: Error where the pages were rewritten since the snapshot was taken.
    virtual void require_not_rewritten() = 0;
};

}  // namespace parity::driver
