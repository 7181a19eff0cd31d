#include "daemon/callbacks/url_template.h"

#include <gtest/gtest.h>

#include "daemon/callbacks/signature.h"
#include "daemon/config/url_check.h"

namespace stentor::daemon {
namespace {

TEST(UrlTemplate, FillsPlacesInAndKeepsThemInside) {
  Subject subject;
  subject.client = "crm";
  subject.ref = "a/b?c=d&e #";
  subject.to = "+7916";
  EXPECT_EQ(expand_url("https://h/{client}/{type}?r={ref}&t={to}", subject, "sent"),
            "https://h/crm/sent?r=a%2Fb%3Fc%3Dd%26e%20%23&t=%2B7916");
  EXPECT_EQ(expand_url("https://h/{campaign}", subject, "sent"), "https://h/");
}

TEST(UrlTemplate, IsCheckedBeforeItIsUsed) {
  EXPECT_FALSE(check_url_template("https://example.net:8443/a?b={type}#c"));
  for (const char* url : {"", "ftp://h/", "file:///etc/passwd", "http://", "https:///x",
                          "https://user@h/", "https://{client}.example.net/", "https://h/{txt}",
                          "https://h/{type", "https://h/}", "https://h/a b", "https://h/\n",
                          "https://%68/", "https://127.0.0%2e1/", "https://[fe80::1%25eth0]/"}) {
    EXPECT_TRUE(check_url_template(url)) << url;
  }
}

TEST(UrlTemplate, AHostSharesABoundWhateverItsPort) {
  for (const char* url :
       {"http://host/a", "https://host/", "http://host:8080", "https://HOST.:1"}) {
    EXPECT_EQ(host_of_origin(origin_of(url)), "host") << url;
  }
  EXPECT_EQ(host_of_origin(origin_of("http://[2001:db8::1]:8080/")), "[2001:db8::1]");
  EXPECT_EQ(host_of_origin(origin_of("https://[2001:db8::1]/")), "[2001:db8::1]");
}

TEST(UrlTemplate, AnAddressIsOneHostHoweverItIsWritten) {
  for (const char* url : {"http://127.0.0.1/", "http://127.1:8080/", "http://0x7f000001",
                          "http://2130706433/", "http://0177.0.0.1/", "http://127.0.0.1./",
                          "http://[::ffff:127.0.0.1]/", "http://[::FFFF:7f00:1]:8080/"}) {
    EXPECT_EQ(host_of_origin(origin_of(url)), "127.0.0.1") << url;
  }
  for (const char* url : {"http://[::1]/", "http://[0:0:0:0:0:0:0:1]:81/", "http://[0::0001]"}) {
    EXPECT_EQ(host_of_origin(origin_of(url)), "[::1]") << url;
  }
  for (const char* name : {"1.example.net", "127.0.0.x", "0x7f.example", "1a", "a.1b"}) {
    EXPECT_EQ(host_of_origin(origin_of(std::string("http://") + name)), name);
  }
  EXPECT_EQ(*check_url_template("https://%68/"), "has a percent sign in its host");
  EXPECT_FALSE(check_url_template("https://h/%20?a=%41"));
}

TEST(UrlTemplate, NamesTheOriginThatFailsAsOne) {
  EXPECT_EQ(origin_of("https://h:1/a/b"), "https://h:1");
  EXPECT_EQ(origin_of("https://h?x"), "https://h");
}

TEST(UrlTemplate, AnOriginIsOneHoweverItIsSpelt) {
  for (const char* url : {"http://HOST/a", "http://host", "http://host:80/b", "http://hOst:0080?c",
                          "http://host.:80", "http://host:/"}) {
    EXPECT_EQ(origin_of(url), "http://host") << url;
  }
  EXPECT_EQ(origin_of("https://Host:443/"), "https://host");
  EXPECT_EQ(origin_of("https://host:80/"), "https://host:80");
  EXPECT_EQ(origin_of("http://[2001:DB8::1]/"), "http://[2001:db8::1]");
  EXPECT_EQ(origin_of("http://[2001:db8::1]:80/"), "http://[2001:db8::1]");
  EXPECT_EQ(origin_of("http://[2001:db8::1]:8080/"), "http://[2001:db8::1]:8080");
}

TEST(Signature, IsTheHmacOfTimeDotBody) {  // by Python's hmac
  EXPECT_EQ(signature_of("key", 1767607200, R"({"events":[]})"),
            "t=1767607200,v1=d51df69ad4e1328704fbba77870a678ce4ddd02dea2ef5d23b335958ae352071");
}

}  // namespace
}  // namespace stentor::daemon
