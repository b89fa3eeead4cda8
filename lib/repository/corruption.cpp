#include "repository/corruption.hpp"

#include "base/text.hpp"
#include "model/json.hpp"
#include "model/json_reader.hpp"
#include "os/file.hpp"

namespace pgbakd::repository {
namespace {

constexpr std::size_t longest_message = 4096;

Corruption unknown() {
    return {{}, "a check found it so; what it found cannot be read any more"};
}

}  // namespace

std::string corruption_text(const Corruption& corruption) {
    const boost::json::object content{
        {"verified", model::verification_text(model::Verification::none)},
        {"found_at", model::json_time(corruption.found_at)},
        {"message", model::json_text(base::clamp_utf8(corruption.message, longest_message))}};
    return model::compact(content) + "\n";
}

Corruption parse_corruption(std::string_view text) {
    try {
        const auto content = model::parse_json(text, largest_corruption).value();
        const model::JsonReader reader(content, "mark");
        return {reader.time_or_epoch("found_at"), reader.text("message")};
    } catch (const base::Error&) {
        return unknown();
    }
}

std::optional<Corruption> read_corruption(const std::filesystem::path& mark) {
    if (!os::file_status(mark)) return std::nullopt;
    try {
        return parse_corruption(os::read_file(mark, largest_corruption));
    } catch (const base::Error&) {
        return unknown();
    }
}

}  // namespace pgbakd::repository
