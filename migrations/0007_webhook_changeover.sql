-- 0007 webhook changeover. Needs ALTER; adds two columns that may be NULL at the end of a small table, at once. Coordinators of the
-- release before go on beside it: they neither read nor write them, and what they send is signed by the new secret alone.

-- The secret before, which signs as well until then (epoch ms), so that a receiver can change over.
ALTER TABLE `webhooks` ADD `secret_before` varchar(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
--> statement-breakpoint
ALTER TABLE `webhooks` ADD `secret_before_until` bigint;
