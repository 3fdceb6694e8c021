/**
 * What jobs do on this Windows, as one line of JSON. Runs itself as the programs that it puts into them: `sleep` runs on, and `parent` has
 * such a child.
 */
import { systemClock } from '../../shared/clock.ts';
import { findJob, type Job, makeJob } from '../processes/job.ts';
import { createdAt, holdExitCode, isRunning } from '../processes/kernel32.ts';
import { sleep } from '../wait.ts';

const [, , role] = process.argv;

const start = (...command: [string, ...string[]]) =>
  Bun.spawn(command, { stdio: ['ignore', 'ignore', 'ignore'], detached: true, windowsHide: true });
const itself = (...words: string[]) => start(process.execPath, ...words);

/** Whether it comes true while somebody would wait for it. */
const comes = async (fits: () => boolean): Promise<boolean> => {
  const deadline = performance.now() + 10_000;
  while (!fits() && performance.now() < deadline) await sleep(systemClock, 20);
  return fits();
};
const count = (job: Job | undefined, wanted: number) => comes(() => job?.pids()?.length === wanted);

const probe = async () => {
  const name = (part: string) => `Global\\vitrina-${process.pid}-${part}`;
  const said: Record<string, unknown> = {};

  const ends = start('C:\\windows\\system32\\cmd.exe', '/c', 'exit 259');
  const exitCode = holdExitCode(ends.pid);
  await ends.exited;
  said.still_active = {
    code: exitCode(),
    runs: isRunning(ends.pid),
    born: createdAt(ends.pid) !== undefined,
  };

  const parent = itself('parent');
  const job = makeJob(name('tree'), parent.pid);
  said.tree = { grows: await count(job, 2), weighs: (job?.memory() ?? 0) > 1e6 };
  const pids = job?.pids() ?? [];
  job?.close();
  said.closed = { pids: job?.pids(), lives: pids.every(isRunning) };
  const found = findJob(name('tree'));
  said.found = { same: String(found?.pids()) === String(pids) };
  found?.close();
  // Nobody else holds the job: what the process leaves behind goes with it.
  parent.kill();
  said.left = { gone: await comes(() => !pids.some(isRunning)) };

  const forced = itself('parent');
  const whole = makeJob(name('forced'), forced.pid);
  await count(whole, 2);
  whole?.end();
  said.end = { gone: await count(whole, 0) };
  whole?.close();

  const shown = start('C:\\windows\\notepad.exe');
  const window = makeJob(name('window'), shown.pid);
  // Asked again until it shows its window; before that it is one without.
  said.window = { ends: await comes(() => window?.ask() === false) };
  shown.kill();
  window?.close();
  return said;
};

if (role === 'parent') itself('sleep');
if (role === undefined) {
  process.stdout.write(`${JSON.stringify(await probe())}\n`);
  process.exit(0);
}
setInterval(() => {}, 1_000);
