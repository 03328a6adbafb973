#include "upstream/attempt.h"

#include <algorithm>

#include "base/limits.h"
#include "base/piece_writer.h"

namespace gw::upstream {

namespace {

// A pooled connection that was quiet for this long and then dies without a byte was closed by the
// upstream's keep-alive timer (uvicorn: 5 s), not by our request: worth one fresh connection.
constexpr std::chrono::seconds kStaleAfter{3};

void BuildHead(std::string& text, const AttemptPlan& plan) {
  const config::Deployment& deployment = *plan.deployment;
  const translate::UpstreamRequest& request = *plan.request;
  text.clear();
  PieceWriter out(text);
  out.Put("POST ");
  out.Put(deployment.origin.base_path);
  out.Put(request.path);
  out.Put(" HTTP/1.1\r\nhost: ");
  out.Put(deployment.origin.host_header);
  out.Put("\r\nuser-agent: intertie/" GW_VERSION "\r\naccept: ");
  if (plan.stream) out.Put("text/event-stream, application/json");
  else out.Put(plan.accepts_any ? std::string_view("*/*") : std::string_view("application/json"));
  out.Put("\r\ncontent-type: ");
  if (request.content_type.empty()) out.Put("application/json");
  else out.Put(request.content_type);
  out.Put("\r\ncontent-length: ");
  out.PutNumber(request.body.size());
  out.Put("\r\n");
  const auto append = [&out](const HeaderList& headers) {
    for (const auto& [name, value] : headers) {
      out.Put(name);
      out.Put(": ");
      out.Put(value);
      out.Put("\r\n");
    }
  };
  if (plan.forwarded_headers != nullptr) append(*plan.forwarded_headers);
  append(request.headers);
  out.Put("\r\n");
  out.Flush();
}

void Fail(OpenedAttempt& opened, net::IoStatus status, std::string why, double timeout_s) {
  switch (status) {
    case net::IoStatus::kTimeout:
      opened.outcome = AttemptOutcome::kTimeout;
      opened.timeout_s = timeout_s;
      break;
    case net::IoStatus::kCancelled: opened.outcome = AttemptOutcome::kCancelled; break;
    default: opened.outcome = AttemptOutcome::kConnectError;
  }
  opened.why = std::move(why);
}

}  // namespace

net::Task<void> OpenAttempt(OriginPool& pool, const AttemptPlan& plan, net::CancelSlot& cancel,
                            OpenedAttempt& opened) {
  const TimePoint deadline = plan.started + FromSeconds(plan.head_timeout_s);
  const double connect_s = std::min(plan.head_timeout_s, Seconds(limits::kConnectTimeout));
  std::string head;
  BuildHead(head, plan);
  std::vector<std::string_view> pieces;
  pieces.reserve(plan.request->body.pieces().size() + 1);
  pieces.push_back(head);
  for (const std::string_view piece : plan.request->body.pieces()) pieces.push_back(piece);

  for (bool fresh = false;; fresh = true) {
    Lease lease = co_await pool.Acquire(fresh, SteadyClock::now() + FromSeconds(connect_s), &cancel);
    if (!lease.connection) {
      Fail(opened, lease.status, std::move(lease.error), connect_s);
      co_return;
    }
    PooledConnection& connection = *lease.connection;
    net::IoStatus status = net::IoStatus::kOk;
    bool sent = false;
    {
      const net::CancelScope scope(cancel, connection.http);
      status = co_await connection.http.SendRequest(pieces, deadline);
      sent = status == net::IoStatus::kOk;
      if (sent) status = co_await connection.http.ReadHead(deadline);
    }
    if (status == net::IoStatus::kOk) {
      opened.outcome = AttemptOutcome::kHead;
      opened.connection = std::move(lease.connection);
      co_return;
    }
    const bool cut = status == net::IoStatus::kEof || status == net::IoStatus::kReset;
    const bool stale = connection.reused && cut && !connection.http.got_any_byte() &&
                       (!sent || connection.idle_for >= kStaleAfter);
    std::string why = connection.http.malformed() != nullptr ? connection.http.malformed()
                                                             : "the connection was closed";
    pool.Release(std::move(lease.connection));
    if (!stale || fresh) {
      Fail(opened, status, std::move(why), plan.head_timeout_s);
      co_return;
    }
  }
}

void FinishAttempt(ConnectionPtr connection) {
  OriginPool& pool = connection->pool;
  pool.Release(std::move(connection));
}

}  // namespace gw::upstream
