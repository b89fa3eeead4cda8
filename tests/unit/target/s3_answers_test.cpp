#include "target/s3_answers.hpp"

#include "support/catch.hpp"
#include "target/s3_bodies.hpp"
#include "target/s3_xml.hpp"

using namespace pgbakd;
using namespace pgbakd::target;
using namespace std::chrono_literals;

namespace {

constexpr base::Timestamp at(int year, int month, int day, std::chrono::milliseconds time = 0ms) {
    using namespace std::chrono;
    return sys_days(std::chrono::year(year) / month / day) + time;
}

const std::string head = R"(<?xml version="1.0" encoding="UTF-8"?>)"
                         "\n";

}  // namespace

// After the sample of https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
TEST_CASE("a page of objects") {
    const auto page = parse_objects(head + R"(
        <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
          <Name>bucket</Name><Prefix/><KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>true</IsTruncated>
          <NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</NextContinuationToken>
          <Contents>
            <Key>my-image &amp; more.jpg</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified>
            <ETag>&quot;fba9dede5f27731c9771645a39863328&quot;</ETag><Size>434234</Size>
            <StorageClass>STANDARD</StorageClass>
          </Contents>
          <Contents><Key> leading</Key><Size>0</Size></Contents>
          <CommonPrefixes><Prefix>photos/</Prefix></CommonPrefixes>
        </ListBucketResult>)")
                          .value();
    REQUIRE(page.objects.size() == 2);
    CHECK(page.objects[0].key == "my-image & more.jpg");
    CHECK(page.objects[0].size == 434234);
    CHECK(page.objects[0].etag == "fba9dede5f27731c9771645a39863328");
    CHECK(page.objects[0].modified == at(2009, 10, 12, 17h + 50min + 30s));
    CHECK(page.objects[1].key == " leading");
    CHECK(page.objects[1].modified == base::Timestamp());
    CHECK(page.common_prefixes == std::vector<std::string>{"photos/"});
    CHECK(page.next == "1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=");
}

TEST_CASE("encoded keys are decoded, others are not") {
    const std::string entry = "<Contents><Key>a%2Fb+c%0A%zz%</Key><Size>1</Size></Contents>";
    CHECK(parse_objects("<ListBucketResult>" + entry + "</ListBucketResult>").value().objects[0].key ==
          "a%2Fb+c%0A%zz%");
    CHECK(parse_objects("<ListBucketResult><EncodingType>url</EncodingType>" + entry + "</ListBucketResult>")
              .value()
              .objects[0]
              .key == "a/b c\n%zz%");
}

TEST_CASE("an answer that would lose objects or never end is refused") {
    for (const auto* const xml : {
             "",
             "<html><body>Welcome</body></html>",
             "<ListBucketResult>",
             "<ListBucketResult/><x/>",
             "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
             "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
             "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
             "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
             "<ListBucketResult><Contents><Key>a</Key><Size>1x</Size></Contents></ListBucketResult>",
             "<ListBucketResult><Contents><Key>a</Key><Size>99999999999999999999</Size></Contents></ListBucketResult>",
         }) {
        INFO(xml);
        const auto page = parse_objects(xml);
        REQUIRE_FALSE(page.has_value());
        CHECK(page.error().code() == base::ErrorCode::server_error);
    }
}

TEST_CASE("XML with a document type, too deep or too long is refused") {
    const std::string bomb =
        "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY x \"xxxxxxxxxx\"><!ENTITY y \"&x;&x;\">]><a>&y;</a>";
    CHECK(parse_xml(bomb).error().message().find("document type") != std::string::npos);
    std::string deep, wide;
    for (int i = 0; i < 100; ++i) deep += "<a>";
    CHECK(parse_xml(deep).error().message().find("nested") != std::string::npos);
    for (int i = 0; i < 60000; ++i) wide += "<a/>";
    CHECK(parse_xml("<r>" + wide + "</r>").error().message().find("too many") != std::string::npos);
    CHECK_FALSE(parse_xml("<a>&unknown;</a>").has_value());
    CHECK_FALSE(parse_xml(std::string_view("<a>\0</a>", 8)).has_value());
    CHECK(parse_xml("<n:a xmlns:n='x'>t<n:b/>u<!-- c --><![CDATA[<]]></n:a>").value().text == "tu<");
}

