// A target in memory, for tests of what is done with targets: as strict as the contract, and as faulty as it is told to
// be. What it is strict about it throws as std::logic_error, which no code under test expects.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "target/key.hpp"
#include "target/placing.hpp"
#include "target/target.hpp"

namespace support {

namespace asio = pgbakd::asio;
namespace async = pgbakd::async;
namespace base = pgbakd::base;
namespace target = pgbakd::target;

class MemoryTarget final : public target::Target {
  public:
    struct Object {
        std::string content;
        base::Timestamp modified;
    };
    struct Unfinished {
        std::string key;
        std::string content;
    };

    // --- what it holds ---
    std::map<std::string, Object> objects;
    std::map<std::string, Unfinished> unfinished;  // by checkpoint: what suspended uploads left
    std::vector<std::string> finished;  // keys, in the order in which their objects appeared or were replaced
    std::vector<std::string> removed;
    std::vector<std::string> calls;  // "put shop/x", "write shop/x" …; each call, those that failed included
    int open_uploads = 0;            // that were neither finished nor suspended nor aborted
    int aborted = 0;
    int suspended = 0;

    // --- what kind of place it is ---
    target::Assurance assurance = target::Assurance::checksum;
    bool resumable = false;
    base::Timestamp now{};  // of what appears there; the epoch: it does not tell
    std::size_t page = 1000;
    std::size_t at_once = 1;

    // --- faults ---
    base::Error failure{base::ErrorCode::unreachable, "the target is away", {}, base::Persistence::passing};
    std::size_t fail_at = 0;                               // the call of that number, from 1, fails
    bool away = false;                                     // all fail
    bool answer_lost = false;                              // what fails was done all the same
    bool shows_halves = false;                             // what breaks off in finish() lies there by half
    bool refuses_late = false;                             // a conflict is found in finish(), not in put()
    bool looks_after = false;                              // finish() looks at what it has stored: corrupt if spoiled
    bool repeats = false;                                  // its lists begin again and again
    std::int64_t size_lie = 0;                             // added to each size that it tells
    std::function<void(std::string&)> spoil;               // applied to what is stored
    std::function<bool(const std::string& key)> retains;   // refuses to remove those
    std::function<void(const std::string& call)> on_call;  // before each call

    [[nodiscard]] std::vector<std::string> keys() const {
        std::vector<std::string> names;
        for (const auto& [key, object] : objects) names.push_back(key);
        return names;
    }
    void add(const std::string& key, std::string content) { objects[key] = {std::move(content), now}; }

    asio::awaitable<target::Facts> facts(async::StopToken stop) override {
        enter("facts", stop);
        target::Facts facts;
        facts.name = "memory";
        facts.type = "directory";
        facts.place = "memory:backups";
        facts.assurance = assurance;
        facts.resumable = resumable;
        facts.at_once = at_once;
        co_return facts;
    }
    asio::awaitable<std::unique_ptr<target::Upload>> put(std::string key, target::PutOptions options,
                                                         async::StopToken stop) override;
    asio::awaitable<std::uint64_t> get(std::string key, target::Range range, target::Sink& sink,
                                       async::StopToken stop) override {
        enter("get " + checked(key), stop);
        const auto found = objects.find(key);
        if (found == objects.end()) throw base::Error(base::ErrorCode::not_found, key + " is not there");
        const auto content = found->second.content;
        const auto begin = std::min<std::uint64_t>(range.offset, content.size());
        const auto wanted = std::string_view(content).substr(begin, range.length.value_or(content.size()));
        constexpr std::size_t piece = 100'000;
        for (std::size_t at = 0; at < wanted.size(); at += piece)
            co_await sink.write(std::as_bytes(std::span(wanted.substr(at, piece))), stop);
        co_return wanted.size();
    }
    asio::awaitable<target::Page> list(std::string prefix, std::string cursor, std::size_t limit,
                                       async::StopToken stop) override {
        enter("list " + prefix, stop);
        target::check_prefix(prefix).value();
        if (limit < 1 || limit > 1000) throw std::logic_error("a limit of list() is from 1 to 1000");
        target::Page result;
        if (repeats) cursor.clear();
        for (auto at = objects.upper_bound(cursor); at != objects.end(); ++at) {
            if (!at->first.starts_with(prefix)) continue;
            if (result.entries.size() == std::min(limit, page)) {
                result.next = result.entries.back().key;
                break;
            }
            result.entries.push_back(entry_of(at->first));
        }
        if (repeats) result.next = "again";
        co_return result;
    }
    asio::awaitable<std::optional<target::Entry>> stat(std::string key, target::Detail,
                                                       async::StopToken stop) override {
        enter("stat " + checked(key), stop);
        if (!objects.contains(key)) co_return std::nullopt;
        co_return entry_of(key);
    }
    asio::awaitable<std::vector<target::Refusal>> remove(std::vector<std::string> keys,
                                                         async::StopToken stop) override {
        std::string named;
        for (const auto& key : keys) named += " " + checked(key);
        const auto broken = enter_or_lose("remove" + named, stop);
        std::vector<target::Refusal> refused;
        for (const auto& key : keys) {
            if (objects.contains(key) && retains && retains(key)) {
                refused.push_back({key, {base::ErrorCode::permission_denied, "the bucket locks it"}});
                continue;
            }
            if (objects.erase(key) > 0) removed.push_back(key);
        }
        if (broken) throw failure;
        co_return refused;
    }
    asio::awaitable<target::Swept> sweep(base::Timestamp, async::StopToken stop) override {
        enter("sweep", stop);
        const target::Swept swept{unfinished.size(), 0};
        unfinished.clear();
        co_return swept;
    }

