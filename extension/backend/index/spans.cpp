#include "backend/index/spans.h"

#include <algorithm>
#include <new>

#include "backend/index/block_set.h"
#include "backend/index/listing.h"
#include "backend/index/page_check.h"
#include "backend/index/rows.h"
#include "backend/index/search.h"
#include "backend/index/span_obstacle.h"
#include "backend/index/span_reading.h"
#include "backend/memory.h"
#include "backend/query/key_condition.h"
#include "backend/scan/page_reader.h"
#include "backend/scan/participants.h"
#include "backend/values/type_forms.h"

namespace parity::backend {
namespace {

/// Ranges that are read together are a piece of a leaf. Pieces are small enough that participants end together and that
/// what an index lists for one stays in the processor's caches, and large enough that blocks at their ends, which two
/// of them read, do not matter.
constexpr double kPiecesPerParticipant = 8;
constexpr double kMinPieceRows = 8192;
constexpr double kMaxPieceRows = 65536;

// ---- what participants share ---------------------------------------------------------------------------------------

/// A column of the key, as whoever knows no task can find it.
struct SharedKeyColumn {
    AttrNumber number;
    NameData name;
    Oid type;
    Oid collation;
};

/// What participants share besides a SharedScan. Behind it lie the leaves' blocks, the pieces, the key's columns, and
/// two flags a block.
struct SharedSpan {
    pg_atomic_uint64 pieces_done;
    Oid relation;
    std::uint32_t pieces;  ///< of each leaf
    std::uint32_t key_columns;
    std::uint32_t leaves;
    bool digests;  ///< and rows are not only read again
    std::size_t words;

    /// As they were when flags were made for them.
    LeafBlocks* blocks() { return at<LeafBlocks>(0); }
    RangeWindow* windows() { return at<RangeWindow>(bytes_of<LeafBlocks>(leaves)); }
    SharedKeyColumn* key() { return at<SharedKeyColumn>(bytes_of<LeafBlocks>(leaves) + bytes_of<RangeWindow>(pieces)); }
    std::uint32_t* read_before() { return at<std::uint32_t>(bytes_before_flags()); }
    /// Flags that are set atomically.
    pg_atomic_uint32* read() { return reinterpret_cast<pg_atomic_uint32*>(read_before() + words); }

    /// Of all, what is behind it included.
    std::size_t size() const {
        return MAXALIGN(sizeof(SharedSpan)) + bytes_before_flags() + 2 * words * sizeof(std::uint32_t);
    }

    /// Whether nobody has marked the block so far.
    bool mark(core::u64 block) {
        const std::uint32_t bit = std::uint32_t{1} << block % 32;
        return !(pg_atomic_fetch_or_u32(&read()[block / 32], bit) & bit) && !has_block(read_before(), block);
    }

