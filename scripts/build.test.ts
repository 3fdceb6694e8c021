import { expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { releaseIn } from '../shared/release.ts';

/** The machine field of a PE header for x86-64. */
const amd64 = 0x8664;

/** Builds one of the executables into a folder. */
const build = (name: string, folder: string, release: string): Promise<number> =>
  Bun.spawn([process.execPath, 'scripts/build.ts', name, '--folder', folder, '--release', release], {
    cwd: join(import.meta.dir, '..'),
    stdio: ['ignore', 'ignore', 'inherit'],
  }).exited;

test('build() makes of the session agent a Windows executable that has its release in it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrina-build-'));
  expect(await build('session-agent-windows-x64', folder, '9.8.7-test')).toBe(0);
  const bytes = readFileSync(join(folder, 'session-agent-windows-x64.exe'));
  expect(bytes.toString('latin1', 0, 2)).toBe('MZ');
  const header = bytes.readUInt32LE(0x3c);
  expect(bytes.toString('latin1', header, header + 4)).toBe('PE\0\0');
  expect(bytes.readUInt16LE(header + 4)).toBe(amd64);
  expect(releaseIn(join(folder, 'session-agent-windows-x64.exe'))).toEqual({
    name: 'session-agent',
    platform: 'windows-x64',
    version: '9.8.7-test',
  });
  rmSync(folder, { recursive: true });
}, 300_000);

test('build() takes no release that cannot be compared', async () => {
  expect(await build('coordinator-linux-x64', tmpdir(), 'next')).toBe(2);
});

test('build() makes of the demo app an executable that brings libwebrtc along', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrina-build-'));
  expect(await build('demo-app-linux-x64', folder, '9.8.7-test')).toBe(0);
  const app = join(folder, 'demo-app-linux-x64');
  expect(releaseIn(app)).toEqual({ name: 'demo-app', platform: 'linux-x64', version: '9.8.7-test' });
  const asked = Bun.spawn([app, '--version'], { cwd: folder, stdout: 'pipe' });
  expect([await asked.stdout.text(), await asked.exited]).toEqual(['9.8.7-test\n', 0]);
  const signalling = Promise.withResolvers<string>();
  using server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: (request, own) => (own.upgrade(request) ? undefined : new Response(null, { status: 400 })),
    websocket: {
      open: (socket) => void socket.send('{"type":"identify"}'),
      message: (_, text) => signalling.resolve(String(text)),
    },
  });
  const running = Bun.spawn([app, `-PixelStreamingURL=ws://127.0.0.1:${server.port}`], {
    cwd: folder,
    stdout: 'pipe',
  });
  expect(JSON.parse(await signalling.promise)).toMatchObject({ type: 'endpointId' });
  running.kill('SIGTERM');
  expect(await running.exited).toBe(0);
  expect(await running.stdout.text()).not.toContain('cannot be loaded');
  rmSync(folder, { recursive: true });
}, 300_000);
