SELECT code FROM coupon WHERE code = 'C' || (:set * 1000 + 8);
INSERT INTO coupon (code, owner, state)
VALUES ('C' || (:set * 1000 + 8), :set * 1000 + 8, 'FREE'),
       ('C' || (:set * 1000 + 9), :set * 1000 + 7, 'FREE'),
       ('C' || (:set * 1000 + 10), :set * 1000 + 7, 'FREE'),
       ('C' || (:set * 1000 + 11), :set * 1000 + 7, 'FREE'),
       ('C' || (:set * 1000 + 12), :set * 1000 + 7, 'FREE'),
       ('C' || (:set * 1000 + 13), :set * 1000 + 7, 'FREE');
