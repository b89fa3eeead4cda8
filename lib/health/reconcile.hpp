// What changed since it was last looked: which findings opened, rose, are to be said again, and cleared. Pure.
#pragma once

#include <string>
#include <vector>

#include "health/inputs.hpp"
#include "model/finding.hpp"

namespace pgbakd::health {

// With their times set, as the catalog is to have them.
struct Changes {
    std::vector<model::Finding> opened;
    std::vector<model::Finding> raised;    // open before, with a lower severity
    std::vector<model::Finding> reminded;  // critical, and told a day ago
    std::vector<model::Finding> still;     // nothing to say; the message is as of now
    std::vector<model::Finding> closed;    // as last seen, with an end
    struct Dropped {
        model::Finding finding;  // likewise
        std::string why;         // "the configuration has no job shop any more"
    };
    std::vector<Dropped> dropped;  // closed as well, but nothing is better: it is no longer looked at
    // All of them, for Catalog::apply_findings.
    [[nodiscard]] std::vector<model::Finding> all() const;
};

// `open`: the inputs' own; `found`: what evaluate() made of them. What is open and not found has cleared.
[[nodiscard]] Changes reconcile(const std::vector<model::Finding>& open, const std::vector<model::Finding>& found,
                                base::Timestamp now);
// The same, and what is not found because nobody looks there any more is dropped, not closed.
[[nodiscard]] Changes reconcile(const Inputs& inputs, const std::vector<model::Finding>& found);

}  // namespace pgbakd::health
