#include "backend/scan/scan.h"

#include <algorithm>
#include <bit>
#include <new>

#include "backend/memory.h"
#include "backend/rows/batch_hasher.h"
#include "backend/scan/page_reader.h"
#include "backend/scan/participants.h"

namespace parity::backend {
namespace {

/// The pages that one participant takes. They ascend, so that it opens each leaf at most once.
class PageAllocation {
  public:
    explicit PageAllocation(SharedScan* shared) : shared_(shared) {}

    /// Goes to the leaf of the next page, opened from `leaf` on; false where no page is left.
    bool find_leaf(const SharedLeaf* leaves) {
        if (!take_chunk()) return false;
        while (next_ >= leaf_end_) {
            leaf_first_ = leaves[leaf_].first_page;
            leaf_end_ = ++leaf_ == shared_->leaves ? shared_->total_pages : leaves[leaf_].first_page;
        }
        return true;
    }
    std::uint32_t leaf() const { return leaf_ - 1; }

    /// The next page of the leaf. Chunks follow one another, so that reading ahead does not stop at their ends.
    static BlockNumber next_page(void* allocation) {
        auto* self = static_cast<PageAllocation*>(allocation);
        if (!self->take_chunk() || self->next_ >= self->leaf_end_) return InvalidBlockNumber;
        return static_cast<BlockNumber>(self->next_++ - self->leaf_first_);
    }

  private:
    bool take_chunk() {
        if (next_ < end_) return true;
        if (end_ == shared_->total_pages) return false;
        next_ = pg_atomic_fetch_add_u64(&shared_->next, static_cast<int64>(shared_->chunk_pages));
        next_ = std::min(next_, shared_->total_pages);
        end_ = std::min(next_ + shared_->chunk_pages, shared_->total_pages);
        return next_ < end_;
    }

    SharedScan* shared_;
    core::u64 next_ = 0;
    core::u64 end_ = 0;
    std::uint32_t leaf_ = 0;  ///< the one after the leaf that pages are taken from
    core::u64 leaf_first_ = 0;
    core::u64 leaf_end_ = 0;
};
static_assert(std::is_trivially_destructible_v<PageAllocation>);

void read_leaf(const Participant& self, Relation leaf, PageAllocation& allocation) {
    MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "parity row", ALLOCSET_DEFAULT_SIZES);
    auto* hasher = new (allocate_array<BatchHasher>(CurrentMemoryContext, 1)) BatchHasher(
        *self.spec, self.finder, RelationGetDescr(leaf), find_inputs(self, leaf), CurrentMemoryContext, row_context);
    const BlockSupply blocks{PageAllocation::next_page, &allocation};
    auto* pages =
        new (allocate_array<PageReader>(CurrentMemoryContext, 1)) PageReader(leaf, GetActiveSnapshot(), blocks);
    PageCounter counter(self);
    core::u64 rows = 0;
    while (pages->next()) {
        rows += pages->tuples().size();
        if (self.output.rows)
            hasher->hand_over(pages->tuples(), pages->upcoming(), *self.output.rows);
        else
            hasher->accumulate(pages->tuples(), pages->upcoming(), self.output.matrix);
        counter.count_page();
    }
    counter.flush();
    tell_keys(self.shared, hasher->keys_read());
    count_scan(leaf, rows);
    pages->close();
}

/// Takes chunks of pages until there are none.
void participate(const Participant& self) {
    PageAllocation allocation(self.shared);
    while (allocation.find_leaf(self.leaves)) {
        MemoryContext context = AllocSetContextCreate(self.context, "parity leaf", ALLOCSET_DEFAULT_SIZES);
        MemoryContext caller = MemoryContextSwitchTo(context);
        Relation leaf = table_open(self.leaves[allocation.leaf()].relation, AccessShareLock);
        read_leaf(self, leaf, allocation);
        table_close(leaf, NoLock);
        MemoryContextSwitchTo(caller);
        MemoryContextDelete(context);
    }
}

/// The guard against reading less than there is: every page was read by exactly one participant.
void check_all_read(const SharedScan& shared, const void*) {
    core::u64 pages = pg_atomic_read_u64(const_cast<pg_atomic_uint64*>(&shared.pages_read));
    if (pages != shared.total_pages)
        elog(ERROR, "%llu of %llu pages were read", static_cast<unsigned long long>(pages),
             static_cast<unsigned long long>(shared.total_pages));
}

ScanEffort scan(const DigestTask& task, int workers, const ScanOutput& output) {
    char nothing = 0;
    ScanMethod method{"parity_scan_worker", participate, check_all_read, &nothing, sizeof nothing};
    return scan_by(task, workers, output, method);
}

/// Workers write the rows that they hand over to disk. More than one in so many are handed over sooner by one process.
constexpr std::size_t kFewHandedOver = 4;

bool keeps_few(const DigestSpec& spec) {
    std::size_t kept = 0;
    for (core::u64 flags : spec.kept_buckets) kept += static_cast<std::size_t>(std::popcount(flags));
    if (spec.kept_buckets.empty())
        kept = static_cast<std::size_t>(std::count(spec.kept.begin(), spec.kept.end(), 1)) * spec.buckets;
    return !spec.kept.empty() && kept * kFewHandedOver <= spec.kept.size() * spec.buckets;
}

}  // namespace

ScanEffort digest_by_scan(const DigestTask& task, int workers, const DigestMatrix& matrix) {
    return scan(task, workers, {matrix, nullptr});
}

ScanEffort read_hashes_by_scan(const DigestTask& task, int workers, const HashedRowConsumer& consumer) {
    return scan(task, keeps_few(task.spec) ? workers : 0, {{}, &consumer});
}

}  // namespace parity::backend

using namespace parity::backend;

extern "C" {
PGDLLEXPORT void parity_scan_worker(dsm_segment* segment, shm_toc* toc);
}

/// A parallel worker's part of a scan.
void parity_scan_worker(dsm_segment* segment, shm_toc* toc) { work_for_leader(segment, toc, participate); }
