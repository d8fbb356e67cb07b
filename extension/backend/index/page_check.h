#pragma once

#include "backend/pg.h"

#include <span>
#include <type_traits>

#include "backend/index/listing.h"
#include "backend/index/rows.h"
#include "backend/rows/batch_hasher.h"
#include "backend/scan/page_reader.h"
#include "core/hash.h"

/// The pages that an index lists rows on, and what is on them besides.
namespace parity::backend {

/// The blocks of ascending places (listing.h), each once, for a PageReader.
struct ListedBlocks {
    std::span<const core::u64> places;
    std::size_t on_block = 0;  ///< of them, on the last block

    static BlockNumber next_block(void* blocks);
};

/// Holds what is on a page against what the index lists.
class PageCheck {
  public:
    /// `places` are what the index lists for the ranges of the window.
    PageCheck(PageReader& pages, LeafListing& listing, std::span<const core::u64> places, RangeWindow window)
        : pages_(pages), listing_(listing), places_(places), window_(window) {}

    /// Goes to the reader's page. `checks_others`: rows of other ranges must be listed, too.
    void begin_page(bool checks_others);

    /// What checks the rows of the page as they are hashed.
    /// Errors: PP004 where the index lacks one.
    RangeWatcher watcher() { return {see, this}; }

  private:
    static void see(void* state, std::size_t first, std::span<const std::uint32_t> ranges);
    bool lists_next(std::size_t first, std::span<const std::uint32_t> ranges) const;
    void check(std::size_t tuple, std::uint32_t range);

    PageReader& pages_;
    LeafListing& listing_;
    std::span<const core::u64> places_;  ///< of the pages to come
    std::span<const core::u64> listed_;  ///< of this page
    std::size_t left_ = 0;               ///< of them, if all tuples so far were listed one after the other
    BlockNumber block_ = 0;
    RangeWindow window_;
    bool checks_others_ = false;
};
static_assert(std::is_trivially_destructible_v<PageCheck>);

}  // namespace parity::backend
