// download: a set from a target into a directory, checked. And what else reads sets from targets.
#include <fmt/format.h>

#include "admin/configuration.hpp"
#include "admin/output.hpp"
#include "admin/progress_bar.hpp"
#include "admin/remote.hpp"
#include "admin/remote_sets.hpp"
#include "admin/verbs.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "model/json.hpp"
#include "offsite/fetch.hpp"
#include "offsite/remote_sets.hpp"

namespace pgbakd::admin {

asio::awaitable<model::BackupSet> find_remote_set(Context& context, target::Target& target, model::SetId id,
                                                  async::StopToken stop) {
    if (id.set == "latest") {
        const offsite::LeftOut left_out = [&context](const model::SetId& passed, const base::Error& why) {
            remark(context, {why.code(), fmt::format("{} is left out: {}", passed.text(), why.message()), why.hint()});
        };
        co_return co_await offsite::newest_remote(target, id.job, left_out, stop);
    }
    std::exception_ptr failure;
    model::BackupSet set;
    try {
        set = co_await offsite::remote_manifest(target, id, stop);
    } catch (...) {
        failure = std::current_exception();
    }
    if (!failure) co_return set;
    const auto error = base::to_error(failure);
    if (error.code() != base::ErrorCode::not_found) throw base::Error(error.during(id.text()));
    const auto facts = co_await target.facts(stop);
    throw base::Error(base::ErrorCode::not_found, fmt::format("there is no set {} in {}", id.text(), facts.place),
                      fmt::format("pgbakctl list {} --from {} shows those that are", id.job, facts.name));
}

std::function<void(std::uint64_t)> shown_bytes(ProgressBar& bar, std::string what, std::uint64_t total) {
    return [&bar, what = std::move(what), total](std::uint64_t bytes) {
        const auto seconds = static_cast<double>(bar.elapsed().count()) / 1000;
        ProgressState state;
        state.what = what;
        state.done = bytes;
        state.total = total;
        if (seconds > 0) state.rate = static_cast<std::uint64_t>(static_cast<double>(bytes) / seconds);
        bar.show(state);
    };
}

ExitCode perform_download(Context& context, const Arguments& arguments) {
    const auto id = model::SetId::parse(arguments.text("SET"));
    if (!id) throw Failure(ExitCode::usage, id.error());
    const auto from = arguments.find("--from");
    if (!from) throw usage_error("--from TARGET is missing", "the target that has the set");
    const auto config = load(context);
    std::filesystem::path into = arguments.find("--into").value_or(".");
    model::BackupSet set;
    const auto secrets = read_target_secrets(context, *config);
    ask_target(context, *config, secrets, *from,
               [&](RemoteAccess access, async::StopToken stop) -> asio::awaitable<void> {
                   set = co_await find_remote_set(context, access.target, *id, stop);
                   into = std::filesystem::absolute(into) / set.id.job / set.id.set;
                   ProgressBar bar(context);
                   const auto come = shown_bytes(bar, "downloading " + set.id.text(), set.bytes());
                   co_await offsite::download(access.target, access.pool, set, into, come, stop);
               });
    if (context.json) {
        auto object = model::json_set(set);
        object["directory"] = model::json_text(into.native());
        print_json(context, object);
        return ExitCode::good;
    }
    context.out << fmt::format("{}: {}, {}, as {} has them, checksums right\n", base::printable(into.native()),
                               counted(set.artifacts.size(), "artifact"), base::format_size(set.bytes()), *from);
    if (!set.stock_restore.empty()) context.out << "to restore it, in that directory:\n";
    for (const auto& command : set.stock_restore) context.out << "  " << base::printable(command) << '\n';
    return ExitCode::good;
}

}  // namespace pgbakd::admin
