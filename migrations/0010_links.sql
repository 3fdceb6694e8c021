-- 0010 links. Needs CREATE; adds a small table, at once. Coordinators of the release before go on beside it: nobody else starts sessions
-- on their hosts, nor they on those of others.

-- Which coordinator has the link of a host, and what can be started over it.
CREATE TABLE IF NOT EXISTS `links` (
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `coordinator` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `apps` mediumtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  PRIMARY KEY(`host`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
