#include "target/s3_bodies.hpp"

#include <fmt/format.h>

#include "target/s3_xml.hpp"

namespace pgbakd::target {

std::string complete_body(std::span<const SentPart> parts) {
    std::string body = R"(<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">)";
    for (const auto& part : parts) {
        body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>&quot;{}&quot;</ETag>", part.number,
                            xml_escape(part.etag));
        if (!part.checksum_sha256.empty())
            body += fmt::format("<ChecksumSHA256>{}</ChecksumSHA256>", xml_escape(part.checksum_sha256));
        body += "</Part>";
    }
    return body + "</CompleteMultipartUpload>";
}

std::string delete_body(std::span<const std::string> keys) {
    std::string body = R"(<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>)";
    for (const auto& key : keys) body += fmt::format("<Object><Key>{}</Key></Object>", xml_escape(key));
    return body + "</Delete>";
}

}  // namespace pgbakd::target
