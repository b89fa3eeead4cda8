// Collects what is wrong with a configuration, with the place of each.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.hpp"
#include "config/node.hpp"

namespace pgbakd::config {

class Problems {
  public:
    // More than this many are counted, not kept: a file that is not a configuration at all has one per line.
    static constexpr std::size_t limit = 1000;

    explicit Problems(const std::vector<Document>& documents) : documents_(documents) {}

    // At a node's value; marks the node as refused.
    void error(const Node& at, std::string message, std::string hint = {});
    // At the key of a map's entry: unknown and duplicate keys, bad names. Marks it as refused.
    void error_at_key(const Node& at, std::string message, std::string hint = {});
    // A key that the map `in` must have and has not.
    void missing(const Node& in, std::string_view key, std::string hint);
    void warning(const Node& at, std::string message, std::string hint = {});
    // Without a node: broken YAML, or (line 0) a file as a whole.
    void error_in_file(std::size_t file, Place place, std::string message, std::string hint = {});

    // The hint of errors that bring none of their own ("the default is 30s"); empty: none.
    void set_usual_hint(std::string hint) { usual_hint_ = std::move(hint); }

    // Whether another one would only be counted; then its message need not be worked out.
    [[nodiscard]] bool full() const noexcept { return problems_.size() >= limit; }
    [[nodiscard]] bool has_errors() const noexcept { return errors_ > 0; }
    // "/etc/pgbakd.yaml:12:15"
    [[nodiscard]] std::string where(const Node& node, Place place) const;

    [[nodiscard]] const Document& document(const Node& node) const {
        return documents_.at(static_cast<std::size_t>(node.file));
    }

    // All of them, by document, line and column.
    [[nodiscard]] std::vector<Problem> take();

  private:
    struct Entry {
        std::size_t file;
        Problem problem;
    };
    void add(std::size_t file, Place place, Problem problem);

    const std::vector<Document>& documents_;
    std::vector<Entry> problems_;
    std::string usual_hint_;
    std::size_t errors_ = 0;
    std::size_t dropped_ = 0;
};

}  // namespace pgbakd::config
