-- Requests that were accepted to be answered by call-back. A row goes in the commit that says `sent` or `aborted`.
CREATE TABLE pending_answers (
  id TEXT NOT NULL PRIMARY KEY,            -- id of the request, as in the audit trail
  clinic TEXT NOT NULL,                    -- whose home the request names; empty for none of ours
  claim TEXT NOT NULL UNIQUE,              -- as replay_requests.request: a resend waits with the first
  implementer TEXT NOT NULL,               -- by the TLS certificate
  home TEXT NOT NULL,                      -- the organization that asks, by its token
  transaction_id TEXT NOT NULL,            -- ITI-55 …
  message_id TEXT NOT NULL,
  reply_to TEXT NOT NULL,
  fault_to TEXT NOT NULL,                  -- empty where none was named
  content_type {blob} NOT NULL,            -- of the request, as received
  body {blob} NOT NULL,
  certificates TEXT NOT NULL,              -- PEM: the TLS client's, then the others it presented
  address TEXT NOT NULL,                   -- of the peer, numeric
  seed {blob} NOT NULL,                    -- of the answer's ids: the same at every attempt
  accepted_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,                  -- taken by nobody before: the next attempt, or the end of a lease
  fence BIGINT NOT NULL,                   -- raised by who takes it; older takers change nothing
  attempts BIGINT NOT NULL,
  reason TEXT NOT NULL                     -- why the last attempt failed
);
CREATE INDEX pending_answers_by_due ON pending_answers (due_at);
CREATE INDEX pending_answers_by_partner ON pending_answers (implementer);
