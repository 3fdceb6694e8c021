import type { Services } from './services.ts';

/** A coordinator says so often that it lives. */
const renew_ms = 5_000;
/** Who has not said so for so long is dead. */
const dead_ms = 15_000;

/** This coordinator's word that it lives, and what it hears of the others that share the database. */
export interface Lease {
  /** Renews it when that is due, and looks at the others. Rejects with Unavailable. */
  renew(): Promise<void>;
  /** Others that have fallen silent, each with its last word: only by a new one is it known to live again. */
  dead(): ReadonlyMap<string, string>;
}

interface Heard {
  readonly word: string;
  /** Monotonic ms: nobody's clock has to be right. */
  readonly at: number;
}

/**
 * A coordinator that another release runs says nothing, and is not taken for dead: only who has spoken once can fall silent.
 * Two processes that go by one name are told so in the log.
 */
export const createLease = ({ db, store, clock, ids, log }: Services): Lease => {
  const life = ids.id();
  const heard = new Map<string, Heard>();
  let due = Number.NEGATIVE_INFINITY;
  let renewals = 0;

  const say = (name: string): Promise<void> =>
    db.transact(async ({ coordinators }) => {
      const row = await coordinators.lock({ name });
      if (row === undefined) await coordinators.insert({ name, life, renewals: 1 });
      else await coordinators.update({ name }, { life, renewals: row.renewals + 1 });
      if (renewals > 0 && row !== undefined && row.life !== life)
        log.error({ name }, 'another coordinator has the same coordinator_name: give each its own');
    });

  return {
    async renew() {
      if (!db.shared) return;
      const now = clock.monotonic();
      if (now < due) return;
      const name = store.configuration().coordinator_name;
      await say(name);
      renewals += 1;
      due = now + renew_ms;
      const rows = await db.read(({ coordinators }) => coordinators.find({}));
      for (const row of rows) {
        const word = `${row.life} ${row.renewals}`;
        if (row.name !== name && heard.get(row.name)?.word !== word) heard.set(row.name, { word, at: now });
      }
    },
    dead() {
      const before = clock.monotonic() - dead_ms;
      return new Map(
        [...heard].flatMap(([name, { word, at }]): [string, string][] =>
          at <= before ? [[name, word]] : [],
        ),
      );
    },
  };
};
