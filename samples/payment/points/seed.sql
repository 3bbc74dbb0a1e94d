SELECT owner FROM points WHERE owner = :set * 1000 + 8;
-- User 8 is an old customer; user 7 has no row yet and gets one with the first payment.
INSERT INTO points (owner, available, pending) VALUES (:set * 1000 + 8, 0, 0);
