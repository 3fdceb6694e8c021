import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../shared/clock.ts';
import { samples } from '../shared/testing/samples.ts';
import { fakeAppPath, order, type Rig, startRig } from './testing/rig.ts';
import { sleep } from './wait.ts';

/** Old apps under a real agent with the real signalling server: what of them reaches whom, and what must not reach them. */
let rig: Rig;
const folders: string[] = [];
afterEach(async () => {
  await rig.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}, 60_000);
setDefaultTimeout(120_000);

/** A program to which Unreal's switches may be given: what starts it is no argument. */
const appProgram = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrina-old-app-'));
  folders.push(folder);
  const program = join(folder, 'app');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${fakeAppPath}' "$@"\n`);
  chmodSync(program, 0o755);
  return program;
};

type Order = ReturnType<typeof order>;
type Message = { type: string; [field: string]: unknown };

let channels = 0;

/** A stock page, on a plain connection. */
const openPage = ({ session_id, generation, code }: Order, view_only = false) => {
  const { coordinator } = rig;
  const channel = ++channels;
  coordinator.send({
    verb: 'CONNECT_USER_TO_SESSION',
    ...{ session_id, generation, code, user_id: `visitor-${channel}`, channel },
    ice_servers: [],
    ...(view_only ? { view_only } : {}),
  });
  return {
    say: (message: object) =>
      coordinator.relay({ kind: 'data', channel, payload: Buffer.from(JSON.stringify(message)) }),
    hear: (type: string): Promise<Message> =>
      coordinator.next(`${type} on ${channel}`, (seen) => {
        if (seen.what !== 'frame' || seen.frame.channel !== channel || seen.frame.kind !== 'data') return;
        const message: Message = JSON.parse(seen.text);
        return message.type === type ? message : undefined;
      }),
  };
};

const sdp = samples.player.answer.sdp;
const withoutInput = sdp.replace('m=application 9', 'm=application 0');

const appLog = (instance_id: string): string =>
  readFileSync(join(rig.config.log_folder, `${instance_id}-app.log`), 'utf8');

/** The page says everything that a page may say, and all of it has come to signalling. */
const chatter = async (page: ReturnType<typeof openPage>): Promise<void> => {
  for (const message of Object.values(samples.player))
    if (!message.type.includes('subscribe')) page.say(message);
  await page.hear('pong');
};

const old = (age: string, engine: string) => ({
  rc_name: 'Flat',
  path: appProgram(),
  engine,
  arguments: [`-Age=${age}`],
  warm: 1,
  stop_grace_seconds: 0.3,
});

/** A session on the warm instance, which has learned the session's ICE servers by its second `config`. */
const startSession = async (app: object): Promise<{ session: Order; instance: string }> => {
  rig = await startRig({ apps: [app] });
  await rig.coordinator.message('HELLO');
  while (rig.agent.host.warm()[0]?.ready !== 1) await sleep(systemClock, 5);
  const session = order();
  rig.coordinator.send(session);
  await rig.coordinator.message('CONNECT_TO_SESSION');
  const mine = rig.agent.host.describe().find(({ session_id }) => session_id === session.session_id);
  return { session, instance: mine?.instance_id ?? '' };
};

/** The app was never sent what it would close on, never gone, and never restarted. */
const expectUndisturbed = async (session: Order, instance: string) => {
  const last = openPage(session);
  last.say({ type: 'offer', sdp });
  await last.hear('answer');
  expect(appLog(instance)).not.toContain('unsupported');
  expect(appLog(instance).match(/"msg":"arguments"/g)).toHaveLength(1);
  expect(rig.log.filter(({ msg }) => msg.includes('streamer has gone'))).toEqual([]);
  expect(rig.agent.host.describe().find(({ instance_id }) => instance_id === instance)?.phase).toBe('ready');
};

test('startRig() serves an app of 4.27: pages offer, watchers without input, and who subscribes is told', async () => {
  const { session, instance } = await startSession(old('4.27', '4.27'));
  for (const view_only of [false, true]) {
    const page = openPage(session, view_only);
    expect(await page.hear('config')).toMatchObject({ browserSendOffer: true });
    page.say({ type: 'offer', sdp });
    const answer = await page.hear('answer');
    expect(JSON.parse(String(answer.sdp))).toEqual({
      ice_servers: session.ice_servers,
      offer: view_only ? withoutInput : sdp,
    });
    await chatter(page);
  }
  const modern = openPage(session);
  modern.say({ type: 'listStreamers' });
  const { ids } = await modern.hear('streamerList');
  modern.say({ type: 'subscribe', streamerId: (ids as string[])[0] });
  expect(String((await modern.hear('subscribeFailed')).message)).toContain('only answers offers');
  await chatter(modern);
  await expectUndisturbed(session, instance);
});

test('startRig() serves an app of 5.0 to pages that subscribe, are silent, and offer', async () => {
  const { session, instance } = await startSession(old('5.0', '5.0'));
  const subscribing = openPage(session, true);
  expect(await subscribing.hear('config')).not.toHaveProperty('browserSendOffer');
  subscribing.say({ type: 'subscribe', streamerId: `vitrina-${instance}` });
  const offer = await subscribing.hear('offer');
  expect(JSON.parse(String(offer.sdp))).toEqual({ ice_servers: session.ice_servers });
  subscribing.say(samples.player.answer);
  const { candidate } = await subscribing.hear('iceCandidate');
  expect(candidate).toMatchObject({ candidate: withoutInput });
  const silent = openPage(session);
  await silent.hear('offer');
  const offering = openPage(session);
  offering.say({ type: 'offer', sdp });
  await offering.hear('answer');
  for (const page of [subscribing, silent, offering]) await chatter(page);
  await expectUndisturbed(session, instance);
});

test('startRig() keeps the session of an app of 4.27 of which nobody said so, and lets pages offer from then on', async () => {
  const { engine: _, ...unsaid } = old('4.27', '');
  const { session, instance } = await startSession({
    ...unsaid,
    arguments: [...unsaid.arguments, '-PixelStreamingURL={streamer_url}', '-PixelStreamingID={streamer_id}'],
  });
  const first = openPage(session);
  expect(await first.hear('config')).not.toHaveProperty('browserSendOffer');
  first.say({ type: 'subscribe', streamerId: `vitrina-${instance}` });
  await rig.coordinator.next('the end of that connection', ({ what, ...seen }) =>
    what === 'frame' && 'frame' in seen && seen.frame.kind === 'close' ? seen.frame.code : undefined,
  );
  const looking = openPage(session);
  do looking.say({ type: 'listStreamers' });
  while (((await looking.hear('streamerList')).ids as string[]).length === 0);
  const next = openPage(session);
  expect(await next.hear('config')).toMatchObject({ browserSendOffer: true });
  next.say({ type: 'offer', sdp });
  await next.hear('answer');
  expect(appLog(instance).match(/"msg":"unsupported"/g)).toHaveLength(1);
});
