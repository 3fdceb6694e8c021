import { describe, expect, test } from 'bun:test';
import { parseFlags, pictureSize, printed } from './flags.ts';

describe('parseFlags()', () => {
  test('parseFlags() has Unreal’s defaults', () => {
    expect(parseFlags([])).toMatchObject({
      url: undefined,
      streamerId: 'DefaultStreamer',
      width: 1280,
      height: 720,
      style: 'loft',
      startDelayMs: 0,
      neverRegister: false,
      engine: undefined,
      counters: false,
    });
  });

  test('parseFlags() reads names in any case, drops quotes, ignores what it does not know', () => {
    const flags = parseFlags([
      'MyProject',
      '-RenderOffscreen',
      '-PIXELSTREAMINGURL=ws://127.0.0.1:8888',
      '-pixelstreamingid="abc"',
      '-ResX=640',
      '-resy=360',
      '-demoName=Two words = one name',
      '-DemoStyle=garden',
      '-DemoNeverRegister',
      '-DemoEngine=4.27',
      '-democounters',
      '-SomethingElse=1',
    ]);
    expect(flags).toMatchObject({
      url: 'ws://127.0.0.1:8888',
      streamerId: 'abc',
      width: 640,
      height: 360,
      name: 'Two words = one name',
      style: 'garden',
      neverRegister: true,
      engine: '4.27',
      counters: true,
    });
  });

  test.each(['PixelStreamingURL', 'PixelStreamingConnectionURL', 'PixelStreamingSignallingURL'])(
    'parseFlags() takes the address from -%s',
    (flag) => {
      expect(parseFlags([`-${flag}=wss://host.example/path?a=b`]).url).toBe('wss://host.example/path?a=b');
    },
  );

  test('parseFlags() lets the last of a repeated flag win', () => {
    expect(parseFlags(['-ResX=640', '-ResX=800']).width).toBe(800);
  });

  test('parseFlags() names every bad flag at once', () => {
    const bad = ['-PixelStreamingURL=http://x', '-DemoStyle=castle', '-DemoCrashAfter=soon'];
    expect(() => parseFlags(bad)).toThrow(/pixelstreamingurl.*demostyle.*democrashafter/s);
  });
});

test('pictureSize() is even and bounded', () => {
  expect(pictureSize(1281, 721)).toEqual({ width: 1280, height: 720 });
  expect(pictureSize(1, -5)).toEqual({ width: 64, height: 64 });
  expect(pictureSize(99_999, 99_999)).toEqual({ width: 1920, height: 1080 });
});

test('parseFlags() refuses a flag of its own that it does not know, and names the nearest', () => {
  expect(() => parseFlags(['-DemoStile=loft'])).toThrow('did you mean -demostyle?');
  expect(() => parseFlags(['-DemoWhatever'])).toThrow('-demowhatever: there is no such flag');
});

test('printed() is help and version', () => {
  for (const arg of ['--help', '-h', 'help']) expect(printed([arg], '1.2.3')).toContain('-DemoStyle=NAME');
  for (const arg of ['--version', '-v', 'version']) expect(printed([arg], '1.2.3')).toBe('1.2.3');
  expect(printed(['-PixelStreamingURL=ws://127.0.0.1:1', 'help'], '1.2.3')).toBeUndefined();
});