TEST_CASE("multipart uploads: begun, listed, their parts, their end") {
    CHECK(parse_upload_started("<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key>"
                               "<UploadId>VXBsb2FkIElE</UploadId></InitiateMultipartUploadResult>")
              .value() == "VXBsb2FkIElE");
    CHECK_FALSE(parse_upload_started("<InitiateMultipartUploadResult/>").has_value());

    const auto uploads =
        parse_uploads(
            "<ListMultipartUploadsResult><NextKeyMarker>k2</NextKeyMarker>"
            "<NextUploadIdMarker>u2</NextUploadIdMarker><IsTruncated>true</IsTruncated>"
            "<Upload><Key>k1</Key><UploadId>u1</UploadId><Initiated>2010-11-10T20:48:33.000Z</Initiated>"
            "</Upload></ListMultipartUploadsResult>")
            .value();
    REQUIRE(uploads.uploads.size() == 1);
    CHECK(uploads.uploads[0].upload_id == "u1");
    CHECK(uploads.uploads[0].initiated == at(2010, 11, 10, 20h + 48min + 33s));
    CHECK(uploads.next_key == "k2");
    CHECK(uploads.next_upload_id == "u2");

    const auto parts = parse_parts(
                           "<ListPartsResult><NextPartNumberMarker>3</NextPartNumberMarker>"
                           "<IsTruncated>true</IsTruncated><Part><PartNumber>2</PartNumber>"
                           "<ETag>\"7778aef8\"</ETag><Size>10485760</Size></Part></ListPartsResult>")
                           .value();
    REQUIRE(parts.parts.size() == 1);
    CHECK(parts.parts[0].number == 2);
    CHECK(parts.parts[0].size == 10485760);
    CHECK(parts.parts[0].etag == "7778aef8");
    CHECK(parts.next == 3);

    CHECK(parse_completed("<CompleteMultipartUploadResult><ETag>\"3858f622-9\"</ETag></CompleteMultipartUploadResult>")
              .value()
              .etag == "3858f622-9");
    // The status was 200 already when this went wrong; white space kept the connection busy until then.
    const auto failed = parse_completed(
        "  \n <Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>");
    REQUIRE(failed.has_value());
    REQUIRE(failed->error);
    CHECK(failed->error->code == "InternalError");
    CHECK_FALSE(parse_completed("").has_value());
    CHECK_FALSE(parse_completed("<Other/>").has_value());
}

TEST_CASE("a complete's answer may have white space before its declaration") {
    CHECK(parse_completed("\n\n  " + head + "<CompleteMultipartUploadResult/>").has_value());
}

TEST_CASE("what was not deleted is told, with its reason") {
    const auto left = parse_deleted(
                          "<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key>"
                          "<Code>AccessDenied</Code><Message>Access Denied</Message></Error></DeleteResult>")
                          .value();
    REQUIRE(left.size() == 1);
    CHECK(left[0].key == "b");
    CHECK(left[0].error.code == "AccessDenied");
    CHECK(parse_deleted("<DeleteResult/>").value().empty());
}

TEST_CASE("errors, where they are some") {
    const auto error = parse_error(head +
                                   "<Error><Code>PermanentRedirect</Code><Message>m</Message><Endpoint>"
                                   "b.s3-eu-west-1.amazonaws.com</Endpoint><Region>eu-west-1</Region></Error>");
    REQUIRE(error);
    CHECK(error->code == "PermanentRedirect");
    CHECK(error->endpoint == "b.s3-eu-west-1.amazonaws.com");
    CHECK(error->region == "eu-west-1");
    const auto skew = parse_error(
        "<Error><Code>RequestTimeTooSkewed</Code><RequestTime>20130524T000000Z</RequestTime>"
        "<ServerTime>2013-05-24T00:20:00Z</ServerTime></Error>");
    CHECK(skew->request_time == at(2013, 5, 24));
    CHECK(skew->server_time == at(2013, 5, 24, 20min));
    CHECK(parse_error("<ErrorResponse><Error><Code>ExpiredTokenException</Code></Error></ErrorResponse>")->code ==
          "ExpiredTokenException");
    CHECK_FALSE(parse_error(""));
    CHECK_FALSE(parse_error("<html><body>502 Bad Gateway</body></html>"));
}

TEST_CASE("dates of HTTP") {
    CHECK(parse_http_date("Wed, 21 Oct 2015 07:28:00 GMT") == at(2015, 10, 21, 7h + 28min));
    CHECK(parse_http_date("Thu, 29 Feb 2024 23:59:60 GMT") == at(2024, 3, 1));
    for (const auto* const text :
         {"", "Wed, 21 Oct 2015 07:28:00 CET", "Wed, 31 Feb 2015 07:28:00 GMT", "Wed, 21 Okt 2015 07:28:00 GMT",
          "Wed, 21 Oct 2015 24:28:00 GMT", "Wed, 2x Oct 2015 07:28:00 GMT", "Wednesday, 21-Oct-15 07:28:00 GMT"})
        CHECK_FALSE(parse_http_date(text));
}

TEST_CASE("documents that are sent hold any key") {
    const std::vector<SentPart> parts{{1, "a\"b", {}}, {2, "c", "sha="}};
    CHECK(complete_body(parts) ==
          "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
          "<Part><PartNumber>1</PartNumber><ETag>&quot;a&quot;b&quot;</ETag></Part>"
          "<Part><PartNumber>2</PartNumber><ETag>&quot;c&quot;</ETag><ChecksumSHA256>sha=</ChecksumSHA256></Part>"
          "</CompleteMultipartUpload>");
    const std::vector<std::string> keys{"a/<b>&'\"\xc3\xa9"};
    const auto body = delete_body(keys);
    const auto back = parse_xml(body).value();
    CHECK(back.is_true("Quiet"));
    CHECK(back.child("Object")->value("Key") == keys[0]);
}
