import { dlopen, JSCallback, ptr } from 'bun:ffi';

const wm_close = 0x10;
/** GW_OWNER, GWL_STYLE, and both bits of WS_CAPTION. */
const owner_of = 4;
const style_of = -16;
const with_title = 0xc0_00_00;

const open = () =>
  dlopen('user32.dll', {
    EnumWindows: { args: ['function', 'i64'], returns: 'i32' },
    GetWindowThreadProcessId: { args: ['u64', 'ptr'], returns: 'u32' },
    GetWindow: { args: ['u64', 'u32'], returns: 'u64' },
    GetWindowLongW: { args: ['u64', 'i32'], returns: 'i32' },
    IsWindowVisible: { args: ['u64'], returns: 'i32' },
    PostMessageW: { args: ['u64', 'u32', 'u64', 'i64'], returns: 'i32' },
  }).symbols;
let functions: ReturnType<typeof open> | undefined;
const user = (): ReturnType<typeof open> => {
  functions ??= open();
  return functions;
};

/** A window for people, though it may be hidden, as the first one of a program that is started so; not one that only hears messages. */
const isMain = (window: bigint): boolean => {
  const { GetWindow, GetWindowLongW, IsWindowVisible } = user();
  if (BigInt(GetWindow(window, owner_of)) !== 0n) return false;
  return IsWindowVisible(window) !== 0 || (GetWindowLongW(window, style_of) & with_title) === with_title;
};

/** On Windows: asks every main window of these processes to close, as its cross does. Those of them that have one. */
export const closeWindows = (pids: readonly number[]): Set<number> => {
  const { EnumWindows, GetWindowThreadProcessId, PostMessageW } = user();
  const process_of = new Uint32Array(1);
  const asked = new Set<number>();
  const look = new JSCallback(
    (window: bigint) => {
      GetWindowThreadProcessId(window, ptr(process_of));
      const [pid = 0] = process_of;
      if (pids.includes(pid) && isMain(window) && PostMessageW(window, wm_close, 0n, 0n) !== 0)
        asked.add(pid);
      return 1;
    },
    { args: ['u64', 'i64'], returns: 'i32' },
  );
  try {
    EnumWindows(look.ptr, 0n);
    return asked;
  } finally {
    look.close();
  }
};
