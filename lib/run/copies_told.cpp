#include "run/copies_told.hpp"

#include <fmt/format.h>

#include "base/units.hpp"
#include "run/copies_destination.hpp"

namespace pgbakd::run {
namespace {

Event upload_event(const Context& context, Event::Kind kind, const std::string& target, const model::SetId& id) {
    auto event = context.make_event(kind, {});
    event.stage = "upload";
    event.target = target;
    event.set = id.text();
    return event;
}

}  // namespace

void tell_copy(Context& context, const catalog::Copy& copy, const model::BackupSet& set,
               const std::optional<base::Error>& failure, std::chrono::milliseconds took) {
    auto event = upload_event(context, copy.owed ? Event::Kind::owed : Event::Kind::uploaded, copy.target, set.id);
    model::TargetReport told{.name = copy.target, .status = "owed", .bytes = 0, .verified = {}, .message = {}};
    if (copy.owed) {
        told.message = copy.message;
        event.message = fmt::format("the copy on {} is owed, it will be sent later: {}", copy.target, copy.message);
        if (failure) event.hint = failure->hint();
    } else {
        told.status = "copied";
        told.bytes = copy.bytes;
        told.verified = copy.assurance;
        event.bytes = copy.bytes;
        event.duration = took;
        event.message = fmt::format("uploaded to {}: {} files, {} in {}, {}", copy.target, set.artifacts.size() * 2 + 1,
                                    base::format_size(copy.bytes), base::format_duration(took),
                                    copy.assurance == "checksum" ? "checksum compared" : "read back");
    }
    context.report.targets.push_back(std::move(told));
    context.observe(event);
}

void tell_missing(Context& context, const std::string& target, const model::SetId& id, const base::Error& failure) {
    auto event = upload_event(context, Event::Kind::not_copied, target, id);
    event.message = fmt::format("{} does not have the set: {}", target, failure.message());
    event.hint = failure.hint();
    context.report.targets.push_back(
        {.name = target, .status = "failed", .bytes = 0, .verified = {}, .message = failure.message()});
    context.observe(event);
}

void Copies::tell_unreachable(const Destination& destination) {
    const auto then = only_there_ ? "it will not get this set" : "its copy will be owed";
    context_.note(
        fmt::format("target {} cannot be used now, {}: {}", destination.name, then, destination.failure->message()));
}

base::Error Copies::why_missing(const Destination& destination) const {
    if (!destination.claim) return {base::ErrorCode::conflict, "a set of that name is being sent there"};
    if (destination.failure) return base::Error(*destination.failure);
    if (stop_.stopped()) return base::Error(stop_.token().reason());
    return {base::ErrorCode::unreachable, "it did not get all of the dump"};
}

base::Error Copies::first_failure() const {
    for (const auto& destination : destinations_)
        if (destination->failure) return base::Error(*destination->failure);
    return why_missing(*destinations_.front());
}

std::vector<std::pair<std::string, offsite::TargetPtr>> Copies::complete() const {
    std::vector<std::pair<std::string, offsite::TargetPtr>> result;
    for (const auto& destination : destinations_)
        if (destination->assured) result.emplace_back(destination->name, destination->target);
    return result;
}

std::string Copies::corrupt() const {
    for (const auto& destination : destinations_)
        if (!destination->way.corrupt.empty()) return destination->way.corrupt;
    return {};
}

}  // namespace pgbakd::run
