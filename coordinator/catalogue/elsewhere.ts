import type { Services } from '../kit/services.ts';
import type { HostRow } from '../store/tables.ts';

/**
 * Whether the host's sessions are another coordinator's: a host belongs to the one that it connected to last, by name.
 * Nobody else changes them.
 */
export const isElsewhere = (
  { store }: Pick<Services, 'store'>,
  host: Pick<HostRow, 'held_by'> | undefined,
): boolean => {
  const held_by = host?.held_by ?? null;
  return held_by !== null && held_by !== store.configuration().coordinator_name;
};
