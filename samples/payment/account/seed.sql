INSERT OR IGNORE INTO account (user, opening, balance, frozen)
VALUES (:set * 1000 + 7, 20000, 20000, 0),
       (:set * 1000 + 8, 1200, 1200, 0);
