#include "driver/postgres/values/object_names.h"

#include "driver/postgres/values/names.h"
#include "driver/postgres/values/scalars.h"
#include "driver/postgres/values/scratch.h"

namespace parity::driver {
namespace {

class ObjectNameDecoder final : public AppendingDecoder {
  public:
    explicit ObjectNameDecoder(const DecoderOptions& options)
        : AppendingDecoder(options),
          catalog_(options.catalog),
          names_(options.names ? options.names : std::make_shared<const ObjectNames>()) {}

    void add_needed_names(std::vector<std::string>& catalogs) const override { catalogs.push_back(catalog_); }
    void append(std::string_view wire, WireScratch& /*scratch*/, core::ByteSink& sink) const override {
        sink.append(std::string_view(names_->find(catalog_, load_integer<std::uint32_t>(wire))));
    }

  private:
    std::string catalog_;
    std::shared_ptr<const ObjectNames> names_;
};

}  // namespace

DecoderPtr object_name_decoder(const DecoderOptions& options) { return std::make_shared<ObjectNameDecoder>(options); }

}  // namespace parity::driver
