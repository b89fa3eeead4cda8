#include "calendar/zone.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "calendar/tzif.hpp"

namespace pgbakd::calendar {
namespace {

using base::Instant;
using std::chrono::local_seconds;
using std::chrono::seconds;

// The Gregorian calendar repeats, weekdays included, every 400 years; so do the rules of a footer.
constexpr seconds cycle = std::chrono::days{146097};

local_seconds to_local(Instant instant, seconds offset) {
    return local_seconds{instant.time_since_epoch() + offset};
}

struct Change {
    Instant at;
    seconds offset{};
    std::size_t name = 0;
};

}  // namespace

struct Zone::Data {
    struct Entry {
        Instant begin;
        local_seconds reached;
        seconds offset{};
        std::size_t name = 0;  // index into names
        bool operator==(const Entry&) const = default;
    };
    bool operator==(const Data&) const = default;

    std::string name;
    std::vector<std::string> names;
    std::vector<Entry> entries;  // the first begins at Zone::earliest
    // From `repeats_from` on the entries repeat every `cycle`; they are listed for one cycle and some years more.
    Instant repeats_from = Zone::latest;

    // `instant` moved into the years that are listed, and by how much.
    [[nodiscard]] std::pair<Instant, seconds> listed(Instant instant) const {
        instant = std::clamp(instant, Zone::earliest, Zone::latest);
        if (repeats_from == Zone::latest || instant - repeats_from < cycle) return {instant, seconds{0}};
        const auto shift = (instant - repeats_from) / cycle * cycle;
        return {instant - shift, shift};
    }
    [[nodiscard]] std::vector<Entry>::const_iterator find(Instant listed_instant) const {
        const auto after = std::upper_bound(entries.begin() + 1, entries.end(), listed_instant,
                                            [](Instant value, const Entry& entry) { return value < entry.begin; });
        return after - 1;
    }

    // Changes of nothing, and all but the last of those at one instant, are left out.
    void append(const Change& change) {
        auto& last = entries.back();
        if (change.at == last.begin && entries.size() > 1) {
            entries.pop_back();
            append(change);
            return;
        }
        if (change.offset == last.offset && names[change.name] == names[last.name]) return;
        entries.push_back(
            {change.at, std::max(last.reached, to_local(change.at, last.offset)), change.offset, change.name});
    }
    // The rule goes on behind the last transition that the file lists, or decides alone if there is none.
    void append_footer(const PosixRule& rule, std::optional<Instant> last_listed);
};

void Zone::Data::append_footer(const PosixRule& rule, std::optional<Instant> last_listed) {
    const auto add_name = [this](const std::string& text) {
        const auto index = static_cast<std::size_t>(std::find(names.begin(), names.end(), text) - names.begin());
        if (index == names.size()) names.push_back(text);
        return index;
    };
    const auto standard = add_name(rule.standard_name);
    if (!rule.daylight) {
        // With transitions listed the last of them says the same.
        if (!last_listed) {
            entries.front().offset = rule.standard_offset;
            entries.front().name = standard;
        }
        return;
    }
    const auto daylight = add_name(rule.daylight_name);
    // From 1800 if nothing is listed, and from 9000 at the latest: years must stay in chrono's range.
    const Instant last = last_listed.value_or(Zone::earliest);
    const auto date = std::chrono::floor<std::chrono::days>(
        std::clamp(last, Instant{std::chrono::sys_days{std::chrono::year{1800} / 1 / 1}},
                   Instant{std::chrono::sys_days{std::chrono::year{9000} / 1 / 1}}));
    const auto year = std::chrono::year_month_day{date}.year();
    std::vector<Change> changes;
    for (auto y = year - std::chrono::years{1}; y <= year + std::chrono::years{407}; ++y) {
        // The end first: where it falls together with a start, daylight saving time goes on without a break.
        const auto end = rule.daylight->end.in(y).time_since_epoch() - rule.daylight_offset;
        const auto start = rule.daylight->start.in(y).time_since_epoch() - rule.standard_offset;
        changes.push_back({Instant{end}, rule.standard_offset, standard});
        changes.push_back({Instant{start}, rule.daylight_offset, daylight});
    }
    std::stable_sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) { return a.at < b.at; });
    // Cut off in a summer: an end and a start that fall together may belong to two years.
    const Instant until{std::chrono::sys_days{(year + std::chrono::years{406}) / 6 / 1}};
    const auto listed_before = entries.size();
    for (const auto& change : changes)
        if (change.at > last && change.at < until) append(change);
    const Instant from{std::chrono::sys_days{(year + std::chrono::years{3}) / 1 / 1}};
    // A rule that changes nothing leaves the last entry in force for ever: there is nothing to repeat.
    if (find(from) - entries.begin() >= std::ssize(entries) - 1) return;
    if (static_cast<std::size_t>(find(from) - entries.begin()) >= listed_before) repeats_from = from;
}

Zone::Zone(std::unique_ptr<const Data> data) : data_(std::move(data)) {}
Zone::~Zone() = default;

base::Result<std::shared_ptr<const Zone>> Zone::parse(std::string name, std::span<const std::byte> file) {
    auto tzif = read_tzif(file);
    if (!tzif) return tzif.error().during("time zone \"" + name + "\"");
    auto data = std::make_unique<Data>();
    data->name = std::move(name);
    for (const auto& type : tzif->types) data->names.push_back(type.abbreviation);
    data->entries.push_back({earliest, to_local(earliest, -offset_bound), tzif->types.front().offset, 0});
    for (const auto& transition : tzif->transitions)
        data->append({transition.at, tzif->types[transition.type].offset, transition.type});
    const auto& listed = tzif->transitions;
    if (tzif->footer)
        data->append_footer(*tzif->footer, listed.empty() ? std::nullopt : std::optional(listed.back().at));
    return std::shared_ptr<const Zone>(new Zone(std::move(data)));
}

std::shared_ptr<const Zone> Zone::utc() {
    auto data = std::make_unique<Data>();
    data->name = "UTC";
    data->names.emplace_back("UTC");
    data->entries.push_back({earliest, to_local(earliest, -offset_bound), seconds{0}, 0});
    return std::shared_ptr<const Zone>(new Zone(std::move(data)));
}

const std::string& Zone::name() const noexcept {
    return data_->name;
}

bool Zone::has_rules_of(const Zone& other) const {
    return *data_ == *other.data_;
}

LocalTime Zone::local(Instant instant) const {
    const auto entry = data_->find(data_->listed(instant).first);
    return {to_local(std::clamp(instant, earliest, latest), entry->offset), entry->offset, data_->names[entry->name]};
}

Period Zone::period(Instant instant) const {
    const auto [listed, shift] = data_->listed(instant);
    const auto entry = data_->find(listed);
    const auto next = entry + 1;
    return {entry->begin + shift, next == data_->entries.end() ? latest : next->begin + shift, entry->offset,
            entry->reached + shift};
}

}  // namespace pgbakd::calendar
