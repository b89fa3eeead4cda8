// A value or an Error, for pure code that must not throw.
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "base/error.hpp"

namespace pgbakd::base {

template <class T>
class [[nodiscard]] Result {
  public:
    Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}

    [[nodiscard]] bool has_value() const noexcept { return content_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    // The value; throws the Error when there is none.
    [[nodiscard]] T& value() & { return check(), std::get<0>(content_); }
    [[nodiscard]] const T& value() const& { return check(), std::get<0>(content_); }
    [[nodiscard]] T&& value() && { return check(), std::get<0>(std::move(content_)); }

    // Only after has_value() said yes.
    [[nodiscard]] T& operator*() & { return std::get<0>(content_); }
    [[nodiscard]] const T& operator*() const& { return std::get<0>(content_); }
    [[nodiscard]] T* operator->() { return &std::get<0>(content_); }
    [[nodiscard]] const T* operator->() const { return &std::get<0>(content_); }

    // Only after has_value() said no.
    [[nodiscard]] const Error& error() const { return std::get<1>(content_); }

  private:
    void check() const {
        if (!has_value()) throw Error(std::get<1>(content_));
    }
    std::variant<T, Error> content_;
};

template <>
class [[nodiscard]] Result<void> {
  public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}

    [[nodiscard]] bool has_value() const noexcept { return !error_.has_value(); }
    explicit operator bool() const noexcept { return has_value(); }
    void value() const {
        if (error_) throw Error(*error_);
    }
    [[nodiscard]] const Error& error() const { return *error_; }

  private:
    std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace pgbakd::base