  private:
    std::size_t bytes_before_flags() const {
        return bytes_of<LeafBlocks>(leaves) + bytes_of<RangeWindow>(pieces) + bytes_of<SharedKeyColumn>(key_columns);
    }
    template <typename T>
    static std::size_t bytes_of(std::size_t count) {
        return MAXALIGN(count * sizeof(T));
    }
    template <typename T>
    T* at(std::size_t offset) {
        return reinterpret_cast<T*>(reinterpret_cast<char*>(this) + MAXALIGN(sizeof(SharedSpan)) + offset);
    }
};
static_assert(sizeof(pg_atomic_uint32) == sizeof(std::uint32_t));

/// Rows of all leaves, as the planner estimates them.
double estimate_rows(const DigestTask& task) {
    double rows = 0;
    for (Oid leaf : task.leaves) {
        Relation relation = table_open(leaf, NoLock);
        BlockNumber pages;
        double tuples, all_visible;
        estimate_rel_size(relation, nullptr, &pages, &tuples, &all_visible);
        rows += tuples;
        table_close(relation, NoLock);
    }
    return rows;
}

/// How many ranges make a piece.
std::uint32_t ranges_of_piece(const DigestTask& task, int participants) {
    const auto kept = static_cast<double>(std::count(task.spec.kept.begin(), task.spec.kept.end(), 1));
    const double rows = estimate_rows(task) * kept / task.spec.ranges();
    const double even = std::min(kPiecesPerParticipant * participants, rows / kMinPieceRows);
    const double pieces = std::max({even, rows / kMaxPieceRows, 1.0});
    return static_cast<std::uint32_t>(std::max(kept / pieces, 1.0));
}

/// Whether the first columns of a range's two bounds are alike. The index is searched by that column alone: such ranges
/// are found together.
bool is_within_one_value(const DigestSpec& spec, std::uint32_t range) {
    return range > 0 && range < spec.bounds.size() && begin_alike(spec, range - 1, range);
}

/// The kept ranges in pieces of neighbours, in the current context.
std::span<const RangeWindow> pieces_of(const DigestTask& task, int participants) {
    const DigestSpec& spec = task.spec;
    const std::uint32_t enough = ranges_of_piece(task, participants);
    auto* pieces = allocate_array<RangeWindow>(CurrentMemoryContext, spec.ranges() + 1);
    std::size_t count = 0;
    for (std::uint32_t range = 0; range < spec.ranges(); ++range) {
        if (!spec.keeps(range)) continue;
        RangeWindow* last = count > 0 ? &pieces[count - 1] : nullptr;
        const bool neighbour = last && last->last + 1 == range;
        if (neighbour && (range - last->first < enough || is_within_one_value(spec, range)))
            last->last = range;
        else
            pieces[count++] = {range, range};
    }
    return {pieces, count};
}

// ---- one participant -----------------------------------------------------------------------------------------------

/// The task as far as a participant needs it to ask an index.
DigestTask task_of_participant(const Participant& self, SharedSpan* span) {
    DigestTask task{};
    task.relation = relation_open(span->relation, AccessShareLock);
    auto* key = allocate_array<TaskColumn>(CurrentMemoryContext, span->key_columns + 1);
    for (std::uint32_t i = 0; i < span->key_columns; ++i) {
        const SharedKeyColumn& column = span->key()[i];
        const std::optional<ColumnReader> reader = find_reader(column.type, self.spec->inputs[i].form);
        if (!reader) elog(ERROR, "column \"%s\" has no form", NameStr(column.name));
        key[i] = {column.number, column.name, column.type, column.collation, *reader};
    }
    task.key = {key, span->key_columns};
    return task;
}

/// One participant's reading of a span.
class SpanParticipant {
  public:
    explicit SpanParticipant(const Participant& self)
        : self_(self),
          span_(static_cast<SharedSpan*>(self.method)),
          task_(task_of_participant(self, span_)),
          spec_(*self.spec),
          kept_(allocate_array<std::uint8_t>(CurrentMemoryContext, spec_.ranges())) {
        spec_.kept = {kept_, spec_.ranges()};
        task_.spec = spec_;
    }

    /// Pieces of a leaf follow one another, so that it is opened once.
    void read_pieces() {
        const core::u64 pieces = span_->pieces, all = pieces * self_.shared->leaves;
        core::u64 piece = pg_atomic_fetch_add_u64(&self_.shared->next, 1);
        while (piece < all) {
            const auto leaf = static_cast<std::uint32_t>(piece / pieces);
            MemoryContext context = AllocSetContextCreate(self_.context, "parity leaf", ALLOCSET_DEFAULT_SIZES);
            MemoryContext caller = MemoryContextSwitchTo(context);
            open_leaf(leaf);
            for (; piece < all && piece / pieces == leaf; piece = pg_atomic_fetch_add_u64(&self_.shared->next, 1)) {
                read_piece(span_->windows()[piece % pieces]);
                pg_atomic_fetch_add_u64(&span_->pieces_done, 1);
            }
            close_leaf();
            MemoryContextSwitchTo(caller);
            MemoryContextDelete(context);
        }
        relation_close(task_.relation, NoLock);
    }

