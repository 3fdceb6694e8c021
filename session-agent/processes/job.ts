import { ptr } from 'bun:ffi';
import { breakIn, kernel, none, wide, withProcess, workingSet } from './kernel32.ts';
import { closeWindows } from './screen.ts';

const all_rights = 0x1f_00_1f;
const same_access = 2;
/** JobObjectBasicProcessIdList. */
const process_list = 3;
/** Processes of one tree that are listed; an app has a dozen. */
const listed_most = 1_024;
/** JobObjectExtendedLimitInformation: its size, where its flags are, and JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE among them. */
const limits = 9;
const limits_bytes = 144;
const flags_at = 16;
const kill_on_close = 0x20_00;

/** On Windows: a process and all that descends from it. */
export interface Job {
  /** Its processes; undefined when Windows does not say. */
  pids(): number[] | undefined;
  /** Asks its windows to close, and what shows none as Ctrl-Break does; whether anybody was asked. */
  ask(): boolean;
  end(): void;
  /** In bytes. */
  memory(): number;
  /** Lets go of it; nothing can be done with it afterwards. Idempotent. */
  close(): void;
}

const jobOf = (handle: bigint): Job => {
  let open = true;
  const pids = (): number[] | undefined => {
    if (!open) return [];
    const list = new BigUint64Array(1 + listed_most);
    const whole = kernel().QueryInformationJobObject(handle, process_list, ptr(list), list.byteLength, none);
    const listed = new DataView(list.buffer).getUint32(4, true);
    // More than there is room for is an error too, and yet a list.
    return whole === 0 && listed === 0 ? undefined : [...list.slice(1, 1 + listed)].map(Number);
  };
  return {
    pids,
    ask() {
      const own = pids() ?? [];
      const shown = closeWindows(own);
      const told = own.filter((pid) => !shown.has(pid) && breakIn(pid));
      return shown.size + told.length > 0;
    },
    end() {
      if (open) kernel().TerminateJobObject(handle, 1);
    },
    memory: () => (pids() ?? []).reduce((sum, pid) => sum + workingSet(pid), 0),
    close() {
      if (open) kernel().CloseHandle(handle);
      open = false;
    },
  };
};

/** Has the process hold the job, without its knowing. From then on Windows ends all of the job when neither it nor an agent holds it. */
const giveTo = (handle: bigint, job: bigint): void => {
  const { GetCurrentProcess, DuplicateHandle, SetInformationJobObject } = kernel();
  const theirs = new BigUint64Array(1);
  const given = DuplicateHandle(BigInt(GetCurrentProcess()), job, handle, ptr(theirs), 0, 0, same_access);
  // Nothing but the agent would hold it, and the death of that one is not to end the session.
  if (given === 0) return;
  const wanted = new DataView(new ArrayBuffer(limits_bytes));
  wanted.setUint32(flags_at, kill_on_close, true);
  SetInformationJobObject(job, limits, ptr(wanted.buffer), limits_bytes);
};

/**
 * Puts the process, which has just been started, into a job of that name, with all that it starts from now on. The job outlives the agent
 * as long as the process does, which holds it; what that one leaves behind when no agent is there goes with it. Undefined when
 * Windows refuses, for one that has ended already.
 */
export const makeJob = (name: string, pid: number): Job | undefined => {
  const { CreateJobObjectW, AssignProcessToJobObject, CloseHandle } = kernel();
  const job = BigInt(CreateJobObjectW(none, ptr(wide(name))));
  if (job === 0n) return undefined;
  const joined = withProcess(pid, false, (handle) => {
    if (AssignProcessToJobObject(job, handle) === 0) return false;
    giveTo(handle, job);
    return true;
  });
  if (joined) return jobOf(job);
  CloseHandle(job);
  return undefined;
};

/** The job of that name that an agent before this one made; undefined when nothing of it lives. */
export const findJob = (name: string): Job | undefined => {
  const job = BigInt(kernel().OpenJobObjectW(all_rights, 0, ptr(wide(name))));
  return job === 0n ? undefined : jobOf(job);
};
