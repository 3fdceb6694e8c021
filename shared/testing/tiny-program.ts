import { markOf, type Release } from '../release.ts';

const load_address = 0x400000;
const header_bytes = 64 + 56;

interface Tiny {
  /** Without one the program has no mark. */
  release?: Release | undefined;
  /** What it prints; its release when left out. */
  says?: string;
  code?: number;
  /** It does nothing, until it is killed. */
  waits?: boolean;
  machine?: number;
}

/** push 34; pop rax (pause); syscall; jmp back */
const waiting = [0x6a, 0x22, 0x58, 0x0f, 0x05, 0xeb, 0xf9];

/** write(1, text, length), exit(code), with the text at once behind it. */
const telling = (length: number, code: number): number[] => {
  const u32 = (value: number) => [0, 8, 16, 24].map((shift) => (value >> shift) & 0xff);
  const end = [0xbf, ...u32(code), 0xb8, ...u32(60), 0x0f, 0x05];
  const write = [0xb8, ...u32(1), 0xbf, ...u32(1), 0xba, ...u32(length)];
  // lea rsi, [rip + what is between here and the text]
  return [...write, 0x48, 0x8d, 0x35, ...u32(2 + end.length), 0x0f, 0x05, ...end];
};

/** An ELF program for x86-64 of some hundred bytes that Linux runs: prints one line and ends. With a mark as `build` makes it. */
export const tinyProgram = ({
  release,
  says,
  code = 0,
  waits = false,
  machine = 0x3e,
}: Tiny): Buffer<ArrayBuffer> => {
  const text = Buffer.from(`${says ?? release?.version ?? ''}\n`);
  const machine_code = Buffer.from(waits ? waiting : telling(text.length, code));
  const mark = Buffer.from(release === undefined ? '' : markOf(release));
  const size = header_bytes + machine_code.length + text.length + mark.length;
  const elf = Buffer.alloc(64);
  elf.write('\x7fELF\x02\x01\x01', 'latin1');
  elf.writeUInt16LE(2, 16);
  elf.writeUInt16LE(machine, 18);
  elf.writeUInt32LE(1, 20);
  elf.writeBigUInt64LE(BigInt(load_address + header_bytes), 24);
  elf.writeBigUInt64LE(64n, 32);
  elf.writeUInt16LE(64, 52);
  elf.writeUInt16LE(56, 54);
  elf.writeUInt16LE(1, 56);
  const segment = Buffer.alloc(56);
  segment.writeUInt32LE(1, 0);
  segment.writeUInt32LE(5, 4);
  segment.writeBigUInt64LE(BigInt(load_address), 16);
  segment.writeBigUInt64LE(BigInt(load_address), 24);
  segment.writeBigUInt64LE(BigInt(size), 32);
  segment.writeBigUInt64LE(BigInt(size), 40);
  segment.writeBigUInt64LE(4096n, 48);
  return Buffer.concat([elf, segment, machine_code, text, mark]);
};
