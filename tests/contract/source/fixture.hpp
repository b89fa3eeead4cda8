// What the fixtures of sources share. A fixture is a source of some kind over real data, and what only the owner of the
// far side can do: let it fail in the middle, and tell what was asked of it.
//
// A new source is one file more beside this one, with a class that has
//   static std::string missing();   why this machine cannot have it; empty if it can
//   std::unique_ptr<source::Source> open(executor, pool);      over good data, some 50 KB of it where it can
//   std::unique_ptr<source::Source> failing(executor, pool);   whose part fails once it has begun
//   void break_off();                                          called between its prepare() and its open()
//   std::string cause();                                       words of the error of that
//   static std::string content_of(const std::string& bytes);   of a stream, without what differs from dump to dump
// and maybe
//   void check_questions();         after one prepare(): nothing was asked twice
// and its name in `CONTRACT_SOURCES` (suite_test.cpp).
#pragma once

#include <unistd.h>

#include <memory>
#include <string>

#include "async/pool.hpp"
#include "codec/tar_reader.hpp"
#include "os/process.hpp"
#include "source/source.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

namespace contract {

namespace asio = pgbakd::asio;
namespace async = pgbakd::async;
namespace base = pgbakd::base;
namespace codec = pgbakd::codec;
namespace model = pgbakd::model;
namespace os = pgbakd::os;
namespace source = pgbakd::source;

// Of this process's runs alone: cases run beside each other.
inline std::string run_name() {
    return "contract-" + std::to_string(::getpid());
}

// The files of a tar by name, with their bytes.
inline std::map<std::string, std::string> files_of(const std::string& tar) {
    class Collector final : public codec::TarHandler {
      public:
        base::Status on_begin(const codec::TarEntry& entry) override {
            name = entry.path;
            files[name];
            return {};
        }
        base::Status on_bytes(codec::Bytes bytes) override {
            files[name].append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
            return {};
        }
        base::Status on_end() override { return {}; }
        std::string name;
        std::map<std::string, std::string> files;
    } collector;
    codec::TarReader reader(collector);
    reader.write(std::as_bytes(std::span(tar))).value();
    reader.finish().value();
    return collector.files;
}

}  // namespace contract
