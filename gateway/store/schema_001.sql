-- The first tables. One text for SQLite and PostgreSQL: three words differ. {blob} is BLOB or BYTEA; {keyed} is WITHOUT
-- ROWID on SQLite, for narrow rows found by their key: one tree to write and to search instead of two; {by_octets} is
-- COLLATE "C" on PostgreSQL, for texts that are searched by their beginning.
-- Instants are BIGINT microseconds UTC, dates are text YYYYMMDD, ids are random 128-bit hex unless said.
-- Every table that holds a clinic's data carries the clinic.

CREATE TABLE clinics (
  id TEXT NOT NULL PRIMARY KEY,
  home TEXT NOT NULL UNIQUE,               -- home community OID, dotted
  name TEXT NOT NULL,
  time_zone TEXT NOT NULL,                 -- IANA name
  assigning_authority TEXT NOT NULL,       -- OID of the patient ids it issues
  repository_id TEXT NOT NULL,             -- OID, repositoryUniqueId
  purposes BIGINT NOT NULL,                -- current defaults, bits of policy::PurposeSet
  version BIGINT NOT NULL                  -- of these settings, from clinic_settings
);

-- Every change of a clinic's settings, append-only; clinics.version names the last.
CREATE TABLE clinic_settings (
  clinic TEXT NOT NULL REFERENCES clinics (id),
  version BIGINT NOT NULL,
  setting TEXT NOT NULL,                   -- e.g. purposes
  value TEXT NOT NULL,
  set_at BIGINT NOT NULL,
  set_by TEXT NOT NULL,
  PRIMARY KEY (clinic, version)
);

CREATE TABLE patients (
  id TEXT NOT NULL PRIMARY KEY,
  clinic TEXT NOT NULL REFERENCES clinics (id),
  mrn TEXT NOT NULL,                       -- the id under the clinic's assigning authority: the one a match gives
  demographics TEXT NOT NULL,              -- JSON of a Person, as gateway/patients writes it
  choice TEXT,                             -- purpose_choices.id of the patient's last word; NULL: clinic defaults
  entered_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (clinic, mrn)
);

CREATE TABLE patient_ids (
  clinic TEXT NOT NULL,
  root TEXT NOT NULL,
  extension TEXT NOT NULL,
  patient TEXT NOT NULL REFERENCES patients (id),
  PRIMARY KEY (clinic, root, extension, patient)
) {keyed};
CREATE INDEX patient_ids_by_patient ON patient_ids (patient);

-- What candidates are found by: kind 'fb' = normalised family name + birth date, 'gb' = given + birth date.
CREATE TABLE patient_keys (
  clinic TEXT NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  patient TEXT NOT NULL REFERENCES patients (id),
  PRIMARY KEY (clinic, kind, value, patient)
) {keyed};
CREATE INDEX patient_keys_by_patient ON patient_keys (patient);

-- A patient's own sets of purposes, append-only; patients.choice names the one in force.
CREATE TABLE purpose_choices (
  id TEXT NOT NULL PRIMARY KEY,
  clinic TEXT NOT NULL,
  patient TEXT NOT NULL REFERENCES patients (id),
  purposes BIGINT,                         -- bits; NULL: back to the clinic's defaults
  set_by TEXT NOT NULL,                    -- patient | staff
  actor TEXT NOT NULL,                     -- who, by name
  basis TEXT NOT NULL,
  set_at BIGINT NOT NULL
);
CREATE INDEX purpose_choices_by_patient ON purpose_choices (patient, set_at);

CREATE TABLE documents (
  entry_uuid TEXT NOT NULL PRIMARY KEY,    -- urn:uuid:…
  clinic TEXT NOT NULL REFERENCES clinics (id),
  patient TEXT NOT NULL REFERENCES patients (id),
  unique_id TEXT NOT NULL,
  status TEXT NOT NULL,                    -- Approved | Deprecated
  content TEXT NOT NULL,                   -- SHA-256 hex, contents.hash
  metadata TEXT NOT NULL,                  -- JSON of a DocumentEntry, as gateway/documents writes it
  creation_time TEXT NOT NULL,
  entered_at BIGINT NOT NULL,
  UNIQUE (clinic, unique_id)
);
CREATE INDEX documents_by_patient ON documents (patient, creation_time);

CREATE TABLE contents (
  hash TEXT NOT NULL PRIMARY KEY,          -- SHA-256 hex of the bytes
  size BIGINT NOT NULL
);
CREATE TABLE content_pieces (
  hash TEXT NOT NULL REFERENCES contents (hash),
  piece BIGINT NOT NULL,                   -- 0…, read one after the other
  bytes {blob} NOT NULL,
  PRIMARY KEY (hash, piece)
);

