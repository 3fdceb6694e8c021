import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Network, Place } from '../grey-ip/network.ts';

/**
 * A machine at a place of the network with files of its own in /etc, /run and /var/log: what is printed for a program lies
 * where it says that it belongs, and listens where it says. Everything else is this machine's. Needs root and util-linux.
 */
export interface Machine {
  write(path: string, text: string): void;
  /** Runs a command there to its end; its output, or an exception when it fails. */
  run(command: readonly string[], input?: string): string;
  /** Starts a program there, which is killed by `stop` if nobody did it before. */
  start(command: readonly string[]): Started;
  stop(): Promise<void>;
}

/** A program that runs. */
export interface Started {
  /** What it has written so far, a line each. */
  readonly lines: readonly string[];
  /** Whether it still does. */
  running(): boolean;
  /** SIGTERM, and its end. */
  stop(): Promise<void>;
}

/** Mounts that nobody outside sees, made by a process that keeps them for as long as it lives. */
const keep = `
mount -t tmpfs files /mnt
cp -a /etc /mnt/etc
mkdir -p /mnt/log/nginx /mnt/log/caddy /mnt/run /mnt/caddy
chown caddy:caddy /mnt/log/caddy /mnt/caddy
mount --bind /mnt/etc /etc
mount --bind /mnt/log /var/log
mount --bind /mnt/caddy /var/lib/caddy
mount --bind /mnt/run /run
echo ready
exec sleep infinity`;

const startProgram = (command: readonly string[]): Started & { child: ChildProcess } => {
  const lines: string[] = [];
  const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output }).on('line', (line) => lines.push(line));
  }
  const ended = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  const running = () => child.exitCode === null && child.signalCode === null;
  return { child, lines, running, stop };
};

export const startMachine = async (network: Network, place: Place, hosts: string): Promise<Machine> => {
  const keeper = spawn('ip', [...network.inside(place).slice(1), 'unshare', '--mount', 'sh', '-ec', keep], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(keeper, 'exit');
  await Promise.race([
    once(createInterface({ input: keeper.stdout }), 'line'),
    ended.then(() => Promise.reject(new Error('the mounts of the machine cannot be made'))),
  ]);
  const inside = ['nsenter', '--target', String(keeper.pid), '--mount', '--net', '--'];
  const programs: (Started & { child: ChildProcess })[] = [];
  const run = ([file = '', ...args]: readonly string[], input = ''): string =>
    execFileSync('nsenter', [...inside.slice(1), file, ...args], { encoding: 'utf8', input });
  const write = (path: string, text: string) =>
    void run(['sh', '-ec', 'mkdir -p "$(dirname "$1")"; cat > "$1"', 'sh', path], text);
  write('/etc/hosts', hosts);
  return {
    run,
    write,
    start(command) {
      const program = startProgram([...inside, ...command]);
      programs.unshift(program);
      return program;
    },
    async stop() {
      for (const { child, running } of programs) {
        if (!running()) continue;
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      keeper.kill('SIGKILL');
      await ended;
    },
  };
};
