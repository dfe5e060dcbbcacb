-- From here on a piece of content may carry a seal of its own: which key, nonce, tag. Without one it is proved by the
-- hash of the whole.
ALTER TABLE content_pieces ADD COLUMN seal {blob};

-- A patient's documents in the order in which they are read: nothing is sorted.
DROP INDEX documents_by_patient;
CREATE INDEX documents_by_patient ON documents (patient, creation_time DESC, entry_uuid);
