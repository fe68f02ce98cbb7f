#pragma once

#include <memory>
#include <string>

#include "policies/base/expected.h"

// OpenSSL's own names for its types; declared so that no header of ours includes OpenSSL.
struct ssl_ctx_st;
struct ssl_st;

namespace tidegate::net {

// How a client trusts a server and shows itself to it.
struct TlsOptions {
  std::string ca_file;                // PEM; empty: the system's authorities
  std::string cert_file;              // PEM chain of the client; goes with key_file
  std::string key_file;               // PEM
  std::string server_name;            // the name to ask for and to verify; empty: the URL's host
  bool insecure_skip_verify = false;  // accept any certificate; for tests and emergencies only
};

using TlsContext = std::shared_ptr<ssl_ctx_st>;

// Reads the files. An unreadable file, a certificate that does not parse and a key that does not
// fit the certificate are kInvalid, naming the file.
Expected<TlsContext> MakeTlsContext(const TlsOptions& options);

// Asks for `host` (SNI, unless it is an address) and makes the handshake fail unless the peer's
// certificate is for it.
Expected<void> ExpectTlsPeer(ssl_st* connection, const std::string& host, bool verify);

// Why the peer's certificate was refused, or "" if it was not.
std::string TlsVerifyProblem(const ssl_st* connection);

}  // namespace tidegate::net
