import { expect, test } from 'bun:test';
import { silentLog } from '../../shared/log.ts';
import { type Answerable, answerInput, initialSettings } from './answers.ts';
import { fromStreamer, type Input, toStreamer } from './data-channel.ts';

/** What an input makes the app do and answer: answers as `[id, text or flag]`. */
const ask = (input: Input) => {
  const did: unknown[] = [];
  const replies: [id: number, body: unknown][] = [];
  let time = 1000;
  const app: Answerable = {
    now: () => time++,
    initialSettings: '{"a":1}',
    resize: (width, height) => did.push({ width, height }),
    toggleFps: () => did.push('fps'),
    setTone: (on) => did.push({ tone: on }),
    rename: (id) => did.push({ rename: id }),
    kick: (reason) => did.push({ kick: reason }),
    log: silentLog,
  };
  answerInput(input, app, (bytes) => {
    const id = bytes[0] ?? -1;
    const flag = id === fromStreamer.QualityControlOwnership.id;
    replies.push([id, flag ? bytes[1] : JSON.parse(Buffer.from(bytes.subarray(1)).toString('utf16le'))]);
  });
  return { did, replies };
};

test.each<[Input, [number, unknown][]]>([
  [{ name: 'RequestQualityControl' }, [[0, 1]]],
  [{ name: 'RequestInitialSettings' }, [[7, { a: 1 }]]],
  [{ name: 'GamepadConnected' }, [[13, { controllerId: 0 }]]],
  [{ name: 'UIInteraction', descriptor: '{"a":[1]}' }, [[1, { echo: { a: [1] } }]]],
  [{ name: 'UIInteraction', descriptor: 'not json' }, [[1, { echo: 'not json' }]]],
  [
    { name: 'DataChannelLatencyTest', descriptor: '{"Seq":7,"FillResponseSize":3,"Filler":"zz"}' },
    [[14, { Seq: 7, Filler: 'xxx', ReceivedTimestamp: 1000, SentTimestamp: 1001 }]],
  ],
  [{ name: 'DataChannelLatencyTest', descriptor: '{"Seq":null}' }, []],
  [{ name: 'Command', descriptor: '[]' }, []],
  [{ name: 'Command', descriptor: 'null' }, []],
  [{ name: 'Command', descriptor: '' }, []],
])('answerInput() answers %j as Unreal does', (input, replies) => {
  expect(ask(input).replies).toEqual(replies);
});

test('answerInput() times a latency test', () => {
  const [[id, times] = []] = ask({ name: 'LatencyTest', descriptor: '{"StartTime":1}' }).replies;
  expect(id).toBe(6);
  expect(times).toMatchObject({ ReceiptTimeMs: 1000, TransmissionTimeMs: 1001 });
});

test('answerInput() obeys the commands and the wishes of an interaction', () => {
  const command = (descriptor: string) => ask({ name: 'Command', descriptor }).did;
  expect(command('{"Resolution.Width":800,"Resolution.Height":600}')).toEqual([{ width: 800, height: 600 }]);
  expect(command('{"Resolution.Width":800}')).toEqual([]);
  expect(command('{"stat.fps":""}')).toEqual(['fps']);
  expect(command('{"WebRTC.MaxBitrate":1}')).toEqual([]);
  expect(ask({ name: 'UIInteraction', descriptor: '{"tone":true}' }).did).toEqual([{ tone: true }]);
  expect(ask({ name: 'UIInteraction', descriptor: '{"rename":"B","kick":"enough"}' }).did).toEqual([
    { rename: 'B' },
    { kick: 'enough' },
  ]);
});

test('answerInput() bounds the filler that a page may ask for', () => {
  const [[, body] = []] = ask({
    name: 'DataChannelLatencyTest',
    descriptor: '{"Seq":1,"FillResponseSize":999999999}',
  }).replies;
  expect(body).toMatchObject({ Filler: 'x'.repeat(16_384) });
});

test('answerInput() stays silent for everything else', () => {
  const silent: Input[] = [
    { name: 'FpsRequest' },
    { name: 'IFrameRequest' },
    { name: 'KeyDown', key: 87, repeat: 0 },
  ];
  for (const input of silent) expect(ask(input)).toEqual({ did: [], replies: [] });
  expect(Object.keys(toStreamer)).toContain('FpsRequest');
});

test('initialSettings() is JSON with the groups that the page reads', () => {
  expect(JSON.parse(initialSettings(30))).toMatchObject({
    PixelStreaming: { AllowPixelStreamingCommands: false },
    WebRTC: { FPS: 30 },
  });
});
