import type { Clock } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import type { Bus } from './bus.ts';
import { createPipes } from './pipes.ts';
import { createPresence } from './presence.ts';
import { createTaker } from './taker.ts';
import { createTopics } from './topics.ts';

/** The bus of a process that is alone. */
export const createMemoryBus = ({ clock, log }: { clock: Clock; log: Log }): Bus => {
  const id = 'alone';
  const topics = createTopics(log);
  const presence = createPresence(clock);
  const taker = createTaker(clock);
  const pipes = createPipes({
    id,
    clock,
    log,
    async post(process, mail) {
      if (process !== id) return 0;
      pipes.arrived(mail);
      return 1;
    },
  });
  return {
    id,
    tell: topics.told,
    listen: topics.listen,
    present: presence.put,
    absent: presence.remove,
    members: async (group) => presence.members(group),
    take: async (share, rate) => taker.take(share, rate),
    dial: pipes.dial,
    accept: pipes.accept,
    health: () => undefined,
    async stop() {
      pipes.stop();
    },
  };
};
