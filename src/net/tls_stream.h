// TLS 1.2/1.3 on top of any Stream, by OpenSSL with memory buffers.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "net/stream.h"

struct ssl_ctx_st;

namespace gw::net {

// Certificates and rules for one side; shared by the threads, immutable after creation.
class TlsContext {
 public:
  // verify=false accepts any certificate (`ssl_verify: false`). ca_file empty: the system's store,
  // or SSL_CERT_FILE / SSL_CERT_DIR.
  [[nodiscard]] static Result<std::shared_ptr<TlsContext>> Client(bool verify,
                                                                  const std::string& ca_file);
  [[nodiscard]] static Result<std::shared_ptr<TlsContext>> Server(const std::string& cert_file,
                                                                  const std::string& key_file);
  ~TlsContext();
  [[nodiscard]] ssl_ctx_st* native() const { return context_; }
  [[nodiscard]] bool verify() const { return verify_; }
  // Connections of one may serve the other.
  [[nodiscard]] bool same_rules(const TlsContext& other) const {
    return verify_ == other.verify_ && ca_file_ == other.ca_file_;
  }

 private:
  TlsContext(ssl_ctx_st* context, bool verify, std::string ca_file)
      : context_(context), verify_(verify), ca_file_(std::move(ca_file)) {}
  ssl_ctx_st* context_;
  bool verify_;
  std::string ca_file_;
};

class TlsStream : public Stream {
 public:
  // Completes (never at once) with kOk, or kFailed / kReset / kCancelled.
  virtual void StartHandshake(IoOp& op) = 0;
  // Why the handshake failed, in words; without secrets.
  [[nodiscard]] virtual std::string HandshakeError() const = 0;
};

// `host`: for SNI and verification (client side); empty on the server side.
[[nodiscard]] std::unique_ptr<TlsStream> WrapTls(std::unique_ptr<Stream> raw,
                                                 std::shared_ptr<TlsContext> context,
                                                 const std::string& host);

}  // namespace gw::net
