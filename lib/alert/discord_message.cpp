#include "alert/discord_message.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "alert/facts.hpp"
#include "alert/text.hpp"
#include "model/json.hpp"

namespace pgbakd::alert {
namespace {

using model::Alert;
using model::Severity;
namespace json = boost::json;
namespace limits = discord_limits;

// Long enough for every name there is; what is longer is no name. So the cause has most of the total.
constexpr std::size_t longest_fact = 200;
constexpr std::size_t longest_line_title = 120;
constexpr std::size_t longest_line_cause = 200;
constexpr std::size_t room_for_rest = 80;  // of a digest's last line

int colour_of(Severity severity) {
    switch (severity) {
        case Severity::info: return 0x2E8B57;
        case Severity::warning: return 0xF0A30A;
        case Severity::critical: return 0xC62828;
    }
    return 0xC62828;
}

// An embed under construction, and how much of the total it takes.
class Embed {
  public:
    void title(std::string_view text) { embed_["title"] = model::json_text(counted(text, limits::title)); }
    void footer(std::string_view text) {
        embed_["footer"] = json::object{{"text", model::json_text(counted(text, limits::footer))}};
    }
    void field(std::string_view name, std::string_view value, std::size_t limit, bool is_short) {
        if (fields_.size() == limits::fields) return;
        auto shown = counted(value, std::min(limit, limits::field_value));
        // Discord refuses a field without a value.
        if (shown.empty()) return;
        fields_.push_back(json::object{{"name", model::json_text(counted(name, limits::field_name))},
                                       {"value", model::json_text(shown)},
                                       {"inline", is_short}});
    }
    [[nodiscard]] std::size_t room() const { return std::min(limits::description, limits::total - used_); }
    json::value finish(Severity severity, base::Timestamp at, std::string_view description) && {
        if (!description.empty()) embed_["description"] = model::json_text(description);
        embed_["color"] = colour_of(severity);
        if (at != base::Timestamp{}) embed_["timestamp"] = model::json_time(at);
        if (!fields_.empty()) embed_["fields"] = std::move(fields_);
        return std::move(embed_);
    }

  private:
    std::string counted(std::string_view text, std::size_t limit) {
        auto shown = escaped_for_discord(text, limit);
        used_ += units(shown);
        return shown;
    }
    json::object embed_;
    json::array fields_;
    std::size_t used_ = 0;
};

json::value embed_of(const Alert& alert) {
    Embed embed;
    embed.title(title_of(alert));
    for (const auto& fact : facts_of(alert)) embed.field(fact.name, fact.value, longest_fact, true);
    embed.field("hint", alert.hint, limits::field_value, false);
    embed.footer(fmt::format("pgbakd {} {}", severity_text(alert.severity), alert.id.substr(0, 64)));
    const auto description = escaped_for_discord(alert.message, embed.room());
    return std::move(embed).finish(alert.severity, alert.at, description);
}

std::string line_of(const Alert& alert) {
    auto line = fmt::format("**{}** {}", severity_text(alert.severity),
                            escaped_for_discord(title_of(alert), longest_line_title));
    auto cause = escaped_for_discord(alert.message, longest_line_cause);
    std::ranges::replace(cause, '\n', ' ');
    if (!cause.empty()) line += ": " + cause;
    const auto time = time_text(alert.at);
    return time.empty() ? line : fmt::format("{} ({})", line, escaped_for_discord(time, longest_fact));
}

json::value embed_of_digest(const std::vector<Alert>& alerts) {
    Embed embed;
    embed.title(digest_title(alerts));
    embed.footer("pgbakd");
    std::string description;
    std::size_t used = 0;
    std::size_t shown = 0;
    const auto room = embed.room() - room_for_rest;
    for (const auto i : by_severity(alerts)) {
        const auto line = line_of(alerts[i]);
        const auto size = units(line) + 1;
        if (used + size > room) break;
        used += size;
        ++shown;
        description += line + "\n";
    }
    if (shown < alerts.size())
        description += fmt::format("… and {} more: see pgbakctl status", alerts.size() - shown);
    else if (!description.empty())
        description.pop_back();
    return std::move(embed).finish(severity_of(alerts), alerts.back().at, description);
}

}  // namespace

std::string discord_message(const std::vector<Alert>& alerts) {
    auto embed = alerts.size() == 1 ? embed_of(alerts.front()) : embed_of_digest(alerts);
    return model::compact(json::object{{"embeds", json::array{std::move(embed)}},
                                       // Of what might still look like a mention, none is one.
                                       {"allowed_mentions", {{"parse", json::array()}}}});
}

}  // namespace pgbakd::alert
