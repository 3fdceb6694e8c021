/**
 * The binary messages between a player's page and the app. Byte 0 is the id, the fields follow without padding, little
 * endian. The field types are named as Epic's Protocol message names them.
 */
export type FieldType = 'uint8' | 'uint16' | 'int16' | 'double' | 'string';

type Fields = Readonly<Record<string, FieldType>>;

const pointer = { x: 'uint16', y: 'uint16' } as const;
const button = { button: 'uint8', ...pointer } as const;
const touch = {
  touches: 'uint8',
  x: 'uint16',
  y: 'uint16',
  finger: 'uint8',
  force: 'uint8',
  valid: 'uint8',
} as const;

/** Page to app. Strings carry their length (uint16, UTF-16 code units) in this direction. */
export const toStreamer = {
  IFrameRequest: { id: 0, fields: {} },
  RequestQualityControl: { id: 1, fields: {} },
  FpsRequest: { id: 2, fields: {} },
  AverageBitrateRequest: { id: 3, fields: {} },
  StartStreaming: { id: 4, fields: {} },
  StopStreaming: { id: 5, fields: {} },
  LatencyTest: { id: 6, fields: { descriptor: 'string' } },
  RequestInitialSettings: { id: 7, fields: {} },
  TestEcho: { id: 8, fields: {} },
  DataChannelLatencyTest: { id: 9, fields: { descriptor: 'string' } },
  UIInteraction: { id: 50, fields: { descriptor: 'string' } },
  Command: { id: 51, fields: { descriptor: 'string' } },
  TextboxEntry: { id: 52, fields: { text: 'string' } },
  KeyDown: { id: 60, fields: { key: 'uint8', repeat: 'uint8' } },
  KeyUp: { id: 61, fields: { key: 'uint8' } },
  KeyPress: { id: 62, fields: { character: 'uint16' } },
  MouseEnter: { id: 70, fields: {} },
  MouseLeave: { id: 71, fields: {} },
  MouseDown: { id: 72, fields: button },
  MouseUp: { id: 73, fields: button },
  MouseMove: { id: 74, fields: { ...pointer, dx: 'int16', dy: 'int16' } },
  MouseWheel: { id: 75, fields: { delta: 'int16', ...pointer } },
  MouseDouble: { id: 76, fields: button },
  TouchStart: { id: 80, fields: touch },
  TouchEnd: { id: 81, fields: touch },
  TouchMove: { id: 82, fields: touch },
  GamepadButtonPressed: { id: 90, fields: { controller: 'uint8', button: 'uint8', repeat: 'uint8' } },
  GamepadButtonReleased: { id: 91, fields: { controller: 'uint8', button: 'uint8', repeat: 'uint8' } },
  GamepadAnalog: { id: 92, fields: { controller: 'uint8', axis: 'uint8', value: 'double' } },
  GamepadConnected: { id: 93, fields: {} },
  GamepadDisconnected: { id: 94, fields: { controller: 'uint8' } },
} as const satisfies Record<string, { id: number; fields: Fields }>;

type Table = typeof toStreamer;
export type InputName = keyof Table;

type ValuesOf<F extends Fields> = { -readonly [K in keyof F]: F[K] extends 'string' ? string : number };

/** One decoded message: `{ name: 'KeyDown', key: 87, repeat: 0 }`. */
export type Input = { [N in InputName]: { name: N } & ValuesOf<Table[N]['fields']> }[InputName];
export type InputOf<N extends InputName> = Extract<Input, { name: N }>;

