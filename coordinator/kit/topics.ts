import type { Cancel } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import type { Heard } from './bus.ts';

/** Who listens in this process, by topic. */
export interface Topics {
  listen(topic: string, heard: Heard): Cancel;
  told(topic: string): void;
  /** Anything may have been told: everybody looks. */
  missed(): void;
}

export const createTopics = (log: Log): Topics => {
  const listeners = new Map<string, Set<Heard>>();
  const call = (topic: string, heard: Heard, missed: boolean) => {
    try {
      heard(missed);
    } catch (error) {
      log.error({ error, topic }, 'a listener of the bus failed');
    }
  };
  return {
    listen(topic, heard) {
      const set = listeners.get(topic) ?? new Set();
      // One listener may listen twice, and ends each time for itself.
      const own: Heard = (missed) => heard(missed);
      listeners.set(topic, set.add(own));
      return () => {
        set.delete(own);
        if (set.size === 0 && listeners.get(topic) === set) listeners.delete(topic);
      };
    },
    told(topic) {
      for (const heard of [...(listeners.get(topic) ?? [])]) call(topic, heard, false);
    },
    missed() {
      for (const [topic, set] of [...listeners]) for (const heard of [...set]) call(topic, heard, true);
    },
  };
};
