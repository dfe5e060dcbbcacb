-- Matching at a million patients, merges. What is large holds numbers in place of 128-bit ids: a key is 18 octets.

-- Numbers are given once and never used again.
ALTER TABLE clinics ADD COLUMN number BIGINT;
UPDATE clinics SET number = n.number
  FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY id) AS number FROM clinics) n WHERE n.id = clinics.id;
CREATE UNIQUE INDEX clinics_by_number ON clinics (number);

ALTER TABLE patients ADD COLUMN number BIGINT;
UPDATE patients SET number = n.number
  FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY entered_at, id) AS number FROM patients) n WHERE n.id = patients.id;
CREATE UNIQUE INDEX patients_by_number ON patients (number);

-- One row: the last number given. Whoever enters patients holds it until the commit.
CREATE TABLE patient_numbers (one BIGINT NOT NULL PRIMARY KEY, last BIGINT NOT NULL);
INSERT INTO patient_numbers (one, last) SELECT 1, COALESCE(MAX(number), 0) FROM patients;

-- What candidates are found by: gateway/patients/keys.hpp. No reference to patients, which would need an index of the
-- same size: rows are written and removed with their patient by gateway/patients/records.cpp alone.
DROP TABLE patient_keys;
CREATE TABLE patient_keys (
  clinic BIGINT NOT NULL REFERENCES clinics (number),
  key BIGINT NOT NULL,                     -- number_of(Key)
  patient BIGINT NOT NULL,                 -- patients.number
  PRIMARY KEY (clinic, key, patient)
) {keyed};
-- One row: the rules all keys were made by (key_rules); `db migrate` makes them anew where it differs.
CREATE TABLE patient_key_rules (one BIGINT NOT NULL PRIMARY KEY, version BIGINT NOT NULL);
INSERT INTO patient_key_rules (one, version) VALUES (1, 0);

-- What staff search by: words of names, birth date, identifiers.
DROP TABLE patient_ids;
CREATE TABLE patient_words (
  clinic BIGINT NOT NULL REFERENCES clinics (number),
  word TEXT {by_octets} NOT NULL,
  patient BIGINT NOT NULL,
  PRIMARY KEY (clinic, word, patient)
) {keyed};

-- Merges: a retired record stays as it is and points to its survivor.
ALTER TABLE patients ADD COLUMN merged_into TEXT;  -- patients.id of the record it was merged into; NULL: it is none
ALTER TABLE patients ADD COLUMN survivor TEXT;     -- the last of that chain, for one step; NULL as merged_into
CREATE INDEX patients_by_survivor ON patients (survivor);
CREATE INDEX patients_by_merged_into ON patients (merged_into);
-- What is filed is filed under the survivor; origin is the record it came from, NULL where it is the same.
ALTER TABLE documents ADD COLUMN origin TEXT;
ALTER TABLE submission_sets ADD COLUMN origin TEXT;
ALTER TABLE folders ADD COLUMN origin TEXT;
ALTER TABLE associations ADD COLUMN origin TEXT;
CREATE INDEX documents_by_origin ON documents (origin);

-- Every merge and unmerge, append-only.
CREATE TABLE patient_merges (
  id TEXT NOT NULL PRIMARY KEY,
  clinic TEXT NOT NULL REFERENCES clinics (id),
  kind TEXT NOT NULL,                      -- merge | unmerge
  survivor TEXT NOT NULL,                  -- patients.id
  retired TEXT NOT NULL,                   -- patients.id
  survivor_choice TEXT,                    -- patients.choice of the survivor before, purpose_choices.id
  retired_choice TEXT,                     -- that of the retired record
  choice TEXT,                             -- of the survivor after
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  done_at BIGINT NOT NULL
);
CREATE INDEX patient_merges_by_retired ON patient_merges (retired, done_at);
CREATE INDEX patient_merges_by_survivor ON patient_merges (survivor, done_at);
