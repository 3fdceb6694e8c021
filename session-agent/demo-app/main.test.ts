import { afterEach, describe, expect, test } from 'bun:test';
import { fakeSignalling, soon } from './testing/page.ts';

const patience_ms = 120_000;
const program = new URL('./main.ts', import.meta.url).pathname;
const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

const run = (...flags: string[]) => {
  const child = Bun.spawn([process.execPath, program, ...flags], { stdout: 'pipe', stderr: 'pipe' });
  stops.push(() => child.kill('SIGKILL'));
  return child;
};

/** The first log line with this message. */
const logged = async (child: ReturnType<typeof run>, msg: string): Promise<Record<string, unknown>> => {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    text += decoder.decode(chunk, { stream: true });
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    const found = lines.map((line) => JSON.parse(line)).find((line) => line.msg === msg);
    if (found !== undefined) return found;
  }
  throw new Error(`the output ended before "${msg}"`);
};

const signallingFor = async () => {
  const signalling = fakeSignalling();
  stops.push(signalling.stop);
  return signalling;
};

describe('program main.ts', () => {
  test(
    'run() registers, says so with the time, and ends at once with 0 on SIGTERM',
    async () => {
      const signalling = await signallingFor();
      const connected = signalling.connections.next(() => true, 'the connection');
      const child = run(`-PixelStreamingURL=${signalling.url}`, '-pixelstreamingid=abc');
      await connected;
      const identified = signalling.inbox.next((m) => m.type === 'endpointId', 'endpointId');
      signalling.send({ type: 'identify' });
      expect(await identified).toMatchObject({ id: 'abc' });
      signalling.send({ type: 'endpointIdConfirm', committedId: 'abc' });
      expect(await soon(logged(child, 'registered'), 'the log line')).toMatchObject({
        time: expect.any(String),
        streamer: 'abc',
      });
      child.kill('SIGTERM');
      expect(await soon(child.exited, 'the end')).toBe(0);
    },
    patience_ms,
  );

  test(
    'run() exits with the code it is told, and with 2 for a wrong command line',
    async () => {
      expect(await soon(run('-DemoExitCode=3').exited, 'the end')).toBe(3);
      const wrong = run('-DemoStyle=castle');
      expect(await soon(logged(wrong, 'wrong command line'), 'the log line')).toMatchObject({
        level: 'fatal',
      });
      expect(await soon(wrong.exited, 'the end')).toBe(2);
    },
    patience_ms,
  );

  test(
    'run() crashes as told',
    async () => {
      const child = run('-DemoCrashAfter=1');
      expect(await soon(child.exited, 'the crash')).not.toBe(0);
      expect(child.signalCode ?? 'exit').not.toBe('SIGKILL');
    },
    patience_ms,
  );

  test(
    'run() hangs as told: it lives, says nothing more and hears no SIGTERM',
    async () => {
      const child = run('-DemoHangAfter=1');
      await soon(logged(child, 'hanging as told'), 'the log line');
      child.kill('SIGTERM');
      const second = run('-DemoExitCode=0');
      await soon(second.exited, 'another program’s whole life');
      expect(child.exitCode).toBeNull();
      child.kill('SIGKILL');
      await soon(child.exited, 'the end');
      expect(child.signalCode).toBe('SIGKILL');
    },
    patience_ms,
  );

  test(
    'run() starts as slowly as told',
    async () => {
      const signalling = await signallingFor();
      const connected = signalling.connections.next(() => true, 'the connection');
      const began = performance.now();
      run(`-PixelStreamingURL=${signalling.url}`, '-DemoStartDelay=1500');
      await connected;
      expect(performance.now() - began).toBeGreaterThan(1500);
    },
    patience_ms,
  );
});
