#include "config/retention_keys.hpp"

#include <algorithm>

namespace pgbakd::config {
namespace {

using model::JobSpec;
using model::RetentionPolicy;

const Section<RetentionPolicy>& rule_keys() {
    const auto rule = [](const std::string& name, std::optional<int> RetentionPolicy::*member, std::string help) {
        return key<RetentionPolicy>(name, member, maybe(whole_number<int>(1, 100'000)), absent("no such rule"),
                                    std::move(help), "remove the key if you do not want this rule");
    };
    static const Section<RetentionPolicy> section(
        {},
        {
            rule("last", &RetentionPolicy::last, "Keep the newest N sets."),
            key<RetentionPolicy>("days", &RetentionPolicy::days, maybe(whole_number<int>(1, 36'500)),
                                 absent("30 if the job has no `retention`, else no such rule"), "Keep sets for N days.",
                                 "remove the key to keep sets for 30 days"),
            key<RetentionPolicy>("weeks", &RetentionPolicy::weeks, maybe(whole_number<int>(1, 5'200)),
                                 absent("no such rule"), "Keep sets for N weeks.",
                                 "remove the key if you do not want this rule"),
            rule("daily", &RetentionPolicy::daily, "Keep the newest set of each of the last N days that have one."),
            rule("weekly", &RetentionPolicy::weekly, "Keep the newest set of each of the last N weeks that have one."),
            rule("monthly", &RetentionPolicy::monthly,
                 "Keep the newest set of each of the last N months that have one."),
            rule("yearly", &RetentionPolicy::yearly, "Keep the newest set of each of the last N years that have one."),
            key<RetentionPolicy>("at_least", &RetentionPolicy::at_least, whole_number<int>(1, 100'000), is("2"),
                                 "Never keep fewer than this many good sets, whatever the rules say."),
        });
    return section;
}

// A policy for all targets, or a mapping of targets to policies: rules are numbers, policies are mappings.
bool is_by_name(const Node& node) {
    return std::any_of(node.children.begin(), node.children.end(),
                       [](const Node& child) { return child.kind == Node::Kind::map; });
}

Key<JobSpec> targets_key() {
    KeyFacts facts{
        "targets",
        "a mapping",
        {},
        "Which sets stay on the targets: rules as for `local`, for all of them or by name, as in `{r2: {days: "
        "90}, nas: {days: 365}}`. Without it each keeps sets for 30 days, and as long as `local` does.",
        {},
        false,
        nullptr,
        {}};
    auto read = [](Problems& problems, const Node& node, JobSpec& job) {
        if (!is_by_name(node)) return rule_keys().read(problems, node, job.target_retention[{}]);
        for (const auto& child : node.children)
            if (!child.refused) rule_keys().read(problems, child, job.target_retention[child.key]);
    };
    auto write = [](YamlWriter& out, const JobSpec& job) {
        if (job.target_retention.empty()) return;
        out.section("targets", false, [&] {
            for (const auto& [name, policy] : job.target_retention)
                out.section(name, true, [&, &rules = policy] { rule_keys().write(out, rules); });
        });
    };
    return {std::move(facts), std::move(read), std::move(write)};
}

}  // namespace

const Section<JobSpec>& retention_keys(const JobSpec& blank) {
    static const Section<JobSpec> section(
        blank, {section_key<JobSpec>("local", &JobSpec::local_retention, rule_keys(), {},
                                     "Which sets stay in the repository: a set stays if any rule keeps it."),
                targets_key()});
    return section;
}

}  // namespace pgbakd::config
