-- What an audit repository is still to be told (gateway/audit/spool.hpp). A row is written in the transaction of the
-- chain entry it names, and deleted when its message was handed over.
CREATE TABLE audit_outbox (
  node TEXT NOT NULL,
  seq BIGINT NOT NULL,                     -- of the chain entry
  part BIGINT NOT NULL,                    -- 0 the event at seq, 1 the checkpoint at seq
  clinic TEXT NOT NULL,                    -- empty where none
  query TEXT NOT NULL,                     -- as asked, XML; empty where there is none or it was too long
  PRIMARY KEY (node, seq, part)
);
-- One row a node: who sends its messages now. One holder at a time keeps their order.
CREATE TABLE audit_lanes (
  node TEXT NOT NULL PRIMARY KEY,
  holder TEXT NOT NULL,                    -- node whose process has the lease
  lease_end BIGINT NOT NULL,
  fence BIGINT NOT NULL                    -- grows with every change of holder
);
