import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import { silentLog } from '../../shared/log.ts';
import { AGENT_LINK_VERSION, type toAgent } from '../../shared/protocol/agent-link.ts';
import type { MessageOf } from '../../shared/protocol/message.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { fakeIds } from '../../shared/testing/ids.ts';
import { hostGone, hostHello, hostReports, tick } from '../fleet/fleet.ts';
import type { Fleet } from '../fleet/lives.ts';
import { bounds } from '../kit/limits.ts';
import { openWorld } from '../open.ts';
import { seatsTaken } from '../seats/rules-allocation.ts';
import { memoryBus } from '../testing/bus.ts';
import { memoryDatabase } from '../testing/database.ts';
import { entry, keyOf, memoryStore } from '../testing/store.ts';
import type { Link } from './live.ts';
import {
  endSession,
  issueTicket,
  joinSession,
  leaveSession,
  type Membership,
  memberOf,
  playerAnswered,
  playerGone,
  useTicket,
} from './members.ts';
import type { HostPhase } from './rules-lifecycle.ts';
import { isLive } from './rules-session.ts';
import { createSession } from './starts.ts';

setDefaultTimeout(30_000);

type Order = MessageOf<typeof toAgent>;
interface Running {
  generation: number;
  state: 'starting' | 'ready' | 'restarting';
}

/** Numbers that look random and are the same in every run (mulberry32). */
const seeded = (seed: number) => (below: number) => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % below;
};

/** A host that obeys orders in its own time, and sometimes forgets what it runs. */
class Machine {
  readonly running = new Map<string, Running>();
  readonly inbox: Order[] = [];
  link: Link | undefined;
  readonly world: Fleet;
  readonly name: string;
  readonly seats: number;
  #epoch = 0;

  constructor(world: Fleet, name: string, seats: number) {
    this.world = world;
    this.name = name;
    this.seats = seats;
  }

  dial() {
    this.#epoch += 1;
    this.inbox.length = 0;
    const link: Link = {
      epoch: this.#epoch,
      send: (order) => void this.inbox.push(order),
      resumes: true,
      answers: false,
      drains: false,
      openChannel: () => ({ data: () => {}, close: () => {} }),
      close: () => {},
    };
    const sessions = [...this.running].map(([session_id, one]) => ({ session_id, ...one }));
    const refused = hostHello(
      this.world,
      link,
      keyOf(this.name),
      {
        verb: 'HELLO',
        protocol: AGENT_LINK_VERSION,
        server_name: this.name,
        seats: this.seats,
        apps: ['Loft'],
        sessions,
      },
      (welcome) => {
        for (const { session_id, action } of welcome.sessions)
          if (action === 'stop') this.running.delete(session_id);
      },
    );
    if (refused !== undefined) throw new Error(refused.refused);
    this.link = link;
  }

  hangUp() {
    if (this.link !== undefined) hostGone(this.world, this.name, this.link);
    this.link = undefined;
  }

  obey() {
    const order = this.inbox.shift();
    if (order === undefined || !('verb' in order) || this.link === undefined || order.verb === 'WARM') return;
    const ref = { session_id: order.session_id, generation: order.generation };
    if (order.verb === 'END_SESSION') {
      this.running.delete(ref.session_id);
      hostReports(this.world, this.name, this.link, ref, { type: 'host_ended', reason: order.reason });
    } else if (order.verb === 'CREATE_SESSION') {
      if (this.running.size >= this.seats) {
        hostReports(this.world, this.name, this.link, ref, { type: 'host_ended', reason: 'host_refused' });
      } else this.running.set(ref.session_id, { generation: ref.generation, state: 'starting' });
    }
  }

  report(phase: HostPhase, at: number) {
    const [session_id, one] = [...this.running][at % Math.max(1, this.running.size)] ?? [];
    if (session_id === undefined || one === undefined || this.link === undefined) return;
    if (phase === 'ready' || phase === 'restarting') one.state = phase;
    hostReports(
      this.world,
      this.name,
      this.link,
      { session_id, generation: one.generation },
      { type: 'progressed', phase },
    );
  }
}

const setUp = async (seed: number) => {
  const clock = fakeClock();
  const below = seeded(seed);
  const ids = { ...fakeIds(), below };
  const store = memoryStore([entry('a', 'Loft'), entry('b', 'Loft')]);
  const world = await openWorld({
    db: memoryDatabase(),
    store,
    files: store,
    clock,
    bus: memoryBus(clock),
    ids,
    log: silentLog,
  });
  return { clock, below, world, machines: [new Machine(world, 'a', 2), new Machine(world, 'b', 3)] };
};

