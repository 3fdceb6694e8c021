-- 0008 several coordinators. Needs CREATE; adds two small tables, at once. Coordinators of the release before go on beside it: they
-- write neither, are not taken for dead, and take away what another one's servers.json lists, as before.

-- What the servers.json of each coordinator lists, so that none takes away another one's hosts.
CREATE TABLE IF NOT EXISTS `file_entries` (
  `file` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `app` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  PRIMARY KEY(`file`,`host`,`app`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
--> statement-breakpoint
-- Who lives: a row grows while its coordinator does. Hosts of one that has fallen silent go to another one.
CREATE TABLE IF NOT EXISTS `coordinators` (
  `name` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `life` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `renewals` int NOT NULL,
  PRIMARY KEY(`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
