#include "backend/digest_spec.h"

#include "backend/memory.h"

namespace parity::backend {
namespace {

/// Guards against values that are no packed spec: the aggregate that takes one can be called by anybody.
constexpr std::uint32_t kMagic = 0x50475031;

struct Header {
    std::uint32_t magic;
    std::uint32_t wide;
    core::u64 seed;
    std::uint32_t key_forms;
    std::uint32_t column_forms;
    std::uint32_t bounds;
    std::uint32_t kept;
};

[[noreturn]] void raise_malformed() {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("malformed digest specification")));
    pg_unreachable();
}

class SpecReader {
  public:
    explicit SpecReader(core::ByteView rest) : rest_(rest) {}

    core::ByteView take(std::size_t length) {
        if (rest_.size() < length) raise_malformed();
        core::ByteView taken = rest_.first(length);
        rest_ = rest_.subspan(length);
        return taken;
    }
    std::span<const core::Form> forms(std::size_t count) {
        core::ByteView codes = take(count);
        for (std::uint8_t code : codes)
            if (!core::form_by_code(code)) raise_malformed();
        return {reinterpret_cast<const core::Form*>(codes.data()), count};
    }
    bool at_end() const { return rest_.empty(); }

  private:
    core::ByteView rest_;
};

}  // namespace

bytea* pack_spec(const DigestSpec& spec) {
    core::ByteSink sink = make_sink(CurrentMemoryContext);
    Header header{kMagic,
                  spec.wide,
                  spec.seed,
                  static_cast<std::uint32_t>(spec.key_forms.size()),
                  static_cast<std::uint32_t>(spec.column_forms.size()),
                  static_cast<std::uint32_t>(spec.bounds.size()),
                  static_cast<std::uint32_t>(spec.kept.size())};
    sink.append(&header, sizeof header);
    sink.append(spec.key_forms.data(), spec.key_forms.size());
    sink.append(spec.column_forms.data(), spec.column_forms.size());
    sink.append(spec.kept);
    for (core::ByteView bound : spec.bounds) {
        core::append_le(sink, static_cast<std::uint32_t>(bound.size()));
        sink.append(bound);
    }
    return make_bytea(sink.view());
}

DigestSpec unpack_spec(const bytea* packed, MemoryContext context) {
    std::size_t size = VARSIZE_ANY_EXHDR(packed);
    Header header;
    if (size < sizeof header) raise_malformed();
    std::uint8_t* copy = allocate_array<std::uint8_t>(context, size);
    memcpy(copy, VARDATA_ANY(packed), size);
    memcpy(&header, copy, sizeof header);
    SpecReader reader({copy + sizeof header, size - sizeof header});
    if (header.magic != kMagic || header.wide > 1 || header.bounds > size) raise_malformed();

    DigestSpec spec{header.wide != 0, header.seed, {}, {}, {}, {}};
    spec.key_forms = reader.forms(header.key_forms);
    spec.column_forms = reader.forms(header.column_forms);
    spec.kept = reader.take(header.kept);
    auto* bounds = allocate_array<core::ByteView>(context, header.bounds + 1);
    for (std::uint32_t i = 0; i < header.bounds; ++i) {
        bounds[i] = reader.take(core::load_le<std::uint32_t>(reader.take(sizeof(std::uint32_t)).data()));
        if (core::check_bound(bounds[i], spec.key_forms) != core::BoundStatus::kOk) raise_malformed();
        if (i > 0 && core::check_succession(bounds[i - 1], bounds[i], spec.key_forms) != core::BoundStatus::kOk)
            raise_malformed();
    }
    spec.bounds = {bounds, header.bounds};
    if (!reader.at_end() || (!spec.kept.empty() && spec.kept.size() != spec.ranges())) raise_malformed();
    return spec;
}

}  // namespace parity::backend
