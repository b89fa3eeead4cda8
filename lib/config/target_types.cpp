#include "config/target_types.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.hpp"

namespace pgbakd::config {
namespace {

using base::Result;

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20U;

std::string same(const std::string& value) {
    return value;
}

Result<std::uint64_t> parse_rate(std::string_view text) {
    constexpr std::string_view per_second = "/s";
    const std::string hint = "as in 50 MiB/s; leave the key out for no limit";
    if (!text.ends_with(per_second)) return wrong(fmt::format("must be a rate (got \"{}\")", excerpt(text)), hint);
    const auto size = base::parse_size(text.substr(0, text.size() - per_second.size()));
    if (!size) return wrong(fmt::format("must be a rate (got \"{}\")", excerpt(text)), hint);
    constexpr std::uint64_t least = std::uint64_t{16} << 10U;
    if (*size < least)
        return wrong(fmt::format("must be at least 16 KiB/s (got {}/s)", base::format_size(*size)), hint);
    return *size;
}

// Exact: "50 MiB/s" where the number has such a form, else bytes.
std::string print_rate(const std::uint64_t& rate) {
    if (rate == 0) return {};
    if (rate % mebibyte == 0) return fmt::format("{} MiB/s", rate / mebibyte);
    return fmt::format("{}/s", rate);
}

bool is_bucket_character(char c) {
    return base::is_letter(c) || base::is_digit(c) || c == '-' || c == '.' || c == '_';
}

Result<std::string> parse_bucket(std::string_view text) {
    if (text.size() < 3 || text.size() > 255 || !std::all_of(text.begin(), text.end(), is_bucket_character))
        return wrong(fmt::format("must be the name of a bucket (got \"{}\")", excerpt(text)),
                     "3 to 63 of a-z, 0-9, \"-\" and \".\"; what is below it goes into prefix");
    return std::string(text);
}

Result<std::string> parse_prefix(std::string_view text) {
    if (text.size() > 200) return wrong("must be at most 200 bytes long");
    for (const auto segment : base::split(text, '/'))
        if (segment.empty() || segment == "." || segment == "..")
            return wrong(fmt::format("must be names with \"/\" between them (got \"{}\")", excerpt(text)),
                         "as in prefix: backups/postgres");
    return std::string(text);
}

Result<std::string> parse_endpoint(std::string_view text) {
    const std::string hint = "as in endpoint: https://s3.example.com";
    const auto fault = wrong(fmt::format("must be the URL of a server (got \"{}\")", excerpt(text)), hint);
    const std::string_view scheme = text.starts_with("https://") ? "https://" : "http://";
    if (!text.starts_with(scheme)) return fault;
    auto host = text.substr(scheme.size());
    if (host.ends_with('/')) host.remove_suffix(1);
    if (host.empty() || host.size() > 300) return fault;
    if (host.find('@') != std::string_view::npos)
        return wrong("must not contain a user or a password",
                     "access_key_id and secret_access_key are keys of their own");
    if (host.find_first_of("/?# ") != std::string_view::npos)
        return wrong(fmt::format("must end behind the host (got \"{}\")", excerpt(text)),
                     "the bucket and what is below it go into bucket and prefix");
    return std::string(scheme) + std::string(host);
}

Result<std::uint64_t> parse_part_size(std::string_view text) {
    if (text == "auto") return std::uint64_t{0};
    const auto size = base::parse_size(text);
    if (!size) return size.error();
    if (*size < 5 * mebibyte || *size > 5120 * mebibyte)
        return wrong(fmt::format("must be auto, or from 5 MiB to 5 GiB (got {})", excerpt(text)));
    return *size;
}

Result<std::string> parse_tcp_host(std::string_view text) {
    if (text.size() > 255 || text.find_first_of(" /=@") != std::string_view::npos)
        return wrong(fmt::format("must be a host name or an address (got \"{}\")", excerpt(text)),
                     "port, user and path are keys of their own");
    return std::string(text);
}

}  // namespace

Type<std::uint64_t> byte_rate() {
    return text_form<std::uint64_t>("a rate (`50 MiB/s`)", parse_rate, print_rate);
}

Type<std::vector<std::string>> names_of_targets() {
    return set_of(text("the name of a target", 63), "a list of names of targets");
}

Type<model::RequiredMount> required_mount() {
    const std::string words = "true, false or the mount point";
    auto read = [words](Problems& problems, const Node& node, model::RequiredMount& value) {
        const bool plain = node.kind == Node::Kind::scalar && !node.quoted;
        if (plain && (node.text == "true" || node.text == "false")) {
            value = {node.text == "true", {}};
        } else if (node.kind == Node::Kind::scalar && node.text.starts_with('/')) {
            std::filesystem::path point;
            absolute_path().read(problems, node, point);
            if (!node.refused && point == point.root_path())
                problems.error(node, "must not be the root directory",
                               "the root file system is what it is to be kept off");
            value = {true, point};
        } else {
            wrong_type(problems, node, words);
        }
    };
    auto write = [](const model::RequiredMount& value) {
        if (!value.point.empty()) return yaml_scalar(value.point.string());
        return std::string(value.required ? "true" : "false");
    };
    return {words, std::move(read), std::move(write)};
}

Type<std::string> endpoint() {
    return text_form<std::string>("the URL of a server", parse_endpoint, same);
}

Type<std::string> bucket() {
    return text_form<std::string>("the name of a bucket", parse_bucket, same);
}

Type<std::string> prefix() {
    return text_form<std::string>("names with `/` between them", parse_prefix, same);
}

Type<std::uint64_t> part_size() {
    const auto print = [](const std::uint64_t& size) { return size == 0 ? "auto" : std::to_string(size); };
    return text_form<std::uint64_t>("`auto`, or a size from 5 MiB to 5 GiB", parse_part_size, print);
}

Type<std::string> tcp_host() {
    return text_form<std::string>("a host name or an address", parse_tcp_host, same);
}

}  // namespace pgbakd::config
