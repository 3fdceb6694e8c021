import { expect, test } from 'bun:test';
import { invitePath, routeOf, sessionPath } from './route.ts';

const at = (path: string) => routeOf(new URL(path, 'https://vitrina.example'));

test('routeOf() knows the pages', () => {
  expect(at('/')).toEqual({ page: 'catalogue', code: '' });
  expect(at('/?code=1234')).toEqual({ page: 'catalogue', code: '1234' });
  expect(at(sessionPath('a_b-1'))).toEqual({ page: 'session', id: 'a_b-1' });
  expect(at(invitePath('a_b-1'))).toEqual({ page: 'invite', invite: 'a_b-1' });
  expect(at('/reset#secret')).toEqual({ page: 'reset', secret: 'secret' });
  expect(at('/i/abc/')).toEqual({ page: 'invite', invite: 'abc' });
  for (const path of ['/i', '/i/', '/i/a/b', '/i/abc)', `/i/${'a'.repeat(65)}`]) {
    expect(at(path)).toEqual({ page: 'none', like: 'invite' });
  }
  for (const path of ['/s', '/s/', '/s/a/b', '/s/%D0%B0'])
    expect(at(path)).toEqual({ page: 'none', like: 'session' });
  for (const path of ['/x', '/index.html', '/reset/', '/sessions/a', '/S/a'])
    expect(at(path)).toEqual({ page: 'none', like: undefined });
});
