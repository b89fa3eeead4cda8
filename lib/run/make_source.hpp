// The source of a run, with its secrets.
#pragma once

#include <memory>

#include "run/services.hpp"
#include "source/source.hpp"

namespace pgbakd::run {

// Throws what a secret that cannot be read throws.
asio::awaitable<std::unique_ptr<source::Source>> make_source(Services& services, Request request);

}  // namespace pgbakd::run
