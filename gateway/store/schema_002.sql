-- Submission sets, folders and the associations between registry objects. [ITI TF-3 §4.2]
-- From here on documents.content is empty where the entry's bytes are not held: On-Demand entries, metadata alone.

CREATE TABLE submission_sets (
  clinic TEXT NOT NULL REFERENCES clinics (id),
  entry_uuid TEXT NOT NULL,                -- urn:uuid:…
  patient TEXT NOT NULL REFERENCES patients (id),
  unique_id TEXT NOT NULL,
  status TEXT NOT NULL,                    -- Approved | Deprecated
  metadata TEXT NOT NULL,                  -- JSON of a SubmissionSet; empty: made here for one imported document, and
                                           -- says what that document's entry says
  entered_at BIGINT NOT NULL,
  PRIMARY KEY (clinic, entry_uuid),
  UNIQUE (clinic, unique_id)
);
CREATE INDEX submission_sets_by_patient ON submission_sets (patient, entered_at);

CREATE TABLE folders (
  clinic TEXT NOT NULL REFERENCES clinics (id),
  entry_uuid TEXT NOT NULL,
  patient TEXT NOT NULL REFERENCES patients (id),
  unique_id TEXT NOT NULL,
  status TEXT NOT NULL,
  metadata TEXT NOT NULL,                  -- JSON of a Folder
  updated_at BIGINT NOT NULL,              -- lastUpdateTime: when an entry was last put into it
  entered_at BIGINT NOT NULL,
  PRIMARY KEY (clinic, entry_uuid),
  UNIQUE (clinic, unique_id)
);
CREATE INDEX folders_by_patient ON folders (patient, entered_at);

CREATE TABLE associations (
  clinic TEXT NOT NULL REFERENCES clinics (id),
  entry_uuid TEXT NOT NULL,
  patient TEXT NOT NULL REFERENCES patients (id),
  type TEXT NOT NULL,                      -- urn:…:AssociationType:…
  source TEXT NOT NULL,                    -- entry UUID of an entry, set, folder or association
  target TEXT NOT NULL,
  set_status TEXT NOT NULL,                -- Original | Reference | empty
  entered_at BIGINT NOT NULL,
  PRIMARY KEY (clinic, entry_uuid)
);
CREATE INDEX associations_by_patient ON associations (patient, entered_at);
CREATE INDEX associations_by_target ON associations (clinic, target);

-- Documents imported before this step get what every later one gets: a submission set of their own. Its UUID is the
-- document's as version 8 (RFC 9562 §5.8), with another variant digit for the association; its unique id is numbered
-- under the clinic's repository.
INSERT INTO submission_sets (clinic, entry_uuid, patient, unique_id, status, metadata, entered_at)
  SELECT d.clinic, substr(d.entry_uuid, 1, 23) || '8' || substr(d.entry_uuid, 25, 4) || '8' || substr(d.entry_uuid, 30),
         d.patient,
         c.repository_id || '.0.' || ROW_NUMBER() OVER (PARTITION BY d.clinic ORDER BY d.entered_at, d.entry_uuid),
         'Approved', '', d.entered_at
    FROM documents d JOIN clinics c ON c.id = d.clinic;
INSERT INTO associations (clinic, entry_uuid, patient, type, source, target, set_status, entered_at)
  SELECT d.clinic, substr(d.entry_uuid, 1, 23) || '8' || substr(d.entry_uuid, 25, 4) || '9' || substr(d.entry_uuid, 30),
         d.patient, 'urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember',
         substr(d.entry_uuid, 1, 23) || '8' || substr(d.entry_uuid, 25, 4) || '8' || substr(d.entry_uuid, 30),
         d.entry_uuid, 'Original', d.entered_at
    FROM documents d;
