#include "repository/corruption.hpp"

#include "model/json.hpp"
#include "model/json_reader.hpp"
#include "os/file.hpp"

namespace pgbakd::repository {
namespace {

constexpr std::size_t largest_mark = std::size_t{64} << 10U;

}  // namespace

std::string corruption_text(const Corruption& corruption) {
    const boost::json::object content{{"verified", model::verification_text(model::Verification::none)},
                                      {"found_at", model::json_time(corruption.found_at)},
                                      {"message", model::json_text(corruption.message)}};
    return model::compact(content) + "\n";
}

std::optional<Corruption> read_corruption(const std::filesystem::path& mark) {
    if (!os::file_status(mark)) return std::nullopt;
    try {
        const auto content = model::parse_json(os::read_file(mark, largest_mark), largest_mark).value();
        const model::JsonReader reader(content, "mark");
        return Corruption{reader.time_or_epoch("found_at"), reader.text("message")};
    } catch (const base::Error&) {
        return Corruption{{}, "a check found it so; what it found cannot be read any more"};
    }
}

}  // namespace pgbakd::repository
