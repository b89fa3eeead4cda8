#include "offsite/send_artifact.hpp"

#include <fmt/format.h>

#include <utility>

#include "offsite/keys.hpp"

namespace pgbakd::offsite {

base::Error taken(const target::Facts& facts, const model::SetId& id) {
    return {base::ErrorCode::conflict, fmt::format("another set named {} is in {} already", id.text(), facts.place),
            "two hosts with a job of the same name need a prefix or a path each; nothing was overwritten"};
}

base::Error spoiled(Way& way, const model::SetId& id, std::string what) {
    way.unfinished.clear();
    way.checkpoint.clear();
    way.corrupt = std::move(what);
    return {base::ErrorCode::corrupt, way.corrupt, fmt::format("pgbakctl verify {}", id.text())};
}

asio::awaitable<bool> reads_alike(Means means, std::string key, std::shared_ptr<Growing> file, async::StopToken stop) {
    const auto length = co_await file->wait_complete(stop);
    const auto reading = co_await file->open(means.pool);
    std::exception_ptr failure;
    try {
        co_await reading->compare(means.target, key, length, means.random, stop);
    } catch (...) {
        failure = std::current_exception();
    }
    if (!failure) co_return true;
    const auto code = base::to_error(failure).code();
    if (code == base::ErrorCode::corrupt || code == base::ErrorCode::not_found) co_return false;
    std::rethrow_exception(failure);
}

namespace {

base::Error half_taken(const target::Facts& facts, const model::SetId& id) {
    return {
        base::ErrorCode::conflict,
        fmt::format("half a set named {} that this copy did not begin is in {}", id.text(), facts.place),
        "what a run that was killed has left there goes by itself a day later; two hosts with a job of the same name "
        "need a prefix or a path each; nothing was overwritten"};
}

// Something is there under its name that is not ours; with a manifest or without one, as far as that can be told.
asio::awaitable<base::Error> taken_there(target::Target& target, model::SetId id, async::StopToken stop) {
    const auto facts = co_await target.facts(stop);
    bool half = false;
    try {
        const auto manifest = co_await target.stat(key_of(id, model::manifest_file), target::Detail::plain, stop);
        half = !manifest.has_value();
    } catch (const base::Error&) {
        stop.check();
    }
    if (!half) co_return taken(facts, id);
    co_return half_taken(facts, id);
}

asio::awaitable<bool> has_manifest(target::Target& target, model::SetId id, async::StopToken stop) {
    const auto found = co_await target.stat(key_of(id, model::manifest_file), target::Detail::plain, stop);
    co_return found.has_value();
}

void tell_begun(Way& way, bool begun) {
    if (std::exchange(way.begun, begun) != begun && way.on_change) way.on_change();
}

void note(Way& way, std::set<std::string>& names, const std::string& name) {
    if (names.insert(name).second && way.on_change) way.on_change();
}

void forget(Way& way, std::set<std::string>& names, const std::string& name) {
    if (names.erase(name) > 0 && way.on_change) way.on_change();
}

// What we have put there is not what was sent, or is of no use: it would stand in the way of the next attempt. Not once
// there is a manifest: then it is somebody's set. What cannot be removed now the next attempt deals with.
asio::awaitable<void> take_back(target::Target& target, model::SetId id, std::string name, Way& way,
                                async::StopToken stop) {
    std::exception_ptr left;  // what is wrong with the file is told
    try {
        const bool is_set = co_await has_manifest(target, id, stop);
        if (is_set) co_return;
        std::vector<std::string> keys;
        keys.push_back(key_of(id, name));
        const auto refused = co_await target.remove(std::move(keys), stop);
        if (!refused.empty()) co_return;
        way.unsure.erase(name);
        forget(way, way.trying, name);
        forget(way, way.placed, name);
    } catch (...) {
        left = std::current_exception();
    }
}

// Whether what is there is what was sent.
asio::awaitable<bool> is_there(Means means, std::string key, std::shared_ptr<Growing> sent, async::StopToken stop) {
    const auto found = co_await means.target.stat(key, target::Detail::plain, stop);
    if (!found || !sent->length() || found->size != *sent->length()) co_return false;
    co_return co_await reads_alike(means, key, sent, stop);
}

// What is kept nowhere has one try: what an attempt of ours before it has left there must not be what refuses it. Ours
// is what we know to have put there, or what is there byte for byte as it was sent.
asio::awaitable<void> clear_way(Means means, model::SetId id, std::string name, Way& way, async::StopToken stop) {
    bool ours = way.placed.contains(name);
    if (const auto sent = way.unsure.find(name); !ours && sent != way.unsure.end()) {
        const auto file = sent->second;
        const auto key = key_of(id, name);
        ours = co_await is_there(means, key, file, stop);
    }
    if (ours) co_await take_back(means.target, id, name, way, stop);
}

// How far one call has come with an artifact: it may be there, and it is.
struct Progress {
    bool may_be_there = false, put = false;
};

// After an attempt that failed, and was not refused.
asio::awaitable<void> clear_up(Means means, model::SetId id, std::shared_ptr<Growing> file, Progress progress,
                               bool wrong, Way& way, async::StopToken stop) {
    const auto name = file->name();
    // What is kept can be compared with what is there, and be found right; else another one will be sent.
    if (progress.put && (wrong || !file->is_kept())) co_await take_back(means.target, id, name, way, stop);
    if (progress.may_be_there && !progress.put && !file->is_kept()) way.unsure[name] = file;
}

SendOptions noting(Way& way, const std::string& name, Progress& progress) {
    SendOptions options;
    options.ask_after = false;  // check_there() does, of all at once
    options.on_begin = [&way] { tell_begun(way, true); };
    options.on_finish = [&way, &progress, name] {
        progress.may_be_there = true;
        note(way, way.trying, name);
    };
    options.on_placed = [&way, &progress, name] {
        progress.put = true;
        note(way, way.placed, name);
    };
    return options;
}

void note_sent(Way& way, const std::string& name, Assured assured) {
    way.sent[name] = assured;
    way.unsure.erase(name);
    forget(way, way.trying, name);
    if (way.unfinished != name) return;  // that of another file is still of use
    way.unfinished.clear();
    way.checkpoint.clear();
}

bool is_corrupt(const std::exception_ptr& failure) {
    return base::to_error(failure).code() == base::ErrorCode::corrupt;
}

}  // namespace

asio::awaitable<void> replace_artifact(Means means, model::SetId id, std::shared_ptr<Growing> file, Way& way,
                                       async::StopToken stop) {
    const auto name = file->name();
    const auto key = key_of(id, name);
    Progress progress;
    auto options = noting(way, name, progress);
    options.existing = target::Existing::replace;
    way.sent.erase(name);
    std::exception_ptr failure;
    Assured assured{};
    try {
        assured = co_await send_file(means, file, key, options, stop);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure && file->is_spoiled()) {
        const auto error = base::to_error(failure);
        const auto wrong = spoiled(way, id, error.message());
        throw base::Error(wrong);
    }
    if (failure) {
        const bool wrong = is_corrupt(failure);
        co_await clear_up(means, id, file, progress, wrong, way, stop);
        std::rethrow_exception(failure);
    }
    note_sent(way, name, assured);
}

asio::awaitable<void> send_artifact(Means means, model::SetId id, std::shared_ptr<Growing> file, Way& way,
                                    async::StopToken stop) {
    const auto name = file->name();
    const auto key = key_of(id, name);
    if (!file->is_kept()) co_await clear_way(means, id, name, way, stop);
    Progress progress;
    auto options = noting(way, name, progress);
    if (way.unfinished == name) options.checkpoint = way.checkpoint;
    options.on_checkpoint = [&way, name](const std::string& checkpoint) {
        way.unfinished = name;
        way.checkpoint = checkpoint;
        if (way.on_change) way.on_change();
    };
    const bool ours = way.begun;
    bool earlier = way.trying.contains(name) || way.placed.contains(name);  // an attempt may have left what is there
    const bool tried = earlier;
    options.on_half = [&earlier] { earlier = true; };
    way.sent.erase(name);  // it was written anew
    std::exception_ptr failure;
    Assured assured{};
    try {
        assured = co_await send_file(means, file, key, options, stop);
    } catch (...) {
        failure = std::current_exception();
    }
    if (!failure) {
        note_sent(way, name, assured);
        co_return;
    }
    const auto error = base::to_error(failure);
    if (file->is_spoiled()) {
        const auto wrong = spoiled(way, id, error.message());
        throw base::Error(wrong);
    }
    if (error.code() != base::ErrorCode::conflict) {
        const bool wrong = is_corrupt(failure);
        co_await clear_up(means, id, file, progress, wrong, way, stop);
        std::rethrow_exception(failure);
    }
    bool replaceable = earlier && file->is_kept();
    // With a manifest it is a set, and not ours: we had none of it whole.
    if (replaceable) replaceable = !co_await has_manifest(means.target, id, stop);
    if (!replaceable) {
        if (!tried) forget(way, way.trying, name);
        if (!ours) tell_begun(way, false);
        const auto wrong = co_await taken_there(means.target, id, stop);
        throw base::Error(wrong);
    }
    // Half of an earlier attempt of ours, by a target that shows halves; or what a dump was that was made anew.
    co_await replace_artifact(means, id, file, way, stop);
}

}  // namespace pgbakd::offsite
