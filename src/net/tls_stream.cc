#include "net/tls_stream.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <utility>

namespace gw::net {

namespace {

constexpr size_t kRecordBytes = 17 * 1024;  // a TLS record and its header

Error TlsConfigError(const std::string& what) {
  Error error;
  char text[160] = "unknown";
  if (const unsigned long code = ERR_peek_last_error(); code != 0)
    ERR_error_string_n(code, text, sizeof(text));
  ERR_clear_error();
  error.message = what + ": " + text;
  return error;
}

class TlsStreamImpl final : public TlsStream {
 public:
  TlsStreamImpl(std::unique_ptr<Stream> raw, std::shared_ptr<TlsContext> context,
                const std::string& host)
      : raw_(std::move(raw)), context_(std::move(context)), ssl_(SSL_new(context_->native())) {
    SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    if (host.empty()) {
      SSL_set_accept_state(ssl_);
    } else {
      SSL_set_connect_state(ssl_);
      SetPeerName(host);
    }
    raw_read_.context = raw_write_.context = this;
    raw_read_.on_done = [](void* self) { static_cast<TlsStreamImpl*>(self)->OnRawRead(); };
    raw_write_.on_done = [](void* self) { static_cast<TlsStreamImpl*>(self)->OnRawWritten(); };
  }
  ~TlsStreamImpl() override { SSL_free(ssl_); }

  void StartHandshake(IoOp& op) override {
    handshake_op_ = &op;
    Handshake();
  }

  [[nodiscard]] std::string HandshakeError() const override { return handshake_error_; }

  bool StartRead(std::span<char> into, IoOp& op) override {
    read_into_ = into;
    if (TryRead(op.result)) return true;
    read_op_ = &op;
    if (ReadRaw()) {
      // The raw stream answered at once: only trouble does that.
      read_op_ = nullptr;
      op.result = {0, raw_read_.result.status};
      return true;
    }
    return false;
  }

  bool StartWrite(std::span<const std::string_view> pieces, IoOp& op) override {
    // One record for head and body: gather first.
    plain_.clear();
    for (const std::string_view piece : pieces) plain_ += piece;
    if (plain_.empty()) {
      op.result = {0, IoStatus::kOk};
      return true;
    }
    ERR_clear_error();
    if (SSL_write(ssl_, plain_.data(), static_cast<int>(plain_.size())) <= 0) {
      op.result = {0, IoStatus::kFailed};
      return true;
    }
    write_op_ = &op;
    if (!Flush()) return false;
    write_op_ = nullptr;
    op.result = {0, write_status_};
    return true;
  }

  void Cancel() override { raw_->Cancel(); }
  [[nodiscard]] const std::string& peer_address() const override { return raw_->peer_address(); }

