import { z } from 'zod';
import type { Log } from '../../shared/log.ts';
import { encodeFlag, encodeText, type Input, type InputName, type InputOf } from './data-channel.ts';
import type { Reply } from './peer.ts';

/** What a page's requests may reach in the app. */
export interface Answerable {
  now(): number;
  initialSettings: string;
  resize(width: number, height: number): void;
  toggleFps(): void;
  setTone(on: boolean): void;
  /** Registers under another streamer id. */
  rename(streamer_id: string): void;
  /** Has the signalling server close the player that asks. */
  kick(reason: string): void;
  log: Log;
}

/** As Unreal 5 announces itself; only values that the page knows. */
export const initialSettings = (fps: number): string =>
  JSON.stringify({
    PixelStreaming: { AllowPixelStreamingCommands: false, DisableLatencyTest: false },
    Encoder: { TargetBitrate: -1, MaxBitrate: 8_000_000, MinQuality: 0, MaxQuality: 100 },
    WebRTC: { DegradationPref: 'MAINTAIN_QUALITY', FPS: fps, MinBitrate: 500_000, MaxBitrate: 8_000_000 },
    ConfigOptions: { DefaultToHover: false },
  });

const commandSchema = z.looseObject({
  'Resolution.Width': z.coerce.number().optional(),
  'Resolution.Height': z.coerce.number().optional(),
  'stat.fps': z.unknown().optional(),
});
const interactionSchema = z.looseObject({
  tone: z.boolean().optional(),
  rename: z.string().optional(),
  kick: z.string().optional(),
});
const latencyRequestSchema = z.looseObject({
  Seq: z.number(),
  FillResponseSize: z.number().int().min(0).default(0),
});
/** Longest filler of a latency answer, characters. */
const FILLER = 16_384;

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

type Rows = { [N in InputName]?: (input: InputOf<N>, app: Answerable, reply: Reply) => void };

/** One row for each message that Unreal answers or obeys by itself. Bit rates and quality are the encoder's own here. */
const rows: Rows = {
  RequestQualityControl: (_input, _app, reply) => reply(encodeFlag('QualityControlOwnership', true)),
  RequestInitialSettings: (_input, app, reply) => reply(encodeText('InitialSettings', app.initialSettings)),
  LatencyTest: (_input, app, reply) => {
    const received = app.now();
    const times = { ReceiptTimeMs: received, EncodeMs: 0, CaptureToSendMs: 0, TransmissionTimeMs: app.now() };
    reply(encodeText('LatencyTest', JSON.stringify(times)));
  },
  DataChannelLatencyTest: ({ descriptor }, app, reply) => {
    const received = app.now();
    const request = latencyRequestSchema.safeParse(jsonOf(descriptor));
    if (!request.success) return;
    const filler = 'x'.repeat(Math.min(FILLER, request.data.FillResponseSize));
    const answer = {
      Seq: request.data.Seq,
      Filler: filler,
      ReceivedTimestamp: received,
      SentTimestamp: app.now(),
    };
    reply(encodeText('DataChannelLatencyTest', JSON.stringify(answer)));
  },
  GamepadConnected: (_input, _app, reply) =>
    reply(encodeText('GamepadResponse', JSON.stringify({ controllerId: 0 }))),
  UIInteraction: ({ descriptor }, app, reply) => {
    const value = jsonOf(descriptor);
    const known = interactionSchema.safeParse(value);
    const { tone, rename, kick } = known.data ?? {};
    if (tone !== undefined) app.setTone(tone);
    reply(encodeText('Response', JSON.stringify({ echo: value ?? descriptor })));
    if (rename !== undefined) app.rename(rename);
    if (kick !== undefined) app.kick(kick);
  },
  Command: ({ descriptor }, app) => {
    const command = commandSchema.safeParse(jsonOf(descriptor));
    if (!command.success) return app.log.warn('a Command that is no JSON object was ignored');
    const { 'Resolution.Width': width, 'Resolution.Height': height } = command.data;
    if (width !== undefined && height !== undefined) app.resize(width, height);
    if ('stat.fps' in command.data) app.toggleFps();
  },
};

/** Answers a message if Unreal would. */
export const answerInput = (input: Input, app: Answerable, reply: Reply): void => {
  // The row was looked up by the input's own name, so it takes this input.
  const row = rows[input.name] as ((input: Input, app: Answerable, reply: Reply) => void) | undefined;
  row?.(input, app, reply);
};