  private:
    class Sending;

    static const std::string& checked(const std::string& key) {
        if (!target::check_key(key)) throw std::logic_error("an illegal key: " + key);
        return key;
    }
    [[nodiscard]] target::Entry entry_of(const std::string& key) const {
        const auto& object = objects.at(key);
        target::Entry entry;
        entry.key = key;
        entry.size = static_cast<std::uint64_t>(static_cast<std::int64_t>(object.content.size()) + size_lie);
        entry.modified = object.modified;
        return entry;
    }
    // Whether the call is one that fails after it was done; throws for one that fails before.
    bool enter_or_lose(std::string call, const async::StopToken& stop) {
        calls.push_back(std::move(call));
        if (on_call) on_call(calls.back());
        stop.check();
        if (!away && calls.size() != fail_at) return false;
        if (!answer_lost) throw failure;
        return true;
    }
    void enter(std::string call, const async::StopToken& stop) {
        if (enter_or_lose(std::move(call), stop)) throw failure;
    }
    void appear(const std::string& key, std::string content) {
        if (spoil) spoil(content);
        add(key, std::move(content));
        finished.push_back(key);
    }
    [[nodiscard]] base::Error taken(const std::string& key) const {
        return {base::ErrorCode::conflict, key + " exists already"};
    }
};

class MemoryTarget::Sending final : public target::Upload, public target::Placing {
  public:
    Sending(MemoryTarget& target, std::string key, target::PutOptions options)
        : target_(target), key_(std::move(key)), existing_(options.existing) {
        ++target_.open_uploads;
        const auto found = target_.unfinished.find(options.checkpoint);
        if (found == target_.unfinished.end() || found->second.key != key_) return;
        content_ = found->second.content;
        begins_at_ = content_.size();
        target_.unfinished.erase(found);
    }

    [[nodiscard]] std::uint64_t begins_at() const noexcept override { return begins_at_; }
    asio::awaitable<void> write(async::Chunk chunk, async::StopToken stop) override {
        check_open();
        target_.enter("write " + key_, stop);
        content_.append(reinterpret_cast<const char*>(chunk->data()), chunk->size());
        co_return;
    }
    asio::awaitable<target::Receipt> finish(async::StopToken stop) override {
        check_open();
        bool broken = false;
        try {
            broken = target_.enter_or_lose("finish " + key_, stop);
        } catch (const base::Error&) {
            if (target_.shows_halves) target_.add(key_, content_.substr(0, content_.size() / 2));
            throw;
        }
        if (existing_ == target::Existing::refuse && target_.objects.contains(key_)) throw target_.taken(key_);
        const auto sent = std::exchange(content_, {});  // nothing is left to go on from
        target_.appear(key_, sent);
        if (broken) throw target_.failure;
        placed_ = true;
        if (target_.looks_after && target_.objects.at(key_).content != sent)
            throw base::Error(base::ErrorCode::corrupt, key_ + " is not what was sent", {}, base::Persistence::passing);
        end();
        target::Receipt receipt;
        receipt.entry = target_.entry_of(key_);
        receipt.assurance = target_.assurance;
        co_return receipt;
    }
    [[nodiscard]] bool has_placed() const noexcept override { return placed_; }
    [[nodiscard]] std::string checkpoint() const override {
        return target_.resumable && !content_.empty() ? key_ + "@" + std::to_string(content_.size()) : std::string();
    }
    asio::awaitable<void> suspend() override {
        check_open();
        ++target_.suspended;
        if (!checkpoint().empty()) target_.unfinished[checkpoint()] = {key_, content_};
        end();
        co_return;
    }
    asio::awaitable<void> abort() override {
        check_open();
        ++target_.aborted;
        end();
        co_return;
    }

  private:
    void check_open() const {
        if (!open_) throw std::logic_error("an upload is used after its end");
    }
    void end() {
        open_ = false;
        --target_.open_uploads;
    }

    MemoryTarget& target_;
    std::string key_;
    target::Existing existing_;
    std::string content_;
    std::uint64_t begins_at_ = 0;
    bool open_ = true;
    bool placed_ = false;
};

inline asio::awaitable<std::unique_ptr<target::Upload>> MemoryTarget::put(std::string key, target::PutOptions options,
                                                                          async::StopToken stop) {
    enter("put " + checked(key), stop);
    if (options.existing == target::Existing::refuse && !refuses_late && objects.contains(key)) throw taken(key);
    co_return std::make_unique<Sending>(*this, std::move(key), std::move(options));
}

}  // namespace support
