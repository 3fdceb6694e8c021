import { expect, test } from 'bun:test';
import { iceAddress } from './ice-address.ts';

const rows: [text: string, found: string | undefined][] = [
  ['stun:stun.example', 'stun stun.example 3478 udp'],
  ['stun:192.0.2.1:19302', 'stun 192.0.2.1 19302 udp'],
  ['turn:turn.example:3478?transport=udp', 'turn turn.example 3478 udp'],
  ['turn:turn.example?transport=tcp', 'turn turn.example 3478 tcp'],
  ['turns:turn.example:443?transport=tcp', 'turn turn.example 443 tls'],
  ['turns:turn.example', 'turn turn.example 5349 tls'],
  ['turn:[2001:db8::1]:3478', 'turn 2001:db8::1 3478 udp'],
  ['turns:turn.example?transport=udp', undefined],
  ['http://turn.example', undefined],
  ['turn:', undefined],
  ['turn:a b', undefined],
];
for (const [text, found] of rows) {
  test(`iceAddress() reads ${text}`, () => {
    const address = iceAddress(text);
    expect(address === undefined ? undefined : Object.values(address).join(' ')).toBe(found);
  });
}
