import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { ChannelEnd, type Leg } from '../../../shared/channel-end.ts';
import { channel_limits } from '../../../shared/channel-state.ts';
import { systemClock } from '../../../shared/clock.ts';
import { errors } from '../../../shared/errors.ts';
import type { Ticket } from '../../../shared/protocol/http.ts';
import { fakeClock } from '../../../shared/testing/clock.ts';
import type { Answer } from '../kit/api.ts';
import { Carrier, redialWait } from './carrier.ts';

setDefaultTimeout(30_000);
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A coordinator and a host in one: the channel's other end, over whatever sockets come with its name. */
const startHost = () => {
  const ends = new Map<string, ChannelEnd>();
  const legs = new Map<Bun.ServerWebSocket<string>, Leg>();
  const got: string[] = [];
  const over: number[] = [];
  const waits = new Set<() => void>();
  const changed = () => {
    for (const look of [...waits]) look();
  };
  let refuse = false;
  const server = Bun.serve<string>({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request, server) {
      const name = new URL(request.url).searchParams.get('resumable') ?? '';
      return server.upgrade(request, { data: name }) ? undefined : new Response(null, { status: 400 });
    },
    websocket: {
      open(socket) {
        if (refuse) return socket.close(4401, 'ticket');
        const end =
          ends.get(socket.data) ??
          new ChannelEnd('agent', systemClock, {
            text(text) {
              got.push(text);
              changed();
            },
            over(code) {
              over.push(code);
              changed();
            },
          });
        ends.set(socket.data, end);
        const leg: Leg = {
          send: (frame) => socket.send(frame) > 0,
          drop: (why, ended) => socket.close(ended ? 1000 : 4000, why),
        };
        legs.set(socket, leg);
        end.attach(leg);
        changed();
      },
      message(socket, bytes) {
        const leg = legs.get(socket);
        if (leg !== undefined && typeof bytes !== 'string') ends.get(socket.data)?.frame(leg, bytes);
        changed();
      },
      close(socket) {
        const leg = legs.get(socket);
        legs.delete(socket);
        if (leg !== undefined) ends.get(socket.data)?.detach(leg);
        changed();
      },
    },
  });
  stops.push(() => server.stop(true));
  stops.push(() => {
    for (const end of ends.values()) end.end(1000, 'test over');
  });
  const until = (holds: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!holds()) return;
        waits.delete(look);
        resolve();
      };
      waits.add(look);
      look();
    });
  return {
    url: `ws://127.0.0.1:${server.port}/?ticket=t`,
    ends,
    legs,
    got,
    over,
    changed,
    until,
    say: (text: string) => {
      for (const end of ends.values()) end.say(text);
    },
    cut: () => {
      for (const socket of legs.keys()) socket.terminate();
    },
    refuse: (now: boolean) => {
      refuse = now;
    },
  };
};
type Host = ReturnType<typeof startHost>;

/** A page on a clock that the test moves; `answers` come before tickets that open. */
const startPage = (host: Host, answers: Answer<Ticket>[] = []) => {
  const clock = fakeClock();
  const said: string[] = [];
  let tickets = 0;
  const ticket = async (): Promise<Answer<Ticket>> => {
    tickets += 1;
    host.changed();
    return answers.shift() ?? { signalling_url: host.url, expires: 0, resumable: true };
  };
  const say = (what: string) => {
    said.push(what);
    host.changed();
  };
  const carrier = new Carrier(
    { ticket, clock, random: () => 0.999 },
    {
      open: () => say('open'),
      text: (text) => say(`text ${text}`),
      over: (code) => say(`over ${code}`),
      away: (away) => say(away ? 'away' : 'back'),
    },
  );
  stops.push(() => carrier.leave(1000, 'test over'));
  return { carrier, clock, said, tickets: () => tickets };
};

const connected = async (host: Host, answers?: Answer<Ticket>[]) => {
  const page = startPage(host, answers);
  page.carrier.connect(host.url);
  page.carrier.send('hello');
  await host.until(() => host.got.length > 0);
  host.say('welcome');
  await host.until(() => page.said.includes('text welcome'));
  return page;
};

/** Cuts, and waits until the page has noticed. */
const cut = async (host: Host, { clock }: { clock: { pending(): number } }) => {
  host.cut();
  await host.until(() => host.legs.size === 0);
  // The page's own notice of it: its redial waits.
  while (clock.pending() < 3) await new Promise(setImmediate);
};

