import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { ChannelEnd, type Leg } from '../shared/channel-end.ts';
import { systemClock } from '../shared/clock.ts';
import { errors } from '../shared/errors.ts';
import type { FakeCoordinator } from './testing/fake-coordinator.ts';
import { order, type Rig, startRig } from './testing/rig.ts';

let rig: Rig;
const pages: ChannelEnd[] = [];
afterEach(async () => {
  for (const page of pages.splice(0)) page.end(1000, 'test over');
  await rig.stop();
}, 30_000);
setDefaultTimeout(120_000);

type Order = ReturnType<typeof order>;

/** A page whose legs the coordinator under test carries. */
const startPage = (coordinator: FakeCoordinator) => {
  const heard: { type: string }[] = [];
  const over = Promise.withResolvers<number>();
  const end: ChannelEnd = new ChannelEnd('page', systemClock, {
    text: (text) => void heard.push(JSON.parse(text)),
    over: (code) => over.resolve(code),
  });
  pages.push(end);
  let detach = () => {};
  return {
    over: over.promise,
    say: (message: object) => end.say(JSON.stringify(message)),
    attach({ session_id, generation, code }: Order, channel: number, user_id = 'user-1') {
      const leg: Leg = {
        send(payload) {
          coordinator.relay({ kind: 'data', channel, payload });
          return true;
        },
        drop: () => {},
      };
      detach = () => end.detach(leg);
      coordinator.send({
        verb: 'CONNECT_USER_TO_SESSION',
        ...{ session_id, generation, code, user_id, channel },
        ice_servers: [],
        resumable: 'abcdefghijklmnopqrstuv',
      });
      end.attach(leg);
      const take = async (): Promise<void> => {
        const payload = await coordinator.next(`a frame of channel ${channel}`, (seen) =>
          seen.what === 'frame' && seen.frame.kind === 'data' && seen.frame.channel === channel
            ? seen.frame.payload
            : undefined,
        );
        end.frame(leg, payload);
      };
      return {
        take,
        /** The next message of that type, by now or after further frames. */
        async hear(type: string): Promise<{ type: string; [field: string]: unknown }> {
          for (;;) {
            const at = heard.findIndex((message) => message.type === type);
            const [found] = at < 0 ? [] : heard.splice(at, 1);
            if (found !== undefined) return found;
            await take();
          }
        },
      };
    },
    detach: () => detach(),
  };
};

const startSession = async () => {
  rig = await startRig({ coordinator: { hello: () => ({ answers: true }) } });
  const { coordinator } = rig;
  await coordinator.message('HELLO');
  const session = order();
  coordinator.send(session);
  await coordinator.message('CONNECT_TO_SESSION');
  return { coordinator, session, streamerId: String((await streamerOf(coordinator, session)) ?? '') };
};

/** The streamer's id, as a page learns it that is gone again. */
const streamerOf = async (coordinator: FakeCoordinator, session: Order) => {
  const page = startPage(coordinator);
  const leg = page.attach(session, 99, 'somebody-else');
  page.say({ type: 'listStreamers' });
  const { ids } = await leg.hear('streamerList');
  return Array.isArray(ids) ? ids[0] : undefined;
};

test('startRig() with a link that is cut in the middle of an offer and its answer: the app does not notice', async () => {
  const { coordinator, session, streamerId } = await startSession();
  const page = startPage(coordinator);
  const first = page.attach(session, 1);
  page.say({ type: 'subscribe', streamerId });
  await first.hear('offer');
  coordinator.cut();
  page.detach();
  page.say({ type: 'answer', sdp: 'said during the cut' });
  await coordinator.message('HELLO');
  const second = page.attach(session, 1);
  // The app's answer to the answer: to one that it does not know it says nothing.
  const { candidate } = await second.hear('iceCandidate');
  expect(candidate).toMatchObject({ candidate: 'said during the cut' });
});

test('startRig() with an agent that hands over in the middle of an offer and its answer: the app does not notice', async () => {
  const { coordinator, session, streamerId } = await startSession();
  const page = startPage(coordinator);
  page.say({ type: 'subscribe', streamerId });
  await page.attach(session, 1).hear('offer');
  for (let round = 1; round <= 3; round++) {
    page.detach();
    const said = `said during hand-over ${round}`;
    page.say({ type: 'answer', sdp: said });
    await rig.succeed();
    await coordinator.message('CONNECT_TO_SESSION');
    const leg = page.attach(session, 1);
    expect((await leg.hear('iceCandidate')).candidate).toMatchObject({ candidate: said });
  }
  // The stream was answered before this agent was there, which is told all the same.
  expect(await coordinator.message('PLAYER_ANSWERED')).toMatchObject({ channel: 1 });
});

test('startRig() ends the player of a participant who has left while its page was away', async () => {
  const { coordinator, session, streamerId } = await startSession();
  const page = startPage(coordinator);
  page.say({ type: 'subscribe', streamerId });
  await page.attach(session, 1, 'leaver').hear('offer');
  page.detach();
  await rig.succeed();
  await coordinator.message('CONNECT_TO_SESSION');
  const { session_id, generation } = session;
  coordinator.send({ verb: 'DISCONNECT_USER', session_id, generation, user_id: 'leaver' });
  await rig.logged('a player was sent away');
  const leg = page.attach(session, 1, 'leaver');
  await leg.take();
  expect(await page.over).toBe(errors.channel_lost.close);
});

test('startRig() closes what a participant who has left has open, and nobody else', async () => {
  const { coordinator, session } = await startSession();
  const [leaver, stayer] = [startPage(coordinator), startPage(coordinator)];
  const leaving = leaver.attach(session, 1, 'leaver');
  const staying = stayer.attach(session, 2, 'stayer');
  await Promise.all([leaving.hear('config'), staying.hear('config')]);
  const { session_id, generation } = session;
  coordinator.send({ verb: 'DISCONNECT_USER', session_id, generation, user_id: 'leaver' });
  await leaving.take();
  expect(await leaver.over).toBe(4403);
  stayer.say({ type: 'listStreamers' });
  await staying.hear('streamerList');
});

test('startRig() says to a page whose session has ended that it has', async () => {
  const { coordinator, session } = await startSession();
  const page = startPage(coordinator);
  const leg = page.attach(session, 1);
  await leg.hear('config');
  const { session_id, generation } = session;
  coordinator.send({ verb: 'END_SESSION', session_id, generation, reason: 'owner_ended' });
  await leg.take();
  expect(await page.over).toBe(4410);
});
