#include "driver/postgres/feed/bounds.h"

#include <algorithm>

#include "core/bounds.h"
#include "core/order.h"
#include "driver/digests/division.h"
#include "driver/engine/spec.h"
#include "driver/engine/value_reader.h"
#include "driver/model/sides.h"
#include "driver/postgres/connection/connection.h"
#include "driver/postgres/connection/copy_rows.h"
#include "driver/postgres/queries/feed.h"

namespace parity::driver {
namespace {

/// Blocks read for each range: neighbours in a block are often neighbours in the key's order, so rows do not count.
constexpr double kBlocksPerRange = 4;
constexpr double kMostSampledBlocks = 4096;
/// A bound is sent with every query; longer keys are no bounds.
constexpr std::size_t kLongestKey = 1024;
/// Keys kept at most, in bytes.
constexpr std::size_t kMostSampledBytes = 32 << 20;

/// Reads a COPY of the key's columns (or the first of them) into framed keys.
class KeySample {
  public:
    KeySample(const StreamColumns& columns, std::size_t fields) : columns_(columns), fields_(fields) {}

    void read(CopyStream copy) {
        CopyRowReader reader(fields_);
        while (const std::optional<std::string_view> message = copy.next())
            if (const auto fields = reader.read(*message)) add(*fields);
        reader.require_complete(copy.rows());
    }
    std::vector<std::string> take() { return std::move(keys_); }

  private:
    void add(std::span<const ValueField> fields) {
        framed_.clear();
        for (std::size_t i = 0; i < fields.size(); ++i) {
            if (fields[i])
                core::append_frame(framed_.sink(), columns_.key[i]->form(),
                                   columns_.key[i]->read(*fields[i], scratch_));
            else
                core::append_null_frame(framed_.sink());
        }
        if (framed_.view().size() > kLongestKey || bytes_ > kMostSampledBytes) return;
        bytes_ += framed_.view().size() + sizeof(std::string);
        keys_.emplace_back(core::as_text(framed_.view()));
    }

    const StreamColumns& columns_;
    const std::size_t fields_;
    ByteBuffer framed_;
    ByteBuffer scratch_;
    std::vector<std::string> keys_;
    std::size_t bytes_ = 0;
};

std::vector<std::string> sample_blocks(Session& session, const StreamTable& stream, int ranges) {
    const double blocks = static_cast<double>(std::max<std::int64_t>(1, stream.blocks()));
    const double wanted = std::min(ranges * kBlocksPerRange, kMostSampledBlocks);
    const double percent = std::min(100.0, 100.0 * wanted / blocks);
    const std::size_t fields = stream.columns().key.size();
    const std::vector<std::string> key(stream.expressions().begin(),
                                       stream.expressions().begin() + static_cast<std::ptrdiff_t>(fields));
    KeySample sample(stream.columns(), fields);
    for (const StreamPart& part : stream.parts())
        sample.read(session.connection().copy_out(copy_sample_statement(key, part, stream.alias(), percent)));
    return sample.take();
}

/// Only a column that is read as it is has the histogram of what is read.
std::vector<std::string> read_histogram(Session& session, const StreamTable& stream, const TablePlan& table) {
    const Side side = session.side();
    if (stream.leading_type().empty() || stream.leading_is_cast()) return {};
    KeySample sample(stream.columns(), 1);
    sample.read(session.connection().copy_out(copy_histogram_statement(
        table.name[side], stream.leading_column(), stream.leading_type(), table.relkind[side] == 'p')));
    return sample.take();
}

}  // namespace

std::vector<std::string> bounds_of_sample(std::vector<std::string> keys, const std::vector<core::Form>& forms,
                                          int ranges) {
    const auto below = [&](const std::string& a, const std::string& b) {
        return core::compare_keys(forms, core::as_bytes(a), core::as_bytes(b)) < 0;
    };
    std::sort(keys.begin(), keys.end(), below);
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    std::vector<std::string> bounds;
    const std::size_t wanted = std::min(static_cast<std::size_t>(std::max(1, ranges)), keys.size() + 1);
    for (std::size_t i = 1; i < wanted; ++i)
        bounds.push_back(static_cast<char>(core::kKeyBound) + keys[i * keys.size() / wanted]);
    return bounds;
}

std::vector<std::string> sample_bounds(Session& session, const StreamTable& stream, const TablePlan& table,
                                       int ranges) {
    const std::vector<core::Form> forms = stream.columns().key_forms();
    std::vector<std::string> keys =
        stream.can_be_sampled() ? sample_blocks(session, stream, ranges) : read_histogram(session, stream, table);
    std::vector<std::string> bounds = bounds_of_sample(std::move(keys), forms, ranges);
    if (bounds.empty() && !stream.can_be_sampled()) return even_hash_bounds(static_cast<std::uint32_t>(ranges));
    check_bounds(bounds, forms);
    return bounds;
}

}  // namespace parity::driver
