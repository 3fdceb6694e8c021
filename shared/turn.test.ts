import { expect, test } from 'bun:test';
import { turnServer } from './turn.ts';

test('turnServer() makes what `printf %s 1700003600:s.p | openssl dgst -sha1 -hmac north -binary | base64` prints', () => {
  const urls = ['turn:turn.example:3478'];
  expect(turnServer({ urls, secret: 'north', user: 's.p', expires: 1_700_003_600_999 })).toEqual({
    urls,
    username: '1700003600:s.p',
    credential: 'tYgVcUKPix/8bjjZfEZNKTPlRL8=',
  });
});
