import { expect, test } from 'bun:test';
import { appArguments, baseEnvironment, unknownPlaceholders } from './launch.ts';

const values = {
  streamer_url: 'ws://127.0.0.1:18001',
  streamer_id: 'vitrina-abc',
  session_id: 'abc',
  width: '1280',
  height: '720',
};

test("appArguments() appends Unreal's own two when no argument names the streamer's URL", () => {
  expect(appArguments(['-RenderOffscreen', '-ResX={width}', '-ResY={height}'], values)).toEqual([
    '-RenderOffscreen',
    '-ResX=1280',
    '-ResY=720',
    '-PixelStreamingURL=ws://127.0.0.1:18001',
    '-PixelStreamingID=vitrina-abc',
  ]);
});

test('appArguments() leaves the vector alone when an argument names the URL', () => {
  expect(appArguments(['-PixelStreamingConnectionURL={streamer_url}'], values)).toEqual([
    '-PixelStreamingConnectionURL=ws://127.0.0.1:18001',
  ]);
});

test('appArguments() keeps what looks like a shell as it is: one argument stays one', () => {
  const raw = ['$(reboot) ; "x" && y', '{streamer_url}'];
  expect(appArguments(raw, values)).toEqual(['$(reboot) ; "x" && y', 'ws://127.0.0.1:18001']);
});

test.each(['a b', '', 'a"b', '$(x)', 'a\nb', 'ö', 'a;b', `${'a'.repeat(201)}`, '`x`', "a'b", 'a=b'])(
  'appArguments() refuses the value %j',
  (session_id) => {
    expect(appArguments(['-Session={session_id}'], { ...values, session_id })).toMatchObject({
      refused: 'malformed',
    });
  },
);

test('appArguments() refuses a value that would become an option', () => {
  const session_id = '-ExecCmds';
  expect(appArguments(['{session_id}'], { ...values, session_id })).toMatchObject({ refused: 'malformed' });
  expect(appArguments(['-Session={session_id}', '{streamer_url}'], { ...values, session_id })).toContain(
    '-Session=-ExecCmds',
  );
});

test('unknownPlaceholders() names what is no placeholder', () => {
  expect(unknownPlaceholders('-A={streamer_url} -B={gpu} {}{Width}')).toEqual(['gpu']);
});

test("baseEnvironment() passes on the machine's variables and none of the agent's", () => {
  const env = {
    PATH: '/bin',
    DISPLAY: ':0',
    VITRINA_KEY: 'secret',
    AWS_SECRET_ACCESS_KEY: 'x',
    HOME: undefined,
  };
  expect(baseEnvironment(env)).toEqual({ PATH: '/bin', DISPLAY: ':0' });
});
