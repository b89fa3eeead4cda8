// Catch2 in either version: Debian 12 has the single header of v2, Debian 13 has v3.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;  // v2 has it in both places
#else
#include <catch2/catch.hpp>
#endif
