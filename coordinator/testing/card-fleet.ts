import { fitsOn, type Load } from '../../shared/capacity.ts';
import { isRefusal } from '../../shared/errors.ts';
import {
  AGENT_LINK_VERSION,
  type AppNeeds,
  type HostCard,
  type toAgent,
} from '../../shared/protocol/agent-link.ts';
import type { MessageOf } from '../../shared/protocol/message.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { fakeIds } from '../../shared/testing/ids.ts';
import { greetHost, hostReports } from '../fleet/fleet.ts';
import type { Fleet } from '../fleet/lives.ts';
import { openWorld } from '../open.ts';
import type { Link } from '../sessions/live.ts';
import type { Database } from '../store/database.ts';
import { memoryBus } from './bus.ts';
import { memoryDatabase } from './database.ts';
import { recordedLog } from './log.ts';
import { entry, keyOf, memoryStore } from './store.ts';

type Order = MessageOf<typeof toAgent>;

/** What the host "a" says of itself: Villa needs a whole card where Loft needs a part of one. */
export const cards: HostCard[] = [
  { index: 0, seats: 3, vram_mb: 12_000, encoders: null },
  { index: 1, seats: 2, vram_mb: 24_000, encoders: 2 },
];
const needs: AppNeeds[] = [
  { rc_name: 'Loft', vram_mb: 4_000, encoders: 1 },
  { rc_name: 'Villa', vram_mb: 9_000, encoders: 2 },
];

/** The agent of a host, which writes down when it is told to start what does not fit. */
export interface CardAgent {
  readonly name: string;
  readonly orders: Order[];
  /** Sessions that run, with what they take. */
  readonly running: Map<string, Load>;
  /** Sessions that it was told to stop and that still run. */
  readonly stopping: Set<string>;
  readonly faults: string[];
  hello(changes?: object): Promise<void>;
  ready(session_id: string): void;
  /** Says that one of those that it was told to stop is gone. */
  stopped(session_id: string): void;
}

const cardAgent = (
  world: Fleet,
  name: string,
  said: { cards?: HostCard[]; seats: number; apps: string[] },
): CardAgent => {
  const orders: Order[] = [];
  const running = new Map<string, Load>();
  const stopping = new Set<string>();
  const faults: string[] = [];
  const { cards: own = [{ index: 0, seats: said.seats, vram_mb: null, encoders: null }] } = said;
  const create = ({ session_id, rc_name, card: index = 0 }: Extract<Order, { verb: 'CREATE_SESSION' }>) => {
    const card = own.find((one) => one.index === index);
    const { vram_mb, encoders } = needs.find((one) => one.rc_name === rc_name) ?? { vram_mb: 0, encoders: 0 };
    if (card === undefined || !fitsOn(card, [...running.values()], { vram_mb, encoders })) {
      faults.push(`${rc_name} does not fit on card ${index} of ${name}`);
    }
    running.set(session_id, { card: index, vram_mb, encoders });
  };
  const link: Link = {
    epoch: 1,
    resumes: true,
    answers: false,
    drains: false,
    send(order) {
      orders.push(order);
      if ('verb' in order && order.verb === 'CREATE_SESSION') create(order);
      if ('verb' in order && order.verb === 'END_SESSION') stopping.add(order.session_id);
    },
    openChannel: () => ({ data: () => {}, close: () => {} }),
    close: () => {},
  };
  return {
    ...{ name, orders, running, stopping, faults },
    async hello(changes = {}) {
      const refused = await greetHost(
        world,
        link,
        keyOf(name),
        {
          ...{ verb: 'HELLO', protocol: AGENT_LINK_VERSION, server_name: name, sessions: [], needs },
          ...said,
          ...changes,
        },
        () => {},
        () => false,
      );
      if (isRefusal(refused)) throw new Error(refused.refused);
    },
    ready: (session_id) =>
      hostReports(world, name, link, { session_id, generation: 1 }, { type: 'progressed', phase: 'ready' }),
    stopped(session_id) {
      running.delete(session_id);
      stopping.delete(session_id);
      const ended = { type: 'host_ended', reason: 'owner_ended' } as const;
      hostReports(world, name, link, { session_id, generation: 1 }, ended);
    },
  };
};

/** A world with the host "a", five seats on two cards, and "b", one plain seat; both have the apps Loft and Villa. */
export const cardFleet = async (db: Database = memoryDatabase()) => {
  const clock = fakeClock(Date.UTC(2026, 10, 2, 9));
  const apps = ['Loft', 'Villa'];
  const entries = ['a', 'b'].flatMap((name) => apps.map((app) => entry(name, app, { max_minutes: 120 })));
  const store = memoryStore(entries);
  const recorded = recordedLog();
  const world = await openWorld({
    db,
    store,
    files: store,
    clock,
    bus: memoryBus(clock),
    ids: fakeIds(),
    log: recorded.log,
  });
  const a = cardAgent(world, 'a', { seats: 5, apps, cards });
  const b = cardAgent(world, 'b', { seats: 1, apps });
  for (const agent of [a, b]) await agent.hello();
  return { world, clock, db, recorded, a, b };
};