  private:
    /// What is open of a leaf; the hasher and the reader's room from the first row on.
    struct OpenLeaf {
        std::uint32_t number;
        Relation relation;
        LeafListing* listing;
        MemoryContext row_context;
        BatchHasher* hasher;
        PageReader* pages;
    };

    void open_leaf(std::uint32_t number) {
        Relation relation = table_open(self_.leaves[number].relation, AccessShareLock);
        auto* listing = new (allocate_array<LeafListing>(CurrentMemoryContext, 1))
            LeafListing(task_, relation, span_->blocks()[number].index);
        leaf_ = {number, relation, listing, nullptr, nullptr, nullptr};
    }

    void close_leaf() {
        if (leaf_.hasher) tell_keys(self_.shared, leaf_.hasher->keys_read());
        leaf_.listing->close();
        table_close(leaf_.relation, NoLock);
    }

    void prepare_rows() {
        if (leaf_.hasher) return;
        leaf_.row_context = AllocSetContextCreate(CurrentMemoryContext, "parity row", ALLOCSET_DEFAULT_SIZES);
        leaf_.pages = allocate_array<PageReader>(CurrentMemoryContext, 1);
        leaf_.hasher = new (allocate_array<BatchHasher>(CurrentMemoryContext, 1))
            BatchHasher(spec_, self_.finder, RelationGetDescr(leaf_.relation), find_inputs(self_, leaf_.relation),
                        CurrentMemoryContext, leaf_.row_context, true);
    }

    core::ByteView bound_at(std::size_t bound) const {
        return bound < spec_.bounds.size() ? spec_.bounds[bound] : core::ByteView{};
    }

    void read_piece(RangeWindow window) {
        const KeyInterval interval = interval_of_range(
            task_, window.first > 0 ? bound_at(window.first - 1) : core::ByteView{}, bound_at(window.last));
        const std::span<const core::u64> places = leaf_.listing->list(interval);
        if (places.empty()) return;
        prepare_rows();
        std::fill(kept_ + window.first, kept_ + window.last + 1, 1);
        read_blocks(places, window);
        std::fill(kept_ + window.first, kept_ + window.last + 1, 0);
    }

    void read_blocks(std::span<const core::u64> places, RangeWindow window) {
        ListedBlocks listed{places};
        const BlockSupply blocks{ListedBlocks::next_block, &listed};
        auto* pages = new (leaf_.pages) PageReader(leaf_.relation, GetActiveSnapshot(), blocks);
        PageCheck check(*pages, *leaf_.listing, places, window);
        const RangeWatcher watcher = check.watcher();
        leaf_.hasher->watch(watcher);
        PageCounter counter(self_);
        while (pages->next()) {
            check.begin_page(is_first_read(pages->block()));
            if (self_.output.rows)
                leaf_.hasher->hand_over(pages->tuples(), pages->upcoming(), *self_.output.rows);
            else
                leaf_.hasher->accumulate(pages->tuples(), pages->upcoming(), self_.output.matrix);
            counter.count_page();
        }
        counter.flush();
        pages->close();
    }

    /// A block behind those that there were when the call began has rows that the snapshot does not see, and rows that
    /// it sees have been listed.
    bool is_first_read(BlockNumber block) {
        const LeafBlocks& blocks = span_->blocks()[leaf_.number];
        return span_->digests && blocks.first + block < blocks.end && span_->mark(blocks.first + block);
    }

