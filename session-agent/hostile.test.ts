import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemIds } from '../shared/ids.ts';
import { limits } from '../shared/limits.ts';
import { toAgent } from '../shared/protocol/agent-link.ts';
import { Agent } from './agent.ts';
import { launchProblem } from './config.ts';
import { baseEnvironment } from './domain/launch.ts';
import { hostilePaths, hostileStrings } from './testing/hostile-words.ts';
import { order, portRange, type Rig, startRig } from './testing/rig.ts';

setDefaultTimeout(300_000);

type Message = Record<string, unknown>;
const tag = systemIds.id();
const ports = portRange();
const SEATS = 4;

/** Runs and does nothing, whatever follows: the kernel keeps its argument vector for the test to read. */
const app = {
  rc_name: 'Flat',
  path: '/usr/bin/tail',
  arguments: [
    ...['-f', '/dev/null', '--', '-PixelStreamingURL={streamer_url}', '-PixelStreamingID={streamer_id}'],
    ...['-culture={language}', '-Session={session_id}', '-ResX={width}', '/Game/Hall', 'a "b" $c'],
  ],
  environment: { HOSTILE_TEST: tag, OWN: 'a b' },
  stop_grace_seconds: 2,
};

let folder: string;
let rig: Rig;
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'vitrina-hostile-')));
  rig = await startRig({
    apps: [{ ...app, arguments: [...app.arguments], working_directory: folder }],
    settings: { seats: SEATS, ports, log_folder: join(folder, 'logs') },
    // Its ports stay closed: an app is launched all the same.
    signalling: ['/bin/sh', '-c', 'exec sleep 600', '-'],
    ids: { below: () => 0 },
  });
});
afterAll(async () => {
  await rig?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What a child inherits, and what its own configuration adds. */
const known_names = new Set([...Object.keys(baseEnvironment(process.env)), ...Object.keys(app.environment)]);

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

/** The apps that run now, as the kernel knows them. */
const running = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => ({ pid, environ: read(`/proc/${pid}/environ`).split('\0') }))
    .filter(({ environ }) => environ.includes(`HOSTILE_TEST=${tag}`))
    .map(({ pid, environ }) => ({
      argv: read(`/proc/${pid}/cmdline`).split('\0').slice(0, -1),
      cwd: readlinkSync(`/proc/${pid}/cwd`),
      names: environ.filter((entry) => entry !== '').map((entry) => entry.split('=')[0] ?? ''),
    }));

/** Without a schema in between, as a stolen coordinator would. */
const sendRaw = (message: Message) => (rig.coordinator.send as (message: unknown) => void)(message);

const create = (fields: Message): Message => ({ ...order(), ...fields });

/** The fields of every message that hold text, each with a message around it. */
const places: ((text: string) => Message)[] = [
  (text) => create({ session_id: text }),
  (text) => create({ rc_name: text }),
  (text) => create({ user_id: text }),
  (text) => create({ code: text }),
  (text) => create({ language: text }),
  (text) => create({ ice_servers: [{ urls: [text] }] }),
  (text) => create({ ice_servers: text }),
  (text) => create({ generation: text }),
  (text) => create({ card: text }),
  (text) => create({ argv: [text] }),
  (text) => create({ arguments: [text] }),
  (text) => create({ path: text }),
  (text) => create({ command: text }),
  (text) => create({ environment: { LD_PRELOAD: text } }),
  (text) => create({ working_directory: text }),
  (text) => create({ engine: text }),
  (text) => create({ signalling: { path: text, arguments: [text] } }),
  (text) => create({ [text]: text }),
  (text) => ({
    verb: 'CONNECT_USER_TO_SESSION',
    session_id: text,
    user_id: 'u',
    generation: 1,
    code: '1234',
    channel: 1,
    ice_servers: [],
  }),
  (text) => ({
    verb: 'CONNECT_USER_TO_SESSION',
    session_id: 's',
    user_id: text,
    generation: 1,
    code: text,
    channel: 1,
    ice_servers: [],
  }),
  (text) => ({ verb: 'DISCONNECT_USER', session_id: 's', generation: 1, user_id: text }),
  (text) => ({ verb: 'END_SESSION', session_id: text, generation: 1, reason: 'owner_ended' }),
  (text) => ({ verb: 'END_SESSION', session_id: 's', generation: 1, reason: text }),
  (text) => ({ verb: 'WARM', apps: [{ rc_name: text, card: 0, instances: 1 }] }),
  (text) => ({ verb: text }),
  (text) => ({ ...order(), verb: 'RUN', path: text }),
];

const families: Record<string, { safeParse(message: unknown): { success: boolean } }> = toAgent;
const isValid = (message: Message): boolean =>
  Object.hasOwn(families, String(message.verb)) &&
  families[String(message.verb)]?.safeParse(message).success === true;

let barriers = 0;
/** Resolves when the agent has dealt with everything that was sent before. */
const dealtWith = async () => {
  barriers += 1;
  const session_id = `barrier-${barriers}`;
  sendRaw({ verb: 'END_SESSION', session_id, generation: 1, reason: 'owner_ended' });
  await ended(session_id);
};

const ended = (session_id: string) =>
  rig.coordinator.next(`the end of ${session_id}`, (seen) =>
    seen.what === 'message' && 'reason' in seen.message && seen.message.session_id === session_id
      ? seen.message
      : undefined,
  );

/** Everything in this folder, which the agent writes to, and beside it. */
const files = () => readdirSync(folder, { recursive: true }).map(String);

/** Sends messages that are not valid; the agent hangs up after its budget of them, and dials again. */
const refuseAll = async (messages: readonly Message[]) => {
  const batch = limits.bad_messages_per_minute + 1;
  for (let at = 0; at < messages.length; at += batch) {
    await rig.coordinator.message('HELLO');
    const some = messages.slice(at, at + batch);
    for (const message of some) sendRaw(message);
    if (some.length < batch) await dealtWith();
    else await rig.coordinator.next('its hanging up', (seen) => (seen.what === 'closed' ? seen : undefined));
  }
};

/** Whether the agent says that it has launched the app, or why not. */
const isAnswer = (said: object): boolean =>
  'reason' in said || ('phase' in said && said.phase === 'app_started');

/** What the app's command line must be, whoever ordered the session. */
const expected = ({ session_id, language = 'en' }: Message, argv: string[]) => {
  const [, port, query] =
    /^-PixelStreamingURL=ws:\/\/127\.0\.0\.1:(\d+)(\/\?token=[0-9a-f]{64})$/.exec(argv[4] ?? '') ?? [];
  const [, streamer] = /^-PixelStreamingID=(vitrina-[\w-]+)$/.exec(argv[5] ?? '') ?? [];
  expect(Number(port)).toBeWithin(ports.from, ports.to + 1);
  return [
    ...[app.path, '-f', '/dev/null', '--', `-PixelStreamingURL=ws://127.0.0.1:${port}${query}`],
    ...[`-PixelStreamingID=${streamer}`, `-culture=${language}`, `-Session=${session_id}`],
    ...['-ResX=1280', '/Game/Hall', 'a "b" $c'],
  ];
};

/** The apps as soon as there is one: a process that has just been forked is not yet what it is to become. */
const started = async () => {
  for (let round = 0; round < 5_000; round++) {
    const found = running();
    if (found.length > 0) return found;
    await dealtWith();
  }
  throw new Error('the app never ran');
};

/** Orders that are valid, one after another: each is launched as the template says, or refused by its app's name. */
const obey = async (messages: readonly Message[]) => {
  const refused: string[] = [];
  for (const message of messages) {
    const session_id = String(message.session_id);
    sendRaw(message);
    const answer = await rig.coordinator.next(`an answer about ${session_id}`, (seen) => {
      if (seen.what !== 'message' || !isAnswer(seen.message)) return undefined;
      return 'session_id' in seen.message && seen.message.session_id === session_id
        ? seen.message
        : undefined;
    });
    if ('reason' in answer) {
      expect([message.rc_name, answer.reason]).not.toEqual(['Flat', 'app_not_found']);
      refused.push(answer.reason);
      continue;
    }
    const [own, ...others] = await started();
    expect(others).toEqual([]);
    expect(own?.argv).toEqual(expected(message, own?.argv ?? []));
    expect(own?.cwd).toBe(folder);
    expect(own?.names.filter((name) => !known_names.has(name) && !name.startsWith('VITRINA_'))).toEqual([]);
    sendRaw({ verb: 'END_SESSION', session_id, generation: 1, reason: 'owner_ended' });
    await ended(session_id);
  }
  expect(running()).toEqual([]);
  return refused;
};

/** Valid orders whose ICE servers, which go to the signalling server, hold the words. */
const iceOrders = (words: readonly string[]): Message[] => {
  const servers = words
    .filter((text) => text.length < 300)
    .map((text) => ({ urls: [`stun:${text}`], username: text, credential: text }));
  return Array.from({ length: Math.ceil(servers.length / 20) }, (_, i) =>
    create({ ice_servers: servers.slice(i * 20, i * 20 + 20) }),
  );
};

describe(`${Agent.name}() under a hostile coordinator`, () => {
  const words = [...hostileStrings, ...hostilePaths];
  const messages = words.flatMap((text) => places.map((place) => place(text)));
  const [valid = [], invalid = []] = [messages.filter(isValid), messages.filter((one) => !isValid(one))];

  test('Agent() takes nothing from a message that is not exactly one of its own', async () => {
    expect([hostileStrings.length >= 500, hostilePaths.length >= 200, invalid.length > 15_000]).toEqual([
      true,
      true,
      true,
    ]);
    const before = files();
    await refuseAll(invalid);
    expect(running()).toEqual([]);
    expect(files()).toEqual(before);
    expect(rig.log.some(({ msg }) => msg === 'bad message')).toBeTrue();
  });

  test('Agent() launches what config.json says, in whatever words it is ordered', async () => {
    const orders = valid.filter(({ verb }) => verb === 'CREATE_SESSION');
    const unknown = orders.filter(({ rc_name }) => rc_name !== 'Flat');
    expect(await obey(unknown)).toEqual(unknown.map(() => 'app_not_found'));
    const known = [
      ...orders.filter(({ rc_name }) => rc_name === 'Flat'),
      ...iceOrders(words),
      create({ language: 'pt-BR' }),
    ];
    expect(known.length).toBeGreaterThan(40);
    // Names that spell a flag which Unreal looks for anywhere.
    const spelled = known.filter(({ session_id }) => /execcmds|allowpixel/i.test(String(session_id)));
    expect(await obey(known)).toEqual(spelled.map(() => 'host_refused'));
  });

  test('Agent() answers the rest without effect, and leaves nothing anywhere', async () => {
    for (const message of valid.filter(({ verb }) => verb !== 'CREATE_SESSION')) sendRaw(message);
    // Nothing that says {session_id} can run ahead of its session.
    sendRaw({ verb: 'WARM', apps: [{ rc_name: 'Flat', card: 0, instances: SEATS }] });
    await dealtWith();
    expect(rig.agent.host.describe()).toEqual([]);
    expect(running()).toEqual([]);
    expect(
      files().filter((file) => !/^(logs|state)(\/[\w-]+(\.(log|json|jsonl)(\.\d+)?)?)?$/.test(file)),
    ).toEqual([]);
    expect(readdirSync('/tmp').filter((name) => name.startsWith('vitrina-steered'))).toEqual([]);
    expect(await rig.agent.host.inventory()).toEqual([]);
  });
});

test('launchProblem() lets none of the hostile paths out of apps_folders', async () => {
  for (const path of hostilePaths) {
    expect([path, await launchProblem({ path }, [folder])]).toEqual([path, expect.any(String)]);
  }
});
