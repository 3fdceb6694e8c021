import { dlopen, type Pointer, ptr } from 'bun:ffi';

/** Windows' own functions for processes, as far as an agent needs them. Nothing here can be called on another system. */

const all_rights = 0x1f_0f_ff;
/** SYNCHRONIZE and PROCESS_QUERY_LIMITED_INFORMATION. */
const looking_rights = 0x10_10_00;
const wait_timeout = 258;
const ctrl_break = 1n;

const open = () =>
  dlopen('kernel32.dll', {
    CreateJobObjectW: { args: ['ptr', 'ptr'], returns: 'u64' },
    OpenJobObjectW: { args: ['u32', 'i32', 'ptr'], returns: 'u64' },
    AssignProcessToJobObject: { args: ['u64', 'u64'], returns: 'i32' },
    SetInformationJobObject: { args: ['u64', 'i32', 'ptr', 'u32'], returns: 'i32' },
    TerminateJobObject: { args: ['u64', 'u32'], returns: 'i32' },
    QueryInformationJobObject: { args: ['u64', 'i32', 'ptr', 'u32', 'ptr'], returns: 'i32' },
    OpenProcess: { args: ['u32', 'i32', 'u32'], returns: 'u64' },
    GetCurrentProcess: { args: [], returns: 'u64' },
    DuplicateHandle: { args: ['u64', 'u64', 'u64', 'ptr', 'u32', 'i32', 'u32'], returns: 'i32' },
    WaitForSingleObject: { args: ['u64', 'u32'], returns: 'u32' },
    GetExitCodeProcess: { args: ['u64', 'ptr'], returns: 'i32' },
    GetProcessTimes: { args: ['u64', 'ptr', 'ptr', 'ptr', 'ptr'], returns: 'i32' },
    IsWow64Process: { args: ['u64', 'ptr'], returns: 'i32' },
    GetModuleHandleW: { args: ['ptr'], returns: 'u64' },
    GetProcAddress: { args: ['u64', 'ptr'], returns: 'u64' },
    CreateRemoteThread: { args: ['u64', 'ptr', 'u64', 'u64', 'u64', 'u32', 'ptr'], returns: 'u64' },
    K32GetProcessMemoryInfo: { args: ['u64', 'ptr', 'u32'], returns: 'i32' },
    CloseHandle: { args: ['u64'], returns: 'i32' },
  }).symbols;

let functions: ReturnType<typeof open> | undefined;
/** The functions, which are looked up at their first use. */
export const kernel = (): ReturnType<typeof open> => {
  functions ??= open();
  return functions;
};

/** NULL. */
export const none = null as unknown as Pointer;
/** A text as Windows takes it: UTF-16, with a zero at its end. */
export const wide = (text: string): Buffer => Buffer.from(`${text}\0`, 'utf16le');

/** Runs `work` with a handle of the process; `otherwise` when there is none, or it may not be had. */
export const withProcess = <T>(
  pid: number,
  otherwise: T,
  work: (handle: bigint) => T,
  rights = all_rights,
): T => {
  const { OpenProcess, CloseHandle } = kernel();
  const handle = BigInt(OpenProcess(rights, 0, pid));
  if (handle === 0n) return otherwise;
  try {
    return work(handle);
  } finally {
    CloseHandle(handle);
  }
};

// Not its exit code: 259 stands for one that runs, and is what a program may end with.
const runs = (handle: bigint): boolean => kernel().WaitForSingleObject(handle, 0) === wait_timeout;

/** Whether the process has not ended. */
export const isRunning = (pid: number): boolean => withProcess(pid, false, runs, looking_rights);

/**
 * Holds the process, which has just been started, so that its exit code can be had when it has ended: all 32 bits of it, of which Bun
 * tells eight. The function returned is called once, then; undefined when Windows does not say.
 */
export const holdExitCode = (pid: number): (() => number | undefined) => {
  const { OpenProcess, GetExitCodeProcess, CloseHandle } = kernel();
  const handle = BigInt(OpenProcess(looking_rights, 0, pid));
  return () => {
    const code = new Uint32Array(1);
    const known = handle !== 0n && GetExitCodeProcess(handle, ptr(code)) !== 0;
    if (handle !== 0n) CloseHandle(handle);
    return known ? code[0] : undefined;
  };
};

/** When the process was created, in units of 100 ns since 1601; undefined when there is none that runs. */
export const createdAt = (pid: number): string | undefined =>
  withProcess(
    pid,
    undefined,
    (handle) => {
      const created = new BigUint64Array(1);
      const [ended, inside, outside] = [new BigUint64Array(1), new BigUint64Array(1), new BigUint64Array(1)];
      const known = kernel().GetProcessTimes(handle, ptr(created), ptr(ended), ptr(inside), ptr(outside));
      return known !== 0 && runs(handle) ? String(created[0]) : undefined;
    },
    looking_rights,
  );

/** The working set of a process, in bytes; 0 when it has gone. */
export const workingSet = (pid: number): number =>
  withProcess(
    pid,
    0,
    (handle) => {
      // PROCESS_MEMORY_COUNTERS: cb, page faults, peak working set, working set, and six more.
      const counters = new BigUint64Array(9);
      const bytes = counters.byteLength;
      new DataView(counters.buffer).setUint32(0, bytes, true);
      return kernel().K32GetProcessMemoryInfo(handle, ptr(counters), bytes) === 0 ? 0 : Number(counters[2]);
    },
    looking_rights,
  );

/**
 * Has the process hear Ctrl-Break, as from a console, though it has none: the routine which a console would run in it is started there.
 * Unreal leaves its loop, a program without an answer ends in good order. Whether it was told; one of 32 bits cannot be, as the
 * routine is elsewhere in it.
 */
export const breakIn = (pid: number): boolean =>
  withProcess(pid, false, (handle) => {
    const { IsWow64Process, GetModuleHandleW, GetProcAddress, CreateRemoteThread, CloseHandle } = kernel();
    const narrow = new Int32Array(1);
    if (IsWow64Process(handle, ptr(narrow)) === 0 || narrow[0] !== 0) return false;
    // A library of the system is at the same address in every process until the machine is started again.
    const library = BigInt(GetModuleHandleW(ptr(wide('kernel32.dll'))));
    const routine = BigInt(GetProcAddress(library, ptr(Buffer.from('CtrlRoutine\0'))));
    if (routine === 0n) return false;
    const thread = BigInt(CreateRemoteThread(handle, none, 0n, routine, ctrl_break, 0, none));
    if (thread === 0n) return false;
    CloseHandle(thread);
    return true;
  });
