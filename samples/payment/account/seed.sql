SELECT owner FROM account WHERE owner = :set * 1000 + 7;
INSERT INTO account (owner, opening, balance, frozen)
VALUES (:set * 1000 + 7, 20000, 20000, 0),
       (:set * 1000 + 8, 1200, 1200, 0);
