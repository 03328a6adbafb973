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

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* context_;
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
