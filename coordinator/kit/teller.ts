import { bounds } from './limits.ts';
import { keyOfMember, type Said } from './presence.ts';

/** What is told to all at once. `missed`: who tells it was away, and cannot say what it did not tell. */
export interface Hint {
  readonly topics: readonly string[];
  readonly missed: boolean;
}

/** What goes out in the background, one message at a time: topics and members, each once however often it was said meanwhile. */
export interface Teller {
  topic(topic: string): void;
  missed(): void;
  member(said: Said): void;
  /** Forgets what waits. */
  clear(): void;
}

export interface TellerNeeds {
  hint(hint: Hint): Promise<unknown>;
  member(said: Said): Promise<unknown>;
  /** Something could not be told. */
  failed(error: unknown): void;
}

export const createTeller = (send: TellerNeeds): Teller => {
  const topics = new Set<string>();
  const members = new Map<string, Said>();
  let missed = false;
  let running = false;

  const sendSome = async () => {
    const said = [...members].slice(0, bounds.present_at_once);
    for (const [key] of said) members.delete(key);
    const hint = { topics: [...topics], missed };
    topics.clear();
    missed = false;
    if (hint.missed || hint.topics.length > 0) await send.hint(hint);
    await Promise.all(said.map(([, one]) => send.member(one)));
  };
  const run = async () => {
    try {
      // What is said in one turn goes together.
      await undefined;
      while (missed || topics.size > 0 || members.size > 0) await sendSome();
    } catch (error) {
      send.failed(error);
    } finally {
      running = false;
    }
  };
  const start = () => {
    if (running) return;
    running = true;
    void run();
  };
  return {
    topic(topic) {
      topics.add(topic);
      if (topics.size > bounds.topics_waiting) {
        topics.clear();
        missed = true;
      }
      start();
    },
    missed() {
      missed = true;
      start();
    },
    member(said) {
      members.set(keyOfMember(said), said);
      start();
    },
    clear() {
      topics.clear();
      members.clear();
      missed = false;
    },
  };
};
