#include "driver/postgres/values/object_names.h"

#include "driver/postgres/connection/connection.h"
#include "driver/postgres/queries/query.h"
#include "driver/postgres/queries/types.h"
#include "driver/postgres/values/scalars.h"

namespace parity::driver {
namespace {

class ObjectNameDecoder final : public WireDecoder {
  public:
    explicit ObjectNameDecoder(const DecoderOptions& options) : WireDecoder(options), catalog_(options.names) {}

    void add_needed_names(std::vector<std::string>& catalogs) const override { catalogs.push_back(catalog_); }
    void append(std::string_view wire, ReadContext& context, core::ByteSink& sink) const override {
        sink.append(std::string_view(context.names.find(catalog_, load_integer<std::uint32_t>(wire))));
    }

  private:
    std::string catalog_;
};

}  // namespace

DecoderPtr object_name_decoder(const DecoderOptions& options) { return std::make_shared<ObjectNameDecoder>(options); }

void ObjectNames::add(const std::string& catalog, std::uint32_t oid, std::string name) {
    names_[catalog].insert_or_assign(oid, std::move(name));
}

std::string ObjectNames::find(const std::string& catalog, std::uint32_t oid) const {
    if (oid == 0) return "-";
    const auto names = names_.find(catalog);
    if (names == names_.end())
        throw Error(ErrorKind::kInternal, "the names in " + catalog + " were not read before they were needed");
    const auto name = names->second.find(oid);
    return name == names->second.end() ? std::to_string(oid) : name->second;
}

bool ObjectNames::holds(const std::string& catalog) const { return names_.contains(catalog); }

void read_object_names(Connection& connection, const std::vector<std::string>& catalogs, ObjectNames& names) {
    for (const std::string& catalog : catalogs) {
        if (names.holds(catalog)) continue;
        names.add(catalog, 0, "-");  // one that holds nothing has been read too
        const Query query = object_names_query(catalog);
        RowStream rows = connection.stream(query.sql, query.parameters);
        while (const std::optional<Row> row = rows.next())
            names.add(catalog, static_cast<std::uint32_t>(row->int32(0)), std::string(row->bytes(1)));
    }
}

}  // namespace parity::driver
