import { join } from 'node:path';
import { temporaryFolder } from './folder.ts';

interface HostReport {
  faults: string[];
  /** Tags of the players that are connected. */
  open: string[];
  received: number;
  said: number;
}

/** Hosts whose sessions are made of numbered messages, in a process of their own: `session-agent/testing/channel-host.ts`. */
export interface CutHosts {
  /** What they have seen so far. */
  report(): Promise<HostReport>;
  stop(): Promise<void>;
}

export const startCutHosts = async (entries: readonly object[]): Promise<CutHosts> => {
  const folder = await temporaryFolder();
  await folder.write('hosts.json', entries);
  const program = join(import.meta.dir, '..', '..', 'session-agent', 'testing', 'channel-host.ts');
  const child = Bun.spawn([process.execPath, program, join(folder.path, 'hosts.json')], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const reader = child.stdout.getReader();
  const address = Buffer.from((await reader.read()).value ?? [])
    .toString()
    .trim();
  return {
    report: async () => (await fetch(address)).json() as Promise<HostReport>,
    async stop() {
      child.kill('SIGTERM');
      await child.exited;
      await folder[Symbol.asyncDispose]();
    },
  };
};
