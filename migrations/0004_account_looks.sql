-- 0004 account looks. Needs CREATE. Locks nothing: the table is new. Can be applied again at any point. Coordinators of the release
-- before go on beside it; accounts that they add are not noted.

-- What names and e-mail addresses of accounts look like, as SHA-256 without case and script, so that nobody passes for somebody else.
-- The coordinator fills it from `accounts` at its first start; emptied, it is filled again at the next one.
CREATE TABLE IF NOT EXISTS `account_looks` (
  `look` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `spelling` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `account_id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  PRIMARY KEY(`look`),
  INDEX `account_looks_account` (`account_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
