#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "tests/unit/traces/raw_server.h"
#include "traces/net/http_client.h"

namespace tidegate::net {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

using Key = std::shared_ptr<EVP_PKEY>;
using Certificate = std::shared_ptr<X509>;

struct Identity {
  Key key;
  Certificate certificate;
};

void AddExtension(X509* certificate, int id, const char* value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, id, value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// A certificate for `name` (as "DNS:x" or "IP:x"), signed by `issuer`, or a new authority without
// one.
Identity MakeIdentity(const char* common_name, const char* name, const Identity* issuer) {
  Identity made{Key(EVP_EC_gen("P-256"), EVP_PKEY_free), Certificate(X509_new(), X509_free)};
  X509* certificate = made.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), issuer == nullptr ? 1 : 2);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name), -1, -1, 0);
  const Identity& signer = issuer == nullptr ? made : *issuer;
  X509_set_issuer_name(certificate, X509_get_subject_name(signer.certificate.get()));
  if (issuer == nullptr) {
    AddExtension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  } else {
    AddExtension(certificate, NID_subject_alt_name, name);
  }
  if (X509_sign(certificate, signer.key.get(), EVP_sha256()) == 0) throw std::runtime_error("sign");
  return made;
}

// An authority, a server that holds a certificate of it, and the authority's file.
class TlsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);  // the server here writes to clients that have hung up
    dir_ = testing::TempDir() + "tidegate_tls_XXXXXX";
    ASSERT_NE(mkdtemp(dir_.data()), nullptr);
    authority_ = MakeIdentity("Test authority", "", nullptr);
    ca_file_ = WriteCertificate("ca.pem", authority_);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::string WriteCertificate(const std::string& name, const Identity& identity) const {
    const std::string file = dir_ + "/" + name;
    BIO* bio = BIO_new_file(file.c_str(), "w");
    PEM_write_bio_X509(bio, identity.certificate.get());
    BIO_free(bio);
    return file;
  }

  std::string WriteKey(const std::string& name, const Identity& identity) const {
    const std::string file = dir_ + "/" + name;
    BIO* bio = BIO_new_file(file.c_str(), "w");
    PEM_write_bio_PrivateKey(bio, identity.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    BIO_free(bio);
    return file;
  }

  // Serves "ok" by TLS under this name; asks for a client certificate of our authority if told.
  void Serve(const char* name, bool ask_client = false) {
    identity_ = MakeIdentity("server", name, &authority_);
    context_.reset(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    SSL_CTX_use_certificate(context_.get(), identity_.certificate.get());
    SSL_CTX_use_PrivateKey(context_.get(), identity_.key.get());
    if (ask_client) {
      SSL_CTX_load_verify_file(context_.get(), ca_file_.c_str());
      SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                         nullptr);
    }
    server_ = std::make_unique<RawServer>([this](int descriptor, int) { Answer(descriptor); });
  }

  void Answer(int descriptor) const {
    SSL* connection = SSL_new(context_.get());
    SSL_set_fd(connection, descriptor);
    char buffer[4096];
    while (SSL_accept(connection) == 1 && SSL_read(connection, buffer, sizeof(buffer)) > 0) {
      const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
      SSL_write(connection, text.data(), static_cast<int>(text.size()));
    }
    SSL_free(connection);
  }

  Expected<HttpResponse> Get(const std::string& host, TlsOptions tls) const {
    HttpClientOptions options;
    options.tls = std::move(tls);
    const Url url{.tls = true, .host = host, .port = server_->port(), .path = "", .query = ""};
    TIDEGATE_TRY(HttpClient client, HttpClient::Create(url, options));
    TIDEGATE_TRY(const HttpResponse first, client.Send({}, seconds(5)));
    return client.Send({}, seconds(5));  // a second time, on the kept connection
  }

  TlsOptions Trusting() const {
    TlsOptions tls;
    tls.ca_file = ca_file_;
    return tls;
  }

  std::string dir_;
  std::string ca_file_;
  Identity authority_;
  Identity identity_;
  std::shared_ptr<SSL_CTX> context_;
  std::unique_ptr<RawServer> server_;
};

TEST_F(TlsTest, TalksToAServerOfATrustedAuthority) {
  Serve("DNS:localhost");
  const auto response = Get("localhost", Trusting());
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->body, "ok");
}

TEST_F(TlsTest, VerifiesAnAddressToo) {
  Serve("IP:127.0.0.1");
  EXPECT_TRUE(Get("127.0.0.1", Trusting()).has_value());
}

TEST_F(TlsTest, RefusesACertificateForAnotherHost) {
  Serve("DNS:other.example");
  const auto response = Get("localhost", Trusting());
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, ErrorCode::kDenied);
  EXPECT_THAT(response.error().message, HasSubstr("localhost"));
}

TEST_F(TlsTest, ExpectsTheServerNameThatItWasGiven) {
  Serve("DNS:other.example");
  TlsOptions tls = Trusting();
  tls.server_name = "other.example";
  EXPECT_TRUE(Get("localhost", tls).has_value());
}

TEST_F(TlsTest, RefusesAnUntrustedAuthority) {
  Serve("DNS:localhost");
  const auto response = Get("localhost", TlsOptions{});
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, ErrorCode::kDenied);
}

TEST_F(TlsTest, SkipsVerificationOnlyWhenAsked) {
  Serve("DNS:other.example");
  TlsOptions tls;
  tls.insecure_skip_verify = true;
  EXPECT_TRUE(Get("localhost", tls).has_value());
}

TEST_F(TlsTest, ShowsItsClientCertificate) {
  Serve("DNS:localhost", true);
  EXPECT_FALSE(Get("localhost", Trusting()).has_value());
  const Identity client = MakeIdentity("client", "DNS:client", &authority_);
  TlsOptions tls = Trusting();
  tls.cert_file = WriteCertificate("client.pem", client);
  tls.key_file = WriteKey("client.key", client);
  const auto response = Get("localhost", tls);
  EXPECT_TRUE(response.has_value()) << response.error().message;
}

TEST_F(TlsTest, NamesAFileThatCannotBeUsed) {
  Serve("DNS:localhost");
  TlsOptions tls;
  tls.ca_file = dir_ + "/missing.pem";
  const auto response = Get("localhost", tls);
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(response.error().message, HasSubstr("missing.pem"));
}

}  // namespace
}  // namespace tidegate::net