interface Member {
  session: string;
  token: string;
  open: number;
}

describe('openWorld() under random events', () => {
  for (const seed of [1, 2, 3, 4]) {
    test(`openWorld() keeps its promises, seed ${seed}`, async () => {
      const { clock, below, world, machines } = await setUp(seed);
      const members: Member[] = [];
      const freed = new Map<string, number>();
      const held = new Set<string>();
      const broken: string[] = [];

      const pick = <T>(list: readonly T[]): T | undefined => list[below(Math.max(1, list.length))];
      const membership = (member: Member | undefined): Membership | undefined => {
        const found = member === undefined ? undefined : memberOf(world, member.session, member.token);
        return found === undefined || isRefusal(found) ? undefined : found;
      };
      const enter = (answer: Awaited<ReturnType<typeof createSession>>) => {
        if (isRefusal(answer)) return;
        members.push({ session: answer.session.id, token: answer.participant_token, open: 0 });
      };
      const connect = (member: Member | undefined) => {
        const found = membership(member);
        if (member?.open === bounds.channels_per_participant) return;
        const issued = found === undefined ? undefined : issueTicket(world, found);
        if (member === undefined || issued === undefined || isRefusal(issued)) return;
        const uses = [1, 2].map(() => isRefusal(useTicket(world, member.session, issued.ticket)));
        if (uses[0] === true || uses[1] === false) broken.push(`ticket: refused ${uses.join()}`);
        member.open += 1;
        playerAnswered(world, member.session, found?.participant.id ?? '');
      };
      const disconnect = (member: Member | undefined) => {
        const found = membership(member);
        if (member === undefined || found === undefined || member.open === 0) return;
        member.open -= 1;
        playerGone(world, member.session, found.participant.id, { cut: false, streamed: true });
      };
      const actions: (() => void | Promise<void>)[] = [
        async () => enter(await createSession(world, { app: 'Loft' })),
        async () =>
          enter(
            await joinSession(
              world,
              { code: pick([...world.sessions.values()])?.code ?? '0000' },
              '192.0.2.1',
            ),
          ),
        () => connect(pick(members)),
        () => connect(pick(members)),
        () => disconnect(pick(members)),
        () => {
          const found = membership(pick(members));
          if (found !== undefined && below(4) === 0) leaveSession(world, found);
        },
        () => {
          const found = membership(pick(members));
          if (found !== undefined && below(6) === 0) endSession(world, found);
        },
        () => pick(machines)?.obey(),
        () => pick(machines)?.obey(),
        () =>
          pick(machines)?.report(
            pick(['launching', 'app_started', 'ready', 'ready', 'restarting'] as const) ?? 'ready',
            below(9),
          ),
        () => {
          const machine = pick(machines);
          if (machine?.link === undefined) machine?.dial();
          else if (below(5) === 0) machine.hangUp();
        },
        () => {
          const machine = pick(machines);
          if (below(10) === 0 && machine?.link === undefined) machine?.running.clear();
        },
        () => {
          const machine = pick(machines);
          // A crash that nobody noticed, or a second machine: the link of before is still open.
          if (below(10) > 0 || machine?.link === undefined) return;
          machine.running.clear();
          machine.dial();
        },
        () => {
          clock.advance(below(20_000));
          tick(world);
        },
      ];

      const check = () => {
        const sessions = [...world.sessions.values()];
        const taken = seatsTaken([], sessions, clock.now());
        for (const { name, seats } of machines) {
          if ((taken.get(name) ?? 0) > seats) broken.push(`${name} has more sessions than seats`);
        }
        if (new Set(sessions.map(({ code }) => code)).size < sessions.length) broken.push('a code twice');
        for (const session of sessions) {
          if (isLive(session) && !session.seat_held) broken.push('a live session without a seat');
          if (session.seat_held) held.add(session.id);
          else if (held.delete(session.id)) freed.set(session.id, (freed.get(session.id) ?? 0) + 1);
        }
      };
      for (let step = 0; step < 2_000; step++) {
        await pick(actions)?.();
        check();
      }

      // Left alone, everything ends: no seat stays taken, no session is remembered for ever.
      for (const machine of machines) {
        machine.hangUp();
        machine.running.clear();
        machine.dial();
      }
      clock.advance(bounds.host_doubt_ms);
      tick(world);
      for (const member of members) {
        const found = membership(member);
        if (found !== undefined) leaveSession(world, found);
      }
      for (const machine of machines) while (machine.inbox.length > 0) machine.obey();
      check();
      expect(broken).toEqual([]);
      expect([...held]).toEqual([]);
      expect([...freed.values()].every((times) => times === 1)).toBe(true);
      expect(freed.size).toBeGreaterThan(10);
      clock.advance(bounds.ended_kept_ms);
      tick(world);
      expect([world.sessions.size, world.players.size, world.sessions.watched().length]).toEqual([0, 0, 0]);
    });
  }
});

