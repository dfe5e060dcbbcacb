-- From here on a piece of content may carry a seal of its own: which key, nonce, tag. Without one it is proved by the
-- hash of the whole.
ALTER TABLE content_pieces ADD COLUMN seal {blob};