/** App to page. A string has no length here: it runs to the end. */
export const fromStreamer = {
  QualityControlOwnership: { id: 0, payload: 'uint8' },
  Response: { id: 1, payload: 'string' },
  Command: { id: 2, payload: 'string' },
  FreezeFrame: { id: 3, payload: 'bytes' },
  UnfreezeFrame: { id: 4, payload: 'none' },
  VideoEncoderAvgQP: { id: 5, payload: 'string' },
  LatencyTest: { id: 6, payload: 'string' },
  InitialSettings: { id: 7, payload: 'string' },
  FileExtension: { id: 8, payload: 'string' },
  FileMimeType: { id: 9, payload: 'string' },
  FileContents: { id: 10, payload: 'bytes' },
  TestEcho: { id: 11, payload: 'none' },
  InputControlOwnership: { id: 12, payload: 'uint8' },
  GamepadResponse: { id: 13, payload: 'string' },
  DataChannelLatencyTest: { id: 14, payload: 'string' },
  Protocol: { id: 255, payload: 'string' },
} as const;

type Reply = keyof typeof fromStreamer;
export type TextReply = {
  [N in Reply]: (typeof fromStreamer)[N]['payload'] extends 'string' ? N : never;
}[Reply];
export type FlagReply = {
  [N in Reply]: (typeof fromStreamer)[N]['payload'] extends 'uint8' ? N : never;
}[Reply];

/** Why bytes are no message. `id` is -1 when there is not even that byte. */
export interface Undecodable {
  wrong: 'unknown_id' | 'too_short' | 'trailing_bytes';
  id: number;
}

const byId = new Map<number, { name: string; fields: Fields }>(
  Object.entries(toStreamer).map(([name, { id, fields }]) => [id, { name, fields }]),
);

export const field_bytes = { uint8: 1, uint16: 2, int16: 2, double: 8, string: 2 } as const;

/** Reads one message from the page. Never throws, whatever the bytes. */
export const decodeInput = (bytes: Uint8Array): Input | Undecodable => {
  const id = bytes[0] ?? -1;
  const row = byId.get(id);
  if (row === undefined) return { wrong: id < 0 ? 'too_short' : 'unknown_id', id };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const message: Record<string, string | number> = { name: row.name };
  let at = 1;
  for (const [field, type] of Object.entries(row.fields)) {
    if (at + field_bytes[type] > bytes.length) return { wrong: 'too_short', id };
    if (type === 'uint8') message[field] = view.getUint8(at);
    else if (type === 'uint16') message[field] = view.getUint16(at, true);
    else if (type === 'int16') message[field] = view.getInt16(at, true);
    else if (type === 'double') message[field] = view.getFloat64(at, true);
    else {
      const end = at + 2 + 2 * view.getUint16(at, true);
      if (end > bytes.length) return { wrong: 'too_short', id };
      message[field] = new TextDecoder('utf-16le', { ignoreBOM: true }).decode(bytes.subarray(at + 2, end));
      at = end;
      continue;
    }
    at += field_bytes[type];
  }
  // The loop filled exactly the fields that the table declares for this name.
  return at === bytes.length ? (message as unknown as Input) : { wrong: 'trailing_bytes', id };
};

/** A string's bytes without its length. */
export const utf16 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'utf16le'));

export const encodeText = (name: TextReply, text: string): Uint8Array =>
  new Uint8Array(Buffer.concat([Uint8Array.of(fromStreamer[name].id), utf16(text)]));

export const encodeFlag = (name: FlagReply, on: boolean): Uint8Array =>
  Uint8Array.of(fromStreamer[name].id, on ? 1 : 0);

/** The Protocol message for one direction: 0 declares what the page may send, 1 what it may receive. */
export const encodeProtocol = (direction: 0 | 1): Uint8Array => {
  const rows =
    direction === 0
      ? Object.entries(toStreamer).map(([name, { id, fields }]) => [
          name,
          { id, structure: Object.values(fields) },
        ])
      : Object.entries(fromStreamer).map(([name, { id, payload }]) => [
          name,
          { id, structure: payload === 'string' || payload === 'uint8' ? [payload] : [] },
        ]);
  return encodeText('Protocol', JSON.stringify({ Direction: direction, ...Object.fromEntries(rows) }));
};
