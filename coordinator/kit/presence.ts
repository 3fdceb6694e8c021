import type { Clock } from '../../shared/clock.ts';
import { bounds } from './limits.ts';

/** What is said of a member, and until when (monotonic ms). */
export interface Said {
  readonly group: string;
  readonly member: string;
  readonly said: string;
  readonly until: number;
}

/** Who is there through this process. */
export interface Presence {
  /** False when too many are there already. */
  put(group: string, member: string, ttl_ms: number, said: string): boolean;
  /** Whether it was there. */
  remove(group: string, member: string): boolean;
  members(group: string): Map<string, string>;
  all(): Said[];
}

export const keyOfMember = ({ group, member }: Pick<Said, 'group' | 'member'>): string =>
  JSON.stringify([group, member]);

export const createPresence = (clock: Pick<Clock, 'monotonic'>): Presence => {
  const said = new Map<string, Said>();
  const all = () => {
    const now = clock.monotonic();
    for (const [key, { until }] of said) if (until <= now) said.delete(key);
    return [...said.values()];
  };
  return {
    put(group, member, ttl_ms, text) {
      const key = keyOfMember({ group, member });
      if (!said.has(key) && said.size >= bounds.present && all().length >= bounds.present) return false;
      said.set(key, { group, member, said: text, until: clock.monotonic() + ttl_ms });
      return true;
    },
    remove: (group, member) => said.delete(keyOfMember({ group, member })),
    members: (wanted) =>
      new Map(all().flatMap(({ group, member, said }) => (group === wanted ? [[member, said]] : []))),
    all,
  };
};
