import { availableParallelism } from 'node:os';
import { type Refusal, refuse } from '../../shared/errors.ts';

/** Makes and checks password hashes, a bounded number at once: each takes tens of MiB and a core for a while. */
export interface Passwords {
  /** A hash to be stored; too_busy. */
  hash(password: string): Promise<string | Refusal>;
  /** Whether the hash is of this password; too_busy. For `undefined`, an unknown account, it is false as late. */
  verify(password: string, hash: string | undefined): Promise<boolean | Refusal>;
}

export interface PasswordOptions {
  /** KiB for one hash. */
  readonly memory_kib?: number;
  /** Passes over that memory. */
  readonly passes?: number;
  /** Hashes worked on at once. */
  readonly running?: number;
  /** Requests that wait for their turn; a further one is refused. */
  readonly waiting?: number;
}

/** No password has this hash; checking it takes as long as checking a real one. */
const dummyHash = (memory_kib: number, passes: number): string =>
  `$argon2id$v=19$m=${memory_kib},t=${passes},p=1$${'A'.repeat(43)}$${'A'.repeat(43)}`;

/** Runs at most `running` jobs at once; a job beyond `waiting` is refused. */
const createTurns = (running: number, waiting: number) => {
  const queue: (() => void)[] = [];
  let busy = 0;
  return async <T>(job: () => Promise<T>): Promise<T | Refusal> => {
    if (busy < running) busy += 1;
    else if (queue.length >= waiting) return refuse('too_busy');
    else {
      const { promise, resolve } = Promise.withResolvers<void>();
      queue.push(resolve);
      await promise;
    }
    try {
      return await job();
    } finally {
      // The turn goes straight to who waits longest; nobody who has just come can take it.
      const next = queue.shift();
      if (next === undefined) busy -= 1;
      else next();
    }
  };
};

/** As many as leave a core to everybody else: on two cores two hashes at once make every request wait. */
const running_usually = Math.max(1, Math.min(2, availableParallelism() - 1));

/** argon2id at 64 MiB and 2 passes, 1 or 2 at once and 20 waiting, unless told otherwise. */
export const createPasswords = (options: PasswordOptions = {}): Passwords => {
  const { memory_kib = 65_536, passes = 2, running = running_usually, waiting = 20 } = options;
  const dummy = dummyHash(memory_kib, passes);
  const turn = createTurns(running, waiting);
  // Keyboards differ in how they compose a letter.
  const same = (password: string): string => password.normalize('NFC');
  return {
    hash: (password) =>
      turn(() =>
        Bun.password.hash(same(password), {
          algorithm: 'argon2id',
          memoryCost: memory_kib,
          timeCost: passes,
        }),
      ),
    verify: (password, hash) => turn(() => Bun.password.verify(same(password), hash ?? dummy, 'argon2id')),
  };
};