    const Participant& self_;
    SharedSpan* span_;
    DigestTask task_;
    DigestSpec spec_;  ///< keeps the ranges of one piece
    std::uint8_t* kept_;
    OpenLeaf leaf_{};
};
static_assert(std::is_trivially_destructible_v<SpanParticipant>);

void read_pieces(const Participant& self) {
    auto* participant = new (allocate_array<SpanParticipant>(CurrentMemoryContext, 1)) SpanParticipant(self);
    participant->read_pieces();
}

/// The guard against reading less than there is: each piece of each leaf was read by one participant, to its end.
void check_all_pieces(const SharedScan& shared, const void* method) {
    auto* span = const_cast<SharedSpan*>(static_cast<const SharedSpan*>(method));
    const core::u64 done = pg_atomic_read_u64(&span->pieces_done), all = core::u64{span->pieces} * shared.leaves;
    if (done != all)
        elog(ERROR, "%llu of %llu parts of a span were read", static_cast<unsigned long long>(done),
             static_cast<unsigned long long>(all));
}

// ---- the leader ----------------------------------------------------------------------------------------------------

SharedSpan* make_span(const DigestTask& task, std::span<const RangeWindow> pieces, std::span<const LeafBlocks> leaves,
                      bool digests, std::size_t* bytes) {
    SharedSpan shape{};
    shape.relation = RelationGetRelid(task.relation);
    shape.pieces = static_cast<std::uint32_t>(pieces.size());
    shape.key_columns = static_cast<std::uint32_t>(task.key.size());
    shape.leaves = static_cast<std::uint32_t>(task.leaves.size());
    shape.digests = digests;
    shape.words = words_for_blocks(count_blocks(leaves));
    *bytes = shape.size();
    auto* span =
        new (allocate_array<core::u64>(CurrentMemoryContext, *bytes / sizeof(core::u64) + 1)) SharedSpan(shape);
    pg_atomic_init_u64(&span->pieces_done, 0);
    std::copy(leaves.begin(), leaves.end(), span->blocks());
    std::copy(pieces.begin(), pieces.end(), span->windows());
    for (std::uint32_t i = 0; i < span->key_columns; ++i)
        span->key()[i] = {task.key[i].number, task.key[i].name, task.key[i].type, task.key[i].collation};
    set_read_flags(leaves, span->read_before());
    for (std::size_t word = 0; word < span->words; ++word) pg_atomic_init_u32(&span->read()[word], 0);
    return span;
}

ScanEffort read_span(const DigestTask& task, int workers, const ScanOutput& output) {
    const std::span<const LeafBlocks> leaves = blocks_of_leaves(task);
    const std::span<const RangeWindow> pieces = pieces_of(task, workers + 1);
    std::size_t bytes;
    SharedSpan* span = make_span(task, pieces, leaves, !output.rows, &bytes);
    ScanMethod method{"parity_span_worker", read_pieces, check_all_pieces, span, bytes};
    const ScanEffort effort = scan_by(task, workers, output, method);
    if (!output.rows)
        remember_pass(task, pieces, leaves,
                      reinterpret_cast<const std::uint32_t*>(static_cast<SharedSpan*>(method.shared)->read()));
    return effort;
}

}  // namespace

void require_readable_by_blocks(const DigestTask& task) {
    require_by_blocks(task);
    if (task.spec.kept.empty() || (!task.spec.bounds.empty() && task.spec.bounds[0][0] != core::kKeyBound))
        refuse_by_blocks(task, "no ranges of its key are chosen");
}

ScanEffort digest_by_blocks(const DigestTask& task, int workers, const DigestMatrix& matrix) {
    return read_span(task, workers, {matrix, nullptr});
}

ScanEffort read_hashes_by_blocks(const DigestTask& task, int workers, const HashedRowConsumer& consumer) {
    return read_span(task, workers, {{}, &consumer});
}

}  // namespace parity::backend

using namespace parity::backend;

extern "C" {
PGDLLEXPORT void parity_span_worker(dsm_segment* segment, shm_toc* toc);
}

/// A parallel worker's part of reading a span.
void parity_span_worker(dsm_segment* segment, shm_toc* toc) { work_for_leader(segment, toc, read_pieces); }
