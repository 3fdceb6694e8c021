-- 0005 host drains. Needs ALTER; adds a column that may be NULL at the end of a small table, at once. Coordinators of the release before go
-- on beside it: they neither read nor write it, and what they drain counts as an operator's word.

-- Since when the host drains by the word of its own agent (`session-agent drain`), which that may take back; epoch ms.
ALTER TABLE `hosts` ADD `drained_by_host_at` bigint;
