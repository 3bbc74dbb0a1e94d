SELECT id FROM orders WHERE id = :set * 1000 + 42;
INSERT INTO orders (id, owner, amount, state)
VALUES (:set * 1000 + 42, :set * 1000 + 7, 2500, 'WAITING'),
       (:set * 1000 + 43, :set * 1000 + 8, 2500, 'WAITING'),
       (:set * 1000 + 44, :set * 1000 + 7, 1800, 'WAITING'),
       (:set * 1000 + 45, :set * 1000 + 7, 3000, 'WAITING'),
       (:set * 1000 + 46, :set * 1000 + 7, 1200, 'WAITING'),
       (:set * 1000 + 47, :set * 1000 + 7, 2000, 'WAITING'),
       (:set * 1000 + 48, :set * 1000 + 7, 1500, 'WAITING');
