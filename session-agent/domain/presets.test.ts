import { expect, test } from 'bun:test';
import { argumentProblems, type LaunchApp, presetArguments } from './presets.ts';

const headless = '-RenderOffscreen -ForceRes -ResX={width} -ResY={height} -AudioMixer -Unattended';
const old_url = '-PixelStreamingURL={streamer_url}';
const new_url = '-PixelStreamingConnectionURL={streamer_url}';
const id = '-PixelStreamingID={streamer_id}';

const engines: [app: Omit<LaunchApp, 'arguments'>, url: string][] = [
  [{ engine: '4.27' }, old_url],
  [{ engine: '5.0' }, old_url],
  [{ engine: '5.4' }, old_url],
  [{ engine: '5.5' }, old_url],
  [{ engine: '5.5', plugin: 1 }, old_url],
  [{ engine: '5.6', plugin: 2 }, old_url],
  [{ engine: '5.7' }, new_url],
  [{ engine: '5.7', plugin: 2 }, new_url],
  [{ engine: '5.7', plugin: 1 }, old_url],
  [{ engine: '5.8' }, new_url],
];
for (const [app, url] of engines) {
  test(`presetArguments() tells ${JSON.stringify(app)} where to connect, once`, () => {
    expect(presetArguments({ ...app, arguments: ['/Game/Maps/Hall', '-Log'] }, false).join(' ')).toBe(
      `${headless} ${url} ${id} /Game/Maps/Hall -Log`,
    );
  });
}

test('presetArguments() names the card when the cards of the host are listed', () => {
  expect(presetArguments({ engine: '5.7', arguments: [] }, true).join(' ')).toBe(
    `${headless} -graphicsadapter={gpu} ${new_url} ${id}`,
  );
  expect(presetArguments({ arguments: [] }, true)).toEqual([old_url, id]);
});

test("presetArguments() lets the app's own flags replace the preset's of that name, in any case", () => {
  const own = ['-resx=1920', '-GraphicsAdapter=1', '-pixelstreamingid=Hall', 'ResY=1080'];
  expect(presetArguments({ engine: '5.4', arguments: own }, true)).toEqual([
    ...['-RenderOffscreen', '-ForceRes', '-AudioMixer', '-Unattended', old_url],
    ...own,
  ]);
});

test.each([
  [['-PixelStreamingSignallingURL={streamer_url}']],
  [['-PixelStreamingIP=127.0.0.1', '-PixelStreamingPort={streamer_port}']],
  [[new_url]],
])('presetArguments() gives no second address beside %j', (own) => {
  for (const engine of ['4.27', '5.5', '5.7']) {
    expect(presetArguments({ engine, arguments: own }, false).join(' ')).toBe(
      `${headless} ${id} ${own.join(' ')}`,
    );
  }
  expect(presetArguments({ arguments: own }, false)).toEqual(own);
});

const messages = (app: object, has_cards = false) =>
  argumentProblems({ arguments: [], allow_dangerous: false, ...app }, has_cards).map(
    ({ path, message }) => `${path.join('.')} ${message}`,
  );

test('argumentProblems() finds nothing in what may be written', () => {
  for (const app of [
    { engine: '5.7', plugin: 1, arguments: ['-PixelStreamingWebRTCFps=60', '-graphicsadapter={gpu}'] },
    {
      arguments: ['-PixelStreamingIP=127.0.0.1', '-PixelStreamingPort={streamer_port}', '-ini:Game:[A]:B=1'],
    },
    { arguments: ['-ExecCmds=stat fps', '-AllowPixelStreamingCommands'], allow_dangerous: true },
    { arguments: ['-Log={session_id}.log', '-culture={language}', '--server={streamer_url}'] },
  ]) {
    expect(messages(app, true)).toEqual([]);
  }
});

test.each([
  [{ engine: '4.26' }, 'engine must be 4.27 or newer'],
  [{ engine: '4.28' }, 'engine is no engine: after 4.27 comes 5.0'],
  [{ plugin: 1 }, 'plugin goes with "engine"'],
  [{ engine: '5.4', plugin: 2 }, 'plugin Pixel Streaming 2 begins with engine 5.5'],
  [{ arguments: ['-a', '-execcmds=quit'] }, 'arguments.1 lets commands into the app'],
  [{ arguments: ['-a -AllowPixelStreamingCommands'] }, 'arguments.0 lets commands into the app'],
  [{ arguments: ['-ExecCmds={language}'], allow_dangerous: true }, 'arguments.0 must not hold {session_id}'],
  [{ arguments: ['-ini:Game:[A]:B={session_id}'] }, 'arguments.0 must not hold {session_id}'],
  [{ arguments: ['-card={gpu}'] }, 'arguments.0 {gpu} needs "cards"'],
  [{ arguments: ['-PixelStreamingURL=ws://127.0.0.1:8888'] }, 'arguments.0 must take {streamer_url}'],
  [{ arguments: ['-PixelStreamingIP=127.0.0.1'] }, 'arguments.0 goes with -PixelStreamingPort'],
])('argumentProblems() refuses %j', (app, text) => {
  const found = messages(app);
  expect(found).toHaveLength(1);
  expect(found[0]).toStartWith(text);
});

test.each([
  [[old_url, new_url]],
  [[old_url, old_url]],
  [['-PixelStreamingIP=127.0.0.1', '-PixelStreamingPort={streamer_port}', new_url]],
])('argumentProblems() refuses %j: two addresses', (own) => {
  expect(messages({ arguments: own })).toEqual(
    own.map(
      (_, i) => `arguments.${i} is one of several arguments that say where the streamer connects; keep one`,
    ),
  );
});
