-- By what patients who were deleted were known: who is entered again is not new, and gets no HIE consent by default.
CREATE TABLE former_patients (
  clinic TEXT NOT NULL REFERENCES clinics (id),
  number TEXT NOT NULL,                    -- CX of the mrn, and of every other identifier but an SSN
  PRIMARY KEY (clinic, number)
) {keyed};
