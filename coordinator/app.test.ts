import { expect, test } from 'bun:test';
import { startCoordinator } from './app.ts';
import { type Rig, startRig } from './testing/rig.ts';

/** What one more attempt to join from there is answered with. */
const attempts =
  (rig: Rig) =>
  async (forwarded: string): Promise<number> => {
    const headers = { 'X-Forwarded-For': forwarded };
    return (await rig.request('POST', '/api/v1/join', { body: { code: '0000' }, headers })).status;
  };

test(`${startCoordinator.name}() counts callers by what the trusted proxy says, not by what they say themselves`, async () => {
  await using rig = await startRig({ trusted_proxy_hops: 1, starts_per_minute: 1 });
  const join = attempts(rig);
  expect(await join('1.1.1.1')).toBe(404);
  expect(await join('1.1.1.1')).toBe(429);
  for (const spoofed of ['9.9.9.9, 1.1.1.1', '8.8.8.8,9.9.9.9, 1.1.1.1', 'x, 1.1.1.1']) {
    expect(await join(spoofed)).toBe(429);
  }
  expect(await join('1.1.1.2')).toBe(404);
  expect([await join('2001:db8::1'), await join('2001:db8::2'), await join('2001:db8:0:1::1')]).toEqual([
    404, 429, 404,
  ]);
  expect([await join('garbage'), await join('other garbage')]).toEqual([404, 429]);
});

test(`${startCoordinator.name}() believes no header when there is no proxy`, async () => {
  await using rig = await startRig({ starts_per_minute: 1 });
  const join = attempts(rig);
  expect([await join('1.1.1.1'), await join('1.1.1.2')]).toEqual([404, 429]);
});

test(`${startCoordinator.name}() names in its log the address that a socket has behind the trusted proxy`, async () => {
  await using rig = await startRig({ trusted_proxy_hops: 1 });
  const socket = await rig.client({ 'X-Forwarded-For': '203.0.113.99' });
  socket.send('nonsense');
  await socket.next('the refusal', (frame) => (String(frame).includes('malformed') ? frame : undefined));
  const lines = rig.recorded.lines().filter(({ msg }) => msg === 'bad message');
  expect(lines).toMatchObject([{ remote: '203.0.113.99' }]);
  socket.close();
});