-- The directory: organizations, how their implementer is known, and dated exceptions.
CREATE TABLE organizations (
  home TEXT NOT NULL PRIMARY KEY,          -- OID, dotted
  name TEXT NOT NULL,
  active BIGINT NOT NULL,
  implementer TEXT NOT NULL,               -- home of the managing implementer
  entry TEXT NOT NULL,                     -- JSON: type, partOf, delegates, endpoints
  version BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE partner_certificates (
  implementer TEXT NOT NULL,
  kind TEXT NOT NULL,                      -- certificate (exact DER) | key (SPKI SHA-256) | subject (RFC 2253)
  value TEXT NOT NULL,                     -- hex SHA-256, or the subject
  pem TEXT NOT NULL,                       -- the certificate for kind certificate, else empty
  added_at BIGINT NOT NULL,
  PRIMARY KEY (kind, value)
);
CREATE TABLE partner_settings (
  implementer TEXT NOT NULL,
  setting TEXT NOT NULL,                   -- sha1, bearer, response-signature, …
  value TEXT NOT NULL,
  until BIGINT,                            -- an exception ends by itself
  reason TEXT NOT NULL,
  set_at BIGINT NOT NULL,
  PRIMARY KEY (implementer, setting)
);
-- One row: counts every change of the three tables above, so that every node sees it at its next request.
CREATE TABLE directory_version (one BIGINT NOT NULL PRIMARY KEY, version BIGINT NOT NULL);
INSERT INTO directory_version (one, version) VALUES (1, 1);

-- Replay memory (threats §5). Both kinds live until window_end.
CREATE TABLE replay_proofs (
  proof TEXT NOT NULL PRIMARY KEY,         -- SHA-256 hex
  organization TEXT NOT NULL,              -- implementer by the TLS certificate
  first_used BIGINT NOT NULL,
  window_end BIGINT NOT NULL,
  bodies BIGINT NOT NULL                   -- distinct requests under this proof
) {keyed};
CREATE TABLE replay_requests (
  request TEXT NOT NULL PRIMARY KEY,       -- SHA-256 hex
  proof TEXT NOT NULL,
  times BIGINT NOT NULL,
  window_end BIGINT NOT NULL,
  first_event TEXT NOT NULL                -- request id of the first answer: "repeat of …"
) {keyed};
CREATE INDEX replay_proofs_by_end ON replay_proofs (window_end);
CREATE INDEX replay_requests_by_end ON replay_requests (window_end);
-- One row: the highest window_end ever pruned; anything ending before it is refused (clock set back).
CREATE TABLE replay_pruned (one BIGINT NOT NULL PRIMARY KEY, window_end BIGINT NOT NULL);
INSERT INTO replay_pruned (one, window_end) VALUES (1, 0);

-- The audit chain, one per node, gapless. The chain row holds a commitment; the payload may be deleted by retention.
CREATE TABLE audit_chain (
  node TEXT NOT NULL,
  seq BIGINT NOT NULL,                     -- 1…
  commitment TEXT NOT NULL,                -- hex SHA-256(salt ‖ payload)
  hash TEXT NOT NULL,                      -- hex, see gateway/audit/chain.hpp
  PRIMARY KEY (node, seq)
) {keyed};
CREATE TABLE audit_payloads (
  node TEXT NOT NULL,
  seq BIGINT NOT NULL,
  kind TEXT NOT NULL,                      -- event | decision
  request TEXT NOT NULL,                   -- request id, joins event and decision
  at BIGINT NOT NULL,
  clinic TEXT NOT NULL,                    -- empty where none
  patient TEXT NOT NULL,                   -- our patient id, empty where none or several
  implementer TEXT NOT NULL,
  outcome TEXT NOT NULL,
  reason TEXT NOT NULL,
  salt TEXT NOT NULL,                      -- hex, 16 octets
  payload TEXT NOT NULL,                   -- canonical JSON
  PRIMARY KEY (node, seq)
);
CREATE INDEX audit_payloads_by_time ON audit_payloads (at);
CREATE INDEX audit_payloads_by_request ON audit_payloads (request);
CREATE INDEX audit_payloads_by_patient ON audit_payloads (patient, at);
-- One per commit: a signature of the node's audit key over the head and the Merkle root of the commit's decisions.
CREATE TABLE audit_checkpoints (
  node TEXT NOT NULL,
  seq BIGINT NOT NULL,                     -- last seq of the commit
  head TEXT NOT NULL,                      -- hash of that row
  root TEXT NOT NULL,                      -- Merkle root over the commit's rows
  rows BIGINT NOT NULL,                    -- rows in the commit
  at BIGINT NOT NULL,
  signature TEXT NOT NULL,                 -- base64
  PRIMARY KEY (node, seq)
) {keyed};
CREATE TABLE audit_nodes (
  node TEXT NOT NULL PRIMARY KEY,
  public_key TEXT NOT NULL                 -- base64 SPKI of the node's audit key
);