 private:
  void SetPeerName(const std::string& host) {
    unsigned char address[16];
    const bool literal = inet_pton(AF_INET, host.c_str(), address) == 1 ||
                         inet_pton(AF_INET6, host.c_str(), address) == 1;
    if (!literal) SSL_set_tlsext_host_name(ssl_, host.c_str());
    if (SSL_get_verify_mode(ssl_) == SSL_VERIFY_NONE) return;
    if (literal) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), host.c_str());
    } else {
      SSL_set1_host(ssl_, host.c_str());
    }
  }

  // True when `result` is final: bytes, end or error.
  bool TryRead(IoResult& result) {
    ERR_clear_error();
    const int n = SSL_read(ssl_, read_into_.data(), static_cast<int>(read_into_.size()));
    if (n > 0) {
      result = {static_cast<size_t>(n), IoStatus::kOk};
      return true;
    }
    switch (SSL_get_error(ssl_, n)) {
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE: (void)Flush(); return false;
      case SSL_ERROR_ZERO_RETURN: result = {0, IoStatus::kEof}; return true;
      default: result = {0, IoStatus::kFailed}; return true;
    }
  }

  // Starts reading cipher text; true when it ended at once.
  bool ReadRaw() { return raw_->StartRead({cipher_.data(), cipher_.size()}, raw_read_); }

  void OnRawRead() {
    if (raw_read_.result.ok()) {
      BIO_write(SSL_get_rbio(ssl_), cipher_.data(), static_cast<int>(raw_read_.result.bytes));
    }
    if (handshake_op_ != nullptr) {
      if (!raw_read_.result.ok()) {
        FinishHandshake(raw_read_.result.status);
        return;
      }
      Handshake();
      return;
    }
    IoResult result{0, raw_read_.result.status};
    if (raw_read_.result.ok() && !TryRead(result)) {
      if (!ReadRaw()) return;
      result = {0, raw_read_.result.status};
    }
    std::exchange(read_op_, nullptr)->Complete(result);
  }

  void Handshake() {
    while (true) {
      ERR_clear_error();
      const int rc = SSL_do_handshake(ssl_);
      const int why = SSL_get_error(ssl_, rc);
      (void)Flush();
      if (rc == 1) return FinishHandshake(IoStatus::kOk);
      if (why != SSL_ERROR_WANT_READ) {
        NoteHandshakeError();
        return FinishHandshake(IoStatus::kFailed);
      }
      if (!ReadRaw()) return;
      if (!raw_read_.result.ok()) return FinishHandshake(raw_read_.result.status);
      BIO_write(SSL_get_rbio(ssl_), cipher_.data(), static_cast<int>(raw_read_.result.bytes));
    }
  }

  void NoteHandshakeError() {
    const long verdict = SSL_get_verify_result(ssl_);
    if (verdict != X509_V_OK) {
      handshake_error_ = X509_verify_cert_error_string(verdict);
      return;
    }
    char text[160];
    ERR_error_string_n(ERR_peek_last_error(), text, sizeof(text));
    handshake_error_ = text;
  }

  void FinishHandshake(IoStatus status) {
    std::exchange(handshake_op_, nullptr)->Complete({0, status});
  }

  // Sends what OpenSSL wants sent. True when nothing is outstanding any more.
  bool Flush() {
    while (!writing_) {
      const size_t pending = BIO_ctrl_pending(SSL_get_wbio(ssl_));
      if (pending == 0) return true;
      out_.resize(pending);
      BIO_read(SSL_get_wbio(ssl_), out_.data(), static_cast<int>(pending));
      out_piece_ = out_;
      if (!raw_->StartWrite({&out_piece_, 1}, raw_write_)) {
        writing_ = true;
        return false;
      }
      write_status_ = raw_write_.result.status;
      if (!raw_write_.result.ok()) return true;
    }
    return false;
  }

  void OnRawWritten() {
    writing_ = false;
    write_status_ = raw_write_.result.status;
    if (raw_write_.result.ok() && !Flush()) return;
    if (write_op_ != nullptr) std::exchange(write_op_, nullptr)->Complete({0, write_status_});
  }

  std::unique_ptr<Stream> raw_;
  std::shared_ptr<TlsContext> context_;
  SSL* ssl_;
  std::array<char, kRecordBytes> cipher_;
  std::string plain_, out_, handshake_error_;
  std::string_view out_piece_;
  std::span<char> read_into_;
  IoOp raw_read_, raw_write_;
  IoOp* handshake_op_ = nullptr;
  IoOp* read_op_ = nullptr;
  IoOp* write_op_ = nullptr;
  bool writing_ = false;
  IoStatus write_status_ = IoStatus::kOk;
};

}  // namespace

Result<std::shared_ptr<TlsContext>> TlsContext::Client(bool verify, const std::string& ca_file) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  auto owner = std::shared_ptr<TlsContext>(new TlsContext(context));
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(context, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (verify) {
    if (ca_file.empty()) {
      SSL_CTX_set_default_verify_paths(context);
    } else if (SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr) != 1) {
      return TlsConfigError("ssl_verify: cannot read the CA file " + ca_file);
    }
  }
  return owner;
}

Result<std::shared_ptr<TlsContext>> TlsContext::Server(const std::string& cert_file,
                                                       const std::string& key_file) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  auto owner = std::shared_ptr<TlsContext>(new TlsContext(context));
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_use_certificate_chain_file(context, cert_file.c_str()) != 1)
    return TlsConfigError("cannot read the certificate " + cert_file);
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return TlsConfigError("cannot read the private key file");
  return owner;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

std::unique_ptr<TlsStream> WrapTls(std::unique_ptr<Stream> raw, std::shared_ptr<TlsContext> context,
                                   const std::string& host) {
  return std::make_unique<TlsStreamImpl>(std::move(raw), std::move(context), host);
}

}  // namespace gw::net