describe('Carrier()', () => {
  test('Carrier() opens at once, and carries text both ways', async () => {
    const host = startHost();
    const { said, tickets } = await connected(host);
    expect([said, host.got, tickets()]).toEqual([['open', 'text welcome'], ['hello'], 0]);
    expect([...host.ends.keys()]).toEqual([expect.stringMatching(/^[A-Za-z0-9_-]{22}$/)]);
  });

  test('Carrier() comes back with a new ticket under the same name, and nothing is lost', async () => {
    const host = startHost();
    const page = await connected(host);
    for (let round = 0; round < 5; round++) {
      await cut(host, page);
      page.carrier.send(`up ${round}`);
      host.say(`down ${round}`);
      page.clock.advance(2_000);
      await host.until(() => page.said.includes(`text down ${round}`) && host.got.includes(`up ${round}`));
    }
    expect(host.got).toEqual(['hello', 'up 0', 'up 1', 'up 2', 'up 3', 'up 4']);
    expect(page.said.filter((what) => what.startsWith('text'))).toHaveLength(6);
    expect([host.ends.size, page.tickets()]).toEqual([1, 5]);
  });

  test('Carrier() speaks of a cut that lasts, and of its end', async () => {
    const host = startHost();
    const page = await connected(host, Array(10).fill({ failed: 'host_offline' }));
    await cut(host, page);
    for (let n = 1; n <= 10; n++) {
      page.clock.advance(2_000);
      await host.until(() => page.tickets() >= n);
      while (page.clock.pending() < 2) await new Promise(setImmediate);
    }
    expect(page.said).toEqual(['open', 'text welcome', 'away']);
    page.clock.advance(2_000);
    await host.until(() => page.said.includes('back'));
  });

  test.each(['session_ended', 'unauthorized', 'forbidden'] as const)(
    'Carrier() gives up at once when the ticket is refused with %s',
    async (failed) => {
      const host = startHost();
      const page = await connected(host, [{ failed }]);
      await cut(host, page);
      page.clock.advance(2_000);
      await host.until(() => page.said.length > 2);
      expect(page.said.slice(2)).toEqual([`over ${errors[failed].close}`]);
      expect(page.clock.pending()).toBe(0);
    },
  );

  test.each(['unreachable', 'unreadable', 'host_offline', 'session_not_ready', 'too_many_messages'] as const)(
    'Carrier() asks again when the answer is %s',
    async (failed) => {
      const host = startHost();
      const page = await connected(host, [{ failed }]);
      await cut(host, page);
      page.clock.advance(2_000);
      await host.until(() => page.tickets() === 1);
      while (page.clock.pending() < 2) await new Promise(setImmediate);
      page.clock.advance(2_000);
      await host.until(() => host.legs.size === 1);
      expect(page.said.filter((what) => what.startsWith('over'))).toEqual([]);
    },
  );

  test('Carrier() gives up when the host can no longer resume, or after a minute', async () => {
    const host = startHost();
    const older = await connected(host, [{ signalling_url: host.url, expires: 0, resumable: false }]);
    await cut(host, older);
    older.clock.advance(2_000);
    await host.until(() => older.said.includes(`over ${errors.channel_lost.close}`));

    const other = startHost();
    const page = await connected(other);
    await cut(other, page);
    // A tab that sleeps: no attempt was made in time.
    page.clock.advance(channel_limits.window_ms);
    expect(page.said).toContain(`over ${errors.channel_lost.close}`);
  });

  test('Carrier() does not come back to what never opened', async () => {
    const host = startHost();
    host.refuse(true);
    const page = startPage(host);
    page.carrier.connect('ws://127.0.0.1:1/');
    await host.until(() => page.said.length > 0);
    expect(page.said[0]).toStartWith('over');
    expect([page.tickets(), page.clock.pending()]).toEqual([0, 0]);
  });

  test('leave() tells the host, which then waits for nobody', async () => {
    const host = startHost();
    const { carrier, clock } = await connected(host);
    carrier.leave(1000, 'left');
    await host.until(() => host.over.length > 0);
    expect([host.over, clock.pending()]).toEqual([[1000], 0]);
  });

  test('hurry() does not wait for the next attempt', async () => {
    const host = startHost();
    const page = await connected(host);
    await cut(host, page);
    page.carrier.hurry();
    page.carrier.hurry();
    await host.until(() => host.legs.size === 1);
    expect(page.tickets()).toBe(1);
  });

  test('redialWait() grows from a quarter of a second to two, all of it jitter', () => {
    const longest = [0, 1, 2, 3, 4, 1_000].map((attempt) => redialWait(attempt, 1));
    expect(longest).toEqual([250, 500, 1_000, 2_000, 2_000, 2_000]);
    expect(redialWait(5, 0)).toBe(0);
  });
});
