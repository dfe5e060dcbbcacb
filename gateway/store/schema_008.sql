-- Consents, rules of clinics, labels of documents, broken glasses, consents to HIE sends.

-- JSON as gateway/patients/rules.cpp writes it; empty: what ships. Part of the settings that clinics.version counts.
ALTER TABLE clinics ADD COLUMN rules TEXT NOT NULL DEFAULT '';
ALTER TABLE clinics ADD COLUMN consents BIGINT NOT NULL DEFAULT 0;  -- consents.number: the last one given

-- Rows of consents of this record and of all that were merged into it: 0 means that there is nothing to read.
ALTER TABLE patients ADD COLUMN consents BIGINT NOT NULL DEFAULT 0;

-- What patients agreed to or forbade: append-only, one row a version. The last version of an id counts.
CREATE TABLE consents (
  id TEXT NOT NULL,
  version BIGINT NOT NULL,                 -- 1…
  clinic TEXT NOT NULL REFERENCES clinics (id),
  patient TEXT NOT NULL REFERENCES patients (id),
  number BIGINT NOT NULL,                  -- save order within the clinic, of this version
  status TEXT NOT NULL,                    -- active | revoked | proposed | entered-in-error
  provision TEXT NOT NULL,                 -- JSON of a FHIR R4 Consent.provision, as gateway/resources/provision writes it
  set_by TEXT NOT NULL,                    -- patient | staff
  actor TEXT NOT NULL,                     -- who, by name
  basis TEXT NOT NULL,
  given_at BIGINT NOT NULL,                -- Consent.dateTime
  set_at BIGINT NOT NULL,
  source TEXT NOT NULL,                    -- identifier of the resource it came from; empty where it was made here
  PRIMARY KEY (id, version)
);
CREATE INDEX consents_by_patient ON consents (patient, number);
CREATE UNIQUE INDEX consents_by_number ON consents (clinic, number);
CREATE INDEX consents_by_source ON consents (clinic, source);

-- A choice that came in a file: when it was made, and by which identifier it is known where it comes from.
ALTER TABLE purpose_choices ADD COLUMN given_at BIGINT;                  -- NULL: when it was set
ALTER TABLE purpose_choices ADD COLUMN source TEXT NOT NULL DEFAULT '';  -- empty where it was made here
CREATE INDEX purpose_choices_by_source ON purpose_choices (clinic, source);

-- Codes that mark a document as sensitive by what stands in it (sections, entries, types): kept as found, so that a
-- clinic's own table acts on documents that are held already.
ALTER TABLE documents ADD COLUMN codes TEXT NOT NULL DEFAULT '';   -- `system|code` a line
ALTER TABLE documents ADD COLUMN labels TEXT NOT NULL DEFAULT '';  -- `system|code` a line: of header, entries, authors,
                                                                   -- metadata and what staff set; after a minus what
                                                                   -- staff took away; `?` where not all was read
-- Whom a document's own header names as its parents, held or not: labels are handed down whichever comes first. Many a
-- row, and read from either end.
CREATE TABLE document_parents (
  clinic TEXT NOT NULL REFERENCES clinics (id),
  parent TEXT NOT NULL,                    -- documents.unique_id
  child TEXT NOT NULL,                     -- documents.entry_uuid
  PRIMARY KEY (clinic, parent, child)
);
CREATE INDEX document_parents_by_child ON document_parents (child);
-- Every change of a document's labels by staff, append-only.
CREATE TABLE document_labels (
  id TEXT NOT NULL PRIMARY KEY,
  clinic TEXT NOT NULL REFERENCES clinics (id),
  document TEXT NOT NULL,                  -- documents.entry_uuid
  labels TEXT NOT NULL,                    -- as documents.labels, from then on
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  set_at BIGINT NOT NULL
);
CREATE INDEX document_labels_by_document ON document_labels (document, set_at);
-- One row: the rules all documents are labelled by (label_rules); `db migrate` labels them anew where it differs.
CREATE TABLE document_label_rules (one BIGINT NOT NULL PRIMARY KEY, version BIGINT NOT NULL);
INSERT INTO document_label_rules (one, version) VALUES (1, 0);

-- Emergencies in which our own people look at what is gated; each is reviewed by another.
CREATE TABLE break_glass (
  id TEXT NOT NULL PRIMARY KEY,
  clinic TEXT NOT NULL REFERENCES clinics (id),
  patient TEXT NOT NULL REFERENCES patients (id),
  user_name TEXT NOT NULL,
  role TEXT NOT NULL,
  reason TEXT NOT NULL,
  from_at BIGINT NOT NULL,
  to_at BIGINT NOT NULL,
  reviewed_by TEXT NOT NULL DEFAULT '',    -- empty: waits for review
  reviewed_at BIGINT NOT NULL DEFAULT 0,
  finding TEXT NOT NULL DEFAULT ''
);
CREATE INDEX break_glass_by_patient ON break_glass (patient, to_at);
CREATE INDEX break_glass_by_review ON break_glass (clinic, reviewed_at, from_at);

-- JSON as gateway/patients/hie_settings.cpp writes it; empty: nothing was ever set. Part of the settings that
-- clinics.version counts.
ALTER TABLE clinics ADD COLUMN hie TEXT NOT NULL DEFAULT '';
-- The last hie_consents.number given. Whoever saves one holds it until the commit.
ALTER TABLE clinics ADD COLUMN hie_number BIGINT NOT NULL DEFAULT 0;

-- Consents to be sent to an HIE: append-only; a revocation is a row too. Only the latest of a person and HIE counts.
CREATE TABLE hie_consents (
  id TEXT NOT NULL PRIMARY KEY,
  clinic TEXT NOT NULL REFERENCES clinics (id),
  patient TEXT NOT NULL REFERENCES patients (id),
  hie TEXT NOT NULL,                       -- the Direct address it is about
  number BIGINT NOT NULL,                  -- save order within the clinic
  kind TEXT NOT NULL,                      -- given | revoked
  given_on BIGINT NOT NULL,
  expires_on BIGINT,                       -- NULL: it does not expire
  basis TEXT NOT NULL,                     -- patient | staff | default
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  text_version BIGINT NOT NULL,            -- of the explanation the patient saw; 0 for none
  saved_at BIGINT NOT NULL
);
CREATE INDEX hie_consents_by_patient ON hie_consents (patient, hie, number);
CREATE UNIQUE INDEX hie_consents_by_number ON hie_consents (clinic, number);

-- One row a node: the latest instant it decided anything at. Decisions do not go back in time. [threats C06]
CREATE TABLE decision_clock (node TEXT NOT NULL PRIMARY KEY, seen BIGINT NOT NULL);
