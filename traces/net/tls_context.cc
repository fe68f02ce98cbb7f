#include "traces/net/tls_context.h"

#include <array>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace tidegate::net {
namespace {

// The oldest entry of OpenSSL's error queue, which is then emptied.
std::string LastOpensslError() {
  std::array<char, 256> text{};
  const auto code = ERR_get_error();
  if (code == 0) return "unknown reason";
  ERR_error_string_n(code, text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

tl::unexpected<Error> BadFile(const char* what, const std::string& file) {
  return Fail(ErrorCode::kInvalid,
              fmt::format("{} {} cannot be used: {}", what, file, LastOpensslError()));
}

bool IsAddress(const std::string& host) {
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(host.c_str());
  ERR_clear_error();
  ASN1_OCTET_STRING_free(address);
  return address != nullptr;
}

}  // namespace

Expected<TlsContext> MakeTlsContext(const TlsOptions& options) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  if (!context) return Fail(ErrorCode::kInternal, "OpenSSL: " + LastOpensslError());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(context.get(),
                     options.insecure_skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  if (!options.ca_file.empty()) {
    if (SSL_CTX_load_verify_file(context.get(), options.ca_file.c_str()) != 1) {
      return BadFile("CA file", options.ca_file);
    }
  } else if (!options.insecure_skip_verify &&
             SSL_CTX_set_default_verify_paths(context.get()) != 1) {
    return Fail(ErrorCode::kInternal, "the system's authorities: " + LastOpensslError());
  }
  if (options.cert_file.empty() != options.key_file.empty()) {
    return Fail(ErrorCode::kInvalid, "a client certificate needs both a cert file and a key file");
  }
  if (options.cert_file.empty()) return context;
  if (SSL_CTX_use_certificate_chain_file(context.get(), options.cert_file.c_str()) != 1) {
    return BadFile("client certificate", options.cert_file);
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), options.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return BadFile("client key", options.key_file);
  }
  return context;
}

Expected<void> ExpectTlsPeer(ssl_st* connection, const std::string& host, bool verify) {
  ERR_clear_error();
  const bool address = IsAddress(host);
  // What the macro SSL_set_tlsext_host_name does, without its C casts.
  bool done = address || SSL_ctrl(connection, SSL_CTRL_SET_TLSEXT_HOSTNAME,
                                  TLSEXT_NAMETYPE_host_name, const_cast<char*>(host.c_str())) == 1;
  if (verify && address) {
    done = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), host.c_str()) == 1;
  } else if (verify) {
    SSL_set_hostflags(connection, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    done = done && SSL_set1_host(connection, host.c_str()) == 1;
  }
  if (!done)
    return Fail(ErrorCode::kInvalid, "TLS server name " + host + ": " + LastOpensslError());
  return {};
}

std::string TlsVerifyProblem(const ssl_st* connection) {
  const long result = SSL_get_verify_result(connection);
  return result == X509_V_OK ? "" : X509_verify_cert_error_string(result);
}

}  // namespace tidegate::net