describe('hostReports()', () => {
  const ready = (world: Fleet, machine: Machine, link: Link | undefined, generation = 1) => {
    const [session_id = ''] = machine.running.keys();
    if (link !== undefined)
      hostReports(
        world,
        machine.name,
        link,
        { session_id, generation },
        { type: 'progressed', phase: 'ready' },
      );
    return world.sessions.get(session_id)?.phase;
  };

  test('hostReports() believes neither an old link, nor another host, nor another generation', async () => {
    const { world, machines } = await setUp(1);
    const [a, b] = machines;
    if (a === undefined || b === undefined) throw new Error('no machines');
    a.dial();
    const old = a.link;
    expect(isRefusal(await createSession(world, { app: 'Loft' }))).toBe(false);
    a.obey();
    a.dial();
    b.dial();
    expect(ready(world, a, old)).toBe('launching');
    expect(ready(world, a, a.link, 2)).toBe('launching');
    const [session_id = ''] = a.running.keys();
    if (b.link !== undefined) {
      hostReports(
        world,
        'b',
        b.link,
        { session_id, generation: 1 },
        { type: 'host_ended', reason: 'app_crashed' },
      );
    }
    expect(ready(world, a, a.link)).toBe('ready');
  });
});

describe('createSession()', () => {
  test('createSession() spreads over hosts, then says why there is no seat', async () => {
    const { world, machines } = await setUp(1);
    const refusal = async (app: string): Promise<string> => {
      const answer = await createSession(world, { app });
      return isRefusal(answer) ? answer.refused : 'created';
    };
    expect([await refusal('Villa'), await refusal('Loft')]).toEqual(['app_unknown', 'app_offline']);
    for (const machine of machines) machine.dial();
    const made: string[] = [];
    for (let n = 0; n < 6; n++) made.push(await refusal('Loft'));
    expect(made).toEqual([...Array<string>(5).fill('created'), 'servers_busy']);
    expect(machines.map(({ inbox }) => inbox.length)).toEqual([2, 3]);
  });

  test('createSession() leaves a seat alone that the host is still clearing after HELLO', async () => {
    const { world, machines, clock } = await setUp(1);
    const [a] = machines;
    a?.running.set('unknown-1', { generation: 1, state: 'ready' });
    a?.running.set('unknown-2', { generation: 1, state: 'ready' });
    a?.dial();
    expect(await createSession(world, { app: 'Loft' })).toEqual({ refused: 'servers_busy' });
    const ref = { session_id: 'unknown-1', generation: 1 };
    if (a?.link !== undefined)
      hostReports(world, 'a', a.link, ref, { type: 'host_ended', reason: 'coordinator_forgot' });
    expect(isRefusal(await createSession(world, { app: 'Loft' }))).toBe(false);
    clock.advance(bounds.host_stopping_ms);
    expect(isRefusal(await createSession(world, { app: 'Loft' }))).toBe(false);
  });
});

describe('memberOf()', () => {
  test('memberOf() knows a participant by its token only', async () => {
    const { world, machines } = await setUp(1);
    machines[0]?.dial();
    const made = await createSession(world, { app: 'Loft' });
    if (isRefusal(made)) throw new Error(made.refused);
    const { session, participant_token, participant_id } = made;
    const found = memberOf(world, session.id, participant_token);
    expect(isRefusal(found) ? found : found.participant).toMatchObject({ id: participant_id, owner: true });
    expect(memberOf(world, session.id, `${participant_token}x`)).toEqual({ refused: 'unauthorized' });
    expect(memberOf(world, session.id, undefined)).toEqual({ refused: 'unauthorized' });
    expect(memberOf(world, 'other', participant_token)).toEqual({ refused: 'session_unknown' });
  });
});
