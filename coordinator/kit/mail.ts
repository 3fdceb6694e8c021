/** What goes from one process to another at once, as bytes: who sends it, the how many-th it is, and frames of pipes. */
export interface Mail {
  readonly from: string;
  readonly number: number;
  readonly frames: readonly PipeFrame[];
}

/** `open` and `close` as the pipe's ends say it; `lost`: it is no longer; `reset`: a mail was missed, and none that the two have is. */
export const frameKinds = ['open', 'data', 'close', 'lost', 'reset'] as const;

export interface PipeFrame {
  readonly kind: (typeof frameKinds)[number];
  /** Whether the pipe was dialled by who sends this. */
  readonly dialler: boolean;
  /** Counted by who dialled. */
  readonly pipe: number;
  readonly bytes: Uint8Array;
}

const no_bytes = new Uint8Array();
/** u8 kind, u8 dialler, u32 pipe, u32 length. */
export const frame_head = 10;

export const resetFrame: PipeFrame = { kind: 'reset', dialler: true, pipe: 0, bytes: no_bytes };

/** A u8 with the length of the sender's name, that name, the number as u32, and the frames. */
export const encodeMail = ({ from, number, frames }: Mail): Buffer => {
  const name = Buffer.from(from);
  const head = Buffer.alloc(1 + name.length + 4);
  head.writeUInt8(name.length);
  name.copy(head, 1);
  head.writeUInt32BE(number, 1 + name.length);
  const parts = frames.flatMap(({ kind, dialler, pipe, bytes }) => {
    const part = Buffer.alloc(frame_head);
    part.writeUInt8(frameKinds.indexOf(kind));
    part.writeUInt8(dialler ? 1 : 0, 1);
    part.writeUInt32BE(pipe, 2);
    part.writeUInt32BE(bytes.length, 6);
    return [part, bytes];
  });
  return Buffer.concat([head, ...parts]);
};

/** Undefined when the bytes are no mail. */
export const decodeMail = (bytes: Buffer): Mail | undefined => {
  const name_length = bytes[0] ?? 0;
  let at = 1 + name_length + 4;
  if (name_length === 0 || bytes.length < at) return undefined;
  const frames: PipeFrame[] = [];
  while (at < bytes.length) {
    const from = at + frame_head;
    if (bytes.length < from) return undefined;
    const kind = frameKinds[bytes.readUInt8(at)];
    const end = from + bytes.readUInt32BE(at + 6);
    if (kind === undefined || bytes.length < end) return undefined;
    const frame = { kind, dialler: bytes.readUInt8(at + 1) === 1, pipe: bytes.readUInt32BE(at + 2) };
    frames.push({ ...frame, bytes: bytes.subarray(from, end) });
    at = end;
  }
  return {
    from: bytes.toString('utf8', 1, 1 + name_length),
    number: bytes.readUInt32BE(1 + name_length),
    frames,
  };
};
